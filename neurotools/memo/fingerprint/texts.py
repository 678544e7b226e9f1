"""The text of a module, its statements, and the code that each definition in it gives.

Only statements that are asked for are compiled, each by itself: the cost goes with what is reached,
not with the size of the module.
"""

from __future__ import annotations

import ast
import linecache
import textwrap
from collections.abc import Iterator
from types import CodeType
from typing import Any

from neurotools.memo.fingerprint.bytecode import content, nested
from neurotools.memo.fingerprint.scopes import FUNCTIONS, Definition, bound, children

#: Bits of a code object's flags that say which `__future__` it was compiled with.
_FUTURE = 0x1FE0000


class Statement:
    """One statement at the top of a module, compiled by itself when first needed."""

    def __init__(self, node: ast.stmt, imported: list[str]) -> None:
        self.node = node
        self._contexts = [imported, []] if imported else [[]]
        first = [node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]
        self.first, self.last = min(first), node.end_lineno or node.lineno
        self._definitions: dict[tuple[int, int], list[tuple[Definition, CodeType]]] = {}
        self._qualnames: dict[int, str] = {}

    def is_around(self, code: CodeType) -> bool:
        return bool(self.first <= code.co_firstlineno <= self.last)

    def giving(self, code: CodeType) -> Iterator[tuple[Definition, CodeType]]:
        """Yield each definition that gives a code object, with the code it gives."""
        flags = code.co_flags & _FUTURE
        wanted = content(code)
        for number, imported in enumerate(self._contexts):
            key = flags, number
            if key not in self._definitions:
                self._definitions[key] = list(_paired(self.node, imported, flags))
            for node, compiled in self._definitions[key]:
                if compiled.co_name == code.co_name and content(compiled) == wanted:
                    yield node, compiled

    def names(self) -> set[str]:
        """Return the names that code objects of the statement have."""
        return {getattr(node, "name", "<lambda>") for node in _functions(self.node)}

    def qualname(self, definition: Definition) -> str:
        if not self._qualnames:
            self._qualnames = dict(_qualnames(self.node))
        return self._qualnames[id(definition)]


class Text:
    """The source of one module, cell or script."""

    def __init__(self, lines: list[str], tree: ast.Module) -> None:
        self.lines = lines
        # Compilers call the methods of what a module imports in another way. Shells compile each
        # statement by itself, so that the imports beside it are not known: both are tried.
        imported = sorted(bound(tree).imports)
        self.statements = [Statement(node, imported) for node in tree.body]

    def candidates(self, code: CodeType) -> Iterator[Statement]:
        """Yield statements that may hold the source of a code object, likely ones first.

        In a file edited since it was imported, the definition may have moved.
        """
        around = [s for s in self.statements if s.is_around(code)]
        yield from around
        for statement in self.statements:
            if statement not in around and code.co_name in statement.names():
                yield statement

    def segment(self, node: Definition) -> str:
        """Return a definition as written."""
        if isinstance(node, ast.Lambda):
            return ast.get_source_segment("".join(self.lines), node) or ""
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        return textwrap.dedent("".join(self.lines[first - 1 : node.end_lineno]))


_TEXTS: dict[str, Text] = {}


def text_of(code: CodeType, namespace: dict[str, Any]) -> Text | None:
    """Return the text that a code object may come from, as it is now."""
    name = code.co_filename
    linecache.checkcache(name)
    lines = linecache.getlines(name, namespace)
    if not lines and hasattr(linecache, "_getlines_from_code"):  # an interactive session of 3.13
        lines = linecache._getlines_from_code(code)
    known = _TEXTS.get(name)
    if known is None or known.lines != lines:
        tree = _parsed("".join(lines)) if lines else None
        if tree is None:
            return None
        known = _TEXTS[name] = Text(lines, tree)
    return known


def _parsed(text: str) -> ast.Module | None:
    """Return the tree of a module, or None if a file is being edited just now, or is no Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, MemoryError):
        return None


def _functions(node: ast.AST) -> Iterator[Definition]:
    return (child for child in ast.walk(node) if isinstance(child, FUNCTIONS))


def _paired(
    statement: ast.stmt, imported: list[str], flags: int
) -> Iterator[tuple[Definition, CodeType]]:
    """Yield each definition in a statement with the code that it gives.

    Functions are told apart by line and name. Lambdas can share a line, so they are compiled once
    more, each with a line of its own.
    """
    nodes: dict[tuple[int, str], Definition] = {}
    lambdas: list[ast.Lambda] = []
    for node in _functions(statement):
        if isinstance(node, ast.Lambda):
            lambdas.append(node)
        else:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            nodes[first, node.name] = node
    for code in _compiled(statement, imported, flags):
        if (found := nodes.get((code.co_firstlineno, code.co_name))) is not None:
            yield found, code
    if lambdas:
        yield from _paired_lambdas(statement, lambdas, imported, flags)


def _paired_lambdas(
    statement: ast.stmt, lambdas: list[ast.Lambda], imported: list[str], flags: int
) -> Iterator[tuple[Definition, CodeType]]:
    import copy

    copied = copy.deepcopy(statement)
    twins = [node for node in _functions(copied) if isinstance(node, ast.Lambda)]
    far = 1 + max(getattr(node, "end_lineno", 0) or 0 for node in ast.walk(copied))
    for number, twin in enumerate(twins):
        twin.lineno = twin.end_lineno = far + number
        twin.col_offset = twin.end_col_offset = 0
    for code in _compiled(copied, imported, flags):
        if code.co_name == "<lambda>" and code.co_firstlineno >= far:
            node = lambdas[code.co_firstlineno - far]
            yield node, code.replace(co_firstlineno=node.lineno)


def _compiled(statement: ast.stmt, imported: list[str], flags: int) -> list[CodeType]:
    names = [ast.alias(name=name, lineno=1, col_offset=0) for name in imported]
    imports = [ast.Import(names=names, lineno=1, col_offset=0)] if names else []
    module = ast.Module(body=[*imports, statement], type_ignores=[])
    try:
        code = compile(module, "<source>", "exec", flags=flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return []
    return nested(code)


def _qualnames(statement: ast.stmt) -> Iterator[tuple[int, str]]:
    """Yield the id and qualified name of each definition in a statement."""
    todo: list[tuple[ast.AST, str]] = [(statement, "")]
    while todo:
        node, prefix = todo.pop()
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            name = prefix + getattr(node, "name", "<lambda>")
            yield id(node), name
            prefix = name + ("." if isinstance(node, ast.ClassDef) else ".<locals>.")
        todo.extend((child, prefix) for child in children(node))
