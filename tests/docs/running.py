"""Run the blocks of a page, in order, as a reader would who types them into one session.

Python blocks share a namespace, and commands a shell's folder. Absolute paths of the page, such as
``/lab/share``, lie below the folder of the test.
"""

import contextlib
import doctest
import io
import linecache
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
#: Where the pages' readers keep things. Here these are folders below the test's.
_PLACES = ("/home/ana", "/lab", "/local", "/lustre", "/scratch", "/shared", "/data")
_PLACE = re.compile(rf"(?<![\w.*~/-])(?=(?:{'|'.join(_PLACES)})(?![\w-]))")
#: What is another at each run, in the output of commands.
_CHANGES = {
    r"\d{4}-\d\d-\d\d( \d\d:\d\d)?(:\d\d)?": "DATE",
    r"\b[\d.]+ (us|ms|s|min|h)\b": "TIME",
    r"just now|TIME ago": "WHEN",
    r"\b[\d.]+ ([kMGT]?B|bytes)\b": "SIZE",
    r"\b\d+ ?%": "SHARE",
    r"Python \d+\.\d+\.\d+": "Python",
    r"numpy \d+\.\d+\.\d+": "numpy",
    # The versions of a function: their names depend on the versions of packages.
    r"(?<![\w-])(?=[\w-]*\d|[\w-]*[A-Z])[\w-]{14}(?![\w-])": "VERSION",
    r"(?<= )[\w-]{6}(?=:)": "VERSION",
}
#: What Octave 7 says at its end where there is no display.
_OF_OCTAVE = "error: ignoring const execution_exception& while preparing to exit\n"
_PROGRAMS = {"neurotools": "main", "neurotools-memo": "memo", "neurotools-pathman": "pathman"}


class Session:
    """What a reader of one page has before them.

    Parameters
    ----------
    folder : Path
        Empty folder in which everything happens. It is the working directory.
    """

    def __init__(self, folder):
        self.folder = folder
        self.names = {"__name__": "__main__"}
        for place in _PLACES:
            (folder / place[1:]).mkdir(parents=True)
        programs = folder / ".programs"
        programs.mkdir()
        for name, module in _PROGRAMS.items():
            (programs / name).write_text(
                f"#!{sys.executable}\nimport sys\nfrom neurotools.console.{module} import main\n"
                "sys.exit(main())\n"
            )
            (programs / name).chmod(0o755)
        python = programs / "python"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        self._path = os.pathsep.join([str(programs), os.environ["PATH"]])

    def run(self, block):
        """Run one block; what is not as the page says is an `AssertionError`."""
        for code in block.marks.get("first", ()):
            self._python(textwrap.dedent(code), f"{block.place}, what comes first")
        for lines in block.marks.get("first in the shell", ()):
            self._shell(textwrap.dedent(lines), block, check=True)
        if "saved as" in block.marks:
            (name,) = block.marks["saved as"]
            path = self.folder / name.strip()
            path.parent.mkdir(parents=True, exist_ok=True)
            text = self._here(block.text) + "\n"
            if block.language == "make":
                text = re.sub(r"^ {4}", "\t", text, flags=re.MULTILINE)  # docutils knows no tabs
            path.write_text(text, encoding="utf-8")
        else:
            _RUN[block.language](self, block)

    def _here(self, text):
        return _PLACE.sub(str(self.folder), text)

    # ------------------------------------------------------------ Python

    def _python(self, code, name):
        name = f"<{name}>"
        code = self._here(code)
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(code, name, "exec"), self.names)

    def _plain(self, block):
        self._python(block.text, block.place)

    def _doctest(self, block):
        text = self._here(block.text)
        found = doctest.DocTestParser().get_doctest(text, self.names, block.place, block.place, 0)
        found.globs = self.names  # it has made a copy
        for number, example in enumerate(found.examples):
            name = f"<doctest {block.place}[{number}]>"
            lines = example.source.splitlines(keepends=True)
            linecache.cache[name] = (len(example.source), None, lines, name)
        try:
            doctest.DebugRunner(optionflags=FLAGS).run(found, clear_globs=False)
        except doctest.DocTestFailure as failure:
            report = doctest.OutputChecker().output_difference
            shown = report(failure.example, failure.got, FLAGS)
            raise AssertionError(f"{block.place}: {failure.example.source}{shown}") from None
        except doctest.UnexpectedException as failure:
            raise AssertionError(f"{block.place}: {failure.example.source}") from failure.exc_info[
                1
            ]

    # ------------------------------------------------------------ shell

    def _shell(self, line, block, *, check=False):
        done = subprocess.run(
            ["bash", "-c", self._here(line)],
            cwd=self.folder,
            env={**os.environ, "PATH": self._path, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=120,
            check=False,
        )
        failed = done.returncode != 0
        assert not (check and failed), f"{block.place}: {line}: {done.returncode}\n{done.stdout}"
        assert "Traceback (most recent call last)" not in done.stdout, f"{line}\n{done.stdout}"
        printed = done.stdout.replace(str(self.folder), "")
        return printed.replace(_OF_OCTAVE, "")

    def _script(self, block):
        self._shell(f"set -eu\n{block.text}", block, check=True)

    def _console(self, block):
        for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            typed, _, printed = part.partition("\n")
            while typed.endswith("\\"):
                more, _, printed = printed.partition("\n")
                typed += "\n" + more.removeprefix("> ")
            # Where the page shows what is printed, that says enough; errors do so as well.
            silent = printed.strip() in {"", "..."} and "fails" not in block.marks
            got = self._shell(typed, block, check=silent)
            shown = _told(printed.replace("/home/ana", ""), block), _told(got, block)
            checker = doctest.OutputChecker()
            assert checker.check_output(*(f"{text}\n" for text in shown), FLAGS), (
                f"{block.place}: $ {typed}\n--- the page says\n{printed}\n--- it prints\n{got}"
            )


def _told(text, block):
    """Return what a command prints, less what is another each time."""
    for pattern in block.marks.get("differs", ()):
        text = re.sub(pattern.strip(), "DIFFERS", text)
    for pattern, instead in _CHANGES.items():
        text = re.sub(pattern, instead, text)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


_RUN = {
    "python": Session._plain,
    "pycon": Session._doctest,
    "console": Session._console,
    "bash": Session._script,
}


def need(*programs):
    """Skip where a program is missing."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
