"""What a cell reads from the notebook, and what it binds: told from its source, before it runs.

A name that is surely bound before it is read is the cell's own. Loops are taken to run once at
least: where one does not, and what it would have bound is read, the cell fails, as it does in a
kernel that was just started.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from neurotools.memo.fingerprint.scopes import COMPREHENSIONS, FUNCTIONS, bound, outside

#: Ends a branch: what follows is not reached from there.
_ENDS = (ast.Raise, ast.Return, ast.Break, ast.Continue)


class Flow:
    """The names of a cell.

    Parameters
    ----------
    tree : ast.Module
        The cell.

    Attributes
    ----------
    reads : set of str
        Read without being surely bound before.
    binds : set of str
        Bound on some way through the cell.
    certain : set of str
        Bound on every way.
    passing : set of str
        Bound by nothing but ``with`` and ``except``: closed, or gone, at the end.
    removed : set of str
        Named by ``del``.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.binds = bound(tree).names
        self.reads: set[str] = set()
        self.removed: set[str] = set()
        self._later: set[str] = set()
        self.certain = self._block(tree.body, set())
        # A function's body runs later: what the cell binds is bound by then.
        self.reads |= self._later - self.binds
        self.passing = _passing(tree, self.binds)

    def _block(self, body: Sequence[ast.AST], have: set[str]) -> set[str]:
        for statement in body:
            have = self._statement(statement, have)
        return have

    def _statement(self, node: ast.AST, have: set[str]) -> set[str]:
        if isinstance(node, ast.If):
            self._read(node.test, have)
            have = have | _stored(node.test)
            return self._joined([node.body, node.orelse], have)
        if isinstance(node, ast.For | ast.AsyncFor):
            self._read(node.iter, have)
            self._read(node.target, have)
            return self._block([*node.body, *node.orelse], have | _stored(node.target))
        if isinstance(node, ast.While):
            self._read(node.test, have)
            return self._block([*node.body, *node.orelse], have | _stored(node.test))
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self._read(item, have)
                have = have | _stored(item)
            return self._block(node.body, have)
        if isinstance(node, ast.Try) or type(node).__name__ == "TryStar":
            return self._tried(node, have)
        if isinstance(node, ast.Match):
            return self._matched(node, have)
        return self._simple(node, have)

    def _simple(self, node: ast.AST, have: set[str]) -> set[str]:
        self._read(node, have)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self._note(node.target.id, have)
        if isinstance(node, ast.Delete):
            gone = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
            self.removed |= {name.id for name in node.targets if isinstance(name, ast.Name)}
            return have - (gone & self.removed)
        return have | bound(ast.Module([node], [])).names  # type: ignore[list-item]

    def _joined(self, branches: Iterable[Sequence[ast.AST]], have: set[str]) -> set[str]:
        """Return what is bound after one of several ways was taken."""
        ways = [(self._block(body, have), body) for body in branches]
        after = [found for found, body in ways if not (body and isinstance(body[-1], _ENDS))]
        return set.intersection(*after) if after else have

    def _tried(self, node: ast.AST, have: set[str]) -> set[str]:
        body, handlers = node.body, node.handlers  # type: ignore[attr-defined]
        after = [self._block([*body, *node.orelse], have)]  # type: ignore[attr-defined]
        for handler in handlers:
            if handler.type is not None:
                self._read(handler.type, have)
            own = {handler.name} if handler.name else set()
            found = self._block(handler.body, have | own) - own
            if not (handler.body and isinstance(handler.body[-1], _ENDS)):
                after.append(found)
        return self._block(node.finalbody, set.intersection(*after))  # type: ignore[attr-defined]

    def _matched(self, node: ast.Match, have: set[str]) -> set[str]:
        self._read(node.subject, have)
        after, is_sure = [], False
        for case in node.cases:
            pattern = case.pattern
            own = have | bound(ast.Module([pattern], [])).names  # type: ignore[list-item]
            self._read(pattern, have)
            if case.guard is not None:
                self._read(case.guard, own)
            after.append(self._block(case.body, own))
            is_all = isinstance(pattern, ast.MatchAs) and pattern.pattern is None
            is_sure |= is_all and case.guard is None
        return set.intersection(*after) if is_sure else set.intersection(have, *after)

    # ------------------------------------------------------------ expressions

    def _note(self, name: str, have: set[str]) -> None:
        if name not in have:
            self.reads.add(name)

    def _read(self, node: ast.AST, have: set[str]) -> None:
        for name, is_later in _loaded(node, frozenset()):
            if is_later:
                self._later.add(name)
            else:
                self._note(name, have)


def _loaded(node: ast.AST, hidden: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Give the names that a node reads from around it, and whether it does so later."""
    if isinstance(node, ast.Name):
        if not isinstance(node.ctx, ast.Store) and node.id not in hidden:
            yield node.id, False
        return
    if isinstance(node, FUNCTIONS):
        for child in outside(node):
            yield from _loaded(child, hidden)
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        inside = hidden | bound(node).names
        for child in body:
            yield from ((name, True) for name, _ in _loaded(child, inside))
        return
    if isinstance(node, ast.ClassDef):
        for child in outside(node):
            yield from _loaded(child, hidden)
        # A class body runs at once; what it binds is read from it, or from around it.
        inside = hidden | bound(node).names
        for child in node.body:
            yield from _loaded(child, inside)
        return
    if isinstance(node, COMPREHENSIONS):
        hidden |= bound(node).names
    for child in ast.iter_child_nodes(node):
        yield from _loaded(child, hidden)


def _stored(node: ast.AST) -> set[str]:
    """Return the names that an expression binds."""
    return bound(ast.Module([node], [])).names  # type: ignore[list-item]


def _passing(tree: ast.Module, names: set[str]) -> set[str]:
    """Return the names that only ``with`` and ``except`` bind."""
    found: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.With | ast.AsyncWith):
            targets = [item.optional_vars for item in node.items if item.optional_vars]
            found |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            others |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return (found - others) & names
