"""Why a call hits or misses, found out before it is run. Start reading at `explain`.

All places are looked at (`whereabouts`). Where none has the call, the reason is the one against the
nearest entry: the same call with other code, else the call of this code whose arguments differ
least, else the nearest version. Not here: how that is told (`explanation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from neurotools.memo import literals, naming
from neurotools.memo.entry import Key, Signature
from neurotools.memo.errors import UnreadableName
from neurotools.memo.explanation import ABSENT, Explanation, Look, shown
from neurotools.memo.fingerprint.manifest import Manifest
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.versions import nearest
from neurotools.memo.whereabouts import DAMAGED, EXPIRED, HIT, REFUSED, REMOVED, looks

#: Entries looked at in search of the nearest one.
_LOOKED_AT = 10_000
#: What is told of an entry that is there and is not used, or was; the first that applies.
_REASONS = (DAMAGED, REFUSED, EXPIRED, REMOVED)


def explain(
    hierarchy: Hierarchy, key: Key, signature: Signature, manifest: Manifest
) -> Explanation:
    """Return why the call with this key hits or misses.

    Parameters
    ----------
    hierarchy : Hierarchy
        Where results are kept.
    key : Key
        The call's.
    signature : Signature
        Its arguments.
    manifest : Manifest
        The code that would run.
    """
    tiers = looks(hierarchy, key)
    told: dict[str, Any] = {
        "doubts": manifest.doubts,
        "function": key.function.replace("/", "."),
        "version": key.code,
        "call": written(key, signature),
        "tiers": tiers,
    }
    if (hit := next((look for look in tiers if look.state == HIT), None)) is not None:
        return Explanation(True, f"in {hit.name}", hit.location, kind=HIT, **told, **_cost_of(hit))
    for state in _REASONS:
        for look in tiers:
            if look.state == state:
                place = look.location if state in (DAMAGED, REFUSED) else ""
                return Explanation(
                    False, _reason(look), place, kind=state, **told, **_cost_of(look)
                )
    return Explanation(False, **told, **_missing(hierarchy, key, signature, manifest))


def written(key: Key, signature: Signature | None) -> str:
    """Return a call as one would write it, its arguments cut short, or as unknown."""
    # Of a function that was made inside another one, its own name says enough.
    name = key.function.rpartition("/")[2].rpartition("(locals).")[2]
    if signature is None:
        return f"{name}(?)"
    named, extra = signature
    words = [*map(shown, extra or ()), *(f"{name}={shown(value)}" for name, value in named)]
    return f"{name}({', '.join(words)})"


def _reason(look: Look) -> str:
    if look.state == DAMAGED:
        is_aside = look.detail.startswith("moved")
        return f"its entry {'was damaged, and' if is_aside else 'is damaged:'} {look.detail}"
    # What it had cost has a line of its own.
    told = look.detail.partition("; it had taken")[0]
    return told if look.state == REFUSED else f"its entry was {told}"


def _cost_of(look: Look) -> dict[str, Any]:
    return {"seconds": look.seconds, "created": look.created}


# ---------------------------------------------------------------- against the nearest entry


def _missing(
    hierarchy: Hierarchy, key: Key, signature: Signature, manifest: Manifest
) -> dict[str, Any]:
    """Return what is to be said of a call that no place knows."""
    known = sorted(islice(hierarchy.keys(key.function), _LOOKED_AT))
    own = [k for k in known if k.method == key.method]
    if same_call := [k for k in own if k.call == key.call]:
        return _other_version(hierarchy, key, same_call, signature, manifest)
    if same_code := [k for k in own if k.code == key.code]:
        place, changed = _nearest_call(hierarchy, same_code, signature)
        return {
            "kind": "arguments",
            "reason": f"no call with these arguments is kept, of {len(same_code)} with this code",
            "arguments": changed,
            **_entry(hierarchy, place),
        }
    if own:
        return _other_version(hierarchy, key, own, signature, manifest)
    if other := [k for k in known if k[:3] == key[:3]]:
        reason = f"it is kept as {other[0].method}, and {key.method} is asked for now"
        return {"kind": "method", "reason": reason, **_entry(hierarchy, other[0])}
    return {"kind": "new", "reason": "nothing is kept of this function yet"}


def _other_version(
    hierarchy: Hierarchy, key: Key, others: list[Key], signature: Signature, manifest: Manifest
) -> dict[str, Any]:
    """Return what is to be said of a call of which no entry has the present code."""
    code, changed = nearest(hierarchy, key.function, [k.code for k in others], manifest)
    of_code = [k for k in others if k.code == code]
    unknown = "" if changed else _why_unknown(hierarchy, key.function, code)
    if of_code[0].call == key.call:
        reason = f"the code has changed since this call was kept{unknown}"
        told = _entry(hierarchy, of_code[0])
        return {"kind": "code", "reason": reason, "code": changed, **told}
    place, arguments = _nearest_call(hierarchy, of_code, signature)
    return {
        "kind": "code and arguments",
        "reason": f"the code has changed, and these arguments are new{unknown}",
        "code": changed,
        "arguments": arguments,
        **_entry(hierarchy, place),
    }


def _why_unknown(hierarchy: Hierarchy, function: str, code: str) -> str:
    """Return why nothing differs in the code that could be shown."""
    if hierarchy.get_manifest(function, code) is None:
        return "; what has changed is not known, the version has no manifest"
    return (
        "; what has changed is not known, the manifest of the version is damaged or of another kind"
    )


def _entry(hierarchy: Hierarchy, key: Key | None) -> dict[str, Any]:
    """Return what is to be said of the nearest entry."""
    record = None if key is None else hierarchy.record(key)
    if key is None or record is None:
        return {"location": "" if key is None else hierarchy.location(key)}
    return {
        "location": hierarchy.location(key),
        "seconds": record.seconds,
        "created": record.created,
    }


def _nearest_call(
    hierarchy: Hierarchy, keys: list[Key], signature: Signature
) -> tuple[Key | None, dict[str, tuple[Any, Any]]]:
    """Return the call whose arguments differ least, and which differ: (there, here)."""
    here = _by_name(signature)
    found: Key | None = None
    fewest: dict[str, tuple[Any, Any]] = {}
    for key in keys:
        there = _arguments(hierarchy, key)
        if there is None:
            continue
        changed = _differing(there, here)
        if found is None or len(changed) < len(fewest):
            found, fewest = key, changed
            if len(fewest) == 1:
                break  # none is nearer
    return found, fewest


def _differing(there: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (there.get(name, ABSENT), here.get(name, ABSENT))
        for name in {**there, **here}
        # By text: 1 == True, and NaN != NaN.
        if (name in there) != (name in here) or _text(there[name]) != _text(here[name])
    }


def _text(value: Any) -> str:
    return literals.text(literals.tag(value))


def _arguments(hierarchy: Hierarchy, key: Key) -> dict[str, Any] | None:
    """Return an entry's arguments, from its name or, where that is too short, from its record."""
    try:
        return _by_name(naming.signature_told(key.call, lambda: hierarchy.record(key)))
    except UnreadableName:
        return None


def _by_name(signature: Signature) -> dict[str, Any]:
    named, extra = signature
    return {**dict(named), **({} if extra is None else {"*args": extra})}
