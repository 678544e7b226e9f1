"""A command as a process: its streams passed through live, its signals and exit code handed on."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import IO, Any

from neurotools.memo.errors import UnusableCommand

#: One piece of what was printed: which stream, and how many bytes.
HEAD_SIZE = 9
_CHUNK_BYTES = 1 << 16
#: Sent to a whole terminal: the command has them already.
_SHARED = ("SIGINT", "SIGQUIT")
#: Sent to us alone: the command is told.
_FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
_ENDS = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP")


class Processes:
    """The processes that run for us, and the signals that come meanwhile; a ``with`` statement.

    Attributes
    ----------
    ended_by : int
        A signal that came and is meant to end us, or 0.
    """

    def __init__(self) -> None:
        self.ended_by = 0
        self._running: list[subprocess.Popen[bytes]] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Processes:
        if threading.current_thread() is threading.main_thread():
            for name in (*_SHARED, *_FORWARDED):
                number = getattr(signal, name, None)
                # What is ignored, as with nohup, stays so here and in the command.
                if number is not None and signal.getsignal(number) not in {signal.SIG_IGN, None}:
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _hear(self, number: int, _: FrameType | None) -> None:
        name = signal.Signals(number).name
        if name in _ENDS:
            self.ended_by = number
        if name in _FORWARDED:
            for process in self._running:
                with contextlib.suppress(OSError):
                    process.send_signal(number)

    def run(
        self, words: Sequence[str], script: str, stdin: Any = None, printed: Printed | None = None
    ) -> int:
        """Run a command; return its exit code, negative for the signal that ended it.

        Parameters
        ----------
        words : sequence of str
            The command and its arguments.
        script : str
            The file that is run.
        stdin : file or int, optional
            Where its input comes from.
        printed : Printed, optional
            Where what it prints is written as well.

        Raises
        ------
        UnusableCommand
            If it cannot be run.
        """
        if sys.stdout is not None:  # it is None where it was closed
            sys.stdout.flush()
        pipe = None if printed is None else subprocess.PIPE
        with self._started(words, script, stdin, pipe) as process:
            if printed is not None:
                _copy(process, printed)
            return process.wait()

    @contextlib.contextmanager
    def _started(
        self, words: Sequence[str], script: str, stdin: Any, pipe: int | None
    ) -> Iterator[subprocess.Popen[bytes]]:
        # Descriptors of the shell that started us are for the command, as in <(...); ours are not.
        options: dict[str, Any] = {"stdin": stdin, "stdout": pipe, "stderr": pipe}
        options["close_fds"] = False
        try:
            try:
                process = subprocess.Popen(list(words), executable=script, **options)
            except OSError as error:
                if error.errno != errno.ENOEXEC:
                    raise
                # A script without a first line that names its interpreter: as shells do.
                shell = ["/bin/sh", script, *words[1:]]
                process = subprocess.Popen(shell, **options)
        except OSError as error:
            code = 127 if error.errno == errno.ENOENT else 126
            raise UnusableCommand(words[0], error.strerror or str(error), code) from None
        self._running.append(process)
        try:
            yield process
        finally:
            self._running.remove(process)


def exit_code(ended: int) -> int:
    """Return the exit code that a shell gives for a process."""
    return 128 - ended if ended < 0 else ended


def end_like(ended: int) -> None:
    """End as a command did that a signal has ended, so that whoever started us knows.

    Shells go on with a script after a command that has merely returned 130.
    """
    number = -ended
    if number in {getattr(signal, name, None) for name in _ENDS if name != "SIGQUIT"}:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


class Printed:
    """What a command prints, written down in one file, piece by piece as it comes.

    Parameters
    ----------
    descriptor : int
        The file, open for writing.

    Attributes
    ----------
    is_whole : bool
        Whether all of it could be written.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self.is_whole = descriptor, True
        self._lock = threading.Lock()

    def add(self, stream: int, piece: bytes) -> None:
        """Print a piece, and write it down.

        Raises
        ------
        OSError
            If nobody listens.
        """
        with self._lock:
            _write_all(stream, piece)
            if not self.is_whole:
                return
            try:
                head = bytes((stream,)) + len(piece).to_bytes(8, "little")
                _write_all(self._descriptor, head + piece)
            except OSError:  # a full disk is no reason to keep what is printed from who reads it
                self.is_whole = False


def _copy(process: subprocess.Popen[bytes], printed: Printed) -> None:
    """Pass on what a process prints until it closes its streams."""
    pipes = ((1, process.stdout), (2, process.stderr))
    threads = [threading.Thread(target=_pass_on, args=(*each, printed)) for each in pipes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _pass_on(stream: int, pipe: IO[bytes], printed: Printed) -> None:
    with pipe:
        while piece := os.read(pipe.fileno(), _CHUNK_BYTES):
            try:
                printed.add(stream, piece)
            except OSError:
                return  # once the pipe is closed, the command is told so


def _write_all(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def replay(path: str) -> None:
    """Print what a command printed, to the same streams in the same order.

    Raises
    ------
    OSError
        If it is not there, or nobody listens.
    """
    with open(path, "rb") as file:
        while head := file.read(HEAD_SIZE):
            left = int.from_bytes(head[1:], "little")
            while left and (piece := file.read(min(left, _CHUNK_BYTES))):
                _write_all(head[0], piece)
                left -= len(piece)
