"""An interactive session, as a notebook or a shell would run it."""

from __future__ import annotations

import itertools
import linecache
import sys
import types

_numbers = itertools.count()


class Session:
    """Runs cells in one namespace; their source can be found as in a notebook."""

    def __init__(self) -> None:
        self.module = types.ModuleType(f"session_{next(_numbers)}")
        sys.modules[self.module.__name__] = self.module

    def run(self, cell: str) -> None:
        name = f"<cell {next(_numbers)}>"
        linecache.cache[name] = len(cell), None, cell.splitlines(keepends=True), name
        exec(compile(cell, name, "exec"), vars(self.module))

    def __getitem__(self, name: str):
        return vars(self.module)[name]

    def close(self) -> None:
        del sys.modules[self.module.__name__]
