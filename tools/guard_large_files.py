"""Refuse to commit large files: ``python tools/guard_large_files.py FILE ...``.

What is once in the history is fetched by everybody for ever.
"""

from __future__ import annotations

import sys
from pathlib import Path

MOST_BYTES = 400_000
"""The largest file that is needed, the pinned dependencies, has about 300,000."""


def main(files: list[str]) -> int:
    """Check files by name; return 1 where one is too large."""
    large = [(file, Path(file).stat().st_size) for file in files if Path(file).is_file()]
    large = [(file, size) for file, size in large if size > MOST_BYTES]
    for file, size in large:
        print(f"{file}: {size:,} bytes, over {MOST_BYTES:,}", file=sys.stderr)
    return int(bool(large))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
