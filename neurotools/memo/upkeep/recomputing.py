"""Calls made again from what is kept of them, to see whether the code still gives the same.

A call's arguments are read from the name of its entry, or from its record, where they stand as
values; what stands there as a digest alone cannot be had back. Not here: comparing (`agreement`).
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from neurotools.memo import literals, naming
from neurotools.memo.aside import aside
from neurotools.memo.entry import Digested, Key, Record, Signature
from neurotools.memo.errors import CannotRebuild, CorruptEntry, UndigestableValue, UnreadableName
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.key import KeyMaker
from neurotools.memo.tiers.buffers import aligned
from neurotools.memo.upkeep.agreement import Difference, Tolerance, difference

#: Positional and keyword arguments.
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def signature_of(key: Key, record: Callable[[], Record | None]) -> Signature:
    """Return the arguments of an entry, from its name or, where that is too short, its record.

    Raises
    ------
    CannotRebuild
        If neither has them.
    """
    try:
        return naming.signature_told(key.call, record)
    except (UnreadableName, CorruptEntry, OSError):
        reason = "neither its name nor its record holds the arguments"
        raise CannotRebuild(reason) from None


def rebuilt(keys: KeyMaker, signature: Signature) -> Arguments:
    """Return the arguments of a call as its function takes them.

    Parameters
    ----------
    keys : KeyMaker
        Of the function that is to be called.
    signature : Signature
        What is kept of the call.

    Raises
    ------
    CannotRebuild
        If a value is kept as a digest alone, or the function does not take such arguments.
    """
    named, extra = signature
    values = dict(named)
    for name, value in (*values.items(), *(("*args", one) for one in extra or ())):
        if isinstance(value, Digested):
            raise CannotRebuild(f"only a digest is kept of argument {name!r} ({value.kind})")
    arguments = _placed(keys, values, extra)
    try:
        again = keys.signature(*arguments)
    except (UndigestableValue, TypeError, OSError) as error:
        raise CannotRebuild(f"the function does not take its arguments now: {error}") from None
    if literals.encode(again) != literals.encode(signature):
        raise CannotRebuild("its arguments are others once they are read back")
    return arguments


def _placed(keys: KeyMaker, values: dict[str, Any], extra: tuple[Any, ...] | None) -> Arguments:
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    left = dict(values)
    parameters = keys.binder.signature.parameters.values()
    by_place = extra is not None
    for one in parameters:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            args.extend(extra or () if one.kind is one.VAR_POSITIONAL else ())
            continue
        if one.name in left:
            value = left.pop(one.name)
        elif one.default is not one.empty and one.name in keys.binder.ignore:
            value = one.default
        else:
            reason = "does not count" if one.name in keys.binder.ignore else "is new"
            raise CannotRebuild(f"argument {one.name!r} {reason}, and so is not kept")
        if one.kind is one.POSITIONAL_ONLY or (by_place and one.kind is not one.KEYWORD_ONLY):
            args.append(value)
        else:
            kwargs[one.name] = value
    if left and not any(one.kind is one.VAR_KEYWORD for one in parameters):
        raise CannotRebuild(f"the function has no argument {next(iter(left))!r} now")
    return tuple(args), {**kwargs, **left}


def computed(function: Callable[..., Any], arguments: Arguments) -> Any:
    """Return what a function gives now: no memoized function below it reads or writes a cache.

    Raises
    ------
    Exception
        Whatever the function raises.
    """
    args, kwargs = arguments
    with aside():
        value = function(*args, **kwargs)
        return _awaited(value) if inspect.isawaitable(value) else value


def _awaited(value: Any) -> Any:
    async def wait() -> Any:
        return await value

    # In a thread of its own: in a notebook, this one has a loop that runs already.
    context = contextvars.copy_context()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(context.run, asyncio.run, wait()).result()


def differs(old: Any, new: Any, tolerance: Tolerance, method: str) -> Difference | None:
    """Return how a kept result differs from a new one, or None.

    What a format makes of a value on its way through a file is no difference.
    """
    found = difference(old, new, tolerance)
    if found is None:
        return None
    form = FORMATS[method]
    try:
        payload = form.encode(new)
        content = b"".join(bytes(memoryview(part).cast("B")) for part in payload.parts)
        buffer = aligned(len(content))
        buffer[:] = content
        stored = form.decode(buffer, payload.layout)
    except Exception:  # it cannot be stored at all
        return found
    return difference(old, stored, tolerance)
