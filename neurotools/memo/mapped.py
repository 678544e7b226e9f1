"""What a memoized function offers for many calls, and what is asked of it for that.

Not here: how they are made (`neurotools.memo.many`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from neurotools.memo.entry import Key
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.key import KeyMaker
from neurotools.memo.making import used
from neurotools.memo.options import Options


class Mapped:
    """Many calls of a memoized function."""

    keys: KeyMaker
    _hierarchy: Hierarchy
    _options: Options
    _counts: Counter[str]

    def map(
        self,
        /,
        *iterables: Iterable[Any],
        executor: Any = None,
        progress: bool = True,
        on_error: str = "raise",
        **common: Any,
    ) -> list[Any]:
        """Make many calls, with items of iterables as arguments, and return their results in order.

        All calls are looked up first. What is not there is computed, each result once however often
        it is asked for, and kept as it comes: interrupt it, and go on later.

        Parameters
        ----------
        *iterables : iterable
            First arguments, second arguments and so on, equally many; as for `map` of Python.
        executor : None, int, concurrent.futures.Executor or distributed.Client
            Who computes: this process, so many processes of this computer (these need the extra
            ``parallel``), any executor, a Dask cluster.
        progress : bool
            Whether to say what is there, and show a bar, where somebody sees it.
        on_error : {'raise', 'collect'}
            What to do when a call fails: begin no other one, keep what those that run give, and
            raise the first error; or go on, and have errors in the places of results.
        **common
            Keyword arguments of all calls.

        Returns
        -------
        list
            The results; each can be changed without changing another.

        Raises
        ------
        NotCalls
            If an argument is no list of arguments, such as a single text or a table.
        WrongArguments
            If the function does not take the arguments of a call; before anything is computed.
        UnknownExecutor, UnknownChoice, MissingExtra
            If nobody can compute so.
        CannotTravel, WorkersLost, OtherCode
            If a call or its result could not be sent, its worker is gone, or has other code.
        Exception
            What the function raises, with a note which call it was (Python 3.11 and later).
        """
        from neurotools.memo.many import calls, run, work

        made = calls.of_iterables(iterables, common)
        shared = work.Common((), common)
        return run.run(self, made, shared, executor=executor, progress=progress, on_error=on_error)

    def starmap(
        self,
        items: Iterable[Any],
        /,
        *,
        executor: Any = None,
        progress: bool = True,
        on_error: str = "raise",
        **common: Any,
    ) -> list[Any]:
        """Make many calls, as `map` does, each with arguments of its own.

        Parameters
        ----------
        items : iterable of tuple, list, dict or call
            The arguments of each call: positional ones, keywords, or both as in ``call(1, n=2)``
            (from `neurotools.jobs.parallel`).
        executor, progress, on_error
            See `map`.
        **common
            Keyword arguments of all calls that do not give them.

        Returns
        -------
        list
            The results.
        """
        from neurotools.memo.many import calls, run, work

        made = calls.of_items(items, common)
        shared = work.Common((), common)
        return run.run(self, made, shared, executor=executor, progress=progress, on_error=on_error)

    # ------------------------------------------------------------ for those who make the calls

    is_coroutine = False

    @property
    def hierarchy(self) -> Hierarchy:
        """Where results are kept."""
        return self._hierarchy

    @property
    def method(self) -> str:
        """How results are kept."""
        return self._options.form.method

    def key_of(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Key | None:
        """Return the key of a call, or None where it is made without the cache."""
        named = self._name(args, kwargs)
        return None if named is None else named[0]

    def name_next(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Name the next call now; its code may be mixed with that of others when it is made.

        For a function that only one caller has.
        """
        named = self._name(args, kwargs)
        left = [named, named]  # for whoever asks for the key, and for the call

        def known(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:  # noqa: ARG001
            if len(left) == 1:
                del self._name
            return left.pop()

        self._name = known  # type: ignore[method-assign]

    def is_there(self, key: Key) -> bool:
        """Return whether a result seems to be there, without loading it."""
        return self._hierarchy.has(key) and not self._outdated_by(key)

    def find(self, key: Key) -> tuple[Any] | None:
        """Return a result that is there, alone in a tuple."""
        return self._find(key)

    def computed_elsewhere(self, key: Key, call: Any, value: Any, seconds: float) -> None:
        """Count what a worker has computed, and keep it if what the worker has kept is not seen.

        Parameters
        ----------
        key : Key
            The call's.
        call : Call
            The call.
        value : object
            Its result.
        seconds : float
            How long it took.
        """
        # What a computation used is known to who has watched it.
        if self._options.trace or self._hierarchy.has(key):
            self._counts["misses"] += 1
            used(key, b"", self._hierarchy.name)
        else:
            self._keep(key, self.keys.text(call.args, call.kwargs), value, seconds, None)

    def _name(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Key, bytes | None] | None:
        raise NotImplementedError

    def _find(self, key: Key) -> tuple[Any] | None:
        raise NotImplementedError

    def _keep(self, key: Key, text: bytes, value: Any, seconds: float, run: Any) -> None:
        raise NotImplementedError

    def _outdated_by(self, key: Key) -> str:
        raise NotImplementedError
