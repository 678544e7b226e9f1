"""What a cell reads, binds, and may leave unbound."""

import ast

import pytest

from neurotools.memo.cells.flow import Flow

#: Cell, what it reads, what it binds for certain, what else it may bind.
CELLS = [
    ("y = x", "x", "y", ""),
    ("x = x + 1", "x", "x", ""),
    ("x = 1\ny = x", "", "x y", ""),
    ("x += 1", "x", "x", ""),
    ("a.b = 1\nc[i] = 2", "a c i", "", ""),
    ("if c:\n    x = 1\ny = x", "c x", "y", "x"),
    ("if c:\n    x = 1\nelse:\n    x = 2\ny = x", "c", "x y", ""),
    ("if c:\n    x = 1\nelse:\n    raise e\ny = x", "c e", "x y", ""),
    ("for i in xs:\n    y = i\nz = y", "xs", "i y z", ""),
    ("while c:\n    y = 1\nz = y", "c", "y z", ""),
    ("with o() as f:\n    d = f.r()\nd", "o", "d f", ""),
    ("try:\n    y = a\nexcept E as e:\n    y = e\nfinally:\n    z = 1", "E a", "y z", "e"),
    ("try:\n    y = a\nexcept E:\n    pass\ny", "E a y", "", "y"),
    ("y = [i * k for i in xs if i > m]", "k m xs", "y", ""),
    ("y = {k: v for k, v in p}", "p", "y", ""),
    ("y = lambda i: i + k + late\nlate = 1", "k", "late y", ""),
    ("def f(a, b=d):\n    return a + g + late\nlate = f(1)", "d g", "f late", ""),
    ("class C(B):\n    n = m\n    def f(self):\n        return h", "B h m", "C", ""),
    ("y = (n := len(x)) + n", "len n x", "n y", ""),
    ("import a.b, c as d\nfrom e import f", "", "a d f", ""),
    ("del t\ny = 1", "t", "y", "t"),
    ("t = 1\ndel t\ny = t", "t", "y", "t"),
    ("match x:\n    case [a, *r]:\n        y = a\n    case _:\n        y = 1\ny", "x", "y", "a r"),
    ("(a, *b), c = x", "x", "a b c", ""),
    ("x: int = 3\nz: str", "int str", "x", ""),
]


@pytest.mark.parametrize(("cell", "reads", "certain", "maybe"), CELLS)
def test_names_are_told_apart(cell, reads, certain, maybe):
    flow = Flow(ast.parse(cell))
    # Names in hints may or may not be read, so they are left out of the comparison.
    assert flow.reads - {"int", "str"} == set(reads.split()) - {"int", "str"}
    assert flow.certain & flow.binds == set(certain.split())
    assert flow.binds - flow.certain == set(maybe.split())


def test_what_with_and_except_bind_only_passes():
    flow = Flow(
        ast.parse("with o() as f, p() as g:\n    g = 1\ntry:\n    pass\nexcept E as e:\n 0")
    )
    assert flow.passing == {"f", "e"}
