"""Remember shell commands: what ``neurotools-memo`` does, for programs.

A command is run again only when something that counts has changed: its words, its script, scripts
that it depends on, files that it reads or makes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from neurotools.memo.commands.call import CANNOT_RUN, NOT_FOUND, Call
from neurotools.memo.commands.remember import remember
from neurotools.memo.commands.teller import Teller

__all__ = ["CANNOT_RUN", "NOT_FOUND", "Teller", "run_command"]

#: Texts or paths; one may stand alone.
Several = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


class _Silent:
    """Says nothing but what everybody should know, and that to the log."""

    def note(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        from neurotools.memo.log import Log

        Log(__name__).warning("%s", text)


def run_command(
    words: Sequence[str | os.PathLike[str]],
    hash_output: str | os.PathLike[str] | None = None,
    *,
    dependents: Several = (),
    inputs: Several = (),
    outputs: Several = (),
    environment: Several = (),
    name: str | None = None,
    replay: bool = False,
    restore: bool = False,
    tiers: Several = (),
    force: bool = False,
    tell: Teller | None = None,
) -> int:
    """Run a command, unless nothing that counts has changed since it ended well.

    Parameters
    ----------
    words : sequence of str or path
        The command and its arguments. Arguments that are files count by content.
    hash_output : str or path, optional
        Folder in which it is remembered. Without one, it runs each time.
    dependents : str, path or sequence of them
        Other scripts and commands whose content counts.
    inputs : str, path or sequence of them
        Files and folders whose content counts, besides the arguments.
    outputs : str, path or sequence of them
        Files and folders that it makes. If one is missing or changed, it runs.
    environment : str or sequence of str
        Names of environment variables whose values count.
    name : str, optional
        Name of the files for people.
    replay : bool
        Whether what it prints is kept, and printed when it is skipped.
    restore : bool
        Whether outputs are kept, and put back where they are missing or changed.
    tiers : str, path or sequence of them
        More places, fast to slow, where runs and outputs are kept.
    force : bool
        Whether to run in any case.
    tell : Teller, optional
        Is told what happens; by default, only warnings are logged.

    Returns
    -------
    int
        The command's exit code, as a shell gives it; 0 if it was skipped.

    Raises
    ------
    TypeError
        If the words are one text: ``shlex.split`` takes it apart as a shell does.
    ValueError
        If there are no words, or `hash_output` is a URL.
    UnusableCommand
        If the command cannot be run, or a dependent cannot be read. It has the shell's ``code``.
    KeyboardInterrupt
        If it was interrupted while the command ran.

    Examples
    --------
    >>> import sys, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> run_command([sys.executable, "-c", "raise SystemExit(3)"], folder)
    3
    """
    from neurotools.memo.commands.running import Processes, exit_code

    folder = None if hash_output is None else os.fspath(hash_output)
    if folder is not None and "://" in folder:
        raise ValueError(f"{folder} is no folder of this computer; give it in tiers, besides")
    call = Call(
        _checked(words),
        folder,
        dependents=_listed(dependents),
        inputs=_listed(inputs),
        outputs=_listed(outputs),
        environment=_listed(environment),
        name=name,
        replay=replay,
        restore=restore,
        tiers=_listed(tiers),
        force=force,
    )
    with Processes() as processes:
        ended = remember(call, processes, _Silent() if tell is None else tell)
    if processes.ended_by == signal.SIGINT:
        raise KeyboardInterrupt  # the command has it, too
    return exit_code(ended)


def _checked(words: Sequence[str | os.PathLike[str]]) -> list[str]:
    if isinstance(words, (str, os.PathLike)):
        raise TypeError(f"{words!r} is one word; give a list, as shlex.split makes of a text")
    if not (listed := _listed(words)):
        raise ValueError("there is no command")
    return listed


def _listed(given: Several) -> list[str]:
    if isinstance(given, (str, os.PathLike)):
        return [os.fspath(given)]
    return [os.fspath(one) for one in given]
