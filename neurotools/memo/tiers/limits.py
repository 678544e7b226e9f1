"""What a folder is given for its entries: a budget, and the folder with its budget."""

from __future__ import annotations

import math
import os
import re
from typing import Any

from neurotools.memo.errors import UnknownChoice
from neurotools.memo.rows import Row

#: In which order entries go; what they mean is said in `worth`.
ORDERS = ("value", "lru", "oldest")
_SIZE = r"(\d+(?:\.\d*)?|\.\d+)(?:e(\d+))?\s*([kmgtp]?)(i?)(?:b|bytes?)?"
_UNITS = "kmgtp"


class Budget(Row):
    """How much a folder's entries may take; None where there is no limit.

    Attributes
    ----------
    max_bytes, max_entries : int
        Bytes on the disk, in whole blocks, and entries.
    min_free : int
        Bytes that are to stay free on the disk.
    evict : str
        What goes first, see `ORDERS`.
    spare_last : bool
        Whether what no slower tier has stays, even if the budget is not kept then.
    """

    max_bytes: int | None = None
    max_entries: int | None = None
    min_free: int | None = None
    evict: str = "value"
    spare_last: bool = False

    @property
    def is_limited(self) -> bool:
        """Whether there is any limit."""
        return not (self.max_bytes is self.max_entries is self.min_free is None)


def budget_of(
    max_bytes: float | str | None = None,
    max_entries: int | None = None,
    min_free: float | str | None = None,
    evict: str = "value",
    *,
    spare_last: bool = False,
) -> Budget:
    """Return a budget from what a person writes.

    Raises
    ------
    ValueError
        If a limit is no size or number.
    UnknownChoice
        If there is no such order.
    """
    if evict not in ORDERS:
        raise UnknownChoice("evict", evict, ORDERS)
    if max_entries is not None and (type(max_entries) is not int or max_entries < 1):
        raise ValueError(f"max_entries={max_entries!r} is no number of entries above zero")
    return Budget(
        None if max_bytes is None else bytes_of(max_bytes, "max_bytes"),
        max_entries,
        None if min_free is None else bytes_of(min_free, "min_free"),
        evict,
        bool(spare_last),
    )


def bytes_of(value: float | str, name: str = "size") -> int:
    """Return the bytes that a person means.

    Examples
    --------
    >>> bytes_of("50GB"), bytes_of("1.5 MiB"), bytes_of(2e9)
    (50000000000, 1572864, 2000000000)

    Raises
    ------
    ValueError
        If it is no size above zero.
    """
    count = _parsed(value) if isinstance(value, str) else value
    is_number = isinstance(count, (int, float)) and not isinstance(count, bool)
    if not is_number or not 1 <= count < math.inf:
        raise ValueError(f"{name}={value!r} is no size; write '50GB', '300MB', '2GiB' or 5e9")
    return int(count)


def _parsed(text: str) -> float:
    found = re.fullmatch(_SIZE, text.strip().lower())
    if not found or (found[4] and not found[3]):
        return math.nan
    power = _UNITS.find(found[3]) + 1 if found[3] else 0
    unit = (1024 if found[4] else 1000) ** power
    count = float(f"{found[1]}e{found[2] or 0}") * unit
    # 4.1GB is a whole number of bytes, whatever the product of two floats is.
    return count if math.isinf(count) else float(round(count))


class Folder:
    """A folder for a tier, with a budget of its own; made by `folder`."""

    def __init__(self, path: str | os.PathLike[str], budget: Budget) -> None:
        self.path, self.budget = os.fspath(path), budget

    def __repr__(self) -> str:
        limits: dict[str, Any] = self.budget._asdict()
        shown = [
            f"{name}={value!r}" for name, value in limits.items() if value not in (None, False)
        ]
        return f"folder({', '.join([repr(self.path), *shown])})"


def folder(
    path: str | os.PathLike[str],
    *,
    max_bytes: float | str | None = None,
    max_entries: int | None = None,
    min_free: float | str | None = None,
    evict: str = "value",
    spare_last: bool = False,
) -> Folder:
    """Return a folder with a budget, as a tier for `hierarchical_cacher`.

    Parameters
    ----------
    path : str or path
        The folder.
    max_bytes : int or str, optional
        What its entries may take on the disk: bytes, or text such as ``'50GB'``.
    max_entries : int, optional
        How many there may be.
    min_free : int or str, optional
        What is to stay free on the disk.
    evict : {'value', 'lru', 'oldest'}
        What goes first: what saves the least time for its bytes, what was not used for longest, or
        what is oldest.
    spare_last : bool
        Whether results that no slower tier has stay, even where the budget is not kept then.

    Raises
    ------
    ValueError
        If a limit is no size or number.
    UnknownChoice
        If there is no such order.

    Examples
    --------
    >>> folder("/scratch/me", max_bytes="50GB")
    folder('/scratch/me', max_bytes=50000000000, evict='value')
    """
    return Folder(path, budget_of(max_bytes, max_entries, min_free, evict, spare_last=spare_last))
