"""Calls of a tier that fail, each in turn: a sample of what the benchmark runs whole."""

import json
import os
import subprocess
import sys
import tempfile

import pytest

from tests.faults.broken import CALLS, Control, environment, needs_shim
from tests.faults.matrix import DEEDS, ERRORS, OUTAGES, PLACES, cases
from tests.faults.places import ROOT

#: Every so many cases are run here; a prime, so that all kinds meet.
_EVERY = 197
#: In memory, if there is such a disk: what a disk does is not what is tried here.
_QUICK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()

pytestmark = needs_shim


@pytest.mark.parametrize("share", [0, 90])
def test_what_fails_in_a_tier_does_not_reach_the_caller(tmp_path, share):
    control = tmp_path / "control"
    Control(control)
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.matrix", str(share), str(_EVERY)],
        cwd=ROOT,
        env={**environment(control), "TMPDIR": _QUICK},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["failed"] == []
    assert found["struck"] > found["done"] / 3


def test_the_sample_has_all_there_is():
    sample = [case for share in (0, 90) for case in cases()[share::_EVERY]]
    assert {case.calls for case in sample} == set(OUTAGES)
    assert {case.error for case in sample} == set(ERRORS)
    assert {case.place for case in sample} == set(PLACES)
    assert {case.deed for case in sample} == set(DEEDS)


def test_rules_are_obeyed_as_they_are_laid_down(tmp_path):
    control = tmp_path / "control"
    rules = Control(control)
    rules.lay(tmp_path / "here", ["open"], error=28, first=2, every=2)
    code = (
        "import sys\n"
        "for place in ('here', 'there'):\n"
        "    for _ in range(4):\n"
        "        try:\n"
        "            open(f'{sys.argv[1]}/{place}').close(); print('ok')\n"
        "        except OSError as error:\n"
        "            print(error.errno)\n"
    )
    for place in ("here", "there"):
        (tmp_path / place).write_text("")
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(
        command, env=environment(control), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["ok", "28", "ok", "28", "ok", "ok", "ok", "ok"]
    assert rules.struck() == 2


def test_calls_have_a_bit_each():
    assert len(set(CALLS)) == len(CALLS) <= 63
