"""A cache that is there, opened to be looked at: by its folder, without the code that filled it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from neurotools.memo.look.glance import Kept, by_function, glance
from neurotools.memo.look.remembered import folders_html
from neurotools.memo.look.stored import StoredEntry
from neurotools.memo.signing import signer_with
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep import inventory
from neurotools.memo.upkeep.inventory import Located, Place


class Cache:
    """What a folder keeps; to look at it runs nothing, and changes nothing.

    Parameters
    ----------
    path : str
        What it is called.
    places : sequence of Place
        The caches, mostly one.

    Attributes
    ----------
    path : str
        What it is called.

    Examples
    --------
    >>> import tempfile
    >>> from neurotools.jobs.cache import disk_cacher, open_cache
    >>> folder = tempfile.mkdtemp()
    >>> @disk_cacher(folder)
    ... def double(x):
    ...     return 2 * x
    >>> _ = double(4), double(5)
    >>> sorted(entry.call for entry in open_cache(folder).entries("double"))
    ['double(x=4)', 'double(x=5)']
    """

    def __init__(self, path: str, places: Sequence[Place]) -> None:
        self.path, self._places = path, tuple(places)

    def functions(self) -> dict[str, Kept]:
        """Return what is kept of each function, by its name; the largest first."""
        found = [
            one
            for place in self._places
            for one in glance(place.root, place.under, seconds=float("inf")).kept
        ]
        return {inventory.human_name(one.function): one for one in by_function(found)}

    def entries(self, name: str = "") -> Iterator[StoredEntry]:
        """Give entries, in no order.

        Parameters
        ----------
        name : str
            Of a function, a module, a version, or the beginning of a file's name; all by default.
        """
        places = self._places
        yield from map(
            stored, inventory.chosen(name, places) if name else inventory.entries_in(places)
        )

    def entry(self, name: str) -> StoredEntry:
        """Return the one entry that is named so, as `entries` takes names, or by its file.

        Raises
        ------
        NoEntry
            If there is none, or more than one.
        """
        return stored(inventory.one_entry(name, self._places))

    def __repr__(self) -> str:
        return f"<cache in {self.path}>"

    def _repr_html_(self) -> str:
        """Return it for notebooks."""
        return folders_html(self.path, [(place.root, place.under) for place in self._places])


def stored(entry: Located) -> StoredEntry:
    """Return an entry to be looked at."""
    return StoredEntry(
        DirectoryTier(entry.root, signer=signer_with()), entry.shelf.key(entry.found)
    )


def opened(path: str | os.PathLike[str]) -> Cache:
    """Return the cache that somebody means who names a folder; see `inventory.places_at`."""
    places = inventory.places_at(path)
    return Cache(os.path.abspath(os.path.expanduser(os.fspath(path))), places)
