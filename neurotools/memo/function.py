"""One memoized callable: a call, top to bottom. Start reading here.

A call becomes a `Key` (`neurotools.memo.key`); the tiers are asked for it, fastest first; a miss is
computed, by one caller at a time, and stored in each tier. Whatever goes wrong in the cache, the
caller gets the function's result. Not here: what else a memoized function offers (`offered`).
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from neurotools.memo.aside import UNDER_WAY, is_aside
from neurotools.memo.bound import BoundMemoized, ClassMethod
from neurotools.memo.careful import is_meant_to_end, spelled, step_aside
from neurotools.memo.details import Details
from neurotools.memo.entry import Blob, Key, Record
from neurotools.memo.errors import CacheError, UnsafeBinding, UnstorableValue, WrongArguments
from neurotools.memo.formats.base import Payload, PayloadFormat
from neurotools.memo.formats.registry import FORMATS, holds
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.key import KeyMaker
from neurotools.memo.making import MAKINGS, in_use, used, used_entry
from neurotools.memo.mapped import Mapped
from neurotools.memo.offered import Offered
from neurotools.memo.options import Options
from neurotools.memo.pace import Pace
from neurotools.memo.runs import Runs, Watched
from neurotools.memo.seal import checksum_of, seal
from neurotools.memo.supported import check_supported
from neurotools.memo.telling import Telling, log
from neurotools.memo.travel import asked_by_cloudpickle, by_value, is_importable
from neurotools.memo.turns.flight import Flight

if TYPE_CHECKING:
    from neurotools.memo.turns.leases import Leases


#: After so many misses in a row, a call takes its turn before it looks, where that costs little:
#: each look waits for those who store in that folder. Before that, hits wait for nobody.
_IN_A_ROW = 2


class Memoized(Offered, Telling, Mapped):
    """A function that remembers its results.

    Parameters
    ----------
    function : callable
        The function.
    hierarchy : Hierarchy
        Where results are kept.
    options : Options
        How.
    keys : KeyMaker, optional
        Makes the keys of calls, where that takes more than the function.

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
        self,
        function: Callable[..., Any],
        hierarchy: Hierarchy,
        options: Options,
        keys: KeyMaker | None = None,
    ) -> None:
        check_supported(function)
        functools.update_wrapper(self, function)
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self.__qualname__: str = getattr(function, "__qualname__", self.__name__)
        self._function, self._hierarchy, self._options = function, hierarchy, options
        self._method = options.form.method
        strict = not options.allow_mutable_bindings
        tracking = {**options.tracking, "shelf": hierarchy}
        self.keys = keys or KeyMaker(function, options.ignore, strict=strict, **tracking)
        owners = options.access.get("trusted_owners", ())
        self._runs = Runs(self.keys.tracker, self.__qualname__, trace=options.trace, owners=owners)
        self._details = Details(function, f"{self.__module__}.{self.__qualname__}")
        self._flight = Flight(options.lock_folder, options.on_busy, self._leases())
        self._pace = Pace()
        self._counts: Counter[str] = Counter()
        self._in_a_row = 0
        self._warned = set()
        self._manifested: set[str] = set()
        in_use(hierarchy)
        self.cache_root, self.access = options.cache_root, options.access
        self.attribute = self.__name__

    def _leases(self) -> Leases | None:
        """Return what computers see of each other's computations, where results may be shared."""
        place = self._hierarchy.meeting_place() if self._options.store else None
        if place is None:
            return None
        from neurotools.memo.turns.leases import Leases  # few share

        is_later = str(self._hierarchy.write_back) == "async"
        seconds = self._options.lease_seconds
        say = self._say if self._options.verbose else log.info
        return Leases(place, seconds, self._seems_there, is_later=is_later, say=say)

    # ------------------------------------------------------------ a call

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            named = self._name(args, kwargs)
            if named is None:
                return self._function(*args, **kwargs)
            key, text = named
            if self._options.skip_fast and self._is_skipped(key):
                with self._timed_only(key):
                    return self._function(*args, **kwargs)
            looks_once = self._in_a_row >= _IN_A_ROW and self._flight.is_near
            if not looks_once and (found := self._find(key)) is not None:
                return found[0]
            # Made now: the function may change its arguments.
            text = text or self.keys.text(args, kwargs)
            files = self.keys.files(text, args, kwargs)
            turn = self._flight.alone(key)
            try:
                with turn as waited:
                    if (found := self._found_meanwhile(key, waited or looks_once)) is not None:
                        return found[0]
                    if self._is_told:
                        self._say(f"Recomputing cache at {self._hierarchy.location(key)}")
                    started = time.perf_counter()
                    with self._runs.watched(files) as run:
                        value = self._function(*args, **kwargs)
                    self._keep(key, text, value, time.perf_counter() - started, run)
            finally:
                turn.free()
            return value
        except BaseException as error:
            step_aside(error)
            raise

    def _name(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Key, bytes | None] | None:
        """Return a call's key, or None where the call is to run without the cache."""
        if UNDER_WAY[0] and is_aside():
            return None
        try:
            named = self.keys.key_of_call(args, kwargs, self._method)
        except WrongArguments:
            return None  # the function's own error says so best
        except UnsafeBinding:
            raise
        except BaseException as error:  # objects in arguments may fail in any way there is
            if is_meant_to_end(error):
                raise
            reason = error if isinstance(error, CacheError) else spelled(error)
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
        if self._options.trace:
            record = entry.record
            if changed := self._runs.outdated(record, entry.location):
                self._say(f"{changed} has changed since {entry.location} was computed")
                return None
            self._runs.hand_on(record)
        try:
            value = entry.value()
        except BaseException as error:  # user classes may fail to unpickle in any way there is
            if is_meant_to_end(error):
                raise
            self._warn_once(f"cannot decode {entry.location}, computing again: {spelled(error)}")
            return None
        self._counts["hits"] += 1
        self._in_a_row = 0
        if MAKINGS:
            used_entry(key, entry, self._hierarchy.name)
        if self._options.skip_fast:
            self._pace.loaded(key.call, time.perf_counter() - started, entry.seconds)
        if self._is_told:
            self._say(f"Retrieved cache at {entry.location}")
        return (value,)

    def _seems_there(self, key: Key) -> bool:
        """Tell whether there is an entry now that would be used."""
        return self._hierarchy.has(key) and not self._outdated_by(key)

    def _found_meanwhile(self, key: Key, waited: bool) -> tuple[Any] | None:
        """Look again: somebody may have finished it between our look and our turn."""
        return self._find(key) if waited or self._hierarchy.has(key) else None

    def _keep(self, key: Key, text: bytes, value: Any, seconds: float, run: Watched | None) -> None:
        """Store a new result, and tell the computation that has asked for it, if one has."""
        key, blob = self._store(key, text, value, seconds, run)
        if MAKINGS:
            checksum = b"" if blob is None else checksum_of(blob)
            used(key, checksum, self._hierarchy.name, run)

    def _store(
        self, key: Key, text: bytes, value: Any, seconds: float, run: Watched | None
    ) -> tuple[Key, Blob | None]:
        """Store a new result; whatever fails, the caller has it already."""
        self._counts["misses"] += 1
        self._in_a_row += 1
        self._pace.computed(key.call, seconds)
        is_told = self._is_told
        if is_told:
            self._say(f"Took {seconds * 1e3:.0f} milliseconds")
        if not self._options.store:
            return key, None
        if self._options.skip_fast and not self._pace.is_worth_keeping(seconds):
            return key, None
        started = time.perf_counter()
        try:
            form, payload = self._encoded(value)
            if key.method != form.method:
                key = key._replace(method=form.method)
            details = self._details.of(text)
            if run is not None:
                details.update(self._runs.told(run, self._hierarchy.name))
            record = Record(time.time(), seconds, payload.layout, details)
            blob = seal(payload, record, key, form, self.access.get("signer"))
        except UnstorableValue as error:
            told = _with_tried_suggestion(error, value)
            self._warn_once(f"the result of {self.__qualname__} was not kept: {told}")
            return key, None
        except BaseException as error:  # pickling runs the user's own code
            if is_meant_to_end(error):
                raise
            self._warn_once(f"the result of {self.__qualname__} was not kept: {spelled(error)}")
            return key, None
        self._hierarchy.put(key, blob)
        self._keep_manifest(key)
        if is_told:
            self._say_stored(key, blob.size, seconds, time.perf_counter() - started)
        return key, blob

    def _encoded(self, value: Any) -> tuple[PayloadFormat, Payload]:
        """Return a result as bytes, and the format that they are of."""
        return self._options.form, self._options.form.encode(value)

    def _keep_manifest(self, key: Key) -> None:
        if key.code in self._manifested:
            return
        try:
            text = self.keys.fingerprint.manifest.to_json()
        except Exception as error:  # no memory, no descriptor to load the encoder with
            if is_meant_to_end(error):
                raise
            self._say(f"No manifest of {self.__qualname__} was kept: {spelled(error)}")
            return
        if self._hierarchy.put_manifest(key, text.encode("utf-8", "surrogatepass")):
            self._manifested.add(key.code)

    # ------------------------------------------------------------ methods and pickles

    def __repr__(self) -> str:
        return f"<memoized {self.__module__}.{self.__qualname__} in {self._hierarchy.name}>"

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name  # by which it can be found, a private name as its class spells it

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else BoundMemoized(self, instance)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # By name, as functions travel. cloudpickle sends what lives in __main__ or in another
        # function by value: our function too, and we could not be found by name over there.
        if asked_by_cloudpickle() and not is_importable(self):
            return by_value(self, self._function, self._hierarchy, self._options)
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

    is_coroutine = True

    async def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        try:
            named = self._name(args, kwargs)
            if named is None:
                return await self._function(*args, **kwargs)
            key, text = named
            if self._options.skip_fast and self._is_skipped(key):
                with self._timed_only(key):
                    return await self._function(*args, **kwargs)
            looks_once = self._in_a_row >= _IN_A_ROW and self._flight.is_near
            if not looks_once and (found := self._find(key)) is not None:
                return found[0]
            text = text or self.keys.text(args, kwargs)
            files = self.keys.files(text, args, kwargs)
            turn = self._flight.alone_async(key)
            try:
                async with turn as waited:
                    if (found := self._found_meanwhile(key, waited or looks_once)) is not None:
                        return found[0]
                    if self._is_told:
                        self._say(f"Recomputing cache at {self._hierarchy.location(key)}")
                    started = time.perf_counter()
                    with self._runs.watched(files) as run:
                        value = await self._function(*args, **kwargs)
                    self._keep(key, text, value, time.perf_counter() - started, run)
            finally:
                turn.free()
            return value
        except BaseException as error:
            step_aside(error)
            raise


def memoized(function: Any, hierarchy: Hierarchy, options: Options) -> Any:
    """Return a function that remembers; class and static methods stay what they are."""
    if isinstance(function, (classmethod, staticmethod)):
        kind_of_method = ClassMethod if isinstance(function, classmethod) else staticmethod
        return kind_of_method(memoized(function.__func__, hierarchy, options))
    kind = MemoizedCoroutine if inspect.iscoroutinefunction(function) else Memoized
    made = kind(function, hierarchy, options)
    if kind is MemoizedCoroutine and sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(made)
    return made


def _with_tried_suggestion(error: UnstorableValue, value: Any) -> UnstorableValue:
    """Return the error without its suggestion, if what it suggests could not hold the value."""
    if not error.suggestion or holds(FORMATS[error.suggestion], value):
        return error
    return UnstorableValue(error.method, error.kind, error.reason, suggestion="")
