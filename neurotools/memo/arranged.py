"""Tiers and options from what a user chose: checked first, so that a mistake makes no folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neurotools.memo.errors import UnknownChoice
from neurotools.memo.fingerprint import GRANULARITIES
from neurotools.memo.formats.base import PayloadFormat
from neurotools.memo.options import ON_BUSY, Options
from neurotools.memo.rows import Row
from neurotools.memo.signing import signer_with
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.directory import DURABILITIES
from neurotools.memo.tiers.folders import PRIVATE
from neurotools.memo.tiers.limits import Budget
from neurotools.memo.tiers.locations import tier_at
from neurotools.memo.tiers.trust import user_numbers
from neurotools.memo.watch.health import checked_patience


class Access(Row):
    """How entries in tiers are read and written, as `neurotools.jobs.cache.disk_cacher` takes it.

    Attributes
    ----------
    trusted_owners : str, int or iterable of them
        Whose pickles are opened.
    key_file : str or path
        What pickles are signed with.
    shared : {None, 'group'}
        With whom new files are shared.
    """

    trusted_owners: str | int | Iterable[str | int] = ()
    key_file: str | os.PathLike[str] | None = None
    shared: str | None = None

    def checked(self) -> dict[str, Any]:
        """Return it as tiers take it.

        Raises
        ------
        ValueError
            If there is no such user.
        UnusableKey
            If there is no key in the file, or others could read or change it.
        """
        return {
            "trusted_owners": user_numbers(self.trusted_owners),
            "signer": signer_with(self.key_file),
            "shared": self.shared,
        }


def check(**options: tuple[object, tuple[object, ...]]) -> None:
    """Raise `UnknownChoice` for an option, given as its value and the values that it can have."""
    for name, (value, known) in options.items():
        if value not in known:
            raise UnknownChoice(name, value, map(str, known))


def places(given: Any, name: str) -> list[Any]:
    """Return the places that are meant by one place or by several.

    Raises
    ------
    ValueError
        If there is none.
    """
    is_single = isinstance(given, (str, os.PathLike)) or not isinstance(given, Iterable)
    listed = [given] if is_single else list(given)
    if not listed:
        raise ValueError(f"{name} is empty; give one folder at least, or 'ram://'")
    return listed


def arrange(
    locations: Sequence[Any],
    identifier: str,
    form: PayloadFormat,
    *,
    access: Access,
    mmap_mode: str | None,
    packages: str,
    durability: str,
    on_busy: str,
    lease_seconds: float,
    verify: bool,
    patience: float | None,
    storage_options: Mapping[str, Any] | None,
    write_back: bool | str = True,
    budget: Budget | None = None,
    ignore: str | Iterable[str] = (),
    **options: Any,
) -> tuple[list[Tier], Options]:
    """Return the tiers at some places, and how functions are memoized in them.

    Parameters
    ----------
    locations : sequence
        The places, as `tier_at` takes them, from fast to slow.
    identifier : str
        Name of the sub-folder.
    form : PayloadFormat
        How results become bytes.
    access : Access
        Who may read and write.
    mmap_mode, packages, durability, on_busy, lease_seconds, verify, patience, storage_options
        See `neurotools.jobs.cache.disk_cacher`.
    write_back : bool or 'async'
        Whether new results go to all tiers, or to the fastest alone.
    budget : Budget, optional
        Of folders that have none of their own.
    ignore : str or iterable of str
        Parameters that do not count.
    **options
        Further ones of `Options`.

    Raises
    ------
    UnknownChoice
        If an option has none of the values that it can have.
    UnusableLocation, MissingDriver, UnusableKey, ValueError
        See `neurotools.jobs.cache.hierarchical_cacher`.
    """
    check(
        mmap_mode=(mmap_mode, (None, "r", "c")),
        packages=(packages, GRANULARITIES),
        durability=(durability, DURABILITIES),
        on_busy=(on_busy, ON_BUSY),
    )
    lease_seconds = checked_patience(lease_seconds, "lease_seconds")
    checked = access.checked()
    kept = {
        "mmap_mode": mmap_mode,
        "verify": verify,
        "durability": durability,
        "patience": None if patience is None else checked_patience(patience),
        "storage_options": storage_options,
        **checked,
    }
    tiers = _tiers(locations, identifier, budget, kept)
    roots = [str(root) for tier in tiers if (root := getattr(tier, "root", None))]
    # The slowest folder that is written to is the one that most other processes see.
    seen = roots if write_back else roots[:1]
    made = Options(
        form,
        cache_root=roots[0] if roots else None,
        lock_folder=os.path.join(seen[-1], PRIVATE) if seen else None,
        on_busy=on_busy,
        lease_seconds=lease_seconds,
        ignore=(ignore,) if isinstance(ignore, str) else tuple(ignore),
        tracking={"packages": packages},
        access=checked,
        **options,
    )
    return tiers, made


def _tiers(
    locations: Sequence[Any], identifier: str, budget: Budget | None, kept: dict[str, Any]
) -> list[Tier]:
    """Return the tiers at some places; those with a budget know which are slower."""
    if budget is not None and budget.is_limited:
        kept = {**kept, "budget": budget}
    tiers = [tier_at(place, identifier, **kept) for place in locations]
    for depth, tier in enumerate(tiers):
        if getattr(tier, "budget", None) is not None:
            tier.slower = tuple(tiers[depth + 1 :])  # type: ignore[attr-defined]
    return tiers
