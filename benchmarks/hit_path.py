"""Where do the microseconds of a hit go, line by line?

Hits run in a loop while a timer interrupts them at random moments, about a thousand times a second,
and notes the line that is running. A line's share of the notes is its share of the time: nothing is
measured around single lines, which would cost more than most of them. Python takes notice of the
timer when a call returns, so what lies between two calls counts for the second one.

    python -m benchmarks.hit_path            # half a minute
    python -m benchmarks.hit_path --keep     # writes what the documentation shows
"""

from __future__ import annotations

import argparse
import linecache
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from benchmarks.speed import study
from benchmarks.speed.contestants import OURS
from benchmarks.speed.environment import go_there
from benchmarks.speed.report import circumstances
from benchmarks.speed.task import Stage, Task
from benchmarks.speed.works.hits import hit
from benchmarks.tables import grid, keep

#: What is looked into: a title, and the options of the work `hit`.
HITS: dict[str, dict[str, Any]] = {
    "a folder, 1 kB array": {"count": 128},
    "``ram://``, 1 kB array": {"count": 128, "ram": True},
}
#: Mean seconds between two notes; lines with a smaller share are not told apart.
_BETWEEN, _SMALLEST_SHARE = 0.001, 0.01
#: Calls between two looks at the clock.
_BATCH = 200

Line = tuple[CodeType, int]


def order(call: Callable[[], Any]) -> list[Line]:
    """Return the lines that a call runs, in the order in which it first comes to them."""
    seen: dict[Line, None] = {}

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            seen[frame.f_code, frame.f_lineno] = None
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return list(seen)


def sample(call: Callable[[], Any], seconds: float) -> tuple[Counter[Line], float]:
    """Return how often each line was running, and the seconds that one call took."""
    notes: Counter[Line] = Counter()
    chance = random.Random(3)

    def note(_: int, frame: FrameType | None) -> None:
        if frame is not None:
            notes[frame.f_code, frame.f_lineno] += 1
        # Anew each time, by chance: a fixed beat could march in step with the calls.
        signal.setitimer(signal.ITIMER_REAL, _BETWEEN * chance.uniform(0.5, 1.5))

    before, calls, started = signal.signal(signal.SIGALRM, note), 0, time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, _BETWEEN)
    try:
        while time.perf_counter() - started < seconds:
            for _ in range(_BATCH):
                call()
            calls += _BATCH
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        passed = time.perf_counter() - started
        signal.signal(signal.SIGALRM, before)
    return notes, passed / calls


def rows(lines: list[Line], notes: Counter[Line], seconds: float) -> list[list[str]]:
    """Return the table: each function as the call comes to it, and its lines that take time."""
    inside = {line: count for line, count in notes.items() if line[0].co_name != sample.__name__}
    each = seconds / sum(inside.values())
    told: list[list[str]] = []
    rest = 0
    for code in dict.fromkeys(code for code, _ in (*lines, *inside)):
        counts = {line: count for line, count in inside.items() if line[0] is code}
        whole = sum(counts.values())
        if whole * each < _SMALLEST_SHARE * seconds:
            rest += whole
            continue
        told.append([_name(code), _microseconds(whole * each), "", ""])
        for (_, number), count in sorted(counts.items(), key=lambda item: item[0][1]):
            if count * each >= _SMALLEST_SHARE * seconds and len(counts) > 1:
                told.append(["..", "", _text(code, number), _microseconds(count * each)])
    told.append(["others", _microseconds(rest * each), "", ""])
    told.append(["all", _microseconds(seconds), "", ""])
    return told


def _name(code: CodeType) -> str:
    if code.co_filename.startswith("<"):
        return "making a named tuple"  # the only code in a hit that lies in no file
    module = os.path.splitext(code.co_filename)[0].replace(os.sep, ".")
    package = module.find("neurotools.memo")
    short = module[package + len("neurotools.memo.") :] if package >= 0 else Path(module).suffix[1:]
    return f"{short} {getattr(code, 'co_qualname', code.co_name)}"


def _text(code: CodeType, number: int) -> str:
    text = linecache.getline(code.co_filename, number).strip().partition("  #")[0]
    return f"``{text[:70]}``" if text and "`" not in text else f"line {number}"


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.2f}"


def table(title: str, task: Task, seconds: float) -> str:
    task.check()
    notes, each = sample(task.call, seconds)
    header = ["function", "µs", "its lines", "µs of each"]
    return f"**{title}**\n\n{grid(header, rows(order(task.call), notes, each))}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", action="store_true", help="write what the documentation shows")
    parser.add_argument("--seconds", type=float, default=12, help="for each kind of hit")
    chosen = parser.parse_args()
    if not hasattr(signal, "setitimer"):
        parser.error("this system has no timers that interrupt a process")
    go_there("benchmarks.hit_path")
    texts, started = [], time.perf_counter()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hit-")))
        study.count_in(str(scratch / "executions"))
        for number, (title, options) in enumerate(HITS.items()):
            task = hit(Stage(OURS, scratch / str(number)), **options)
            texts.append(table(title, task, chosen.seconds))
    text = "\n".join([*texts, circumstances("benchmarks.hit_path", time.perf_counter() - started)])
    print(text)
    if chosen.keep:
        keep("hit-path.inc", text)


if __name__ == "__main__":
    main()
