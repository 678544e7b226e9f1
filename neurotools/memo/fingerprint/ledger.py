"""What a walk has found so far: parts, doubts, refusals, and the guards that keep them valid."""

from __future__ import annotations

import re
from typing import Any

from neurotools.memo.digest.sha import sha224
from neurotools.memo.errors import UnsafeBinding
from neurotools.memo.fingerprint import origin
from neurotools.memo.fingerprint.guards import Guards
from neurotools.memo.fingerprint.manifest import Part

#: Longer sources are cut in the manifest; the digest is of the whole.
_SHOWN = 20_000


class Ledger:
    """Collects the parts of one fingerprint.

    Parameters
    ----------
    packages : str
        Granularity of versions of distributions, see `Tracker`.
    """

    def __init__(self, packages: str) -> None:
        self.guards = Guards()
        self.parts: dict[tuple[str, str], Part] = {}
        self.doubts: dict[str, None] = {}
        self.refusals: dict[str, UnsafeBinding] = {}
        self.function = ""
        self._packages = packages
        self._names: dict[str, int] = {}
        self._scopes: dict[int, tuple[str, Any]] = {}
        self._copies: dict[tuple[str, str], str] = {}
        self._has_copies = False

    def part(self, kind: str, name: str, digest: str, source: str | None = None) -> None:
        """Note a part; the digest may be any text that is equal only for equal parts."""
        if len(digest) > 64:
            digest = sha224(digest.encode("utf-8", "surrogatepass")).hex()[:32]
        if source is not None and len(source) > _SHOWN:
            source = source[:_SHOWN] + "..."
        self.parts[kind, name] = Part(name, kind, digest, source)

    def doubt(self, text: str) -> None:
        """Note in words what could not be followed."""
        self.doubts[text] = None

    def refuse(self, binding: str, reason: str) -> None:
        """Note what makes the function unsafe to memoize."""
        if binding not in self.refusals:
            self.refusals[binding] = UnsafeBinding(self.function, binding, reason)
            self.doubt(f"{binding} cannot be followed: {reason}")

    def package(self, home: origin.Origin) -> None:
        """Note that a distribution is reached; anything else counts for nothing."""
        if isinstance(home, origin.Package) and self._packages != "off":
            version = origin.version_of(home, self._packages)
            self.part("package", home.name, version, f"{home.name} {home.version}")

    def unique(self, name: str) -> str:
        """Return a name that no other object has: the name itself, or with a number behind it."""
        count = self._names[name] = self._names.get(name, 0) + 1
        return name if count == 1 else f"{name}#{count}"

    def is_repeated(self, part: Part) -> bool:
        """Tell whether a part is but the copy of another, in a copy of one module's globals."""
        if not self._has_copies or "#" not in part.name:
            return False
        first = self.parts.get((part.kind, re.sub(r"#\d+", "", part.name)))
        return first is not None and first.digest == part.digest

    def scope(self, namespace: dict[str, Any]) -> str:
        """Return the name of a module by its globals."""
        known = self._scopes.get(id(namespace))
        if known is None:
            name = str(namespace.get("__name__") or "<globals>")
            # Workers started afresh see the main script under another name.
            name = "__main__" if name == "__mp_main__" else name
            # What has come to a worker at different times has copies of one module's globals. Where
            # these hold different things, the things get numbers.
            copy = name, str(namespace.get("__file__"))
            if copy in self._copies:
                label, self._has_copies = self._copies[copy], True
            else:
                label = self._copies[copy] = self.unique(name)
            known = self._scopes[id(namespace)] = (label, namespace)
        return known[0]
