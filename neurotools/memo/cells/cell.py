"""A cell of a notebook as a function that remembers: its outputs, and what it showed.

A cell is a function of what it reads (`reading`). Its key is that of a call: the code that runs, at
any depth, and the inputs by content. What a function cannot do and a cell can is looked at after it
ran, and then it is not kept: changing an input in place, handing out what shares memory with an
input, drawing from the random numbers of the whole process.
"""

from __future__ import annotations

import os
import random
import re
import sys
from collections.abc import Callable
from typing import Any

from neurotools.memo import literals
from neurotools.memo.cells import said
from neurotools.memo.cells.reading import Cell
from neurotools.memo.cells.sharing import shared
from neurotools.memo.digest.values import digest
from neurotools.memo.entry import Key
from neurotools.memo.errors import CacheError, UnstorableValue
from neurotools.memo.formats.base import Payload, PayloadFormat
from neurotools.memo.formats.registry import holds
from neurotools.memo.function import Memoized
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.options import Options


class RememberedCell(Memoized):
    """One run of a cell.

    Parameters
    ----------
    cell : Cell
        The cell, as it reads now.
    hierarchy, options
        See `Memoized`.
    shell : InteractiveShell
        Where it shows something.
    tell : callable
        Told why a cell is not kept.
    """

    def __init__(
        self,
        cell: Cell,
        hierarchy: Hierarchy,
        options: Options,
        *,
        shell: Any,
        tell: Callable[[str], object],
    ) -> None:
        super().__init__(cell.function, hierarchy, options)
        self._cell, self._shell, self._tell = cell, shell, tell
        self._random = ""
        self._before: dict[str, str] = {}
        self._function = self._shown
        self.ran = False

    def given(self) -> tuple[dict[str, Any], list[said.Shown]]:
        """Return the outputs by name, and what was shown, from the cache or by running."""
        __tracebackhide__ = True  # the cell's own lines are what people look for
        kept = self(**self._cell.inputs)
        return kept["names"], kept["said"]

    def _shown(self, **inputs: Any) -> dict[str, Any]:
        __tracebackhide__ = True
        self.ran, folder = True, os.getcwd()
        self._random, self._before = _random_state(), self.keys.tracker.values
        with said.recorded(self._shell) as spoken:
            names, last = self._cell.at(self._place())(**inputs)
            said.display(self._shell, last)
        return {"names": names, "said": spoken.pieces, "folder": folder}

    def _place(self) -> str:
        """Return the name of a file with the cell, one that the shell takes for a cell's."""
        # The line of the magic is left empty: it is no Python.
        text = f"\n{self._cell.text}"
        place: str = self._shell.compile.cache(text, self._number(), raw_code=text)
        return place

    def _number(self) -> int:
        """Return the number of the cell that runs; the shell may count the next one already."""
        # Earlier shells have none.
        named = getattr(self._shell.compile, "format_code_name", lambda _: None)
        frame = sys._getframe()
        while (around := frame.f_back) is not None:
            frame = around
            # Such as ("Cell", "In[3]"), where it is code of a cell.
            if (name := named(frame.f_code.co_filename)) and (found := re.search(r"\d+", name[1])):
                return int(found[0])
        return int(self._shell.execution_count)

    def _find(self, key: Key) -> tuple[Any] | None:
        found = super()._find(key)
        if found is None or found[0]["folder"] == os.getcwd():
            return found
        # Files that it has opened by their names may be others here.
        record = self._hierarchy.record(key)
        return None if record is None or record.details.get("traced") else found

    def _encoded(self, value: Any) -> tuple[PayloadFormat, Payload]:
        try:
            return super()._encoded(value)
        except UnstorableValue as error:
            form, names = self._options.form, value["names"]
            bad = [name for name, held in names.items() if not holds(form, held)]
            named = ", ".join(bad) or error.kind
            raise UnstorableValue(form.method, named, error.reason, suggestion="") from None

    def _warn_once(self, message: str) -> None:
        # A cell has no parameters to be left out, and no calls.
        for told, meant in (
            (f"cannot remember calls of {self.__qualname__}: argument", "not kept: input"),
            (f"the result of {self.__qualname__} was not kept", "not kept"),
            (", leave the argument out with ignore=, or", ", or"),
        ):
            message = message.replace(told, meant)
        self._tell(message)

    def require_safe(self) -> None:
        """Raise `UnsafeBinding` if the cell depends on something that cannot be followed."""
        _ = self.keys.fingerprint

    def _keep(self, key: Key, text: bytes, value: Any, seconds: float, run: Any) -> None:
        if reason := self._against(text, value["names"]):
            self._counts["uncached"] += 1
            self._tell(f"not kept: {reason}")
            return
        super()._keep(key, text, value, seconds, run)

    def _against(self, text: bytes, names: dict[str, Any]) -> str:
        """Return why what a cell has done could not be repeated from the cache, or nothing."""
        if name := self._changed(text):
            return (
                f"the cell changes {name} in place, which a result from the cache would not. "
                f"Take a copy first, such as {name} = copy.deepcopy({name})"
            )
        after = self.keys.tracker.values
        for name in self._before.keys() & after.keys():
            if self._before[name] != after[name]:
                return f"the cell changes {name}, which its code depends on; the cache would not"
        around = {**self.keys.tracker.held, **self._cell.inputs}
        if (found := shared(names, around)) is not None:
            if found[0] == found[1]:
                return (
                    f"{found[0]} holds two views of one memory, which would come back as two. "
                    "Name what is to be kept with -o"
                )
            return (
                f"{found[0]} and {found[1]} share memory, which copies from the cache would not. "
                "Copy one of them"
            )
        if _random_state() != self._random:
            return (
                "the cell draws from the random numbers of the whole kernel, so that later cells "
                "depend on its run. Make its own: rng = np.random.default_rng(seed)"
            )
        return ""

    def _changed(self, text: bytes) -> str:
        """Return the name of an input that is not as it was when the cell began, or nothing."""
        inputs = self._cell.inputs
        try:
            after = self.keys.signature((), inputs)
        except CacheError:
            return ", ".join(inputs)
        if literals.encode(after) == text:
            return ""
        before = dict(literals.decode(text)[0])
        names = [name for name, value in after[0] if _text(value) != _text(before.get(name))]
        return names[0] if names else ", ".join(inputs)


def _text(value: Any) -> str:
    return literals.text(literals.tag(value))


def _random_state() -> str:
    """Return a digest of the random numbers that all cells share."""
    states: list[Any] = [random.getstate()]
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        states.append(numpy_random.get_state())
    return digest(states)
