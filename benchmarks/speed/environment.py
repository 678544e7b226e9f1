"""The benchmarks' own virtual environments, made where they are missing."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.tables import ROOT

FOLDER = ROOT / ".venv-bench"
PEERS = Path(__file__).with_name("peers.txt")


def python(folder: Path = FOLDER, peers: Path = PEERS) -> Path:
    """Return an environment's Python; install into it what a file says, if that is new."""
    found = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp, wanted = folder / "installed.txt", peers.read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return found
    venv.create(folder, with_pip=True)
    install = [str(found), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r"]
    subprocess.run([*install, str(peers)], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return found


def go_there(module: str, folder: Path = FOLDER, peers: Path = PEERS) -> None:
    """Run a module of these benchmarks in its environment, unless it runs there already."""
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    command = [str(python(folder, peers)), "-m", module, *sys.argv[1:]]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)
