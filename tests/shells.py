"""Real shells for the tests of commands: scripts, files, and what was run and printed."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

needs_posix = pytest.mark.skipif(os.name == "nt", reason="the scripts of these tests need a shell")


class Ended(NamedTuple):
    """What a shell gave."""

    code: int
    out: str
    err: str


class Place:
    """A folder with scripts and files, in which commands are run by a shell."""

    def __init__(self, folder, shell="bash"):
        self.folder, self.shell = folder, shell
        bin_folder = folder / ".bin"
        bin_folder.mkdir()
        for name in ("memo", "pathman"):
            program = bin_folder / f"neurotools-{name}"
            program.write_text(
                f"#!{sys.executable}\nimport sys\nfrom neurotools.console.{name} import main\n"
                "sys.exit(main())\n"
            )
            program.chmod(0o755)
        root = Path(__file__).resolve().parents[1]
        self.environment = {
            **os.environ,
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(root),
        }

    def sh(self, line, shell=None, **options):
        """Run a line in a shell."""
        done = subprocess.run(
            [shell or self.shell, "-c", line],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            timeout=120,
            check=False,
            **options,
        )
        return Ended(done.returncode, *(os.fsdecode(s) for s in (done.stdout, done.stderr)))

    def start(self, line, **options):
        """Start a line in a shell, and go on."""
        return subprocess.Popen(
            [self.shell, "-c", line],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def script(self, name, body, first="#!/bin/sh"):
        """Write a script; each run of it leaves a line in the file ``runs``."""
        path = self.folder / name
        runs = self.folder / "runs"
        path.write_text(f"{first}\necho {path.name!r} >> '{runs}'\n{body}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    @property
    def runs(self):
        """How many scripts have run."""
        path = self.folder / "runs"
        return len(path.read_text().splitlines()) if path.exists() else 0

    def write(self, name, text):
        """Write a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def read(self, name):
        """Return a file's text."""
        return (self.folder / name).read_text(encoding="utf-8")

    def exists(self, name):
        """Tell whether there is such a file."""
        return (self.folder / name).exists()
