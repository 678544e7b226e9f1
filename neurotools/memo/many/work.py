"""What a worker does for one call of a memoized function, and what it sends back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from neurotools.memo.entry import Key
from neurotools.memo.errors import OtherCode

#: Smaller results travel: to load them from a place takes longer.
_SMALL = 1 << 20


class Answer(NamedTuple):
    """What a worker sends back.

    Attributes
    ----------
    value : object
        The result, or None where it is to be loaded.
    is_left : bool
        Whether it is to be loaded from where the worker has kept it.
    seconds : float
        How long the call took.
    """

    value: Any
    is_left: bool
    seconds: float


class Work:
    """Calls of a memoized function, made elsewhere.

    Parameters
    ----------
    memoized : Memoized
        The function.
    shared : int or None
        The number of the tier through which large results come back, if there is one.
    """

    def __init__(self, memoized: Any, shared: int | None) -> None:
        self.memoized, self.shared = memoized, shared
        self.__qualname__ = memoized.__qualname__

    def __call__(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], key: Key | None, sends: bool
    ) -> Answer:
        """Make a call.

        Parameters
        ----------
        args, kwargs
            Its arguments.
        key : Key or None
            The call's key where it comes from.
        sends : bool
            Whether to send any result, however large.

        Raises
        ------
        OtherCode
            If the function's code is another one here.
        Exception
            What the function raises.
        """
        here = None if key is None else self.memoized.key_of(args, kwargs)
        if key is not None and here is not None and here.code != key.code:
            raise OtherCode(self.memoized.__qualname__, key.code, here.code)
        started = time.perf_counter()
        value = self.memoized(*args, **kwargs)
        seconds = time.perf_counter() - started
        if sends or key is None or here != key or not self._is_left(key):
            return Answer(value, False, seconds)
        return Answer(None, True, seconds)

    def _is_left(self, key: Key) -> bool:
        """Tell whether a result is large, and lies where its caller can load it."""
        hierarchy, shared = self.memoized.hierarchy, self.shared
        if shared is None or hierarchy.size(key) < _SMALL:
            return False
        return hierarchy.depth_of(key, (shared,)) is not None
