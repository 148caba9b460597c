"""The claims of SECURITY.md stand on tests that exist."""

from __future__ import annotations

import re

import pytest

from conftest import PROJECT

CLAIMS = re.findall(
    r"`(tests/[\w/]+\.py)::(\w+)`", (PROJECT / "SECURITY.md").read_text(encoding="utf-8")
)


def test_every_threat_has_a_test():
    rows = re.findall(r"^\| (\d+) \|.*$", (PROJECT / "SECURITY.md").read_text("utf-8"), re.M)
    assert [int(row) for row in rows] == list(range(1, 16))
    assert len(CLAIMS) >= 30


@pytest.mark.parametrize(("file", "name"), CLAIMS)
def test_a_test_that_is_named_is_there(file, name):
    assert f"def {name}(" in (PROJECT / file).read_text(encoding="utf-8")
