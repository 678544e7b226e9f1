"""Inputs and outputs <-> plain JSON, in which files stand by where they are in their node's folder.

A folder of results can so be moved, and be restored elsewhere. A file that is an input of the call
stands for that input: where equal files lie at another place, the result speaks of that place. What
JSON cannot hold exactly stands as a number, and is kept beside it in a format of the cache; of an
input, some words for people are enough, since each call brings it along.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PLAIN = frozenset([str, bool, type(None)])
#: Python refuses to write longer ones in decimals.
_LONGEST_INT = 2_000


class Speller:
    """Spells the values of one run.

    Parameters
    ----------
    folder : str
        The node's.
    inputs : sequence of str
        Paths of the files among the inputs.

    Attributes
    ----------
    files : list of str
        Paths that were met: of anything in the folder, and of files elsewhere that are no inputs.
    kept : list
        Values that JSON cannot hold.
    """

    def __init__(self, folder: str, inputs: Sequence[str]) -> None:
        self._folder = folder
        self._below = os.path.join(folder, "")
        self._inputs = {path: number for number, path in reversed(list(enumerate(inputs)))}
        self.files: list[str] = []
        self.kept: list[Any] = []

    def spell(self, value: Any) -> Any:
        """Return a value as JSON."""
        kind = type(value)
        if kind is str:
            return self._text(value)
        is_number = kind is float and value - value == 0
        if kind in _PLAIN or is_number or (kind is int and value.bit_length() <= _LONGEST_INT):
            return value
        if kind is list:
            return [self.spell(item) for item in value]
        if kind is tuple:
            return {"tuple": [self.spell(item) for item in value]}
        if kind is dict:
            return {"dict": [[self.spell(key), self.spell(item)] for key, item in value.items()]}
        if isinstance(value, Path):
            return {"path": self._text(str(value))}
        self.kept.append(value)
        return {"kept": len(self.kept) - 1}

    def _text(self, text: str) -> Any:
        if not os.path.isabs(text) or "\0" in text:
            return text
        if text in self._inputs:
            return {"input": self._inputs[text]}
        if text == self._folder:
            return {"file": ""}
        if text.startswith(self._below):
            self.files.append(text)
            return {"file": os.path.relpath(text, self._folder).replace(os.sep, "/")}
        if os.path.isfile(text):
            self.files.append(text)
        return text


def is_shown(tree: Any) -> bool:
    """Tell whether a tree is no value, but some words about one."""
    return type(tree) is dict and "shown" in tree


def read(tree: Any, folder: str, inputs: Sequence[str], kept: Sequence[Any]) -> Any:
    """Return the value that a tree spells.

    Parameters
    ----------
    tree : object
        JSON.
    folder : str
        Where the node is now.
    inputs : sequence of str
        Paths of the files among the inputs of this call.
    kept : sequence
        What is kept beside it.

    Raises
    ------
    ValueError
        If it spells nothing.
    """
    if type(tree) is list:
        return [read(item, folder, inputs, kept) for item in tree]
    if type(tree) is not dict:
        return tree
    try:
        ((kind, inner),) = tree.items()
        if kind == "file":
            return os.path.join(folder, *inner.split("/")) if inner else folder
        if kind == "input":
            return inputs[inner]
        if kind == "kept":
            return kept[inner]
        if kind == "shown":
            return inner
        if kind == "path":
            return Path(read(inner, folder, inputs, kept))
        if kind == "tuple":
            return tuple(read(item, folder, inputs, kept) for item in inner)
        if kind == "dict":
            pairs = ((read(key, folder, inputs, kept), item) for key, item in inner)
            return {key: read(item, folder, inputs, kept) for key, item in pairs}
    except (AttributeError, IndexError, TypeError, ValueError):
        pass  # anybody may have written it: told below as what is of no known kind
    raise ValueError(f"a record spells no value: {str(tree)[:80]}")
