"""One definition -> its canonical text, equal for all layouts and all supported Pythons.

Left out: positions, formatting, comments, docstrings, type hints, ``pass`` and constants that
stand alone; of the definition itself also the name, the decorators and the values of defaults,
which count as live objects. Not here: finding the definition (`source`).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from neurotools.memo.fingerprint.scopes import Definition, bound, typed

#: Fields that say nothing about what the code does.
_IGNORED = frozenset(("ctx", "kind", "type_comment", "returns", "type_params", "type_ignores"))

#: Takes a node, and whether docstrings count; returns text, nodes, and lists of both.
Writer = Callable[[Any, bool], list[Any]]


def canonical(definition: Definition, *, docstrings: bool = False) -> str:
    """Return the canonical text of a function definition or lambda.

    Parameters
    ----------
    definition : node of a function
        As `ast` gives it, on any supported Python.
    docstrings : bool, default False
        Whether docstrings inside the definition count.
    """
    fields: Any = {**_fields(definition.args), "defaults": [], "kw_defaults": []}
    arguments: Any = type(definition.args)(**fields)
    written: list[str] = []
    todo: list[Any] = [")", _body(definition, docstrings), arguments, type(definition).__name__]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            written.append(item)
        elif isinstance(item, list):
            todo.extend(["]", *reversed(item), f"[{len(item)}:"])
        else:
            write: Writer = _SPECIAL.get(type(item), _plain)
            todo.extend(reversed(write(item, docstrings)))
    return "\n".join(written)


def _fields(node: ast.AST) -> dict[str, Any]:
    return {name: getattr(node, name) for name in node._fields if hasattr(node, name)}


def _plain(node: ast.AST, _docstrings: bool) -> list[Any]:
    """Return a node as its name and fields, without empty ones: Pythons differ in them."""
    pieces: list[Any] = [type(node).__name__ + "("]
    for name, value in _fields(node).items():
        if name in _IGNORED or value is None or value == []:
            continue
        if name in ("body", "orelse", "finalbody") and isinstance(value, list):
            value = _statements(value)
        pieces += [name + "=", _quoted(value)]
    return [*pieces, ")"]


def _quoted(value: Any) -> Any:
    """Return a field so that an identifier is not taken for a piece of the text around it."""
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return ascii(value) if isinstance(value, (str, int, type(None))) else value


def _statements(body: Iterable[ast.stmt]) -> list[ast.stmt]:
    return [statement for statement in body if not _says_nothing(statement)]


def _says_nothing(statement: ast.stmt) -> bool:
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return constant or isinstance(statement, ast.Pass)


def _body(node: Any, docstrings: bool) -> Any:
    """Return the body of a definition, as a list of nodes and text."""
    if isinstance(node, ast.Lambda):
        return node.body
    body: list[Any] = _statements(node.body)
    if docstrings and (text := ast.get_docstring(node, clean=False)) is not None:
        # The compiler of 3.13 takes the indentation off.
        body.insert(0, "doc=" + ascii("\n".join(line.strip() for line in text.splitlines())))
    if isinstance(node, ast.ClassDef):
        return body if typed(node) else [item for item in body if not _is_bare(item)]
    if any(map(_is_bare, body)) and (only := _annotated_only(node)):
        body.insert(0, "local=" + ascii(only))
    return [item for item in body if not _is_bare(item)]


def _annotated_only(node: Definition) -> list[str]:
    """Return the names that only a bare annotation makes local."""
    found = bound(node)
    return sorted(found.annotated - found.names)


def _is_bare(item: Any) -> bool:
    return isinstance(item, ast.AnnAssign) and item.value is None


def _function(node: Any, docstrings: bool) -> list[Any]:
    pieces = [type(node).__name__ + "(", node.args]
    if not isinstance(node, ast.Lambda):
        pieces += [ascii(node.name), list(node.decorator_list)]
    return [*pieces, _body(node, docstrings), ")"]


def _class(node: ast.ClassDef, docstrings: bool) -> list[Any]:
    body = _body(node, docstrings)
    if typed(node):  # a dataclass, NamedTuple or their like may read the hints
        body = [item for child in body for item in _hinted(child)]
    outside = [list(node.decorator_list), list(node.bases), list(node.keywords)]
    return ["ClassDef(", ascii(node.name), *outside, body, ")"]


def _hinted(item: Any) -> list[Any]:
    return [item.annotation, item] if isinstance(item, ast.AnnAssign) else [item]


def _assigned(node: ast.AnnAssign, _docstrings: bool) -> list[Any]:
    if node.value is None:
        return ["Bare(", node.target, ")"]
    return ["Assign(", "targets=", [node.target], "value=", node.value, ")"]


def _joined(node: ast.JoinedStr, _docstrings: bool) -> list[Any]:
    """Return an f-string; Pythons differ in where they leave empty text in it."""
    pieces = [part for part in node.values if getattr(part, "value", "") != ""]
    return ["JoinedStr(", pieces, ")"]


def _formatted(node: Any, docstrings: bool) -> list[Any]:
    spec = _joined(node.format_spec, docstrings) if node.format_spec else ["", []]
    shown = [node.format_spec] if spec[1] else []
    return ["FormattedValue(", node.value, ascii(node.conversion), *shown, ")"]


def _argument(node: ast.arg, _docstrings: bool) -> list[Any]:
    return [f"arg({node.arg!a})"]


def _constant(node: ast.Constant, _docstrings: bool) -> list[Any]:
    return [_literal(node.value)]


def _declared(node: ast.Global | ast.Nonlocal, _docstrings: bool) -> list[Any]:
    return [f"{type(node).__name__}({sorted(node.names)!a})"]


def _literal(value: Any) -> str:
    """Return a constant with its type; `repr` of text differs with Python's tables of Unicode."""
    return f"{type(value).__name__} {_EXACT.get(type(value), ascii)(value)}"


def _complex(value: complex) -> str:
    return f"{value.real.hex()} {value.imag.hex()}"


_EXACT: dict[type, Callable[[Any], str]] = {int: hex, float: float.hex, complex: _complex}

_SPECIAL: dict[type[ast.AST], Writer] = {
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.Lambda: _function,
    ast.ClassDef: _class,
    ast.AnnAssign: _assigned,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
    ast.arg: _argument,
    ast.Constant: _constant,
    ast.Global: _declared,
    ast.Nonlocal: _declared,
}
