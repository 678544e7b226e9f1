"""Asks a worker."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any

from benchmarks.speed.contestants import Cannot
from benchmarks.tables import ROOT

_NUMBERS = itertools.count()
#: Set for workers of workers, which end with the one that started them.
_NESTED = "NEUROTOOLS_SPEED_NESTED"
#: Whoever takes longer for an answer is given up: some caches wait for a process that has ended.
PATIENCE_SECONDS = 30.0
_GOODBYE_SECONDS = 5.0


class Failed(Exception):
    """A contestant raised, gave a wrong result, or computed where it should have remembered."""


class Worker:
    """A process in which one contestant runs.

    Parameters
    ----------
    scratch : Path
        Where its files go.
    tree : Path or None
        Folder whose ``neurotools`` runs; by default the one beside these benchmarks, or the one
        that this process runs.
    patience : float
        Seconds within which an answer must come.
    """

    def __init__(
        self, scratch: Path, tree: Path | None = None, patience: float = PATIENCE_SECONDS
    ) -> None:
        self.patience = patience
        self.folder = scratch / f"{os.getpid()}-{next(_NUMBERS)}"
        scratch.mkdir(parents=True, exist_ok=True)
        above = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        paths = dict.fromkeys([*([str(tree)] if tree else []), *filter(None, above), str(ROOT)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.speed.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=scratch,  # where there is neither a neurotools nor benchmarks
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), _NESTED: "yes"},
            start_new_session=_NESTED not in os.environ,
        )

    def prepare(
        self,
        work: str,
        contestant: str,
        *,
        folder: Path | None = None,
        tally: Path | None = None,
        **options: Any,
    ) -> str:
        """Prepare a work, and return what a reader of its figures must know."""
        here = folder or self.folder
        count = tally or here.with_name(f"{here.name}.tally")
        question = {"work": work, "contestant": contestant, "options": options}
        return str(self.ask(**question, folder=str(here), tally=str(count))["note"])

    def figure(self) -> float:
        return float(self.ask(figure=True)["figure"])

    def check(self) -> None:
        self.ask(check=True)

    def forget(self) -> None:
        """Let go of the work and all that it holds."""
        self.ask(forget=True)

    def ask(self, **question: Any) -> dict[str, Any]:
        """Return the answer to a question.

        Raises
        ------
        Cannot
            If the contestant has no way to do it.
        Failed
            If it went wrong.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = Timer(self.patience, self._kill)
        late.start()
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            late.cancel()
        if not line:
            raise Failed(f"no answer within {self.patience:g} seconds, or its process died")
        reply: dict[str, Any] = json.loads(line)
        if "cannot" in reply:
            raise Cannot(reply["cannot"])
        if "error" in reply:
            raise Failed(reply["error"])
        return reply

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            self._kill()
            self._process.wait()
        self._process.stdout.close()

    def _kill(self) -> None:
        if _NESTED in os.environ or not hasattr(os, "killpg"):
            self._process.kill()
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # with the workers that it has started

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def at_once(workers: Iterable[Worker]) -> list[float]:
    """Return one figure of each worker, all measured at the same time."""
    crew = list(workers)
    with ThreadPoolExecutor(len(crew)) as pool:
        return list(pool.map(Worker.figure, crew))
