"""The text of a module, its statements, and the code that each definition in it gives.

Only statements that are asked for are compiled, each by itself: the cost goes with what is reached,
not with the size of the module.
"""

from __future__ import annotations

import ast
import linecache
import os
import textwrap
from collections.abc import Container, Iterable, Iterator, Mapping
from types import CodeType
from typing import Any

from neurotools.memo.fingerprint.bytecode import content, nested
from neurotools.memo.fingerprint.scopes import FUNCTIONS, Definition, bound, children

#: Bits of a code object's flags that say which `__future__` it was compiled with.
_FUTURE = 0x1FE0000

#: A definition, and the code that it gives.
Given = tuple[Definition, CodeType]


class Statement:
    """One statement at the top of a module, compiled by itself when first needed."""

    def __init__(self, node: ast.stmt, imported: list[str]) -> None:
        self.node = node
        self._contexts = [imported, []] if imported else [[]]
        first = [node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]
        self.first, self.last = min(first), node.end_lineno or node.lineno
        self._definitions: dict[tuple[int, int], dict[Any, list[Given]]] = {}
        self._qualnames: dict[int, str] = {}

    def is_around(self, code: CodeType) -> bool:
        return bool(self.first <= code.co_firstlineno <= self.last)

    def giving(self, code: CodeType) -> Iterator[Given]:
        """Yield each definition that gives a code object, with the code it gives."""
        flags = code.co_flags & _FUTURE
        wanted = content(code)
        for number in range(len(self._contexts)):
            yield from self._given(number, flags).get(wanted, ())

    def _given(self, context: int, flags: int) -> dict[Any, list[Given]]:
        """Return what the definitions give, by what it does: there can be thousands of lambdas."""
        key = flags, context
        if key not in self._definitions:
            found: dict[Any, list[Given]] = {}
            for node, compiled in _paired(self.node, self._contexts[context], flags):
                found.setdefault(content(compiled), []).append((node, compiled))
            self._definitions[key] = found
        return self._definitions[key]

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
            return self._exactly(node)
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        return textwrap.dedent("".join(self.lines[first - 1 : node.end_lineno]))

    def _exactly(self, node: ast.Lambda) -> str:
        """Return what stands between the first and the last character of a node."""
        last = node.end_lineno or node.lineno
        lines = [line.encode() for line in self.lines[node.lineno - 1 : last]]
        # Positions count bytes. The end comes first: both may be on one line.
        lines[-1] = lines[-1][: node.end_col_offset]
        lines[0] = lines[0][node.col_offset :]
        return b"".join(lines).decode()


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


def carried(codes: Iterable[CodeType], scripts: Container[str] = ()) -> dict[str, str]:
    """Return the texts of code that another process may not find, such as the cells of a notebook.

    Parameters
    ----------
    codes : iterable of code
        Code objects whose source was asked for before.
    scripts : container of str
        Files that count although they are there: they may be edited, or not be there elsewhere.

    Returns
    -------
    dict
        Name of the cell or file to its text, for `remember` in another process.
    """
    names = {code.co_filename for code in codes}
    found = {
        name: _lines(name) for name in sorted(names) if name in scripts or not os.path.exists(name)
    }
    return {name: "".join(lines) for name, lines in found.items() if lines}


def _lines(name: str) -> list[str]:
    known = _TEXTS.get(name)
    # Where an earlier process has learnt what code does, its text was not read yet.
    return linecache.getlines(name) if known is None else known.lines


def remember(texts: Mapping[str, str]) -> None:
    """Let the source of code be found that came from another process without it."""
    for name, text in texts.items():
        lines = text.splitlines(keepends=True)
        if not os.path.exists(name):
            linecache.cache.setdefault(name, (len(text), None, lines, name))  # for tracebacks, too
        if name not in _SENT or _SENT[name].lines != lines:
            tree = _parsed(text)
            if tree is not None:
                _SENT[name] = Text(lines, tree)


#: The texts that came with code. What is found here, under the same name, comes first.
_SENT: dict[str, Text] = {}


def sent_text(code: CodeType) -> Text | None:
    """Return the text that came with a code object from another process, if any did."""
    return _SENT.get(code.co_filename)


def _parsed(text: str) -> ast.Module | None:
    """Return the tree of a module, or None if a file is being edited just now, or is no Python."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, MemoryError):
        return None


def _functions(node: ast.AST) -> Iterator[Definition]:
    return (child for child in ast.walk(node) if isinstance(child, FUNCTIONS))


def _paired(statement: ast.stmt, imported: list[str], flags: int) -> Iterator[Given]:
    """Yield each definition in a statement with the code that it gives.

    Functions are told apart by line and name. Lambdas can share a line, and are compiled again.
    """
    nodes: dict[tuple[int, str], Definition] = {}
    for node in _functions(statement):
        if not isinstance(node, ast.Lambda):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            nodes[first, node.name] = node
    for code in _compiled(statement, imported, flags):
        if (found := nodes.get((code.co_firstlineno, code.co_name))) is not None:
            yield found, code
    yield from _paired_lambdas(statement, imported, flags)


def _paired_lambdas(statement: ast.stmt, imported: list[str], flags: int) -> Iterator[Given]:
    """Yield each lambda in a statement with the code that it gives.

    Lambdas are moved to lines of their own, one level of nesting at a time: a compiler may leave
    marks in code for steps from line to line, so that nothing may move inside a lambda.
    """
    import copy

    lambdas = _lambdas(statement)
    last = max(getattr(node, "end_lineno", 0) or 0 for node in ast.walk(statement))
    for level in sorted({level for _, level in lambdas}):
        copied = copy.deepcopy(statement)
        lines: dict[int, ast.Lambda] = {}
        for number, (twin, depth) in enumerate(_lambdas(copied), 1):
            if depth == level:
                ast.increment_lineno(twin, number * (last + 1) - twin.lineno)
                lines[twin.lineno] = lambdas[number - 1][0]
        for code in _compiled(copied, imported, flags):
            # The outermost comes first; others may lie inside, on the same line.
            if code.co_name == "<lambda>" and code.co_firstlineno in lines:
                node = lines.pop(code.co_firstlineno)
                yield node, code.replace(co_firstlineno=node.lineno)


def _lambdas(statement: ast.stmt) -> list[tuple[ast.Lambda, int]]:
    """Return the lambdas in a statement, and how many others each lies in."""
    found: list[tuple[ast.Lambda, int]] = []
    todo: list[tuple[ast.AST, int]] = [(statement, 0)]
    while todo:
        node, level = todo.pop()
        if isinstance(node, ast.Lambda):  # its defaults are evaluated outside of it
            found.append((node, level))
            todo += [(node.body, level + 1), (node.args, level)]
        else:
            todo.extend((child, level) for child in children(node))
    return found


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
