"""What users of a cache ask a memoized function, besides calling it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from neurotools.memo.entry import Key, Signature
from neurotools.memo.errors import NoEntry, UndigestableValue
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.info import CacheInfo, info_of
from neurotools.memo.key import KeyMaker
from neurotools.memo.making import places
from neurotools.memo.options import Options
from neurotools.memo.runs import Runs

if TYPE_CHECKING:
    from neurotools.memo.explanation import Explanation
    from neurotools.memo.formats.base import PayloadFormat
    from neurotools.memo.lineage.tree import Lineage
    from neurotools.memo.look.stored import StoredEntry
    from neurotools.memo.versions import Version


class Offered:
    """Answers of a memoized function, from its keys and its places."""

    keys: KeyMaker
    cache_root: str | None
    _hierarchy: Hierarchy
    _options: Options
    _runs: Runs
    _counts: Counter[str]

    @property
    def form(self) -> PayloadFormat:
        """How results become bytes."""
        return self._options.form

    def locate(self, /, *args: Any, **kwargs: Any) -> str:
        """Return where a call's entry is, or would be, in the fastest tier that is a folder."""
        key = self._key(args, kwargs)
        tiers = self._hierarchy.tiers
        folders = [depth for depth, tier in enumerate(tiers) if hasattr(tier, "root")]
        depth = self._hierarchy.depth_of(key, folders)
        if depth is None and folders:
            depth = folders[0]
        return (self._hierarchy if depth is None else tiers[depth]).location(key)

    def check_call_in_cache(self, /, *args: Any, **kwargs: Any) -> bool:
        """Return whether a call's result seems to be there, without loading it."""
        key = self._key(args, kwargs)
        return self._hierarchy.look(key)[0] is not None and not self._outdated_by(key)

    def _outdated_by(self, key: Key) -> str:
        """Return the name of something that an entry's computation used and that has changed."""
        if not self._options.trace or (record := self._hierarchy.record(key)) is None:
            return ""
        return self._runs.outdated(record, self._hierarchy.location(key))

    def explain(self, /, *args: Any, **kwargs: Any) -> Explanation:
        """Return why a call would hit or miss, before running it.

        Every place is looked at, and what a folder has is read and verified. For a miss, it is said
        what differs from the nearest entry: lines of code, constants, packages, arguments, files.

        Raises
        ------
        WrongArguments, UnsafeBinding
            As a call does.
        """
        import dataclasses

        from neurotools.memo.explain import explain
        from neurotools.memo.explanation import Explanation
        from neurotools.memo.fingerprint.limits import OF_FILES

        try:
            signature = self.keys.signature(args, kwargs)
        except UndigestableValue as error:
            name = self.keys.folder.replace("/", ".")
            return Explanation(hit=False, reason=str(error), kind="uncached", function=name)
        key = self._key_of(signature)
        told = explain(self._hierarchy, key, signature, self.keys.fingerprint.manifest)
        if told.hit and (changed := self._outdated_by(key)):
            told = dataclasses.replace(
                told,
                hit=False,
                kind="file",
                reason=f"{changed}, which the computation used, has changed",
                files=self._runs.digests(self._hierarchy.record(key), changed),
            )
        doubts = told.doubts
        if self._options.trace:  # what it opens is noted, and counts
            doubts = tuple(doubt for doubt in doubts if not doubt.endswith(OF_FILES))
        return dataclasses.replace(told, doubts=doubts, left_alone=self._hierarchy.left_alone)

    def lineage(self, /, *args: Any, **kwargs: Any) -> Lineage:
        """Return what a call's result was made from: the tree of the cached calls behind it.

        Raises
        ------
        NoEntry
            If nothing is kept of the call.
        """
        from neurotools.memo.lineage.reading import lineage_of

        key = self._key(args, kwargs)
        if self._hierarchy.depth_of(key) is None:
            raise NoEntry("of this call", "nothing is kept of it; explain(...) says why")
        others = [place for place in places() if place is not self._hierarchy]
        return lineage_of(key, [self._hierarchy, *others])

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
        top = self.cache_root or self._hierarchy.tiers[0].name
        folder = os.path.join(top, *self.keys.folder.split("/"), code)
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

    def flush(self, timeout: float | None = None) -> int:
        """Wait until slower tiers have the results that are sent to them in the background.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most; by default as long as it takes.

        Returns
        -------
        int
            How many results have not arrived: no time was left, or a tier cannot be used now.
        """
        return self._hierarchy.flush(timeout)

    def entry(self, /, *args: Any, **kwargs: Any) -> StoredEntry:
        """Return what is kept of a call, to be looked at: when, how long, where; not its value.

        Raises
        ------
        NoEntry
            If nothing is kept of it.
        """
        from neurotools.memo.look.stored import StoredEntry

        key = self._key(args, kwargs)
        depth = self._hierarchy.depth_of(key)
        if depth is None:
            raise NoEntry("of this call", "nothing is kept of it; explain(...) says why")
        return StoredEntry(self._hierarchy.tiers[depth], key)

    def _repr_html_(self) -> str:
        """Return what is kept of the function, for notebooks."""
        from neurotools.memo.look.remembered import function_html

        return function_html(self)

    def pin(self, /, *args: Any, **kwargs: Any) -> None:
        """Keep a call's entry whatever the budget; without arguments, all of the present version.

        The entry need not be there yet. In memory (``ram://``) it is kept while the process lasts.
        """
        from neurotools.memo.tiers.pins import pin

        place = self._pinned(args, kwargs)
        self._hierarchy.each_marks(pin, place)
        for pinned in self._pins_in_memory():
            pinned.add(place)

    def unpin(self, /, *args: Any, **kwargs: Any) -> None:
        """Keep it no longer, see `pin`."""
        from neurotools.memo.tiers.pins import unpin

        place = self._pinned(args, kwargs)
        self._hierarchy.each_marks(unpin, place)
        for pinned in self._pins_in_memory():
            pinned.discard(place)

    def _pins_in_memory(self) -> Iterator[set[str]]:
        found = (getattr(tier, "pins", None) for tier in self._hierarchy.tiers)
        return (places for places in found if places is not None)

    def _pinned(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        if args or kwargs:
            return self._key(args, kwargs).path
        return f"{self.keys.folder}/{self.keys.fingerprint.code}"

    def cache_clear(self) -> None:
        """Remove all entries of the present version from every tier, and start counting anew."""
        self.purge()
        self._counts.clear()
        for count in self._hierarchy.counts:
            count.clear()

    def cache_info(self) -> CacheInfo:
        """Return how often results were loaded and computed in this process, in all and by tier."""
        return info_of(self._counts, self._hierarchy)

    def __dask_tokenize__(self) -> Any:
        # The same in each process, and another for other code: what Dask names its tasks by.
        return "neurotools", self.keys.folder, self.keys.tracker.current().code

    def _key(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Key:
        return self._key_of(self.keys.signature(args, kwargs))

    def _key_of(self, signature: Signature) -> Key:
        return self.keys.key(signature, self._options.form.method)
