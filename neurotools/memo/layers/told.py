"""Why a field's value is kept or not, told by the steps that lead to it."""

from __future__ import annotations

import dataclasses

from neurotools.memo.explanation import Explanation
from neurotools.memo.fingerprint.limits import OF_FILES
from neurotools.memo.fingerprint.manifest import Difference
from neurotools.memo.layers.graph import Node, State, below, value_of
from neurotools.memo.layers.kept import KeptNode, stacked
from neurotools.memo.layers.steps import PARAMETER, STEP, Steps


def explained(name: str, node: Node, state: State) -> Explanation:
    """Return why a field's value is kept or not.

    Parameters
    ----------
    name : str
        The field's.
    node : Node
        What it is computed by.
    state : State
        What it is asked with.
    """
    if isinstance(node, KeptNode):
        return _of_caches(node, state)
    none = f"no cache keeps {name!r} at the end of the chain"
    kept = [one for one in reversed(list(below(node))) if isinstance(one, KeptNode)]
    inner = {one.inputs[0] for one in kept}
    known = [(one.name, _of_caches(one, state)) for one in kept if one not in inner]
    if not known:
        return Explanation(False, none, kind="uncached")
    before, told = next((pair for pair in known if not pair[1].hit), known[0])
    found = f"found {told.reason}" if told.hit else f"not: {told.reason}"
    reason = f"{none}; before it, {before!r} is {found}"
    return dataclasses.replace(told, hit=False, reason=reason, kind="uncached")


def _of_caches(node: KeptNode, state: State) -> Explanation:
    """Explain by the first of caches one behind the other that has a value, or by the slowest."""
    for one in stacked(node):
        told = one.memory.explain(*(value_of(inner, state) for inner in one.arguments))
        if told.hit:
            break
    return told


def with_steps(explained: Explanation, steps: Steps) -> Explanation:
    """Return an explanation that names the steps that have changed."""
    if explained.hit or not explained.code:
        return explained
    changed = list(dict.fromkeys(one for part in explained.code for one in _names(part, steps)))
    if not changed:
        return explained
    are = "has" if len(changed) == 1 else "have"
    reason = f"{', '.join(changed)} {are} changed"
    if "arguments are new" in explained.reason:
        return dataclasses.replace(explained, reason=f"{reason}, and these arguments are new")
    return dataclasses.replace(explained, reason=f"{reason} since this value was kept")


def _names(part: Difference, steps: Steps) -> list[str]:
    """Return what people call what has changed: a parameter, or the steps that run some code."""
    if part.kind in (PARAMETER, STEP):
        return [part.name]
    return steps.owners.get((part.kind, part.name), [])


def without_doubts_of_files(explained: Explanation) -> Explanation:
    """Return an explanation without the doubt that files do not count: they do where it traces."""
    left = tuple(doubt for doubt in explained.doubts if OF_FILES not in doubt)
    return dataclasses.replace(explained, doubts=left)
