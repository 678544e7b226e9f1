"""Why a call hits or misses, in words and as data, before it is run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from neurotools.memo import literals, naming
from neurotools.memo.entry import Key, Signature
from neurotools.memo.errors import UnreadableName
from neurotools.memo.fingerprint.manifest import Difference, Manifest
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.tiers.graves import grave_of
from neurotools.memo.versions import nearest

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
    doubts : tuple of str
        What the function depends on that cannot be followed.
    left_alone : tuple of str
        Places that are not used now, since they failed lately: there may be more in them.
    """

    hit: bool
    reason: str
    location: str = ""
    code: tuple[Difference, ...] = ()
    arguments: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    left_alone: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{'hit' if self.hit else 'miss'}: {self.reason}"]
        if self.location:
            lines.append(f"  {'at' if self.hit else 'nearest entry'}: {self.location}")
        for name, (there, here) in self.arguments.items():
            lines.append(f"  argument {name}: {there!r} there, {here!r} here")
        lines.extend(f"  {line}" for part in self.code for line in str(part).splitlines())
        lines.extend(f"  doubt: {doubt}" for doubt in self.doubts)
        lines.extend(f"  left alone: {place}" for place in self.left_alone)
        return "\n".join(lines)


def explain(
    hierarchy: Hierarchy, key: Key, signature: Signature, manifest: Manifest
) -> Explanation:
    """Return why the call with this key hits or misses."""
    doubts = manifest.doubts
    depth, refusal = hierarchy.look(key)
    if depth is not None:
        tier = hierarchy.tiers[depth]
        return Explanation(True, f"in {tier.name}", tier.location(key), doubts=doubts)
    if refusal:
        return Explanation(False, refusal, hierarchy.location(key), doubts=doubts)
    if evicted := _evicted(hierarchy, key):
        return Explanation(False, evicted, doubts=doubts)
    known = [k for k in islice(hierarchy.keys(key.function), _LOOKED_AT) if k.method == key.method]
    if not known:
        return Explanation(False, "nothing is kept of this function yet", doubts=doubts)
    same_code = [k for k in known if k.code == key.code]
    if not same_code:
        return _other_version(hierarchy, key, known, manifest)
    location, arguments = _nearest_call(hierarchy, same_code, signature)
    reason = f"no call with these arguments is kept, of {len(same_code)} with this code"
    return Explanation(False, reason, location, arguments=arguments, doubts=doubts)


def _evicted(hierarchy: Hierarchy, key: Key) -> str:
    """Return when a call's entry was given up, and what it had cost; nothing if it was not."""
    for depth, tier in enumerate(hierarchy.tiers):
        root = getattr(tier, "root", None)
        if isinstance(root, str) and hierarchy.health_of(depth).is_plain:
            grave = grave_of(root, key)
            if grave is not None:
                when = time.strftime("%Y-%m-%d %H:%M", time.localtime(grave.when))
                cost = f"; it had taken {grave.seconds:.3g} s" if grave.seconds else ""
                return f"its entry was removed on {when}, {grave.why}{cost}"
    return ""


def _other_version(
    hierarchy: Hierarchy, key: Key, known: list[Key], manifest: Manifest
) -> Explanation:
    """Explain a call of which no entry has the present code."""
    same_call = [k for k in known if k.call == key.call]
    codes = [k.code for k in same_call or known]
    code, changed = nearest(hierarchy, key.function, codes, manifest)
    if same_call:
        reason = "the code has changed since this call was kept"
        location = hierarchy.location(key._replace(code=code))
    else:
        reason, location = "the code has changed, and these arguments are new", ""
    return Explanation(False, reason, location, code=changed, doubts=manifest.doubts)


def _nearest_call(
    hierarchy: Hierarchy, keys: list[Key], signature: Signature
) -> tuple[str, dict[str, tuple[Any, Any]]]:
    """Return where the call is whose arguments differ least, and which differ: (there, here)."""
    here = _by_name(signature)
    location, fewest = "", dict[str, tuple[Any, Any]]()
    for key in keys:
        there = _arguments(hierarchy, key)
        if there is None:
            continue
        changed = _differing(there, here)
        if not location or len(changed) < len(fewest):
            location, fewest = hierarchy.location(key), changed
    return location, fewest


def _differing(there: dict[str, Any], here: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (there.get(name), here.get(name))
        for name in {**there, **here}
        # By text: 1 == True, and NaN != NaN.
        if _text(there.get(name)) != _text(here.get(name))
    }


def _text(value: Any) -> str:
    return literals.text(literals.tag(value))


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
