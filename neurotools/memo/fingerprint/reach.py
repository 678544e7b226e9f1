"""A function -> its Fingerprint: a digest of the code that would run now.

Read here when it is computed and when it is still valid. Not here: the walk that computes it
(`walk`), and what is loaded only for it.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

from neurotools.memo.digest.files import base64
from neurotools.memo.digest.sha import sha224
from neurotools.memo.errors import UndigestableValue, UnknownChoice, UnsafeBinding
from neurotools.memo.fingerprint import GRANULARITIES
from neurotools.memo.fingerprint.manifest import Manifest
from neurotools.memo.rows import Row

if TYPE_CHECKING:
    from neurotools.memo.fingerprint.guards import Guards
    from neurotools.memo.fingerprint.known import Shelf
    from neurotools.memo.fingerprint.walk import Walk

#: Walks before a graph that changes while it is walked is taken as it is.
_PATIENCE = 3


class Fingerprint(Row):
    """A digest of code.

    Attributes
    ----------
    code : str
        14 characters, safe in file names.
    manifest : Manifest
        What it was made of.
    """

    code: str
    manifest: Manifest


#: What a script is called where it runs, and in processes that it has started.
_SCRIPTS = ("__main__", "__mp_main__")


class Tracker:
    """Follows the code that one callable can reach.

    Parameters
    ----------
    function : callable
        The function as it would run, not yet memoized.
    packages : {'minor', 'exact', 'record', 'off'}
        What counts of a distribution that is reached. ``'minor'``, the default, is the first two
        numbers of a final release, ``1.26`` of 1.26.4, and all of any other version: a bug-fix
        release promises the same results, and recomputing everything after each upgrade would
        teach people to switch the tracking off. ``'exact'`` is the whole version. ``'record'`` is
        the list of the installed files with their checksums, which notices a package that was
        built anew under the same version. ``'off'`` is nothing.
    docstrings : bool, default False
        Whether docstrings count. Where reachable code reads docstrings they always do.
    shelf : Shelf, optional
        Where what is learnt of source is kept for other processes.

    Raises
    ------
    UnknownChoice
        If there is no such granularity.

    Examples
    --------
    >>> rate = 2
    >>> def scaled(x):
    ...     return rate * x
    >>> tracker = Tracker(scaled)
    >>> before = tracker.current()
    >>> rate = 3
    >>> tracker.current().code == before.code
    False
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        packages: str = "minor",
        docstrings: bool = False,
        shelf: Shelf | None = None,
    ) -> None:
        if packages not in GRANULARITIES:
            raise UnknownChoice("packages", packages, GRANULARITIES)
        self._function = function
        self._packages = packages
        self._docstrings = docstrings
        self._shelf = shelf
        self._seen: _Seen | None = None
        self._running = 0

    def current(self) -> Fingerprint:
        """Return the fingerprint of the code as it is bound now.

        The first time, everything reachable is walked. Later only whether something has changed
        is checked, which takes microseconds, and the digest of values that can change in place.
        """
        seen = self._seen
        if seen is None or not seen.is_same() or (seen.changeable and not seen.values_hold()):
            seen = self._valid()
        return seen.fingerprint

    def watcher(self, leave_out: Callable[[Any], bool]) -> Callable[[], bool]:
        """Return what tells, at little cost, whether the code is still as it is now.

        Parameters
        ----------
        leave_out : callable
            Tells of a value whether it is taken to keep its content.
        """
        seen = self._valid()
        changeable = [pair for pair in seen.changeable if not leave_out(pair[0])]
        return lambda: self._seen is seen and seen.is_same() and seen.values_hold(changeable)

    @property
    def guards(self) -> Guards | None:
        """What tells by identity whether the code is as it was; None if that is not enough."""
        seen = self._seen
        return None if seen is None or seen.changes else seen.walk.ledger.guards

    @property
    def refusals(self) -> tuple[UnsafeBinding, ...]:
        """What cannot be followed, and makes the function unsafe to memoize."""
        return tuple(self._valid().walk.ledger.refusals.values())

    @property
    def reached(self) -> tuple[Any, ...]:
        """Functions and classes of the user that can be reached, the function itself first."""
        return tuple(value for value, _ in self._valid().walk.nodes.values())

    @property
    def values(self) -> dict[str, str]:
        """Digests of the values that reachable code depends on, as they are now, by name."""
        parts = self._valid().walk.ledger.parts
        return {name: part.digest for (kind, name), part in parts.items() if kind == "value"}

    @property
    def held(self) -> dict[str, Any]:
        """The values themselves, by name."""
        return dict(self._valid().walk.holdings.values)

    def texts(self) -> dict[str, str]:
        """Return the source of reachable code that lies in no file, or in the script that runs.

        In a worker to which functions of a notebook or script are sent,
        `neurotools.memo.fingerprint.texts.remember` makes it known, so that the fingerprint is the
        same there.
        """
        from neurotools.memo.fingerprint.texts import carried

        functions = [f for f in self.reached if isinstance(f, FunctionType)]
        own = (f.__code__.co_filename for f in functions if f.__module__ in _SCRIPTS)
        return carried((function.__code__ for function in functions), frozenset(own))

    def starts(self) -> None:
        """Take what changes from now on, until `ran`, as done by running the function.

        Such changes do not count, see `neurotools.memo.fingerprint.lineage`.
        """
        self._running += 1

    def ran(self) -> None:
        """Note that a run that was told to `starts` has ended."""
        self._running -= 1
        if self._seen is not None and not self._seen.holds():
            self._changed_itself(self._seen)

    def _changed_itself(self, before: _Seen) -> _Seen:
        from neurotools.memo.fingerprint import lineage

        after = self._look()
        lineage.ran(before.walk.state, after.walk.state)
        after.name()
        self._seen = after
        return after

    def _valid(self) -> _Seen:
        seen = self._seen
        if seen is not None and self._running and not seen.holds():
            return self._changed_itself(seen)  # it calls itself
        if seen is None or not seen.holds():
            # Published whole and in one step: other threads see either the old or the new.
            seen = self._seen = self._look()
        return seen

    def _look(self) -> _Seen:
        for _ in range(_PATIENCE):
            seen = _Seen(self._function, self._packages, self._docstrings, self._shelf)
            # Walking may load modules, and threads may run: what was visited may have changed.
            if seen.is_same():
                break
        return seen


