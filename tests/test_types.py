"""What the package says of its types holds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from conftest import PROJECT


@pytest.mark.slow
def test_mypy_finds_nothing_in_the_package():
    command = [sys.executable, "-m", "mypy"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
