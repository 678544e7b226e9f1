"""The names that a function, class or comprehension binds. Not here: what it reads (`reads`)."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from neurotools.memo.fingerprint.reads import Import

#: A node of source that becomes a function.
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Bound:
    """The names bound in one scope.

    Attributes
    ----------
    names : set of str
        Bound by a parameter, an assignment, an import, a definition, and so on.
    annotated : set of str
        Named in a bare annotation, ``x: int``, which makes them local and binds nothing.
    outer : dict
        Declared ``global`` or ``nonlocal``; the value says which.
    imports : dict
        Name to what imports bind it to.
    """

    names: set[str] = field(default_factory=set)
    annotated: set[str] = field(default_factory=set)
    outer: dict[str, str] = field(default_factory=dict)
    imports: dict[str, list[Import]] = field(default_factory=dict)


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """Return all parameters of a function, in the order of its signature."""
    found = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs]
    return [arg for arg in (*found, arguments.kwarg) if arg is not None]


def children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes directly inside a node, in order; faster than `ast.iter_child_nodes`."""
    found: list[ast.AST] = []
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif isinstance(value, list):
            found.extend(item for item in value if isinstance(item, ast.AST))
    return found


def bound(scope: ast.AST) -> Bound:
    """Return what the body of a function, class or comprehension binds."""
    found = Bound()
    if isinstance(scope, FUNCTIONS):
        found.names.update(arg.arg for arg in parameters(scope.args))
    if isinstance(scope, COMPREHENSIONS):
        targets = [generator.target for generator in scope.generators]
        todo: list[tuple[ast.AST, bool]] = [(target, False) for target in targets]
    else:
        body = [scope.body] if isinstance(scope, ast.Lambda) else scope.body  # type: ignore[attr-defined]
        todo = [(node, False) for node in body]
    while todo:
        node, in_comprehension = todo.pop()
        if (binder := _BINDERS.get(type(node))) is not None:
            binder(node, found, in_comprehension)
        # Only `:=` reaches out of a comprehension.
        inside = in_comprehension or isinstance(node, COMPREHENSIONS)
        todo.extend((child, inside) for child in _within(node))
    found.names -= found.outer.keys()
    return found


def _within(node: ast.AST) -> list[ast.AST]:
    """Return the children of a node that can still bind names in the same scope."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return outside(node)
    if isinstance(node, ast.AnnAssign):
        binds = node.value is not None or not node.simple
        return [child for child in (node.target, node.value) if child is not None and binds]
    return children(node)


def outside(node: Any) -> list[ast.AST]:
    """Return the parts of a definition that are evaluated where it stands, not in its body."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
    return [*getattr(node, "decorator_list", ()), *defaults]


def typed(node: ast.ClassDef) -> bool:
    """Whether something may read the annotations in a class body: dataclass, NamedTuple, ..."""
    return bool(node.decorator_list or node.bases or node.keywords)


def _name(node: ast.Name, found: Bound, in_comprehension: bool) -> None:
    if not isinstance(node.ctx, ast.Load) and not in_comprehension:
        found.names.add(node.id)


def _walrus(node: ast.NamedExpr, found: Bound, _in_comprehension: bool) -> None:
    found.names.add(node.target.id)


def _named(node: Any, found: Bound, _in_comprehension: bool) -> None:
    if name := getattr(node, "name", None) or getattr(node, "rest", None):
        found.names.add(name)


def _annotated(node: ast.AnnAssign, found: Bound, _in_comprehension: bool) -> None:
    if node.value is None and node.simple and isinstance(node.target, ast.Name):
        found.annotated.add(node.target.id)


def _declared(node: ast.Global | ast.Nonlocal, found: Bound, _in_comprehension: bool) -> None:
    word = "global" if isinstance(node, ast.Global) else "nonlocal"
    found.outer.update(dict.fromkeys(node.names, word))


def _imported(node: ast.Import, found: Bound, _in_comprehension: bool) -> None:
    for alias in node.names:
        whole = alias.name if alias.asname else alias.name.partition(".")[0]
        _bind_import(found, alias.asname or whole, Import(0, whole))


def _imported_from(node: ast.ImportFrom, found: Bound, _in_comprehension: bool) -> None:
    for alias in node.names:
        target = Import(node.level, node.module or "", alias.name)
        _bind_import(found, alias.asname or alias.name, target)


def _bind_import(found: Bound, name: str, target: Import) -> None:
    found.names.add(name)
    found.imports.setdefault(name, []).append(target)


_BINDERS: dict[type[ast.AST], Any] = {
    ast.Name: _name,
    ast.NamedExpr: _walrus,
    ast.AnnAssign: _annotated,
    ast.Global: _declared,
    ast.Nonlocal: _declared,
    ast.Import: _imported,
    ast.ImportFrom: _imported_from,
    ast.FunctionDef: _named,
    ast.AsyncFunctionDef: _named,
    ast.ClassDef: _named,
    ast.ExceptHandler: _named,
    ast.MatchAs: _named,
    ast.MatchStar: _named,
    ast.MatchMapping: _named,
}
