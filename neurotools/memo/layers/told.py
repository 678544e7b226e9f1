"""Why a field's value is kept or not, told by the steps that lead to it."""

from __future__ import annotations

import dataclasses

from neurotools.memo.explanation import Explanation
from neurotools.memo.fingerprint.limits import OF_FILES
from neurotools.memo.fingerprint.manifest import Difference
from neurotools.memo.layers.steps import PARAMETER, STEP, Steps


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
