"""What a worker does for one of many calls, and what it sends back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from neurotools.memo.entry import Key
from neurotools.memo.errors import OtherCode
from neurotools.memo.many.calls import Call
from neurotools.memo.working.parcels import Fresh, Whole, name_of

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
    is_same : bool
        Whether the arguments have there the key that they have here.
    seconds : float
        How long the call took.
    """

    value: Any
    is_left: bool
    is_same: bool
    seconds: float


class Common:
    """What all calls have in common, and what each has of its own.

    Parameters
    ----------
    bound : tuple
        First arguments of all calls.
    kwargs : mapping
        Keyword arguments of calls that do not have others.
    """

    def __init__(self, bound: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self._bound, self._kwargs = bound, kwargs

    def own(self, call: Call) -> tuple[tuple[Any, ...], Mapping[str, Any] | None]:
        """Return what is to be sent for a call besides."""
        args, kwargs = call
        return args[len(self._bound) :], None if kwargs is self._kwargs else kwargs

    def packed(self) -> Fresh:
        """Return it as it is sent with a function."""
        return Fresh((self._bound, dict(self._kwargs)))

    def whole(self) -> Whole:
        """Return it as it is sent with each call."""
        return Whole((self._bound, dict(self._kwargs)))


class Work:
    """Calls of a function, made elsewhere.

    Parameters
    ----------
    function : callable
        The function.
    common : Common
        What its calls have in common.
    """

    def __init__(self, function: Any, common: Common) -> None:
        self.function, self._common = function, common
        self._sent: Fresh | Whole | None = None
        self.__qualname__ = name_of(function)

    def whole(self) -> Any:
        """Return it as it is sent with each call."""
        self._sent = self._common.whole()
        return self

    def __getstate__(self) -> dict[str, Any]:
        if self._sent is None:
            self._sent = self._common.packed()
        return {**vars(self), "_common": None}

    def __call__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None) -> Any:
        """Make a call, given what `Common.own` says."""
        args, kwargs = self._completed(args, kwargs)
        return self.function(*args, **kwargs)

    def _completed(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any] | None
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        bound, common = ((), {}) if self._sent is None else self._sent.made()
        return (*bound, *args), common if kwargs is None else kwargs


class MemoizedWork(Work):
    """Calls of a memoized function, made elsewhere.

    Parameters
    ----------
    memoized : Memoized
        The function.
    common : Common
        What its calls have in common.
    shared : int or None
        The number of the tier through which large results come back, if there is one.
    """

    def __init__(self, memoized: Any, common: Common, shared: int | None) -> None:
        super().__init__(memoized, common)
        self._shared = shared

    def prepare(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None,
        key: Key | None,
        sends: bool,  # noqa: ARG002 - it is given what the call is given
    ) -> None:
        """Name the call while nothing else is opened, if it has come with a function of its own."""
        if isinstance(self._sent, Whole) and key is not None:
            self.function.name_next(*self._completed(args, kwargs))

    def __call__(  # type: ignore[override]
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None,
        key: Key | None,
        sends: bool,
    ) -> Answer:
        """Make a call.

        Parameters
        ----------
        args, kwargs
            As for any work.
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
        args, kwargs = self._completed(args, kwargs)
        here = None if key is None else self.function.key_of(args, kwargs)
        if key is not None and here is not None and here.code != key.code:
            raise OtherCode(self.function.__qualname__, key.code, here.code)
        started = time.perf_counter()
        value = self.function(*args, **kwargs)
        seconds = time.perf_counter() - started
        if sends or key is None or here != key or not self._is_left(key):
            return Answer(value, False, here == key, seconds)
        return Answer(None, True, True, seconds)

    def _is_left(self, key: Key) -> bool:
        """Tell whether a result is large, and lies where its caller can load it."""
        hierarchy, shared = self.function.hierarchy, self._shared
        if shared is None or hierarchy.size(key) < _SMALL:
            return False
        return hierarchy.depth_of(key, (shared,)) is not None
