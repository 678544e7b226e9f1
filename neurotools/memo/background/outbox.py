"""What a hierarchy leaves to be sent to its slower tiers in the background."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from neurotools.memo.background.flushing import flush, prepare
from neurotools.memo.background.lanes import Lane, lane_to, overflows
from neurotools.memo.background.sending import Parcel, Route
from neurotools.memo.entry import Key
from neurotools.memo.tiers.guarded import Guarded

#: What was looked after in this process: names of a keeper and a slower tier.
_LOOKED: set[tuple[str, str]] = set()


class Outbox:
    """What is to be sent from the tier that keeps new entries to those that are slower.

    Parameters
    ----------
    tiers : sequence of Guarded
        All tiers of the hierarchy.
    keeper : int
        The number of the one that keeps what is not sent yet.
    counts : sequence of Counter
        Of what each tier does.
    flush_seconds : float
        How long the end of the program may wait.
    """

    def __init__(
        self,
        tiers: Sequence[Guarded],
        keeper: int,
        counts: Sequence[Counter[str]],
        flush_seconds: float,
    ) -> None:
        self._keeper = tiers[keeper]
        self._routes = {
            depth: Route(self._keeper, tiers[depth], counts[depth], flush_seconds)
            for depth in range(keeper + 1, len(tiers))
        }

    def _chosen(self, depth: int | None) -> list[Route]:
        return list(self._routes.values()) if depth is None else [self._routes[depth]]

    def note(self, key: Key, depth: int | None = None) -> None:
        """Note that an entry is to be sent to a slower tier that failed, or to each of them.

        In the second case, the keeper need not have it yet.

        Raises
        ------
        OSError
            If that cannot be noted.
        """
        for route in self._chosen(depth):
            route.unsent.add(key, is_kept=depth is not None)

    def send(self, depth: int, key: Key) -> bool:
        """Have an entry sent that is noted, and that the keeper has; tell whether it will be."""
        route = self._routes[depth]
        route.unsent.now_kept(key)
        parcel = Parcel(route, key, route.unsent.name(key))
        if not route.unsent.is_lasting:
            entry = self._keeper.get(key)
            if entry is None:
                return False  # it is too large for memory
            lane_to(route.slow.name).hold(parcel, entry, self._keeper.size(key))
        return self._add(parcel)

    def interrupted(self, key: Key) -> None:
        """Say that an interrupt came while an entry was noted, kept, or left to be sent."""
        for route in self._routes.values():
            route.unsent.now_kept(key)
            overflows(route)

    def take_manifest(self, depth: int, key: Key, content: bytes) -> bool:
        """Have a manifest sent; tell whether that is being done."""
        return self._add(Parcel(self._routes[depth], key, "", manifest=content))

    def _add(self, parcel: Parcel) -> bool:
        route = parcel.route
        prepare(route)
        lane = lane_to(route.slow.name)
        if not lane.has_room():
            if route.unsent.is_lasting:
                overflows(route)
            return route.unsent.is_lasting
        try:
            lane.add(parcel)
        except RuntimeError:  # no thread is to be had: the next process sends what is marked
            return route.unsent.is_lasting and parcel.manifest is None
        return True

    def forget(self, keys: Iterable[Key], depth: int | None = None) -> None:
        """See to it that entries are not sent any more.

        Raises
        ------
        OSError
            If that cannot be done.
        """
        keys = list(keys)  # looked at for each route
        for route in self._chosen(depth):
            for key in keys:
                route.unsent.now_kept(key)
            route.unsent.forget(keys)

    def look(self) -> None:
        """Have sent what other processes have left, once in each process."""
        for route in self._routes.values():
            names = route.keeper.name, route.slow.name
            if names not in _LOOKED and route.unsent.is_lasting:
                _LOOKED.add(names)
                prepare(route)
                try:
                    lane_to(route.slow.name).look(route)
                except RuntimeError:
                    return  # no thread is to be had: another process looks

    def on_the_way(self, depth: int) -> int:
        """Return how many entries are being sent to a tier, or wait to be."""
        route = self._routes.get(depth)
        if route is None:
            return 0
        pending = lane_to(route.slow.name).pending.copy()
        return sum(parcel.route is route and parcel.manifest is None for parcel in pending)

    def flush(self, timeout: float | None = None) -> int:
        """Wait for what is on its way, see `neurotools.memo.background.flushing.flush`."""
        return flush(self._lanes(), timeout)

    def _lanes(self) -> list[Lane]:
        return [lane_to(route.slow.name) for route in self._routes.values()]
