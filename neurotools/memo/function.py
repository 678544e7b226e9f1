"""One memoized callable: a call, top to bottom. Start reading here.

A call becomes a `Key` (`neurotools.memo.key`); the tiers are asked for it, fastest first; a miss is
computed, by one caller at a time, and stored in each tier. Whatever goes wrong in the cache, the
caller gets the function's result.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from neurotools import __version__
from neurotools.memo import naming
from neurotools.memo.entry import Key, Record
from neurotools.memo.errors import (
    CacheError,
    UndigestableValue,
    UnsafeBinding,
    UnstorableValue,
    UnsupportedFunction,
    WrongArguments,
)
from neurotools.memo.flight import Flight
from neurotools.memo.formats.base import PayloadFormat
from neurotools.memo.formats.registry import FORMATS, holds
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.key import KeyMaker
from neurotools.memo.pace import Pace
from neurotools.memo.seal import seal

if TYPE_CHECKING:
    from neurotools.memo.explain import Explanation
    from neurotools.memo.trace.evidence import Witness
    from neurotools.memo.trace.recording import Recording
    from neurotools.memo.versions import Version

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """How a function is memoized.

    Attributes
    ----------
    form : PayloadFormat
        How results become bytes.
    cache_root : str or None
        Folder of the fastest tier that is one.
    lock_folder : str or None
        Where computations under way are seen by other processes.
    store : bool
        Whether new results are kept.
    skip_fast : bool
        Whether results are computed again where that is faster than loading them.
    verbose : bool
        Whether to print what happens.
    allow_mutable_bindings : bool
        Whether functions are memoized that depend on something that cannot be followed.
    trace : bool
        Whether to note what really runs and is read, and to compute again when that changes.
    ignore : tuple of str
        Parameters that do not count.
    tracking : dict
        Options of `Tracker`.
    """

    form: PayloadFormat
    cache_root: str | None = None
    lock_folder: str | None = None
    store: bool = True
    skip_fast: bool = False
    verbose: bool = False
    allow_mutable_bindings: bool = False
    trace: bool = False
    ignore: tuple[str, ...] = ()
    tracking: Mapping[str, Any] = field(default_factory=dict)


class TierInfo(NamedTuple):
    """What one tier has done: how often it had an entry, lacked one, kept one, failed."""

    name: str
    hits: int
    misses: int
    stores: int
    failures: int


class CacheInfo(NamedTuple):
    """What a memoized function has done in this process.

    ``hits`` were loaded, ``misses`` computed and kept, ``uncached`` computed without being kept (no
    digest, no room, or faster than loading).
    """

    hits: int
    misses: int
    uncached: int
    tiers: tuple[TierInfo, ...]


class Memoized:
    """A function that remembers its results.

    Parameters
    ----------
    function : callable
        The function.
    hierarchy : Hierarchy
        Where results are kept.
    options : Options
        How.

    Raises
    ------
    UnsupportedFunction
        If it is no function, or gives a generator, whose items cannot be kept.

    Notes
    -----
    A call raises `UnsafeBinding` where the function depends on something that cannot be followed,
    unless that is allowed: only then is all bound that the function reaches.
    """

    def __init__(
        self, function: Callable[..., Any], hierarchy: Hierarchy, options: Options
    ) -> None:
        check_supported(function)
        functools.update_wrapper(self, function)
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self.__qualname__: str = getattr(function, "__qualname__", self.__name__)
        self._function, self._hierarchy, self._options = function, hierarchy, options
        self._method = options.form.method
        strict = not options.allow_mutable_bindings
        tracking = {**options.tracking, "shelf": hierarchy}
        self.keys = KeyMaker(function, options.ignore, strict=strict, **tracking)
        self._flight = Flight(options.lock_folder)
        self._pace = Pace()
        self._counts: Counter[str] = Counter()
        self._warned: set[str] = set()
        self._manifested: set[str] = set()
        self.cache_root = options.cache_root
        self.attribute = self.__name__

    # ------------------------------------------------------------ a call

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        named = self._name(args, kwargs)
        if named is None:
            return self._function(*args, **kwargs)
        key, text = named
        if self._options.skip_fast and self._is_skipped(key):
            with self._timed_only(key):
                return self._function(*args, **kwargs)
        if (found := self._find(key)) is not None:
            return found[0]
        # Made now: the function may change its arguments.
        text = text or self.keys.text(args, kwargs)
        with self._flight.alone(key) as waited:
            # Somebody may have finished it between our look and our turn.
            if (waited or self._hierarchy.has(key)) and (found := self._find(key)) is not None:
                return found[0]
            if self._is_told:
                self._say(f"Recomputing cache at {self._hierarchy.location(key)}")
            started = time.perf_counter()
            with self._running() as recording:
                value = self._function(*args, **kwargs)
            self._keep(key, text, value, time.perf_counter() - started, recording)
        return value

    @contextlib.contextmanager
    def _running(self) -> Iterator[Recording | None]:
        """Note what a computation uses, where that is asked for, and what it changes."""
        try:
            if not self._options.trace:
                yield None
                return
            from neurotools.memo.trace.recording import recorded

            with recorded() as recording:
                yield recording
        finally:
            self._ran()

    def _ran(self) -> None:
        try:
            self.keys.tracker.ran()
        except Exception as error:  # the walk looks at objects of the user's
            log.debug("%s cannot be followed after its run: %r", self.__qualname__, error)

    @functools.cached_property
    def _witness(self) -> Witness:
        from neurotools.memo.trace.evidence import Witness

        return Witness(self.keys.tracker)

    def _outdated(self, record: Record) -> str:
        """Return the name of something that a computation used and that has changed since."""
        return self._witness.changed(record.details.get("traced", ()))

    def _name(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Key, bytes | None] | None:
        """Return a call's key, or None where the call is to run without the cache."""
        try:
            named = self.keys.key_of_call(args, kwargs, self._method)
        except WrongArguments:
            return None  # the function's own error says so best
        except UnsafeBinding:
            raise
        except Exception as error:  # objects in arguments may fail in any way there is
            reason = error if isinstance(error, CacheError) else repr(error)
            self._warn_once(f"cannot remember calls of {self.__qualname__}: {reason}")
            self._counts["uncached"] += 1
            return None
        return named

    def _is_skipped(self, key: Key) -> bool:
        if not self._pace.is_computing_faster(key.call):
            return False
        self._say(f"Computing {self.__qualname__} again: faster than loading")
        return True

    @contextlib.contextmanager
    def _timed_only(self, key: Key) -> Iterator[None]:
        """Time a computation whose result is not kept."""
        self._counts["uncached"] += 1
        started = time.perf_counter()
        yield
        self._pace.computed(key.call, time.perf_counter() - started)

    def _find(self, key: Key) -> tuple[Any] | None:
        """Return a result that is in the cache, alone in a tuple: it may be None."""
        started = time.perf_counter() if self._options.skip_fast else 0.0
        entry = self._hierarchy.get(key)
        if entry is None:
            return None
        if self._options.trace and (changed := self._outdated(entry.record)):
            self._say(f"{changed} has changed since {entry.location} was computed")
            return None
        try:
            value = entry.value()
        except Exception as error:  # user classes may fail to unpickle in any way there is
            self._warn_once(f"cannot decode {entry.location}, computing again: {error!r}")
            return None
        self._counts["hits"] += 1
        if self._options.skip_fast:
            self._pace.loaded(key.call, time.perf_counter() - started, entry.seconds)
        if self._is_told:
            self._say(f"Retrieved cache at {entry.location}")
        return (value,)

    def _keep(
        self, key: Key, text: bytes, value: Any, seconds: float, recording: Recording | None
    ) -> None:
        """Store a new result; whatever fails, the caller has it already."""
        self._counts["misses"] += 1
        self._pace.computed(key.call, seconds)
        if self._is_told:
            self._say(f"Took {seconds * 1e3:.0f} milliseconds")
        if not self._options.store:
            return
        if self._options.skip_fast and not self._pace.is_worth_keeping(seconds):
            return
        started = time.perf_counter()
        try:
            payload = self._options.form.encode(value)
            details = self._details(text)
            if recording is not None:
                details["traced"] = self._witness.seen(recording)
            record = Record(time.time(), seconds, payload.layout, details)
            blob = seal(payload, record, key, self._options.form)
        except UnstorableValue as error:
            told = _with_tried_suggestion(error, value)
            self._warn_once(f"the result of {self.__qualname__} was not kept: {told}")
            return
        except Exception as error:  # pickling runs the user's own code
            self._warn_once(f"the result of {self.__qualname__} was not kept: {error!r}")
            return
        self._hierarchy.put(key, blob)
        self._keep_manifest(key)
        if self._is_told:
            self._say_stored(key, blob.size, seconds, time.perf_counter() - started)

    def _details(self, text: bytes) -> dict[str, Any]:
        return {
            "function": f"{self.__module__}.{self.__qualname__}",
            "signature": text.decode("utf-8", "surrogatepass"),
            "script": self._script,
            **_environment(),
            "process": os.getpid(),
        }

    @functools.cached_property
    def _script(self) -> str:
        return naming.script_of(self._function)

    def _keep_manifest(self, key: Key) -> None:
        if key.code not in self._manifested:
            self._manifested.add(key.code)
            text = self.keys.fingerprint.manifest.to_json()
            self._hierarchy.put_manifest(key, text.encode("utf-8", "surrogatepass"))

    # ------------------------------------------------------------ what users of a cache ask

    def locate(self, /, *args: Any, **kwargs: Any) -> str:
        """Return where a call's entry is, or would be, in the fastest tier that is a folder."""
        key = self._key(args, kwargs)
        folders = [tier for tier in self._hierarchy.tiers if hasattr(tier, "root")]
        holders = [tier for tier in folders if tier.has(key)]
        return (holders or folders or [self._hierarchy])[0].location(key)

    def check_call_in_cache(self, /, *args: Any, **kwargs: Any) -> bool:
        """Return whether a call's result seems to be there, without loading it."""
        key = self._key(args, kwargs)
        return self._hierarchy.has(key) and not self._is_outdated(key)

    def _is_outdated(self, key: Key) -> str:
        if not self._options.trace or (record := self._hierarchy.record(key)) is None:
            return ""
        return self._outdated(record)

    def explain(self, /, *args: Any, **kwargs: Any) -> Explanation:
        """Return why a call would hit or miss, before running it."""
        from neurotools.memo.explain import Explanation, explain

        try:
            signature = self.keys.signature(args, kwargs)
        except UndigestableValue as error:
            return Explanation(hit=False, reason=str(error))
        key = self.keys.key(signature, self._options.form.method)
        if changed := self._is_outdated(key):
            reason = f"{changed}, which the computation used, has changed"
            return Explanation(False, reason, self._hierarchy.location(key))
        return explain(self._hierarchy, key, signature, self.keys.fingerprint.manifest)

    def versions(self) -> list[Version]:
        """Return the versions of the function that are kept, and what changed since each."""
        from neurotools.memo.versions import versions

        return versions(self._hierarchy, self.keys.folder, self.keys.fingerprint.manifest)

    def lscache(self, verbose: bool = False) -> tuple[str, list[str]]:
        """Return the folder of the function's present version, and the names of its entries.

        Parameters
        ----------
        verbose : bool
            Whether to print them, too.
        """
        code = self.keys.fingerprint.code
        folder = os.path.join(self.cache_root or "ram://", *self.keys.folder.split("/"), code)
        keys = (key for key in self._hierarchy.keys(self.keys.folder) if key.code == code)
        names = sorted(f"{key.call}.{key.method}" for key in keys)
        if verbose:
            print(f"Cache {folder} contains:", *names, sep="\n  ")  # noqa: T201 - asked for
        return folder, names

    def purge(self, /, *args: Any, **kwargs: Any) -> int:
        """Remove a call's entry from every tier; without arguments, all of the present version.

        Other versions stay, as do other functions: see `versions`.

        Returns
        -------
        int
            How many entries were removed.
        """
        if args or kwargs:
            return int(self._hierarchy.discard(self._key(args, kwargs)))
        return len(self._hierarchy.clear(self.keys.folder, self.keys.fingerprint.code))

    def cache_clear(self) -> None:
        """Remove all entries of the present version from every tier, and start counting anew."""
        self.purge()
        self._counts.clear()
        for count in self._hierarchy.counts:
            count.clear()

    def cache_info(self) -> CacheInfo:
        """Return how often results were loaded and computed in this process, in all and by tier."""
        names = ("hits", "misses", "stores", "failures")
        tiers = zip(self._hierarchy.tiers, self._hierarchy.counts, strict=True)
        infos = tuple(
            TierInfo(tier.name, *(count[name] for name in names)) for tier, count in tiers
        )
        return CacheInfo(
            self._counts["hits"], self._counts["misses"], self._counts["uncached"], infos
        )

    def _key(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Key:
        return self.keys.key(self.keys.signature(args, kwargs), self._options.form.method)

    # ------------------------------------------------------------ what is said

    def _warn_once(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            log.warning("%s", message)

    @property
    def _is_told(self) -> bool:
        """Whether anybody hears what is said: to put it into words takes time, too."""
        return self._options.verbose or log.isEnabledFor(logging.DEBUG)

    def _say(self, message: str) -> None:
        log.debug("%s", message)
        if self._options.verbose:
            print(message, flush=True)  # noqa: T201 - verbose asks for it

    def _say_stored(self, key: Key, size: int, seconds: float, store_seconds: float) -> None:
        boost = seconds / max(store_seconds, 1e-9)
        self._say(
            f"Writing cache at {self._hierarchy.location(key)}\n"
            f"Size on disk is {size} bytes, writing took {store_seconds * 1e3:.0f} milliseconds\n"
            f"Expected boost: {boost:.3g} times, if reading takes as long"
        )

    def __repr__(self) -> str:
        return f"<memoized {self.__module__}.{self.__qualname__} in {self._hierarchy.name}>"

    # ------------------------------------------------------------ methods and pickles

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name  # by which it can be found, a private name as its class spells it

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else BoundMemoized(self, instance)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # By name, as functions travel. cloudpickle sends what lives in __main__ or in another
        # function by value: our function too, and we could not be found by name over there.
        if _asked_by_cloudpickle() and not _is_importable(self):
            return type(self), (self._function, self._hierarchy, self._options)
        return self.__qualname__

    def __neurotools_digest__(self) -> Any:
        # As an argument, or a constant of another function, it counts as the function it wraps.
        return self._function

    def __copy__(self) -> Memoized:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Memoized:
        return self


class MemoizedCoroutine(Memoized):
    """A coroutine function that remembers its results."""

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        named = self._name(args, kwargs)
        if named is None:
            return await self._function(*args, **kwargs)
        key, text = named
        if self._options.skip_fast and self._is_skipped(key):
            with self._timed_only(key):
                return await self._function(*args, **kwargs)
        if (found := self._find(key)) is not None:
            return found[0]
        text = text or self.keys.text(args, kwargs)
        async with self._flight.alone_async(key) as waited:
            if (waited or self._hierarchy.has(key)) and (found := self._find(key)) is not None:
                return found[0]
            if self._is_told:
                self._say(f"Recomputing cache at {self._hierarchy.location(key)}")
            started = time.perf_counter()
            with self._running() as recording:
                value = await self._function(*args, **kwargs)
            self._keep(key, text, value, time.perf_counter() - started, recording)
        return value


class BoundMemoized:
    """A memoized method of one instance: the instance is the first argument of all it offers."""

    def __init__(self, memoized: Memoized, instance: Any) -> None:
        self.__func__, self.__self__ = memoized, instance
        functools.update_wrapper(self, memoized, updated=())

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.__func__(self.__self__, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        offered = getattr(self.__func__, name)
        if name in _OF_A_CALL:
            return functools.partial(offered, self.__self__)
        return offered

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BoundMemoized):
            return NotImplemented
        return self.__func__ is other.__func__ and self.__self__ is other.__self__

    def __hash__(self) -> int:
        return hash((id(self.__func__), id(self.__self__)))

    def purge(self, /, *args: Any, **kwargs: Any) -> int:
        """Remove a call's entry; without arguments, all of the method's, for all instances."""
        bound = (self.__self__,) if args or kwargs else ()
        return self.__func__.purge(*bound, *args, **kwargs)

    def __reduce__(self) -> Any:
        return getattr, (self.__self__, self.__func__.attribute)


#: What takes a call's arguments, and so a method's instance before them.
_OF_A_CALL = frozenset(["locate", "check_call_in_cache", "explain"])


class _ClassMethod(classmethod):  # type: ignore[type-arg]
    """A memoized class method: bound to the class, it offers what a memoized method does."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        # Python 3.13 no longer asks what it wraps; earlier ones did.
        function: Any = self.__func__
        return BoundMemoized(function, owner if owner is not None else type(instance))


def memoized(function: Any, hierarchy: Hierarchy, options: Options) -> Any:
    """Return a function that remembers; class and static methods stay what they are."""
    if isinstance(function, (classmethod, staticmethod)):
        kind_of_method = _ClassMethod if isinstance(function, classmethod) else staticmethod
        return kind_of_method(memoized(function.__func__, hierarchy, options))
    kind = MemoizedCoroutine if inspect.iscoroutinefunction(function) else Memoized
    made = kind(function, hierarchy, options)
    if kind is MemoizedCoroutine and sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(made)
    return made


def check_supported(function: Any) -> None:
    """Raise `UnsupportedFunction` for what cannot be memoized."""
    name = getattr(function, "__qualname__", None) or repr(function)
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise UnsupportedFunction(name, "it is a generator; return a list of its items instead")
    if inspect.isclass(function):
        raise UnsupportedFunction(
            name, "it is a class; memoize a function that makes its instances"
        )
    if not callable(function):
        raise UnsupportedFunction(name, f"it is no function but of type {type(function).__name__}")
    try:
        inspect.signature(function)
    except (TypeError, ValueError):
        reason = "its parameters are not known; wrap it in a function of your own"
        raise UnsupportedFunction(name, reason) from None


def _with_tried_suggestion(error: UnstorableValue, value: Any) -> UnstorableValue:
    """Return the error without its suggestion, if what it suggests could not hold the value."""
    if not error.suggestion or holds(FORMATS[error.suggestion], value):
        return error
    return UnstorableValue(error.method, error.kind, error.reason, suggestion="")


@functools.cache
def _environment() -> dict[str, str]:
    import platform
    import socket  # 3 ms to load, for misses only

    import numpy as np

    return {
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "neurotools": __version__,
    }


def _asked_by_cloudpickle() -> bool:
    # Frame 2 called the C pickler's dump: cloudpickle's own, or one that ray or joblib bring along.
    return "cloudpickle" in str(sys._getframe(2).f_globals.get("__name__", ""))


def _is_importable(memoized: Memoized) -> bool:
    if memoized.__module__ == "__main__":
        return False
    place: Any = sys.modules.get(memoized.__module__)
    for name in memoized.__qualname__.split("."):
        place = getattr(place, name, None)
    return place is memoized
