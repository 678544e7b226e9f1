"""An entry that is not what its function gives now, told to people and to programs.

Not here: how that was found out (`recomputing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neurotools.memo import literals
from neurotools.memo.upkeep.agreement import Difference
from neurotools.memo.upkeep.recomputing import Arguments


@dataclass(frozen=True)
class Finding:
    """An entry that is not what its function gives now.

    Attributes
    ----------
    function : str
        The function's name.
    arguments : str
        The call's arguments, as Python spells them.
    path : str
        The entry's file; of an earlier version, below the function's folder.
    difference : Difference
        Where the two results differ, and by how much.
    """

    function: str
    arguments: str
    path: str
    difference: Difference

    def __str__(self) -> str:
        return f"{self.function}({self.arguments}): {self.difference}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data, for programs."""
        names = {"function": self.function, "arguments": self.arguments, "path": self.path}
        return {**names, **self.difference.as_dict()}


def spelled_call(arguments: Arguments) -> str:
    """Return arguments as Python spells them, shortened where they are long."""
    args, kwargs = arguments
    pieces = [*map(_short, args), *(f"{name}={_short(value)}" for name, value in kwargs.items())]
    return ", ".join(pieces)


def _short(value: Any) -> str:
    try:
        text = literals.text(value) if isinstance(value, float) else repr(value)
    except Exception:  # the user's own class may fail in any way there is
        text = f"<{type(value).__name__}>"
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:59]}…"
