"""Digests are the same in every process, on every Python and machine."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

GOLDEN = json.loads((HERE / "digests.json").read_text())


def run_table(python, seed):
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(HERE.parents[2])}
    command = [python, "-W", "ignore", "table.py"]
    done = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("seed", [1, 2])
def test_digests_are_those_of_every_other_process(seed):
    assert run_table(sys.executable, seed) == GOLDEN


@pytest.mark.parametrize("version", ["3.10", "3.13"])
def test_digests_are_those_of_other_versions_of_python(version):
    python = shutil.which(f"python{version}")
    ready = python and subprocess.run([python, "-c", "import numpy, xxhash"], capture_output=True)
    if not ready or ready.returncode:
        pytest.skip(f"python{version} is not here, or has no numpy")
    assert run_table(python, 3) == GOLDEN
