"""The process in which one contestant runs; answers questions, one line of JSON each.

``{"work": ..., "contestant": ..., "folder": ..., "tally": ..., "options": {...}}`` prepares a work,
``{"figure": true}`` measures once, ``{"check": true}`` checks what calls give, ``{"forget": true}``
lets go of the work.
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
from benchmarks.speed.task import Stage, Task, nothing
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
    """Answer until there are no more questions."""
    task = Task(nothing)
    for line in questions:
        question, reply = json.loads(line), {}
        try:
            if "work" in question:
                task = prepared(question)
                reply = {"note": task.note}
            elif "figure" in question:
                reply = {"figure": task.figure()}
            elif "check" in question:
                # What is undone before each call was checked when it was prepared.
                if task.reset is None:
                    task.check()
            else:
                task.close()
                task = Task(nothing)
                gc.collect()
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
