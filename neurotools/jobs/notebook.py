"""``%%cached``: cells of a notebook that remember what they made. ``%load_ext neurotools``."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from typing import Any

from neurotools.jobs.cache import disk_cacher
from neurotools.memo.cells import said
from neurotools.memo.cells.cell import RememberedCell
from neurotools.memo.cells.reading import CannotKeepCell, Cell, imports_of, read
from neurotools.memo.errors import CacheError
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.runs import FILES

#: Bits of the compiler's flags that say what was taken from `__future__`.
_FUTURE = 0x1FE0000


def load(shell: Any) -> None:
    """Add the magic to a shell.

    Parameters
    ----------
    shell : InteractiveShell
        Of IPython, in a notebook or a terminal.
    """

    def cached(line: str, cell: str) -> None:
        __tracebackhide__ = True  # the cell's own lines are what people look for
        _cached(shell, line, cell)

    cached.__doc__ = _parser().format_help()
    shell.register_magic_function(cached, magic_kind="cell", magic_name="cached")


def _cached(shell: Any, line: str, text: str) -> None:
    __tracebackhide__ = True
    from IPython.core.error import UsageError  # who asks has it

    try:
        options = _options(line)
        cell = _read(shell, text, options.output)
        memo = _remembered(shell, cell, options)
        memo.require_safe()
    except CacheError as error:
        raise UsageError(f"%%cached: {error}") from None
    except SyntaxError as error:
        raise error.with_traceback(None) from None
    if options.explain:
        print(memo.explain(**cell.inputs))  # noqa: T201 - asked for
        return
    started = time.perf_counter()
    names, shown = memo.given()
    shell.push(names)
    if not memo.ran:
        took = time.perf_counter() - started
        print(_told(names, took))  # noqa: T201 - a cell that did not run says so
        said.show_again(shown, shell)


def _told(names: dict[str, Any], seconds: float) -> str:
    return f"from the cache, in {seconds * 1e3:.0f} ms: {', '.join(names) or 'what it showed'}"


def _read(shell: Any, text: str, output: list[str]) -> Cell:
    plain = shell.transform_cell(text)
    # Its imports first: what they bind is followed.
    exec(imports_of(plain), shell.user_ns)
    flags = shell.compile.flags & _FUTURE
    return read(plain, shell.user_ns, output, flags)


def _remembered(shell: Any, cell: Cell, options: argparse.Namespace) -> RememberedCell:
    # Pickle keeps what is one object in two outputs as one.
    trace: Any = FILES
    cacher = disk_cacher(options.folder, method="pickle", trace=trace)
    hierarchy = Hierarchy(cacher.tiers, write_back=cacher.write_back)
    return RememberedCell(cell, hierarchy, cacher.options, shell=shell, tell=_tell)


def _tell(message: str) -> None:
    print(f"%%cached: {message}", file=sys.stderr)  # noqa: T201 - seen below the cell


def _options(line: str) -> argparse.Namespace:
    # Where folders are written with backslashes, these mean nothing else.
    words = shlex.split(line, posix=os.name != "nt")
    options = _parser().parse_args([word.strip("'\"") for word in words])
    names = " ".join(options.output).replace(",", " ").split()
    for name in names:
        if not name.isidentifier():
            raise CannotKeepCell(f"{name!r} is no name", "Give names after -o")
    options.output = names
    options.folder = os.path.expanduser(options.folder)
    return options


class _Parser(argparse.ArgumentParser):
    """Says what is wrong below the cell, and ends no program."""

    def error(self, message: str) -> Any:
        from IPython.core.error import UsageError

        raise UsageError(f"%%cached: {message}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="%%cached", add_help=False, description="Remember what a cell makes of what it reads."
    )
    parser.add_argument(
        "-o",
        "--output",
        nargs="+",
        default=[],
        metavar="NAME",
        help="what the cell gives (default: all names that it assigns)",
    )
    parser.add_argument(
        "--folder", default=os.curdir, help="where results are kept (default: the current folder)"
    )
    parser.add_argument(
        "--explain", action="store_true", help="say why it would hit or miss, and run nothing"
    )
    return parser
