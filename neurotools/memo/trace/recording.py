"""Notes the code that runs and the files that are opened for reading, while it is on.

Code is seen through `sys.monitoring` where Python has it (3.12), which tells each code object once
and then lets it run undisturbed; before, through `sys.setprofile`, which is asked at every call.
Opening is seen through an audit hook. Neither sees what C libraries open by themselves, nor what
other processes do.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

from neurotools.memo import forks
from neurotools.memo.digest.files import file_digest, kernel_time
from neurotools.memo.errors import UndigestableValue

#: Stands for the digest of a file that was not there.
ABSENT = ""

#: Files of code count as code; what the system shows as files has no content of its own.
_CODE = (".py", ".pyc", ".so", ".pyd", ".dll", ".dylib")
_OF_SYSTEM = ("/proc/", "/sys/", "/dev/")

_WRITES = os.O_WRONLY | os.O_RDWR

#: Tools may watch under a few numbers; these are not spoken for by debuggers and profilers.
_TOOLS = (3, 4)
#: So many times this is asked for, where another thread is asking just then.
_TRIES = 10_000


class Recording:
    """What was seen.

    Attributes
    ----------
    codes : dict
        Code object to the globals that it ran with.
    files : dict
        Absolute path to the digest of its content as it was opened, or `ABSENT`.
    written : set of str
        Paths that were opened for writing: what is read from them afterwards is not an input.
    made : set of str
        Paths of files that were read and had not been there when the computation began.
    handed_on : set of tuple
        What results had used that were found meanwhile, not computed.
    """

    def __init__(self, *, codes: bool = True) -> None:
        self.sees_codes = codes
        self.codes: dict[CodeType, dict[str, Any]] = {}
        self.files: dict[str, str] = {}
        self.written: set[str] = set()
        self.made: set[str] = set()
        self.began = kernel_time()
        self.handed_on: set[tuple[str, ...]] = set()


_active: list[Recording] = []
#: Code that each of them has.
_noted: set[CodeType] = set()
_lock = forks.lock_of(__name__)
_tool: int | None = None
_is_hooked = False


#: Threads that keep results of other calls meanwhile: what they open is no input.
_ASIDE = frozenset({"neurotools", "neurotools-sender", "fsspecIO"})


class _Own(threading.local):
    """Whether a thread is busy here: files that are digested are opened for that, too."""

    is_busy = False


_own = _Own()


@contextlib.contextmanager
def recorded(*, codes: bool = True) -> Iterator[Recording]:
    """Note what runs, in all threads, until the block ends.

    Parameters
    ----------
    codes : bool
        Whether to note code that runs, which takes time, besides files.
    """
    recording = Recording(codes=codes)
    _start(recording)
    try:
        yield recording
    finally:
        _stop(recording)


def _start(recording: Recording) -> None:
    global _is_hooked
    with _lock:
        if not _is_hooked:
            _is_hooked = True
            sys.addaudithook(_audit)  # which cannot be taken away again
        _active.append(recording)
        if recording.sees_codes:
            _noted.clear()
            _watch()


def _stop(recording: Recording) -> None:
    with _lock:
        _active[:] = [other for other in _active if other is not recording]
        if not any(other.sees_codes for other in _active):
            _unwatch()


# -- code

if sys.version_info >= (3, 12):

    def _watch() -> None:
        """Have each code object told, those that were told before as well."""
        global _tool
        monitoring = sys.monitoring
        if _tool is None:
            free = [number for number in _TOOLS if monitoring.get_tool(number) is None]
            if not free:
                return
            _tool = free[0]
            monitoring.use_tool_id(_tool, "neurotools")
            monitoring.register_callback(_tool, monitoring.events.PY_START, _started)
            monitoring.set_events(_tool, monitoring.events.PY_START)
        monitoring.restart_events()

    def _unwatch() -> None:
        global _tool
        if _tool is not None:
            sys.monitoring.set_events(_tool, 0)
            sys.monitoring.free_tool_id(_tool)
            _tool = None

    def _started(code: CodeType, _offset: int) -> Any:
        _note(code, sys._getframe(1))
        return sys.monitoring.DISABLE

else:

    def _watch() -> None:
        """Be asked at each call, in this thread and new ones, unless a profiler is at work."""
        if sys.getprofile() is None:
            _ask(_called)
            threading.setprofile(_called)

    def _unwatch() -> None:
        # At the end of the last recording, this thread may have been left alone before.
        if sys.getprofile() is _called:
            _ask(None)
        if threading.getprofile() is _called:
            threading.setprofile(None)

    def _ask(function: Any) -> None:
        """Have a function told of each call in this thread, or none."""
        for _ in range(_TRIES):
            try:
                sys.setprofile(function)
                return
            except RuntimeError:  # Python 3.11 refuses it while another thread is at it
                time.sleep(0)

    def _called(frame: FrameType, event: str, _argument: Any) -> None:
        if not _active:  # in a thread that was started while somebody recorded, and goes on
            _ask(None)
            return
        # Most calls are of code that has been noted, and most events are returns.
        if event == "call" and frame.f_code not in _noted:
            _noted.add(frame.f_code)
            _note(frame.f_code, frame)


def _note(code: CodeType, frame: FrameType) -> None:
    for recording in _active:
        if recording.sees_codes and code not in recording.codes:
            recording.codes[code] = frame.f_globals


# -- files


def hand_on(facts: Any) -> None:
    """Have all who record note what somebody has recorded before, of a result that is used."""
    if _active and isinstance(facts, list):
        rows = [tuple(map(str, fact)) for fact in facts if isinstance(fact, (list, tuple))]
        for recording in _active:
            recording.handed_on.update(rows)


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _active or _own.is_busy:
        return
    _own.is_busy = True
    try:
        _opened(*arguments)
    except Exception:
        pass  # it would reach whoever opens the file
    finally:
        _own.is_busy = False


def _opened(path: Any, mode: str | None, flags: int) -> None:
    if not isinstance(path, (str, bytes, os.PathLike)) or _is_ours(sys._getframe(2)):
        return
    if threading.current_thread().name in _ASIDE:
        return
    name = os.path.abspath(os.fsdecode(path))
    if name.endswith(_CODE) or name.startswith(_OF_SYSTEM):
        return
    writes = bool(flags & _WRITES) if mode is None else not set(mode).isdisjoint("wax+")
    for recording in _active:
        if writes:
            recording.written.add(name)
        elif name not in recording.files and name not in recording.written:
            # Now, not later: this is what the computation is about to read.
            recording.files[name] = content_of(name)
            if _changed_at(name) > recording.began:
                recording.made.add(name)


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_ctime_ns
    except (OSError, ValueError):
        return 0


def _is_ours(frame: FrameType) -> bool:
    # A memoized function that is called meanwhile reads its entries; they are no inputs.
    return str(frame.f_globals.get("__name__", "")).startswith("neurotools.memo.")


def content_of(path: str) -> str:
    """Return what stands for the content of a file now, whether there is one or not."""
    try:
        return file_digest(path)
    except UndigestableValue:
        return ABSENT
