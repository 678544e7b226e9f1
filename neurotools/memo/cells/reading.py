"""A cell's text and a notebook's names -> what the cell takes, what it gives, and a function.

What cannot be done right is refused here, before anything runs.
"""

from __future__ import annotations

import ast
import builtins
import functools
import linecache
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from neurotools.memo.cells.flow import Flow
from neurotools.memo.cells.text import function_text, function_tree
from neurotools.memo.errors import CacheError
from neurotools.memo.fingerprint.bodies import OF_SHELL
from neurotools.memo.fingerprint.harmless import is_harmless
from neurotools.memo.fingerprint.unwrap import is_code, unwrapped
from neurotools.memo.naming import base64hash10bytes

#: What a cell is called where it cannot be read.
PLACE = "<cell>"
#: Longest name of a cell's function; it names a folder.
_LONGEST = 60
#: Of pandas, numexpr and DuckDB: they look for the notebook's names in a text.
_EVALUATES = frozenset({"eval", "evaluate", "execute", "query", "sql"})
#: What looks into, or changes, names that are not written in the cell.
_UNSEEN = frozenset({"breakpoint", "dir", "eval", "exec", "exit", "globals", "input", "locals",
                     "quit", "vars"})  # fmt: skip


class CannotKeepCell(CacheError, ValueError):
    """A cell does something that could not be repeated from a cache."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"this cell cannot be kept: {reason}. {remedy}")
        self.reason, self.remedy = reason, remedy


class Cell(NamedTuple):
    """A cell, read.

    Attributes
    ----------
    function : callable
        Does what the cell does, with its inputs as keywords.
    inputs : dict
        What it takes from the notebook; code is not among it, since it is followed.
    outputs : tuple of str
        Names that it gives.
    imports : code
        The import statements at its beginning, to be run in the notebook each time.
    text : str
        The cell, without its magic.
    at : callable
        Given the name of a file that has the cell, with a line before it for the magic, returns
        what does the same as `function`, and seems to stand in that file.
    """

    function: Callable[..., tuple[dict[str, Any], Any]]
    inputs: dict[str, Any]
    outputs: tuple[str, ...]
    imports: Any
    text: str
    at: Callable[[str], Callable[..., tuple[dict[str, Any], Any]]]


def imports_of(text: str) -> Any:
    """Return the import statements at the beginning of a cell, compiled.

    Raises
    ------
    SyntaxError
        If the cell is no Python.
    CannotKeepCell
        If they change how Python reads the cell.
    """
    leading = _leading(ast.parse(text, PLACE))
    if any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in leading):
        raise CannotKeepCell(
            "from __future__ counts for all that follows", "Put it in a cell of its own"
        )
    return compile(ast.Module(list(leading), []), "<imports of a cell>", "exec")


def read(text: str, namespace: dict[str, Any], outputs: Sequence[str] = (), flags: int = 0) -> Cell:
    """Return what a cell takes and gives, as a function.

    Parameters
    ----------
    text : str
        The cell, without its magic, as Python.
    namespace : dict
        The notebook's names, in which its imports were run.
    outputs : sequence of str
        Names to be given; by default, all that the cell binds but those beginning with ``_``, and
        those that only ``with`` and ``except`` bind.
    flags : int
        Of the compiler: what the notebook has taken from ``__future__``.

    Raises
    ------
    SyntaxError
        If it is no Python.
    CannotKeepCell
        If it could not be repeated from a cache.
    """
    tree = ast.parse(text, PLACE)
    _refuse_waiting(tree)
    compile(text, PLACE, "exec", flags, dont_inherit=True)  # no return outside of a function
    flow = Flow(tree)
    leading = _leading(tree)
    imported = {name for node in leading for name in _names_of(node)}
    _refuse(tree, flow, namespace)
    given = tuple(outputs) or _all_outputs(tree, flow, imported)
    for name in given:
        if name not in flow.binds:
            raise CannotKeepCell(f"it does not bind {name}", "Look at the names after -o")
    reads = flow.reads | (_named_in_texts(tree, flow, namespace) - flow.binds)
    taken = sorted(name for name in reads if _is_taken(name, namespace, flow.binds))
    if gone := sorted(flow.removed & set(taken)):
        raise CannotKeepCell(
            f"it removes {gone[0]}, which another cell has made", "Remove it in a cell of its own"
        )
    certain = [name for name in given if name in flow.certain]
    maybe = [name for name in given if name not in flow.certain]
    name = f"cell_{'_'.join(given)}"[:_LONGEST] if given else "cell"
    body = _without_stars(text, leading)
    whole = function_text(body, name, taken, certain, maybe)
    function = _compiled(whole, name, namespace, flags)
    at = functools.partial(_compiled_at, function_tree(body, whole), namespace, flags)
    inputs = {one: namespace[one] for one in taken}
    return Cell(function, inputs, given, imports_of(text), text, at)


def _leading(tree: ast.Module) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for node in tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.append(node)
        elif not is_text:
            break
    return found


def _names_of(node: ast.stmt) -> list[str]:
    aliases = getattr(node, "names", [])
    return [alias.asname or alias.name.partition(".")[0] for alias in aliases]


def _without_stars(text: str, leading: Sequence[ast.stmt]) -> str:
    """Return a cell without ``from ... import *``, which no function may say."""
    lines = text.splitlines(keepends=True)
    for node in leading:
        if any(alias.name == "*" for alias in getattr(node, "names", [])):
            lines[node.lineno - 1] = "\n"
    return "".join(lines)


def _all_outputs(tree: ast.Module, flow: Flow, imported: set[str]) -> tuple[str, ...]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            raise CannotKeepCell(
                f"it defines {node.name}, and a cache keeps values",
                "Define it in a cell of its own, or name what is to be kept with -o",
            )
    late = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in _names_of(node)
    } - imported
    if named := sorted(late & flow.binds):
        raise CannotKeepCell(
            f"it imports {named[0]} after it has begun",
            "Move the import to the first line, or name what is to be kept with -o",
        )
    return tuple(sorted(
        name for name in flow.binds - imported - flow.passing if not name.startswith("_")
    ))  # fmt: skip


def _refuse(tree: ast.Module, flow: Flow, namespace: Mapping[str, Any]) -> None:
    if "get_ipython" in flow.reads:
        raise CannotKeepCell(
            "it has a line of IPython, %... or !...", "Put that in a cell of its own"
        )
    for node in ast.walk(tree):
        if isinstance(node, ast.Global | ast.Nonlocal):
            raise CannotKeepCell(
                f"it declares {', '.join(node.names)} as global", "Assign in the cell itself"
            )
        for target in _targets(node):
            _refuse_setting(target, namespace, flow)
    if unseen := sorted(flow.reads & _UNSEEN - namespace.keys()):
        raise CannotKeepCell(
            f"it calls {unseen[0]}, and what that reads or changes is not seen",
            "Write names as they are",
        )
    for name in sorted(flow.reads & namespace.keys()):
        if re.fullmatch(OF_SHELL, name):
            raise CannotKeepCell(f"{name} is IPython's, and another each time", "Give it a name")


def _refuse_waiting(tree: ast.Module) -> None:
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith):
            raise CannotKeepCell(
                "it waits for something, and a function cannot as a cell can",
                "Write an async function, and decorate that",
            )
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            left += ast.iter_child_nodes(node)


def _targets(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.Assign | ast.Delete):
        return [one for target in node.targets for one in ast.walk(target)]
    return [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []


def _refuse_setting(target: ast.AST, namespace: Mapping[str, Any], flow: Flow) -> None:
    """Refuse to set something of a module or a class: a result from the cache would not."""
    inner = target
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
    if inner is target or not isinstance(inner, ast.Name) or inner.id in flow.certain:
        return
    if is_code(unwrapped(namespace.get(inner.id))):
        told = ast.unparse(target)
        raise CannotKeepCell(f"it sets {told}, and a result from the cache would not",
                             "Set it in a cell of its own")  # fmt: skip


def _named_in_texts(tree: ast.Module, flow: Flow, namespace: Mapping[str, Any]) -> set[str]:
    """Return the names in texts, where a cell calls what looks for names in a text."""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    called = {getattr(one, "attr", None) or getattr(one, "id", None) for one in calls}
    if called.isdisjoint(_EVALUATES):
        return set()
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    texts += [namespace.get(name) for name in flow.reads]
    return {
        name for text in texts if isinstance(text, str) for name in re.findall(r"[^\W\d]\w*", text)
    }


def _is_taken(name: str, namespace: Mapping[str, Any], binds: set[str]) -> bool:
    """Whether a name that is read is an input; code is not, since it is followed where it is."""
    if name not in namespace:
        return False
    value = namespace[name]
    if name in binds:
        return True
    if value is getattr(builtins, name, namespace):
        return False
    return not (is_code(unwrapped(value)) or is_harmless(value))


def _compiled(text: str, name: str, namespace: dict[str, Any], flags: int) -> Callable[..., Any]:
    # The text can be found under this name, by us.
    place = f"<%%cached {name} {base64hash10bytes(text)[:6]}>"
    linecache.cache[place] = len(text), None, text.splitlines(keepends=True), place
    made: dict[str, Any] = {}
    exec(compile(text, place, "exec", flags, dont_inherit=True), namespace, made)
    function: Callable[..., Any] = made[name]
    return function


def _compiled_at(
    tree: ast.Module, namespace: dict[str, Any], flags: int, place: str
) -> Callable[..., Any]:
    made: dict[str, Any] = {}
    exec(compile(tree, place, "exec", flags, dont_inherit=True), namespace, made)
    (function,) = made.values()
    return cast("Callable[..., Any]", function)
