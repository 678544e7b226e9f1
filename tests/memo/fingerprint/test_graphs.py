"""Random programs, random edits: never stale, never recomputed without a reason."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotools.memo.fingerprint.reach import Tracker
from tests.memo.fingerprint.sessions import Session

# How a helper is written, and how it is called. It returns its number, constants and calls.
KINDS = {
    "function": ("def g{i}(x):\n    return [{body}]", "g{i}(x)"),
    "lambda": ("g{i} = lambda x: [{body}]", "g{i}(x)"),
    "method": ("class K{i}:\n    def run(self, x):\n        return [{body}]", "K{i}().run(x)"),
    "inherited": (
        "class B{i}:\n    def run(self, x):\n        return [{body}]\nclass K{i}(B{i}): pass",
        "K{i}().run(x)",
    ),
    "static": (
        "class K{i}:\n    @staticmethod\n    def run(x):\n        return [{body}]",
        "K{i}.run(x)",
    ),
    "instance": (
        "class K{i}:\n    def __call__(self, x):\n        return [{body}]\ng{i} = K{i}()",
        "g{i}(x)",
    ),
    "closure": (
        "def m{i}(n):\n    def inner(x):\n        return [n, {calls}]\n    return inner\n"
        "g{i} = m{i}({number})",
        "g{i}(x)",
    ),
    "decorated": (
        "def d{i}(g):\n    def wrapper(*a):\n        return g(*a)\n    return wrapper\n"
        "@d{i}\ndef g{i}(x):\n    return [{body}]",
        "g{i}(x)",
    ),
    "partial": (
        "from functools import partial\ndef h{i}(n, x):\n    return [n, {calls}]\n"
        "g{i} = partial(h{i}, {number})",
        "g{i}(x)",
    ),
    "table": ("T{i} = {{'k': [lambda x: [{body}]]}}", "T{i}['k'][0](x)"),
    "default": ("def g{i}(x, n={number}):\n    return [n, {calls}]", "g{i}(x)"),
    "cached": (
        "from functools import lru_cache\n@lru_cache\ndef g{i}(x):\n    return [{body}]",
        "g{i}(x)",
    ),
    "generator": ("def g{i}(x):\n    yield [{body}]", "list(g{i}(x))"),
    "class attribute": (
        "class K{i}:\n    n = {number}\n    def run(self, x):\n        return [self.n, {calls}]",
        "K{i}().run(x)",
    ),
    "module": ("def g{i}(x):\n    return [{body}]", "other.g{i}(x)"),
    "computed name": (
        "class K{i}:\n    def r1(self, x): return [{body}]",
        "getattr(K{i}(), 'r' + '1')(x)",
    ),
}


@dataclass(frozen=True)
class Node:
    """One helper: its kind, a number to edit, and what it calls and reads."""

    kind: str
    number: int
    calls: tuple[int, ...]
    constants: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """Helpers and constants; the first helper is the function."""

    nodes: tuple[Node, ...]
    constants: tuple[int, ...]

    def blocks(self) -> list[str]:
        """Return the definitions, in any order of which they mean the same."""
        return [*map(self.block, range(len(self.nodes))), *map(self.constant, range(3))]

    def block(self, i: int) -> str:
        node = self.nodes[i]
        calls = [KINDS[self.nodes[k].kind][1].format(i=k) for k in node.calls]
        calls += [f"C{k}" for k in node.constants]
        body = ", ".join([str(node.number), *calls])
        return KINDS[node.kind][0].format(
            i=i, number=node.number, calls=", ".join(calls), body=body
        )

    def constant(self, k: int) -> str:
        return f"C{k} = {self.constants[k]!r}"

    def reached(self) -> tuple[set[int], set[int]]:
        """Return which helpers and constants the function depends on."""
        nodes, todo = set(), [0]
        while todo:
            i = todo.pop()
            if i not in nodes:
                nodes.add(i)
                todo.extend(self.nodes[i].calls)
        return nodes, {k for i in nodes for k in self.nodes[i].constants}

    def edited(self, what: str, which: int) -> Program:
        if what == "constant":
            values = list(self.constants)
            values[which % 3] += 1000
            return replace(self, constants=tuple(values))
        nodes = list(self.nodes)
        which %= len(nodes)
        nodes[which] = replace(nodes[which], number=nodes[which].number + 1000)
        return replace(self, nodes=tuple(nodes))

    def depends_on(self, what: str, which: int) -> bool:
        nodes, constants = self.reached()
        return which % 3 in constants if what == "constant" else which % len(self.nodes) in nodes


@st.composite
def programs(draw):
    size = draw(st.integers(2, 8))
    several = st.lists(st.integers(0, size - 1), max_size=3, unique=True).map(tuple)
    few = st.lists(st.integers(0, 2), max_size=2, unique=True).map(tuple)
    kinds = st.sampled_from(list(KINDS))
    nodes = [
        Node("function" if i == 0 else draw(kinds), i, draw(several), draw(few))
        for i in range(size)
    ]
    return Program(tuple(nodes), (10, 20, 30))


edits = st.tuples(st.sampled_from(["constant", "node"]), st.integers(0, 100))


class Runs:
    """A session with a program in it, under a name that is always the same."""

    def __init__(self, blocks: list[str]) -> None:
        self.session = Session()
        sys.modules.pop(self.session.module.__name__)
        self.session.module.__name__ = "program"
        # A module that is reached by name: `other.g1` is `g1`.
        self.session.module.other = self.session.module
        sys.modules["program"] = self.session.module
        self.run(*blocks)
        self.tracker = Tracker(self.session["g0"])

    def run(self, *blocks: str) -> None:
        self.session.run("\n\n".join(blocks))

    @property
    def code(self) -> str:
        return self.tracker.current().code

    def fresh(self) -> str:
        return Tracker(self.session["g0"]).current().code


@pytest.fixture(autouse=True)
def _clean():
    yield
    sys.modules.pop("program", None)


@settings(max_examples=100)
@given(programs())
def test_an_edit_counts_where_it_can_be_reached_and_nowhere_else(program):
    before = Runs(program.blocks()).code
    every = [("constant", k) for k in range(3)] + [("node", i) for i in range(len(program.nodes))]
    for edit in every:
        after = Runs(program.edited(*edit).blocks()).code
        assert (before != after) == program.depends_on(*edit), edit


@settings(max_examples=100)
@given(programs(), st.randoms(use_true_random=False))
def test_order_and_comments_do_not_count(program, random):
    before = Runs(program.blocks()).code
    blocks = [f"# note\n{block}  # note" for block in program.blocks()]
    random.shuffle(blocks)
    assert Runs(blocks).code == before


@settings(max_examples=100)
@given(programs(), st.lists(edits, max_size=4))
def test_a_session_sees_what_a_fresh_process_would(program, several):
    """After each edit, the tracker of the session agrees with a new one on the whole program."""
    runs = Runs(program.blocks())
    assert runs.code == runs.fresh()
    for what, which in several:
        changed = program.edited(what, which)
        # A helper that others may hold is defined anew; the function itself is not.
        if what == "constant":
            runs.run(changed.constant(which % 3))
        elif which % len(program.nodes):
            runs.run(changed.block(which % len(program.nodes)))
        else:
            continue
        program = changed
        assert runs.code == runs.fresh() == Runs(program.blocks()).code
        sys.modules["program"] = runs.session.module
