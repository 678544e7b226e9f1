"""Computations that ask for themselves, in every way there is: they end, with the right result."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

#: The others of `tests.faults.circles` are tried by ``benchmarks.reliability.herd``.
QUICK = (
    *("in_pool", "in_multiprocessing_threads", "with_a_worker", "in_subprocess", "in_spawn"),
    *("with_processes_from_before", "in_bare_fork", "with_tasks", "in_opposite_order"),
    "in_two_processes",
)


@pytest.mark.parametrize("name", QUICK)
def test_a_computation_that_asks_for_itself_ends(name, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.circles", name],
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
        env={**os.environ, "CIRCLES": str(tmp_path)},
        cwd=os.path.dirname(os.path.dirname(os.path.dirname(__file__))),
    )
    assert done.stdout.split() == [b"42"]
