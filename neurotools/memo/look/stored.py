"""One entry, to be looked at. Nothing of it is decoded unless its value is asked for."""

from __future__ import annotations

import math
import os
from functools import cached_property
from typing import Any

from neurotools.memo import spoken
from neurotools.memo.entry import Key, Record, Signature
from neurotools.memo.errors import CacheError, NoEntry
from neurotools.memo.formats.registry import RUNS_CODE
from neurotools.memo.look import calls
from neurotools.memo.pages import parts
from neurotools.memo.pages.parts import Html
from neurotools.memo.tiers.base import Tier

#: Larger values are not read for a look at them.
_LARGEST = 32 << 20
_LONGEST = 400


class StoredEntry:
    """One result that is kept: the call that made it, when, how long it took, and where it is.

    Parameters
    ----------
    tier : Tier
        Where it is.
    key : Key
        Its key.

    Attributes
    ----------
    function, version : str
        Name of the function, and code of the version that made it.
    method : str
        Format of its file.
    location : str
        Its file, or its place in a tier that is no folder.
    """

    def __init__(self, tier: Tier, key: Key) -> None:
        self._tier, self._key = tier, key
        self.function, self.version = key.function.replace("/", "."), key.code
        self.method, self.location = key.method, tier.location(key)

    @cached_property
    def _record(self) -> Record:
        found = self._tier.record(self._key)
        if found is None:
            raise NoEntry(self.location, "it is gone")
        return found

    @cached_property
    def _signature(self) -> Signature | None:
        return calls.signature_of(self._key.call, lambda: self._record)

    @property
    def call(self) -> str:
        """The call that made it, as one would write it; long ones are cut."""
        return parts.short(calls.call_text(self._key.function, self._signature), _LONGEST)

    @property
    def arguments(self) -> dict[str, Any]:
        """Its arguments by name; of a large one, its type, shape and digest."""
        named, extra = self._signature or ((), None)
        return {**dict(named), **({"*args": extra} if extra else {})}

    @property
    def size_bytes(self) -> int:
        """What it takes."""
        return self._tier.size(self._key)

    @property
    def computed(self) -> float:
        """When it was computed, in seconds since the epoch."""
        return self._record.created

    @property
    def seconds(self) -> float:
        """How long that took."""
        return self._record.seconds

    @property
    def details(self) -> dict[str, Any]:
        """What else is recorded of it: host, versions, the script that ran."""
        return dict(self._record.details)

    def value(self) -> Any:
        """Return its value, verified; a pickle is opened only if nobody else can have written it.

        Raises
        ------
        NoEntry
            If it is gone.
        CorruptEntry
            If it is damaged.
        UntrustedEntry
            If opening it could run code of somebody else.
        """
        found = self._tier.get(self._key)
        if found is None:
            raise NoEntry(self.location, "it is gone")
        return found.value()

    def __repr__(self) -> str:
        try:
            told = f"{spoken.size(self.size_bytes)}, computed {spoken.date(self.computed)}"
            return f"<{self.call}: {told} in {spoken.span(self.seconds)}>"
        except (CacheError, OSError) as error:
            return f"<{self.call}: {error}>"

    def _repr_html_(self) -> str:
        """Return it for notebooks."""
        try:
            return parts.fragment(*self._shown())
        except Exception as error:  # a boundary: to show something never fails
            return parts.fragment(parts.head(self.call), parts.escape(f"cannot be read: {error}"))

    def _shown(self) -> list[str]:
        details, seconds = self._record.details, self.seconds
        took = "" if math.isnan(seconds) else f" in {spoken.span(seconds)}"
        versions = [
            f"{name} {details[key]}"
            for name, key in (("Python", "python"), ("numpy", "numpy"))
            if details.get(key)
        ]
        host = [str(details["host"])] if details.get("host") else []
        facts = [
            ("function", f"{self.function}, version {self.version}"),
            ("computed", f"{spoken.date(self.computed)}{took}"),
            ("on", ", ".join([*host, *versions])),
            ("script", os.path.basename(str(details.get("script") or ""))),
            ("size", f"{spoken.size(self.size_bytes)} as {self.method}"),
        ]
        return [
            parts.head(self.call, "kept", "good"),
            parts.facts(facts),
            _block(self._preview()),
            parts.fold("open it with", *map(_block, self._opened_with())),
        ]

    def _opened_with(self) -> list[str]:
        if hasattr(self._tier, "root"):
            return calls.opening(self.location, self.method)
        return [self.location]

    def _preview(self) -> str:
        """Return a look at its value, where that runs nothing."""
        if self.size_bytes > _LARGEST:
            return "too large for a look at it"
        if self.method in RUNS_CODE:
            return "a pickle, not opened for a look at it; .value() opens it"
        try:
            # To look at something is no use of it, where uses are counted.
            found = getattr(self._tier, "read", self._tier.get)(self._key)
            return "it is gone" if found is None else calls.preview(found.value())
        except CacheError as error:
            return str(error)


def _block(text: str) -> Html:
    return Html(f"<pre><span>{parts.escape(text)}</span></pre>")
