"""The process in which one contestant runs; answers questions, one line of JSON each.

``{"work": ..., "contestant": ..., "folder": ..., "tally": ..., "options": {...}}`` prepares a work,
``{"figure": true}`` measures once, ``{"check": true}`` checks what calls give.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any, TextIO

from benchmarks.speed import study
from benchmarks.speed.contestants import Cannot
from benchmarks.speed.task import Stage, Task
from benchmarks.speed.works.table import WORKS


def prepared(question: dict[str, Any]) -> Task:
    """Return a work, prepared and checked."""
    folder = Path(question["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    study.count_in(question["tally"])
    task = WORKS[question["work"]](Stage(question["contestant"], folder), **question["options"])
    task.check()
    return task


def answers(questions: TextIO, replies: TextIO) -> None:
    task: Task | None = None
    for line in questions:
        question = json.loads(line)
        try:
            if "work" in question:
                task = prepared(question)
                reply = {"note": task.note}
            elif "figure" in question:
                reply = {"figure": task.figure()}
            else:
                task.check()
                reply = {}
        except Cannot as reason:
            reply = {"cannot": str(reason)}
        except Exception as error:  # whatever a cache raises is an answer
            reply = {"error": f"{type(error).__name__}: {error}"[:300]}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    gc.disable()
    with os.fdopen(os.dup(1), "w") as out, contextlib.redirect_stdout(sys.stderr):
        answers(sys.stdin, out)
