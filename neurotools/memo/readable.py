"""Three small files for people to open: what went in, what was run, what came out. JSON.

Nothing is read back from them: what is remembered stands elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from neurotools.memo.whole import write

#: The longest text of a value that JSON does not have.
_LONGEST = 200


def show(folder: str, name: str, inputs: Any, stage: Any, outputs: Any) -> None:
    """Write ``NAME.inputs``, ``NAME.stage`` and ``NAME.outputs``.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    for suffix, facts in (("inputs", inputs), ("stage", stage), ("outputs", outputs)):
        text = json.dumps(plain(facts), indent=4, sort_keys=True)
        write(os.path.join(folder, f"{name}.{suffix}"), f"{text}\n".encode())


def shown_file(path: str, digest: str) -> dict[str, str]:
    """Return a file as it stands in these files."""
    return {"file": path, "hash": digest}


def plain(value: Any) -> Any:
    """Return a value as JSON has it, or in words."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return [plain(item) for item in value]
    try:
        text = repr(value)
    except Exception as error:  # the user's own class may fail in any way there is
        return f"<{type(value).__name__}, which cannot be shown: {type(error).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