class _Seen:
    """What one walk has seen."""

    def __init__(
        self,
        function: Callable[..., Any],
        packages: str,
        docstrings: bool,
        shelf: Shelf | None,
    ) -> None:
        from neurotools.memo.fingerprint.walk import Unseen, Walk

        self.walk: Walk = Walk(packages, docstrings, shelf)
        self.walk.run(function)
        #: Whether all that identity tells is as it was.
        self.is_same = self.walk.ledger.guards.hold
        self.changeable = self.walk.holdings.changeable
        #: Whether values count that have to be digested each time.
        self.changes = bool(self.changeable)
        self._unseen = Unseen
        self.name()

    def name(self) -> None:
        """Make the fingerprint of what was seen."""
        manifest = self.walk.manifest(short_code)
        self.fingerprint = Fingerprint(manifest.code, manifest)

    def holds(self) -> bool:
        """Return whether all is as it was seen."""
        return self.is_same() and (not self.changeable or self.values_hold())

    def values_hold(self, changeable: list[tuple[Any, str]] | None = None) -> bool:
        """Return whether all that is digested to know it, or some of it, is as it was seen."""
        changeable = self.changeable if changeable is None else changeable
        if not changeable:
            return True
        digested = self.walk.holdings.digested
        try:
            return all(digested(value) == was for value, was in changeable)
        except (UndigestableValue, RuntimeError, self._unseen):
            return False


def short_code(text: str) -> str:
    """Return 14 characters that stand for a text, as in the names of cache folders."""
    digest = sha224(text.encode("utf-8", "surrogatepass"))
    return base64(digest[:10])
