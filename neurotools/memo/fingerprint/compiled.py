"""Identity checks -> one function of Python that makes them all, at half the time of a loop in C.

A loop pays for fetching each thing that is looked at; compiled code has them at hand. To compile
takes a millisecond, so it is for what is checked again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import Any

#: An expression, such as ``'{}[{}] is {}'``, and the objects that stand in it, in order.
Condition = tuple[str, tuple[Any, ...]]

#: Conditions in one function: Python takes long to compile much longer ones.
_MOST = 200


def compiled(conditions: Iterable[Condition]) -> Callable[[], bool]:
    """Return a function that tells whether all conditions hold.

    It raises what looking at an object raises, such as KeyError for a key that is gone.
    """
    parts = list(_parts(iter(conditions)))
    if len(parts) == 1:
        return parts[0]
    return lambda: all(part() for part in parts)


def _parts(conditions: Iterator[Condition]) -> Iterator[Callable[[], bool]]:
    while some := list(islice(conditions, _MOST)):
        objects = list(chain.from_iterable(members for _, members in some))
        names = [f"x{number}" for number in range(len(objects))]
        following = iter(names)
        texts = (text.format(*(next(following) for _ in members)) for text, members in some)
        scope: dict[str, Any] = dict(zip(names, objects, strict=True))
        # As defaults they are local names, the fastest to reach. Nothing else is in the text.
        head = f"def check({','.join(f'{name}={name}' for name in names)})"
        exec(f"{head}:\n return {' and '.join(texts)}", scope)
        yield scope["check"]
