"""Whether a call that was made before is still the same call: asked instead of naming it anew.

To make an interface, check its inputs and name its node takes a millisecond. What that came to
depends on the arguments, the files among them, the interface's code, the environment, the working
directory and the program; while these are as they were, so is the name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from neurotools.memo.digest.files import identity
from neurotools.memo.nodes.alone import here
from neurotools.memo.nodes.identity import Identity, candidates, holds

_PLAIN = frozenset([int, str, bool, bytes, float, type(None)])


def shortcut(kwargs: Mapping[str, Any]) -> Any:
    """Return what tells these arguments from all others, if they are plain; else None."""
    found: list[Any] = []
    for name, value in kwargs.items():
        kind: Any = type(value)
        if kind is list or kind is tuple:
            kinds = tuple(map(type, value))
            if not _PLAIN.issuperset(kinds) or (float in kinds and 0.0 in value):
                return None
            found.append((name, kind, kinds, tuple(value)))
        # 0.0 and -0.0 are equal and are different arguments.
        elif kind not in _PLAIN or (kind is float and value == 0.0):
            return None
        else:
            found.append((name, kind, None, value))
    return tuple(found)


class Circumstances:
    """What a name depends on besides the arguments, the files and the code, as it is now.

    Parameters
    ----------
    interface : class
        The interface.
    """

    __slots__ = ("_held", "_kinds", "_now")

    def __init__(self, interface: type) -> None:
        self._kinds = [kind for kind in interface.__mro__ if kind is not object]
        self._now = self._seen()
        # Kept, so that nothing else can come to have the place of one of these in memory.
        self._held = [value for kind in self._kinds for value in vars(kind).values()]

    def hold(self) -> bool:
        """Tell whether they are the same now."""
        return self._seen() == self._now

    def _seen(self) -> tuple[Any, ...]:
        # Classes of packages count by version; what was set in one of them counts here.
        held = [tuple(map(id, vars(kind).values())) for kind in self._kinds]
        return _environment(), here(), held


def _environment() -> Any:
    # To decode all of it takes ten times as long as the rest.
    raw = getattr(os.environ, "_data", None)
    return dict(os.environ) if raw is None else raw.copy()


class Guard:
    """One call, and what its name was made of.

    Parameters
    ----------
    circumstances : Circumstances
        As they were before it was named.
    code_holds : callable
        Tells whether the interface's code is the same.
    named : Identity
        What the name was made of.
    search : tuple of str, or None
        Name of the program, and where it is looked for.
    """

    __slots__ = ("_before", "_circumstances", "_code_holds", "named")

    def __init__(
        self,
        circumstances: Circumstances,
        code_holds: Callable[[], bool],
        named: Identity,
        search: tuple[str, str] | None,
    ) -> None:
        self.named = named
        self._circumstances, self._code_holds = circumstances, code_holds
        places = [] if search is None else candidates(*search)
        # What is looked for depends on the environment, which is among the circumstances.
        end = places.index(named.program) if named.program in places else len(places)
        self._before = tuple(places[:end])

    def holds(self) -> bool:
        """Tell whether the name is still right."""
        named = self.named
        if not (self._circumstances.hold() and self._code_holds() and holds(named.files)):
            return False
        if any(map(os.path.lexists, named.absent)):
            return False
        for place in self._before:
            if os.access(place, os.X_OK) and os.path.isfile(place):
                return False  # another program would run now
        if named.program is None:
            return True
        try:
            return identity(os.stat(named.program)) == named.program_facts
        except OSError:
            return False
