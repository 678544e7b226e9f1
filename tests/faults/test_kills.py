"""Kills, failing power, all at once: short forms of what is in `benchmarks.reliability`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import watched

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    bool(watched.reason_against()), reason=watched.reason_against() or "it can be done here"
)


def counts_of(command, *options):
    command = [sys.executable, "-m", f"benchmarks.reliability.{command}", "--json", *options]
    # What is killed loses nothing that the system has; there it takes least time.
    command += ["--folder", "/dev/shm"] if os.path.isdir("/dev/shm") else []
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_nothing_is_wrong_or_lost_or_left_after_a_kill():
    counts = counts_of("kills", "--many", "50", "--largest", "300000", "--seed", "5")
    bad = {"wrong", "lost", "left over", "warnings", "exceptions"}
    assert {name: counts.get(name, 0) for name in bad} == dict.fromkeys(bad, 0)
    assert counts["kills"] == 50
    assert counts["looked at"] > 100
    assert not any(name.startswith("killed by ended") for name in counts)


def test_nothing_goes_wrong_when_everything_happens_at_once():
    counts = counts_of("soak", "--minutes", "0.06", "--workers", "3")
    bad = {"wrong", "lost", "left over", "exceptions"}
    assert {name: counts.get(name, 0) for name in bad} == dict.fromkeys(bad, 0)
    assert counts["calls"] > 100
    assert counts["kills"] > 0


def test_nothing_is_wrong_or_lost_after_the_power_failed():
    counts = counts_of("power", "--many", "140", "--largest", "300000", "--seed", "5")
    bad = {"wrong", "left over", "exceptions"}
    for durability in ("process", "power"):
        found = counts[durability]
        assert {name: found.get(name, 0) for name in bad} == dict.fromkeys(bad, 0)
        assert found["stored"] > 20
    assert "lost" not in counts["power"]
    # What can be lost is: otherwise nothing would have been shown.
    assert counts["process"]["lost"] > 0
    assert counts["process"]["warnings"] > 0
