"""The ``neurotools-memo`` command: run a command, unless nothing that counts has changed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from neurotools.console.flags import Options, WrongFlags, groups, read
from neurotools.memo.commands.call import Call
from neurotools.memo.commands.remember import remember
from neurotools.memo.errors import UnusableCommand

NAME = "neurotools-memo"
_WRONG_USE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What was typed after ``neurotools-memo``; from the command line by default.

    Returns
    -------
    int
        The exit code of the command, 0 if it was skipped, 126 or 127 if it cannot be run, 2 if the
        flags are wrong.
    """
    parent = os.getppid()
    try:
        options, words = read(sys.argv[1:] if arguments is None else arguments)
        if options.help or options.version or options.completion:
            from neurotools.console import pages  # not loaded to run a command

            return pages.show(options)
        tell = _Teller(options)
        ended = _parallel(options, words, tell) if options.parallel else _one(options, words, tell)
    except WrongFlags as error:
        print(f"{NAME}: {error}\nSee {NAME} --help", file=sys.stderr)
        return _WRONG_USE
    except KeyboardInterrupt:
        ended = -2
    if ended and options.kill:
        _end_parent(parent, tell)
    if ended < 0:
        from neurotools.memo.commands.running import end_like, exit_code

        end_like(ended)
        return exit_code(ended)
    return ended


class _Teller:
    """Prints to standard error, and to a log file if there is one."""

    def __init__(self, options: Options, label: str = "") -> None:
        self._is_verbose, self._log = bool(options.verbose), options.log_file
        self._label = f"{label}: " if label else ""

    def note(self, text: str) -> None:
        self._write(text, is_shown=self._is_verbose)

    def warn(self, text: str) -> None:
        self._write(text, is_shown=True)

    def _write(self, text: str, *, is_shown: bool) -> None:
        line = f"{NAME}: {self._label}{text}".encode(errors="backslashreplace").decode()
        if is_shown and sys.stderr is not None:  # it is None where it was closed
            print(line, file=sys.stderr, flush=True)
        if self._log:
            try:
                with open(self._log, "a", encoding="utf-8") as file:
                    file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")
            except OSError as error:
                print(f"{NAME}: cannot write {self._log}: {error.strerror}", file=sys.stderr)
                self._log = None


class _Lazily:
    """Runs processes once there is one to be run: `subprocess` takes 8 ms to load."""

    def __init__(self) -> None:
        self.ended_by = 0

    def run(self, *asked: object, **how: object) -> int:
        from neurotools.memo.commands.running import Processes

        with Processes() as processes:
            try:
                return processes.run(*asked, **how)  # type: ignore[arg-type]
            finally:
                self.ended_by = processes.ended_by


def _one(options: Options, words: list[str], tell: _Teller) -> int:
    try:
        call = _call(options, words, options.hash_output, options.outputs)
        return remember(call, _Lazily(), tell)
    except UnusableCommand as error:
        tell.warn(f"{error}")
        return error.code


def _call(options: Options, words: list[str], folder: str | None, outputs: list[str]) -> Call:
    return Call(
        words,
        folder,
        dependents=options.dependents,
        inputs=options.inputs,
        outputs=outputs,
        environment=options.env,
        name=options.name,
        stdin=options.stdin and not options.parallel,
        replay=options.replay,
        restore=options.restore,
        tiers=options.tier,
        force=options.force,
    )


def _parallel(options: Options, words: list[str], tell: _Teller) -> int:
    """Run a command with several sets of arguments; return the first exit code that is not 0."""
    from concurrent.futures import ThreadPoolExecutor

    from neurotools.memo.commands.running import Processes

    command, arguments, outputs = groups(words)
    with Processes() as processes, ThreadPoolExecutor(options.parallel) as threads:

        def run(number: int) -> int:
            folder = options.hash_output and os.path.join(options.hash_output, f"parallel{number}")
            made = [*options.outputs, *outputs.get(number, [])]
            told = _Teller(options, f"arg{number}")
            if processes.ended_by:
                return -processes.ended_by
            try:
                call = _call(options, [*command, *arguments[number]], folder, made)
                # Nobody's terminal: several would read from it at once.
                with open(os.devnull, "rb") as nothing:
                    return remember(call, processes, told, nothing)
            except UnusableCommand as error:
                told.warn(f"{error}")
                return error.code

        ended = list(threads.map(run, arguments))
    failed = [f"arg{number}" for number, code in zip(arguments, ended, strict=True) if code]
    if failed:
        tell.note(f"failed: {', '.join(failed)}")
    return next((code for code in ended if code), 0)


def _end_parent(parent: int, tell: _Teller) -> None:
    """End the process that has started us, if it is still there."""
    import signal

    if os.getppid() != parent or parent <= 1:
        tell.warn("the parent process is gone, or cannot be ended")
        return
    tell.note(f"the command failed; process {parent} is ended, too")
    try:
        os.kill(parent, signal.SIGTERM)
    except OSError as error:
        tell.warn(f"process {parent} cannot be ended: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
