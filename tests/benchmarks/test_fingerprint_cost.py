"""The script that measures fingerprints, in its quickest form."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fingerprint_cost.py"


def test_the_quick_form_prints_a_row_and_writes_nothing():
    figures = SCRIPT.parents[1] / "docs" / "fingerprint-cost.inc"
    before = figures.stat().st_mtime_ns
    done = subprocess.run(
        [sys.executable, SCRIPT, "--quick"], capture_output=True, text=True, check=True
    )
    assert "10 in 1" in done.stdout
    assert figures.stat().st_mtime_ns == before
