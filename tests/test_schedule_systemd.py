"""A real systemd of a user starts the timer that was installed, and an edition appears.

Where the computer was not booted with systemd, as in a container, a user's manager is
started in a mount namespace of its own in which it believes so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analysis.simulation import simulate_district, write_district
from conftest import PROJECT

COACH = Path(sys.executable).parent / "coach"
MANAGER = Path("/lib/systemd/systemd")
LONGEST_WAIT = 300

BOOTED = """\
mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/system || exit 77
"$MANAGER" --user --log-target=null &
manager=$!
for _ in $(seq 60); do
  systemctl --user is-system-running >/dev/null 2>&1 && break
  kill -0 $manager 2>/dev/null || exit 77
  sleep 0.5
done
"$COACH" schedule systemd --at "$AT" --days daily --install --config "$CONFIG" || exit 1
for _ in $(seq "$WAIT"); do [ -f "$LAST" ] && break; sleep 1; done
for _ in $(seq 60); do
  state=$(systemctl --user show --property ActiveState --value coach-reports.service)
  [ "$state" = activating ] || break
  sleep 0.5
done
"$COACH" doctor --json --config "$CONFIG" >"$OUT/doctor.json"
systemctl --user show coach-reports.service -p Result -p ExecMainStatus >"$OUT/result.txt"
"$COACH" schedule systemd --remove --config "$CONFIG" || exit 1
kill $manager; wait $manager
exit 0
"""


@pytest.fixture
def place():
    """A folder outside /tmp, which the service has for itself; with a bad name."""
    try:
        made = Path(tempfile.mkdtemp(prefix="coach 50% $HOME ", dir="/var/lib"))
    except OSError:
        pytest.skip("only root can make the folder")
    yield made
    shutil.rmtree(made)


@pytest.mark.slow
def test_systemd_fires_the_installed_timer_and_an_edition_appears(place):
    needed = ["unshare", "systemctl"]
    if os.name != "posix" or not MANAGER.is_file() or not all(map(shutil.which, needed)):
        pytest.skip("systemd is not installed")
    if Path("/run/systemd/system").is_dir():
        pytest.skip("this computer's own systemd is left alone")
    write_district(simulate_district(2, random_state=7), place / "data" / "inbox")
    (place / "coach.toml").write_text('[run]\npages = ["classroom"]\nsettle_seconds = 0\n')
    shutil.copytree(PROJECT / "notebooks", place / "notebooks")
    for folder in ("run", "home", "said"):
        (place / folder).mkdir(mode=0o700)
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", BOOTED],
        env=os.environ | {
            "MANAGER": str(MANAGER), "COACH": str(COACH), "WAIT": str(LONGEST_WAIT),
            "AT": f"{datetime.now() + timedelta(seconds=60 + 20):%H:%M}",
            "CONFIG": str(place / "coach.toml"), "LAST": str(place / "reports" / "last-run.json"),
            "OUT": str(place / "said"), "HOME": str(place / "home"),
            "XDG_RUNTIME_DIR": str(place / "run"), "XDG_CONFIG_HOME": str(place / "home"),
        },
        capture_output=True, text=True, timeout=LONGEST_WAIT + 120,
    )  # fmt: skip
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip("a user's systemd cannot be started here")
    assert done.returncode == 0, done.stderr
    log = (place / "reports" / "schedule.log").read_text(encoding="utf-8")
    told = (place / "said" / "result.txt").read_text()
    assert told.split() == ["Result=success", "ExecMainStatus=0"], log
    assert json.loads((place / "reports" / "last-run.json").read_text())["exit_code"] == 0
    assert len(list((place / "reports" / "current").glob("*.html"))) == 2 + 1
    checks = json.loads((place / "said" / "doctor.json").read_text())["checks"]
    schedule = next(check for check in checks if check["name"] == "schedule")
    assert "it ran when it was last due" in schedule["says"]
    assert list((place / "home" / "systemd" / "user").glob("coach*")) == []
