"""One command, top to bottom: skipped, put back, or run and remembered. Start reading here.

Whatever goes wrong in the cache, the command runs, and its exit code is returned.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any, Protocol

from neurotools.memo.commands import state
from neurotools.memo.commands.call import Call
from neurotools.memo.commands.contents import Contents, File
from neurotools.memo.commands.kept import Kept
from neurotools.memo.commands.records import Records, Run
from neurotools.memo.commands.stdin import taken
from neurotools.memo.commands.teller import Teller
from neurotools.memo.errors import CorruptEntry, UnreadableFile
from neurotools.memo.whole import create

#: What locks are called in lock files; no function can have this name.
_LOCKED = "commands"


class Runner(Protocol):
    """Runs processes, see `neurotools.memo.commands.running.Processes`."""

    ended_by: int

    def run(self, words: Any, script: str, stdin: Any = None, printed: Any = None) -> int:
        """Run a command; return its exit code, negative for the signal that ended it."""


def remember(call: Call, runner: Runner, tell: Teller, stdin: Any = None) -> int:
    """Run a command unless nothing that counts has changed.

    Parameters
    ----------
    call : Call
        The command.
    runner : Runner
        Runs it.
    tell : Teller
        Is told what happens, and why.
    stdin : file or int, optional
        Where its input comes from; by default, from where ours does.

    Returns
    -------
    int
        The command's exit code, negative for the signal that ended it; 0 if it was skipped.

    Raises
    ------
    UnusableCommand
        If the command cannot be run, or a dependent cannot be read.
    """
    if call.folder is None:
        tell.note("nothing is remembered without -d")
        return runner.run(call.words, call.script, stdin)
    if not call.stdin:
        return _Remembering(call, call.folder, runner, tell, None, stdin).done()
    with taken(call.folder) as (file, source):
        return _Remembering(call, call.folder, runner, tell, file, source).done()


class _Remembering:
    """One command and its record."""

    def __init__(
        self,
        call: Call,
        folder: str,
        runner: Runner,
        tell: Teller,
        stdin: File | None,
        source: Any,
    ) -> None:
        self._call, self._folder, self._runner, self._tell = call, folder, runner, tell
        self._stdin, self._source = stdin, source
        self._records = Records(folder, call.slot, call.cwd)
        # What is remembered, and what the command makes, is no part of what it reads.
        self._contents = Contents(without=[folder, *map(call.place, call.outputs)])
        self._kept = Kept(call, folder, self._contents, tell)

    def done(self) -> int:
        seen = self._records.version()
        runs = self._load()
        try:
            reads = state.observed(self._call, self._contents, self._stdin)
        except state.Unrememberable as error:
            self._tell.warn(f"not remembered: {error}")
            return self._run(None)
        if not self._call.force and self._is_skipped(runs, reads):
            return 0
        with self._alone():
            # Somebody may have finished it between our look and our turn.
            if self._call.restore or self._records.version() != seen:
                runs, reads = self._looked_again()
                if not self._call.force and self._is_skipped(
                    runs, reads, restore=self._call.restore
                ):
                    return 0
            return self._run_and_remember(runs, reads)

    def _looked_again(self) -> tuple[list[Run], dict[str, File]]:
        runs = self._load()
        return runs, state.observed(self._call, self._contents, self._stdin)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the command while it runs."""
        from neurotools.memo.entry import Key
        from neurotools.memo.turns.flight import Flight  # skipped commands take no lock

        private = os.path.join(self._folder, ".neurotools")
        turn = Flight(private).alone(Key(_LOCKED, "", self._call.slot, "json"))
        try:
            with turn as waited:
                if waited:
                    self._tell.note("waited for the same command elsewhere")
                yield
        finally:
            turn.free()

    # ------------------------------------------------------------ looking

    def _load(self) -> list[Run]:
        try:
            runs = self._records.load()
            runs = runs or self._kept.shared_runs()
        except CorruptEntry as error:
            self._tell.warn(f"{error.location} was damaged and is set aside: {error.reason}")
            return []
        except OSError as error:
            self._tell.warn(f"cannot read what is remembered: {error}")
            return []
        self._contents.learn(file for run in runs for file in run.files())
        return runs

    def _is_skipped(
        self, runs: list[Run], reads: dict[str, File], *, restore: bool = False
    ) -> bool:
        reason = "it has not run before"
        for run in reversed(runs):
            why = state.difference(run, self._call, reads)
            why = why or state.unfinished(run, self._call, reads, self._contents)
            if why and restore:
                is_other = bool(state.difference(run, self._call, reads))
                why = why if is_other else self._kept.restored(run, why)
            why = why or self._unprinted(run)
            if not why:
                self._skip(run, runs)
                return True
            reason = why if reason == "it has not run before" else reason
        if not restore:
            self._tell.note(f"not skipped: {reason}")
        return False

    def _unprinted(self, run: Run) -> str:
        if not self._call.replay:
            return ""
        if run.words != self._call.words:
            return "another file's name may stand in what it prints"
        if run.printed is None:
            return "what it prints was not kept"
        try:
            is_whole = self._contents.of(run.printed.path).hash == run.printed.hash
        except UnreadableFile as error:
            return f"what it printed cannot be read: {error}"
        return "" if is_whole else "what it printed is damaged"

    def _skip(self, run: Run, runs: list[Run]) -> None:
        ended = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.when))
        self._tell.note(f"skipped: unchanged since {ended}, when it took {run.seconds:.3g} s")
        if self._call.replay and run.printed is not None:
            from neurotools.memo.commands.running import replay

            self._tell.note("what follows is what it printed then")
            # Who reads only the beginning closes the pipe; there is nobody left to be told.
            with contextlib.suppress(OSError):
                replay(run.printed.path)
        if self._contents.has_learnt:
            self._refresh(runs)

    def _refresh(self, runs: list[Run]) -> None:
        """Note which files need not be read again."""
        for file in (one for run in runs for whole in run.files() for one in whole.files()):
            with contextlib.suppress(UnreadableFile):
                now = self._contents.of(file.path)
                if now.hash == file.hash:
                    file.stat, file.since, file.is_settled = now.stat, now.since, now.is_settled
        with contextlib.suppress(OSError):
            self._records.save(runs)

    # ------------------------------------------------------------ running

    def _run(self, printed: Any) -> int:
        return self._runner.run(self._call.words, self._call.script, self._source, printed)

    def _run_and_remember(self, runs: list[Run], reads: dict[str, File]) -> int:
        others = [run for run in runs if state.difference(run, self._call, reads)]
        if len(others) < len(runs):
            self._save(others)  # while it runs, what it makes is not whole
        reads = state.without_made(self._call, reads, runs)
        with self._written_down() as (printed, path):
            started = time.time()
            ended = self._run(printed)
            seconds = time.time() - started
        if ended or self._runner.ended_by:
            self._tell.note(f"not remembered: it ended with {ended}")
            return ended
        makes = self._made(reads)
        if makes is not None:
            is_whole = printed is not None and printed.is_whole
            run = Run(
                self._call.words,
                reads,
                makes,
                when=time.time(),
                seconds=seconds,
                printed=self._contents.of(path, is_new=True) if is_whole else None,
                kept=self._kept.keeps(makes),
            )
            self._save([*others, run], new=run)
        return ended

    @contextlib.contextmanager
    def _written_down(self) -> Iterator[tuple[Any, str]]:
        """Give what writes down what is printed, where that is asked for, and its file."""
        if not self._call.replay:
            yield None, ""
            return
        from neurotools.memo.commands.running import Printed

        path = self._records.place_for_printed(time.time_ns())
        try:
            descriptor, temporary = create(path)
        except OSError as error:
            self._tell.warn(f"what it prints cannot be kept: {error}")
            yield None, ""
            return
        try:
            yield Printed(descriptor), path
            os.replace(temporary, path)
        finally:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(temporary)

    def _made(self, reads: dict[str, File]) -> dict[str, File] | None:
        """Return what the run has made; None where it is not to be remembered."""
        if changed := state.changed_input(reads, self._contents):
            hint = "; if the command writes it, name it with -o"
            self._tell.warn(f"not remembered: {changed} changed while the command ran{hint}")
            return None
        try:
            makes = state.outputs(self._call, self._contents)
            return {**makes, **state.created(self._call, reads, self._contents)}
        except (UnreadableFile, state.Unrememberable) as error:
            self._tell.warn(f"not remembered: the command ended well, but {error}")
            return None

    def _save(self, runs: list[Run], new: Run | None = None) -> None:
        try:
            self._records.save(runs)
        except OSError as error:
            self._tell.warn(f"nothing can be remembered in {self._folder}: {error}")
            return
        if new is not None:
            self._show(new)
        self._kept.share(runs)

    def _show(self, run: Run) -> None:
        from neurotools.memo.commands.view import show_run

        try:
            show_run(self._folder, self._call, run)
        except OSError as error:
            self._tell.note(f"the files for people cannot be written: {error}")
