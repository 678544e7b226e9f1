"""The source of a definition -> what it reads (`reads`)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from neurotools.memo.fingerprint.limits import DOUBTFUL_METHODS
from neurotools.memo.fingerprint.parsing import parsed
from neurotools.memo.fingerprint.reads import CHANGED, COMPUTED, READ, REBOUND, Import, Read, Reads
from neurotools.memo.fingerprint.scopes import (
    COMPREHENSIONS,
    FUNCTIONS,
    Bound,
    Definition,
    bound,
    children,
    outside,
    typed,
)

#: Methods of lists, dicts, sets and deques that change them and answer nothing.
_QUIET = {
    *("append", "appendleft", "extend", "extendleft", "insert", "add", "update", "clear"),
    *("remove", "discard", "reverse", "sort", "subtract"),
    *("intersection_update", "difference_update", "symmetric_difference_update"),
}
_CHANGING = {*_QUIET, "pop", "popleft", "popitem", "setdefault", "move_to_end"}

#: Functions that take an attribute by its name.
_LOOK_UP = frozenset(("getattr", "hasattr"))

#: Methods of pandas that are given an expression as text, and names in it taken from the caller.
_WRITTEN_OUT = frozenset(("query", "eval"))
_TAKEN = re.compile(r"@([A-Za-z_]\w*)")

#: Functions whose argument decides what is reached. A constant argument is followed.
_COMPUTED = frozenset(("eval", "exec", "import_module", "__import__"))


@dataclass(frozen=True)
class _Scope:
    node: ast.AST
    bound: Bound
    parent: _Scope | None


class _Chain(NamedTuple):
    """``root.a.b``, where the root is a name or a call that stands for a module or a global."""

    root: Any
    attributes: tuple[str, ...]


def reads_of(definition: Definition, inside: str = "") -> Reads:
    """Return what the body of a function reads; its decorators and defaults are not in it.

    Parameters
    ----------
    definition : node of a function
        The function.
    inside : str
        Name of the class whose body it stands in, which is put before private names.
    """
    reader = _Reader(inside)
    scope = _Scope(definition, bound(definition), None)
    body = [definition.body] if isinstance(definition, ast.Lambda) else definition.body
    reader.read(body, scope)
    return reader.found


class _Reader:
    """Visits nodes from the outside in, without recursion: sources can be nested deeply."""

    def __init__(self, inside: str) -> None:
        self.found = Reads()
        self._inside = inside
        self._todo: list[tuple[ast.AST, _Scope | None]] = []

    def read(self, nodes: Iterable[ast.AST], scope: _Scope | None) -> None:
        self._todo = [(node, scope) for node in nodes]
        while self._todo:
            node, scope = self._todo.pop()
            _VISIT.get(type(node), _Reader._children)(self, node, scope)

    def _later(self, nodes: Iterable[ast.AST | None], scope: _Scope | None) -> None:
        self._todo.extend((node, scope) for node in nodes if node is not None)

    def _children(self, node: ast.AST, scope: _Scope | None) -> None:
        self._later(children(node), scope)

    # Names and chains

    def _chain(self, node: ast.AST, scope: _Scope | None) -> _Chain | None:
        """Return the chain that an expression is, with literal `getattr` as an attribute."""
        attributes: list[str] = []
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute):
                attributes.append(node.attr)
                node = node.value
            elif (taken := _literal_getattr(node)) is not None and len(node.args) == 2:  # type: ignore[attr-defined]
                attributes.append(taken[1])
                node = taken[0]
            elif (root := self._root(node, scope)) is not None:
                return _Chain(root, tuple(reversed(attributes)))
            else:
                return None
        return _Chain(node, tuple(reversed(attributes)))

    def _root(self, node: ast.AST, scope: _Scope | None) -> Import | Read | None:
        """Return what ``globals()['name']`` or ``import_module('name')`` stands for."""
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call):
            name, key = _tail(node.value.func), _constant(node.slice)
            is_builtin = isinstance(node.value.func, ast.Name) and name == "globals"
            if is_builtin and not node.value.args and key is not None:
                return Read(key, (), declared=True)
        if isinstance(node, ast.Subscript) and _is_modules(node.value):
            key = _constant(node.slice)
            return None if key is None else Import(0, key)
        if isinstance(node, ast.Call) and node.args and len(node.args) + len(node.keywords) == 1:
            literal = _constant(node.args[0])
            if _tail(node.func) == "import_module" and literal and literal[:1] != ".":
                self._note_computed(node.func, literal, scope)
                return Import(0, literal)
        return None

    def _note(self, chain: _Chain, scope: _Scope | None, how: int) -> None:
        seen = chain.attributes if how != REBOUND else chain.attributes[:-1]
        self.found.attributes.update(seen)
        attributes = tuple(self._private(name, scope) for name in chain.attributes)
        for root in self._roots(chain.root, scope):
            self.found.use(Read(root.root, attributes, root.declared), how)

    def _roots(self, root: Any, scope: _Scope | None) -> list[Read]:
        """Return what a root can be outside the definition; nothing for a local variable."""
        if isinstance(root, Import):
            self.found.imports.add(root)
            return [Read(root)]
        if isinstance(root, Read):
            return [root]
        if root.id == "__debug__":
            self.found.debug = True
        return self._lookup(self._private(root.id, scope), scope)

    def _private(self, name: str, scope: _Scope | None) -> str:
        """Return a name as the compiler spells it inside a class: ``__k`` as ``_A__k``."""
        if not name.startswith("__") or name.endswith("__"):
            return name
        while scope is not None and not isinstance(scope.node, ast.ClassDef):
            scope = scope.parent
        owner = (self._inside if scope is None else scope.node.name).lstrip("_")  # type: ignore[attr-defined]
        return f"_{owner}{name}" if owner else name

    def _lookup(self, name: str, scope: _Scope | None) -> list[Read]:
        innermost = scope
        while scope is not None:
            if scope.bound.outer.get(name) == "global":
                return [Read(name, (), declared=True)]
            if isinstance(scope.node, ast.ClassDef):
                # Bodies of classes see their own names, functions in them do not; and a name that
                # is not bound yet is looked up outside, so that it may be meant.
                if scope is innermost and name in scope.bound.imports:
                    return [Read(target) for target in scope.bound.imports[name]]
            elif name in scope.bound.names or name in scope.bound.annotated:
                return [Read(target) for target in scope.bound.imports.get(name, ())]
            scope = scope.parent
        return [Read(name)]

    # One method per kind of node that is not simply looked into

    def _expression(self, node: Any, scope: _Scope | None) -> None:
        """Visit a name, attribute, subscript or call that may be a chain."""
        chain = self._chain(node, scope)
        if chain is None:
            if isinstance(node, ast.Attribute):
                self.found.attributes.add(node.attr)
            self._children(node, scope)
        elif isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            if chain.attributes or not _binds_in_class(node, scope):
                self._note(chain, scope, REBOUND)
        else:
            self._note(chain, scope, READ)

    def _call(self, node: ast.Call, scope: _Scope | None) -> None:
        if (taken := _literal_getattr(node)) is not None:
            self.found.attributes.add(taken[1])
            if (chain := self._chain(taken[0], scope)) is not None:
                self._note(_Chain(chain.root, (*chain.attributes, taken[1])), scope, READ)
                self._later([node.func, *node.args[2:]], scope)
                return
        if _tail(node.func) in _LOOK_UP and len(node.args) > 1:
            self.found.attributes.add(COMPUTED)  # a literal name would have been taken above
        if not (node.args or node.keywords) and f"{_tail(node.func)}()" in DOUBTFUL_METHODS:
            self.found.attributes.add(f"{_tail(node.func)}()")
        if _tail(node.func) in _WRITTEN_OUT and node.args:
            self._written_out(node.args[0], scope)
        if _tail(node.func) in _COMPUTED:
            self._computed(node, scope)
        else:
            if isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
                self._changed(node.func.value, scope)
            self._later([node.func], scope)
        self._later([*node.args, *node.keywords], scope)

    def _computed(self, node: ast.Call, scope: _Scope | None) -> None:
        """Visit a call of `eval` or its like: constant code and names can be followed."""
        literal = _constant(node.args[0]) if node.args else None
        if _tail(node.func) in ("eval", "exec"):
            tree = None if literal is None else parsed(literal.strip())
            if tree:
                self._later(tree.body, scope)
                self._later(tree.body, _Scope(tree, bound(tree), scope))  # for what it imports
            literal = literal if tree else None
        elif literal is None or literal.startswith("."):
            literal = None
        else:
            # `__import__` answers with the first package, `import_module` with the last.
            for module in {literal, literal.partition(".")[0]}:
                self._note(_Chain(Import(0, module), ()), scope, READ)
        self._note_computed(node.func, literal, scope)

    def _written_out(self, text: ast.expr, scope: _Scope | None) -> None:
        """Note the names that the text of ``frame.query('a > @limit')`` takes from its caller."""
        parts = text.values if isinstance(text, ast.JoinedStr) else [text]
        for part in parts:
            for name in _TAKEN.findall(_constant(part) or ""):
                self._later([ast.Name(name, ast.Load())], scope)

    def _note_computed(self, function: ast.AST, literal: str | None, scope: _Scope | None) -> None:
        chain = self._chain(function, scope)
        if chain is None:
            self._later([function], scope)
            return
        for root in self._roots(chain.root, scope):
            read = Read(root.root, chain.attributes, root.declared)
            self.found.computed.setdefault(read, []).append(literal)

    def _statement(self, node: ast.Expr, scope: _Scope | None) -> None:
        """Visit an expression whose value is thrown away: ``calls.append(x)`` reads nothing."""
        call = node.value
        quiet = (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in _QUIET
            and self._changed(call.func.value, scope)
        )
        if quiet and isinstance(call, ast.Call):
            self._later([*call.args, *call.keywords], scope)
        else:
            self._later([call], scope)

    def _subscript(self, node: ast.Subscript, scope: _Scope | None) -> None:
        if isinstance(node.ctx, (ast.Store, ast.Del)) and self._changed(node.value, scope):
            self._later([node.slice], scope)
        else:
            self._expression(node, scope)

    def _changed(self, node: ast.AST, scope: _Scope | None) -> bool:
        """Note that something is changed in place; whether it could be told what."""
        keys: list[ast.AST] = []
        while isinstance(node, ast.Subscript):
            keys.append(node.slice)
            node = node.value
        if (chain := self._chain(node, scope)) is None:
            return False
        self._note(chain, scope, CHANGED)
        self._later(keys, scope)
        return True

    def _assigned(self, node: ast.AnnAssign, scope: _Scope | None) -> None:
        if scope is not None and isinstance(scope.node, ast.ClassDef) and typed(scope.node):
            self._later([node.annotation], scope)
        self._later([node.value], scope)
        if node.value is not None or not node.simple:
            self._later([node.target], scope)

    def _function(self, node: Definition, scope: _Scope | None) -> None:
        self._later(outside(node), scope)
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        self._later(body, _Scope(node, bound(node), scope))

    def _class(self, node: ast.ClassDef, scope: _Scope | None) -> None:
        self._later(outside(node), scope)
        self._later(node.body, _Scope(node, bound(node), scope))

    def _comprehension(self, node: Any, scope: _Scope | None) -> None:
        inner = _Scope(node, bound(node), scope)
        first, *others = node.generators
        self._later([first.iter], scope)
        self._later([first.target, *first.ifs, *others], inner)
        self._later((getattr(node, part, None) for part in ("elt", "key", "value")), inner)

    def _import(self, node: ast.Import, scope: _Scope | None) -> None:
        for alias in node.names:
            self._loads(Import(0, alias.name), alias.asname or alias.name.partition(".")[0], scope)

    def _import_from(self, node: ast.ImportFrom, scope: _Scope | None) -> None:
        for alias in node.names:
            target = Import(node.level, node.module or "", alias.name)
            self._loads(target, alias.asname or alias.name, scope)

    def _loads(self, target: Import, name: str, scope: _Scope | None) -> None:
        self.found.imports.add(target)
        if scope is None:
            return
        if name in scope.bound.outer or isinstance(scope.node, (ast.ClassDef, ast.Module)):
            # Others will read it: from a name that may not be bound yet, or as an attribute.
            self.found.use(Read(target), READ)

    def _assert(self, node: ast.Assert, scope: _Scope | None) -> None:
        self.found.debug = True
        self._children(node, scope)


def _binds_in_class(node: ast.Name, scope: _Scope | None) -> bool:
    inside = scope is not None and isinstance(scope.node, ast.ClassDef)
    return inside and node.id not in scope.bound.outer  # type: ignore[union-attr]


def _literal_getattr(node: ast.AST) -> tuple[ast.expr, str] | None:
    """Return object and name of ``getattr(object, 'name')``."""
    # By name only: a method may be called the same.
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _LOOK_UP:
        name = _constant(node.args[1]) if len(node.args) > 1 else None
        return None if name is None else (node.args[0], name)
    return None


def _is_modules(node: ast.AST) -> bool:
    """Whether an expression is ``sys.modules``."""
    return isinstance(node, ast.Attribute) and node.attr == "modules" and _tail(node.value) == "sys"


def _tail(node: ast.AST) -> str:
    return getattr(node, "attr", "") or getattr(node, "id", "")


def _constant(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


_VISIT: dict[type[ast.AST], Callable[..., None]] = {
    ast.Name: _Reader._expression,
    ast.Attribute: _Reader._expression,
    ast.Call: _Reader._call,
    ast.Subscript: _Reader._subscript,
    ast.Expr: _Reader._statement,
    ast.AnnAssign: _Reader._assigned,
    ast.ClassDef: _Reader._class,
    ast.Import: _Reader._import,
    ast.ImportFrom: _Reader._import_from,
    ast.Assert: _Reader._assert,
    **dict.fromkeys(FUNCTIONS, _Reader._function),
    **dict.fromkeys(COMPREHENSIONS, _Reader._comprehension),
}
