"""Stores that workers share: what each kind of request costs, by figures that others published."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

#: Lustre 2.7, one metadata server: creates, stats and removals of files a second, with 240 clients.
DELL = "Dell HPC Lustre Storage Solution with Mellanox InfiniBand EDR, white paper, figure 12"
#: One filer of two controllers: 60,507 operations a second at 3.5 ms.
NETAPP = "SPECsfs2008_nfs.v3, NetApp FAS3160, spec.org, 2009"
#: 3,500 PUT, COPY, POST, DELETE and 5,500 GET, HEAD a second for a prefix; 100 to 200 ms each.
AWS = "Amazon S3 User Guide, Best practices design patterns: optimizing Amazon S3 performance"


@dataclass(frozen=True)
class Store:
    """A store.

    Attributes
    ----------
    name : str
        For people.
    kind : {'locks', 'leases', 'requests'}
        Which of the counted steps are its own: a folder with locks that all computers see, one
        without, or a store that takes requests.
    rates : dict of float
        For each kind of request, how many a second it sustains if there are no others.
    asks : dict
        For each thing that the code does, the requests that the store gets for it.
    seconds : float
        From a request to its answer, while the store is idle.
    source : str
        Where the figures are from.
    is_behind : bool
        Whether a folder on each worker's own disk has what it asked for before.
    """

    name: str
    kind: str
    rates: dict[str, float]
    asks: dict[str, tuple[str, ...]]
    seconds: float
    source: str
    is_behind: bool = False

    def requests(self, step: Counter[str]) -> list[str]:
        """Return the requests that a step makes."""
        return [ask for done in sorted(step) for ask in self.asks.get(done, ()) * step[done]]


_LUSTRE = {
    # To open is one request, to close another; locks are asked for as attributes are.
    "open": ("stat", "stat"),
    "missing": ("stat",),
    "look": ("stat",),
    "create": ("create", "stat"),
    "mode": ("create",),
    "rename": ("create",),
    "link": ("create",),
    "unlink": ("remove",),
    "lock": ("stat",),
    "unlock": ("stat",),
    "read": (),  # by other servers than those for names
    "write": (),
}
_NFS = {
    # Names are looked up and attributes asked for anew when a file is opened.
    "open": ("any", "any"),
    "missing": ("any",),
    "look": ("any",),
    "create": ("any", "any"),
    "mode": ("any",),
    "rename": ("any",),
    "link": ("any",),
    "unlink": ("any",),
    "lock": ("any",),
    "unlock": ("any",),
    "read": ("any",),
    "write": ("any", "any"),  # and that it is on the disk
}
_S3 = {"get": ("read",), "head": ("read",), "put": ("write",), "delete": ("write",)}

_S3_RATES = {"read": 5_500.0, "write": 3_500.0}
#: What of a miss is there for taking turns alone.
TURNS = {
    "locks": Counter(look=1, lock=1, unlock=1),
    "requests": Counter(put=1, head=2, delete=1),
}

STORES = {
    store.name: store
    for store in (
        Store(
            "Lustre",
            "locks",
            {"create": 29_000, "stat": 544_000, "remove": 160_000},
            _LUSTRE,
            0.0005,
            DELL,
        ),
        Store("NFS", "locks", {"any": 60_507}, _NFS, 0.001, NETAPP),
        Store("S3", "requests", _S3_RATES, _S3, 0.1, AWS),
        Store("S3 behind own disks", "requests", _S3_RATES, _S3, 0.1, AWS, is_behind=True),
    )
}
