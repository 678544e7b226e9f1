"""What is asked for: a command, what it depends on, what it makes, where it is remembered."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence

import xxhash

from neurotools.memo.errors import UnusableCommand

#: Exit codes of shells: a file that cannot be run, and one that is not there.
CANNOT_RUN, NOT_FOUND = 126, 127
#: Bytes of a name in the names of files, so that what is added fits as well.
_LONGEST_NAME = 60


class Call:
    """One command as it was asked for.

    Parameters
    ----------
    words : sequence of str
        The command and its arguments.
    folder : str or None
        Where it is remembered; None for not at all.
    dependents : sequence of str
        Other scripts and commands whose content counts.
    inputs : sequence of str
        Files and folders whose content counts, whether they are arguments or not.
    outputs : sequence of str
        Files and folders that the command makes.
    environment : sequence of str
        Names of variables whose values count.
    name : str, optional
        Name of the files for people; by default the command's, up to the first dot.
    stdin : bool
        Whether what comes from the standard input counts.
    replay : bool
        Whether what the command prints is kept, and printed when it is skipped.
    restore : bool
        Whether outputs are kept, and put back where they are missing or changed.
    tiers : sequence of str
        More places where runs and outputs are kept, fast to slow.
    force : bool
        Whether to run in any case.

    Raises
    ------
    UnusableCommand
        If there is no such command, or it cannot be run.
    """

    def __init__(
        self,
        words: Sequence[str],
        folder: str | None = None,
        *,
        dependents: Sequence[str] = (),
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        environment: Sequence[str] = (),
        name: str | None = None,
        stdin: bool = False,
        replay: bool = False,
        restore: bool = False,
        tiers: Sequence[str] = (),
        force: bool = False,
    ) -> None:
        self.words = list(words)
        self.folder = None if folder is None else _absolute(folder)
        self.dependents, self.inputs = list(dependents), list(inputs)
        self.outputs, self.environment = list(outputs), list(environment)
        self.stdin, self.replay, self.restore = stdin, replay, restore
        self.tiers, self.force = list(tiers), force
        self.cwd = _working_directory()
        self.script = found(words[0])
        self.name = plain_name(name or os.path.basename(words[0]).partition(".")[0] or words[0])

    @property
    def slot(self) -> str:
        """Name of the record in which all runs stand that could answer this call."""
        # With outputs that are named, an argument that is a file may have any name.
        words = self.words[:1] if self.outputs else self.words
        text = "\0".join([self.cwd, str(len(words)), *words, *map(self.place, self.outputs)])
        digest: str = xxhash.xxh3_128_hexdigest(text.encode("utf-8", "surrogateescape"))
        return f"{self.name}-{digest[:20]}"

    def place(self, path: str) -> str:
        """Return the absolute path of something, links in it unresolved."""
        return os.path.normpath(os.path.join(self.cwd, os.path.expanduser(path)))

    def arguments(self) -> Iterator[tuple[str, str]]:
        """Give what among the arguments may be paths: a label, and the path as it was typed.

        A whole word, or what stands behind its first ``=``, as in ``--mask=brain.nii``.
        """
        made = {os.path.realpath(self.place(path)) for path in self.outputs}
        for number, word in enumerate(self.words[1:], 1):
            for label, path in _paths_in(f"argument {number}", word):
                if not made or os.path.realpath(self.place(path)) not in made:
                    yield label, path


def _absolute(folder: str) -> str:
    return os.path.normpath(os.path.join(_working_directory(), os.path.expanduser(folder)))


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed; commands run there all the same
        return os.environ.get("PWD", os.curdir)


def _paths_in(label: str, word: str) -> Iterator[tuple[str, str]]:
    yield label, word
    name, equals, value = word.partition("=")
    if equals and value:
        yield f"{label}, {name}", value


def found(word: str, known: Callable[[str], bool] = os.path.isfile) -> str:
    """Return the file that a shell would run for a word, or one of that name that lies here.

    Raises
    ------
    UnusableCommand
        If there is none, or it cannot be run.
    """
    if os.path.dirname(word):
        return _checked(word, word)
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for suffix in _SUFFIXES:
            path = os.path.join(folder or ".", word + suffix)
            if known(path) and os.access(path, os.X_OK):
                return path
    if os.path.exists(word):
        return _checked(os.path.join(".", word), word)
    raise UnusableCommand(word, "command not found", NOT_FOUND)


_SUFFIXES = ("",) if os.name != "nt" else ("", ".exe", ".bat", ".cmd", ".com")


def _checked(path: str, word: str) -> str:
    try:
        facts = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UnusableCommand(word, str(error.strerror), NOT_FOUND) from None
    except (OSError, ValueError) as error:
        raise UnusableCommand(word, getattr(error, "strerror", None) or str(error)) from None
    if stat.S_ISDIR(facts.st_mode):
        raise UnusableCommand(word, "is a directory")
    if not os.access(path, os.X_OK):
        raise UnusableCommand(word, "permission denied; make it executable with chmod +x")
    return path


def depended_on(word: str) -> str:
    """Return the file that a dependent is: one that lies here, executable or not, or a command.

    Raises
    ------
    UnusableCommand
        If there is none, or it cannot be read.
    """
    path = word if os.path.exists(word) else found(word)
    if not os.access(path, os.R_OK):
        raise UnusableCommand(word, "permission denied")
    return path


def plain_name(name: str) -> str:
    """Return a name that every file system takes."""
    plain = re.sub(r"[^\w.+-]", "_", os.fsencode(name).decode("utf-8", "replace")).lstrip(".")
    while len(plain.encode()) > _LONGEST_NAME:
        plain = plain[:-1]
    return plain or "_"
