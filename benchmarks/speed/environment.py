"""The benchmark's own virtual environment, made where it is missing."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.tables import ROOT

FOLDER = ROOT / ".venv-bench"
PEERS = Path(__file__).with_name("peers.txt")


def python() -> Path:
    """Return the environment's Python; install into it what `PEERS` says, if that is new."""
    found = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, wanted = FOLDER / "installed.txt", PEERS.read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return found
    venv.create(FOLDER, with_pip=True)
    install = [str(found), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"]
    subprocess.run([*install, str(PEERS)], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return found


def go_there(module: str) -> None:
    """Run a module of these benchmarks in the environment, unless it runs there already."""
    if Path(sys.prefix).resolve() == FOLDER.resolve():
        return
    command = [str(python()), "-m", module, *sys.argv[1:]]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)
