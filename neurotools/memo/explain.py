"""Why a call hits or misses, in words and as data, before it is run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from neurotools.memo import naming
from neurotools.memo.entry import Key, Signature
from neurotools.memo.errors import UnreadableName
from neurotools.memo.fingerprint.manifest import Difference, Manifest, difference
from neurotools.memo.hierarchy import Hierarchy

#: Entries looked at in search of the nearest one.
_LOOKED_AT = 10_000


@dataclass(frozen=True)
class Explanation:
    """Why a call hits or misses.

    Attributes
    ----------
    hit : bool
        Whether there is an entry.
    reason : str
        The reason in a sentence.
    location : str
        Where the entry is; for a miss, where the nearest one is, or nothing.
    code : tuple of Difference
        What differs in the code from the nearest version.
    arguments : dict
        What differs in the arguments from the nearest call: name to (there, here).
    """

    hit: bool
    reason: str
    location: str = ""
    code: tuple[Difference, ...] = ()
    arguments: dict[str, tuple[Any, Any]] | None = None

    def __str__(self) -> str:
        lines = [f"{'hit' if self.hit else 'miss'}: {self.reason}"]
        if self.location:
            lines.append(f"  {'at' if self.hit else 'nearest entry'}: {self.location}")
        for name, (there, here) in (self.arguments or {}).items():
            lines.append(f"  argument {name}: {there!r} there, {here!r} here")
        lines.extend(f"  {line}" for part in self.code for line in str(part).splitlines())
        return "\n".join(lines)


def explain(
    hierarchy: Hierarchy, key: Key, signature: Signature, manifest: Manifest
) -> Explanation:
    """Return why the call with this key hits or misses."""
    if (depth := hierarchy.depth_of(key)) is not None:
        tier = hierarchy.tiers[depth]
        return Explanation(hit=True, reason=f"in {tier.name}", location=tier.location(key))
    known = list(islice(hierarchy.keys(key.function), _LOOKED_AT))
    if same_call := [k for k in known if (k.call, k.method) == (key.call, key.method)]:
        return _other_version(hierarchy, same_call, manifest)
    if same_code := [k for k in known if (k.code, k.method) == (key.code, key.method)]:
        return _other_arguments(hierarchy, same_code, signature)
    if known:
        reason = f"{len(known)} entries, none with this code and these arguments"
        return Explanation(hit=False, reason=reason)
    return Explanation(hit=False, reason="nothing is kept of this function yet")


def _other_version(hierarchy: Hierarchy, keys: list[Key], manifest: Manifest) -> Explanation:
    """Explain a call that is kept for other versions of the code."""
    nearest: tuple[Key, tuple[Difference, ...]] = keys[0], ()
    for key in keys:
        content = hierarchy.get_manifest(key.function, key.code)
        if content is None:
            continue
        try:
            old = Manifest.from_json(content.decode("utf-8", "surrogatepass"))
        except ValueError:
            continue  # damaged: it can explain nothing
        found = tuple(difference(old, manifest))
        if not nearest[1] or len(found) < len(nearest[1]):
            nearest = key, found
    reason = "the code has changed since this call was kept"
    return Explanation(
        hit=False, reason=reason, location=hierarchy.location(nearest[0]), code=nearest[1]
    )


def _other_arguments(hierarchy: Hierarchy, keys: list[Key], signature: Signature) -> Explanation:
    """Explain a call that is kept with other arguments."""
    here = _by_name(signature)
    nearest: tuple[Key, dict[str, tuple[Any, Any]]] | None = None
    for key in keys:
        there = _arguments(hierarchy, key)
        if there is None:
            continue
        changed = {
            name: (there.get(name), here.get(name))
            for name in {**there, **here}
            if naming.text(naming.tag(there.get(name))) != naming.text(naming.tag(here.get(name)))
        }
        if nearest is None or len(changed) < len(nearest[1]):
            nearest = key, changed
    reason = f"{len(keys)} calls are kept, none with these arguments"
    if nearest is None:
        return Explanation(hit=False, reason=reason)
    return Explanation(
        hit=False, reason=reason, location=hierarchy.location(nearest[0]), arguments=nearest[1]
    )


def _arguments(hierarchy: Hierarchy, key: Key) -> dict[str, Any] | None:
    """Return an entry's arguments, from its name or, where that is too short, from its record."""
    try:
        return _by_name(naming.signature_of(key.call))
    except UnreadableName:
        record = hierarchy.record(key)
    try:
        return None if record is None else _by_name(naming.recorded(record))
    except UnreadableName:
        return None


def _by_name(signature: Signature) -> dict[str, Any]:
    named, extra = signature
    return {**dict(named), **({} if extra is None else {"*args": extra})}
