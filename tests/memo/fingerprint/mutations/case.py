"""One edit of a small program, and whether a cached result may be used after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

RECOMPUTE, HIT = "recompute", "hit"


@dataclass(frozen=True)
class Case:
    """A tree of files, an edit, and the verdict.

    Attributes
    ----------
    name : str
        What is tried, unique.
    tree : str
        Files, each after a line ``== path``; what stands before the first is ``main.py``. The
        function is ``main.f``.
    edits : sequence of (old, new)
        Each old text occurs once, in a file or in a path.
    verdict : str
        `RECOMPUTE` or `HIT`.
    args : tuple
        What the function is called with, to learn the truth.
    options : dict
        Of `Tracker`.
    settled : bool
        Running the function does not change its fingerprint. It does where the code rebinds what
        it reads.
    needs : str
        Module without which the case cannot be tried.
    """

    name: str
    tree: str
    edits: tuple[tuple[str, str], ...]
    verdict: str
    args: tuple[Any, ...] = (3,)
    options: dict[str, Any] = field(default_factory=dict)
    settled: bool = True
    needs: str = ""

    def before(self) -> dict[str, str]:
        files: dict[str, list[str]] = {}
        current = files.setdefault("main.py", [])
        for line in self.tree.strip("\n").splitlines(keepends=True):
            if line.startswith("== "):
                current = files.setdefault(line[3:].strip(), [])
            else:
                current.append(line)
        return {path: "".join(lines) for path, lines in files.items()}

    def after(self) -> dict[str, str]:
        files = self.before()
        for old, new in self.edits:
            count = sum(path.count(old) + text.count(old) for path, text in files.items())
            assert count == 1, f"{self.name}: {old!r} occurs {count} times"
            files = {p.replace(old, new): t.replace(old, new) for p, t in files.items()}
        return files


def edited(name: str, tree: str, *edits: Any, verdict: str = RECOMPUTE, **more: Any) -> Case:
    """Return a case: after the tree come old and new text in turn."""
    pairs = tuple(zip(edits[::2], edits[1::2], strict=True))
    return Case(name, tree, pairs, verdict, **more)


def neutral(name: str, tree: str, *edits: Any, **more: Any) -> Case:
    """Return a case whose edits cannot matter."""
    return edited(name, tree, *edits, verdict=HIT, **more)
