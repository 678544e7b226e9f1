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
    dependents: Sequence[str] = (),
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    environment: Sequence[str] = (),
    name: str | None = None,
    replay: bool = False,
    restore: bool = False,
    tiers: Sequence[str] = (),
    force: bool = False,
    tell: Teller | None = None,
) -> int:
    """Run a command, unless nothing that counts has changed since it ended well.

    Parameters
    ----------
    words : sequence of str
        The command and its arguments. Arguments that are files count by content.
    hash_output : str or path, optional
        Folder in which it is remembered. Without one, it runs each time.
    dependents : sequence of str
        Other scripts and commands whose content counts.
    inputs : sequence of str
        Files and folders whose content counts, besides the arguments.
    outputs : sequence of str
        Files and folders that it makes. If one is missing or changed, it runs.
    environment : sequence of str
        Names of environment variables whose values count.
    name : str, optional
        Name of the files for people.
    replay : bool
        Whether what it prints is kept, and printed when it is skipped.
    restore : bool
        Whether outputs are kept, and put back where they are missing or changed.
    tiers : sequence of str
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

    call = Call(
        [os.fspath(word) for word in words],
        None if hash_output is None else os.fspath(hash_output),
        dependents=dependents,
        inputs=inputs,
        outputs=outputs,
        environment=environment,
        name=name,
        replay=replay,
        restore=restore,
        tiers=tiers,
        force=force,
    )
    with Processes() as processes:
        ended = remember(call, processes, _Silent() if tell is None else tell)
    if processes.ended_by == signal.SIGINT:
        raise KeyboardInterrupt  # the command has it, too
    return exit_code(ended)
