"""Calls the functions of small programs through one cache, each in a process forked from this one.

Run as ``python stale_worker.py PEER``; reads one job per line from standard input, as JSON, and
answers each on a line. The parent has loaded the cache but none of the programs, so each child
stands where a fresh process stands after its imports. It is started in the programs' folder, since
some caches take for user code what lies below the folder in which they were loaded.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from stale_peers import PEERS

#: A call that takes longer has gone wrong: some caches wait for a lock that is never released.
_PATIENCE_SECONDS = 20


def call(adapter: Callable[..., Any], job: dict[str, Any]) -> dict[str, Any]:
    """Return what ``main.f`` gives through the cache, and whether its code ran for that."""
    sys.path[:0] = [job["folder"]]
    sys.path.append(os.path.join(job["folder"], "site-packages"))
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    module = importlib.import_module("main")
    codes = set(_codes(module.f))
    # As a decorator would: whoever looks the name up finds the remembered function.
    module.f = remembered = adapter(module.f, job["cache"], job["options"])
    ran = []

    def watch(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in codes:
            ran.append(frame)

    sys.setprofile(watch)
    try:
        value = remembered(*job["args"])
    finally:
        sys.setprofile(None)
    return {"value": shown(value), "ran": bool(ran)}


def _codes(function: Any) -> Iterator[CodeType]:
    """Yield the code that a call of the function enters."""
    if isinstance(function, FunctionType):
        yield function.__code__
        return
    for name in ("func", "__wrapped__", "__func__"):
        if hasattr(function, name):
            yield from _codes(getattr(function, name))
    method = vars(type(function)).get("__call__")
    if isinstance(method, FunctionType):
        yield method.__code__


def shown(value: Any) -> str:
    # `repr` shortens arrays. By name: numpy is not loaded where a program does without it.
    return repr(value.tolist()) if type(value).__name__ == "ndarray" else repr(value)


def answer(adapter: Callable[..., Any], job: dict[str, Any]) -> dict[str, Any]:
    try:
        return call(adapter, job)
    except BaseException as error:  # whatever a cache raises is an answer
        return {"error": f"{type(error).__name__}: {error}"[:500]}


def in_child(adapter: Callable[..., Any], job: dict[str, Any]) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(_PATIENCE_SECONDS)
        sys.stdout = sys.stderr  # what programs print is no answer
        with os.fdopen(writer, "w") as file:
            file.write(json.dumps(answer(adapter, job)))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    os.waitpid(child, 0)
    return text or json.dumps({"error": f"no answer within {_PATIENCE_SECONDS} s"})


def _load(adapter: Callable[..., Any]) -> None:
    """Remember and call a function in a child once, then load here what that has loaded there."""
    with tempfile.TemporaryDirectory() as folder:
        names = os.path.join(folder, "names")
        before = set(sys.modules)
        child = os.fork()
        if child == 0:
            try:
                adapter(_sample, os.path.join(folder, "cache"), {})(3)
            finally:
                with open(names, "w") as file:
                    file.write("\n".join(set(sys.modules) - before))
                os._exit(0)
        os.waitpid(child, 0)
        with open(names) as file:
            for name in sorted(file.read().split()):
                _import(name)


def _import(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception:  # modules made at run time cannot be imported by name
        return


def _sample(x: int) -> int:
    return x


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    chosen = PEERS[sys.argv[1]].adapter
    _load(chosen)
    for line in sys.stdin:
        print(in_child(chosen, json.loads(line)), flush=True)
