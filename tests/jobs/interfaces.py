"""Interfaces of one's own, for the tests: they have the shape, and need nothing else."""

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

from neurotools.memo.digest.files import File


class Repeat:
    """Write a file several times over, into a new file."""

    version = "1.0"

    class Inputs:
        in_file: Annotated[str, File] = None
        times = 2
        name = "out.txt"
        fail = False
        exit_code = 0

    def __init__(self, suffix=""):
        self.inputs = self.Inputs()
        self.suffix = suffix

    def run(self, cwd):
        given = self.inputs
        out = Path(cwd) / (given.name + self.suffix)
        out.write_text(Path(given.in_file).read_text() * given.times)
        (Path(cwd) / "side.txt").write_text("beside it")
        if given.fail:
            raise ZeroDivisionError("asked to fail")
        runtime = SimpleNamespace(cwd=cwd, returncode=given.exit_code, duration=0.5)
        outputs = SimpleNamespace(out_file=str(out), size=out.stat().st_size, source=given.in_file)
        return SimpleNamespace(outputs=outputs, runtime=runtime)


class Slow(Repeat):
    """Take a while, or as long as it is held, and note each run in a file."""

    class Inputs(Repeat.Inputs):
        seconds = 0.5

    def run(self, cwd):
        # No input: a file that is named as one would count by its content.
        with Path(os.environ["NOTES"]).open("a") as file:
            file.write(f"{os.getpid()}\n")
        while os.path.exists(os.environ["NOTES"] + "-held"):
            time.sleep(0.02)
        time.sleep(self.inputs.seconds)
        return super().run(cwd)


class Beside:
    """Write a file beside the one it reads, as some tools do."""

    class Inputs:
        in_file: File = None

    def __init__(self):
        self.inputs = self.Inputs()

    def run(self, cwd):
        out = Path(f"{self.inputs.in_file}.out")
        out.write_text("made")
        return SimpleNamespace(outputs=SimpleNamespace(out_file=str(out)))


class Values:
    """Give values of all kinds."""

    class Inputs:
        what = None

    def __init__(self):
        self.inputs = self.Inputs()

    def run(self, cwd):
        return SimpleNamespace(outputs={"value": self.inputs.what})
