"""A cell as the text of a function: it does the same, line by line."""

import ast

import pytest

from neurotools.memo.cells.text import (
    SHOWN,
    function_text,
    function_tree,
    indented,
    with_last_shown,
)

CELLS = [
    "a = 1",
    'a = """one\n  two\nthree"""\nb = a',
    'n = 3\na = f"""{n}\n   {n + 1}\n"""',
    "a = [\n1,\n    2,\n]",
    'a = "x\\\ny"',
    "if True:\n\ta = 1\n\n\nb = 2",
    "# only a comment at the end\na = 1\n# here",
    "a = \"\"\"\n\"\"\"; b = '''\n\n'''",
    'a = f"{1:>{2}}" f"""\n{3!r:\n>5}"""' if hasattr(ast, "TypeAlias") else "a = 1",
    '"a text that could be a docstring\\n  "\na = 1',
]


def _ran(cell, certain, maybe=()):
    made = {}
    exec(function_text(cell, "f", (), certain, maybe), made)
    return made["f"]()


@pytest.mark.parametrize("cell", CELLS)
def test_the_function_does_what_the_cell_does(cell):
    names = {}
    exec(cell, names)
    names = {name: held for name, held in names.items() if not name.startswith("__")}
    assert _ran(cell, sorted(names))[0] == names


@pytest.mark.parametrize("cell", CELLS)
def test_the_body_is_the_cell(cell):
    (function,) = ast.parse(f"def f():\n{indented(cell)}\n    return").body
    assert ast.dump(ast.Module(function.body[:-1], [])) == ast.dump(ast.parse(cell))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1 + 2", 3),
        ("a = 1; a + 1", 2),
        ("a = 'ä'; (a,\n 'ö')", ("ä", "ö")),
        ("1 + 2;", None),
        ("1 + 2; # quiet\n", None),
        ("a = 1", None),
        ("'x' # said\n", "x"),
    ],
)
def test_the_value_of_the_last_line_is_handed_out(cell, value):
    assert _ran(cell, ())[1] == value


def test_lines_keep_their_numbers():
    text = function_text("a = 1\n\nb = 2\n", "f", ("x",), ("a",), ("b",))
    assert text.splitlines()[3].strip() == "b = 2"


def test_what_was_not_bound_is_left_out():
    assert _ran("if 0:\n    a = 1\nb = 2", ("b",), ("a",))[0] == {"b": 2}


def test_a_cell_without_a_value_at_its_end_stays_as_it_is():
    assert with_last_shown("for i in ():\n    i") == "for i in ():\n    i"


@pytest.mark.parametrize("cell", [*CELLS, "", "a = [1]\n(a\n  [0])", "a = 1; a + 1", "f'{1}'"])
def test_the_tree_is_the_function_and_all_stands_where_it_does_in_the_cell(cell):
    text = function_text(cell, "f", ("b",), (), ())
    tree = function_tree(cell, text)
    (function,), (plain,) = tree.body, ast.parse(text).body
    assert ast.dump(ast.Module(function.body, [])) == ast.dump(ast.Module(plain.body, []))
    own = ast.parse(f"\n{cell}").body
    for mine, theirs in zip(function.body, own, strict=False):
        if isinstance(mine, ast.Assign) and mine.targets[0].id == SHOWN:
            mine = mine.value
            theirs = theirs.value
        assert ast.dump(mine, include_attributes=True) == ast.dump(theirs, include_attributes=True)
    compile(tree, "<cell>", "exec")
