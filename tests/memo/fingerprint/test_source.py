"""Normalized source: what counts of a definition, and that it is the right one."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import itertools
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo.fingerprint import source
from neurotools.memo.fingerprint.bytecode import nested, reads_of_code
from neurotools.memo.fingerprint.normal import canonical
from neurotools.memo.fingerprint.reader import reads_of
from neurotools.memo.fingerprint.reads import READ
from neurotools.memo.fingerprint.scopes import FUNCTIONS
from neurotools.memo.fingerprint.source import described, normalized
from tests.memo.fingerprint.sessions import Session


def text(code, **options):
    (definition,) = ast.parse(code).body
    return canonical(definition, **options)


SAME = {
    "layout": ("def f(x): return x+1", "def f( x ):\n\n    return (x\n      + 1)"),
    "quotes": ("def f(): return 'a'", 'def f(): return """a"""'),
    "concatenation": ("def f(): return 'a' 'b'", "def f(): return 'ab'"),
    "hints": ("def f(x: int, *a: str) -> None: y: int = x", "def f(x, *a): y = x"),
    "bare hint": ("def f(x):\n  y: int\n  y = x", "def f(x):\n  y = x"),
    "docstring": ("def f():\n  'one'\n  return 1", "def f():\n  return 1"),
    "docstring alone": ("def f(): 'one'", "def f(): pass"),
    "pass": ("def f():\n  pass\n  return 1", "def f(): return 1"),
    "ellipsis": ("def f(): ...", "def f(): pass"),
    "name": ("def f(): return 1", "def g(): return 1"),
    "decorators": ("@a\n@b(1)\ndef f(): return 1", "def f(): return 1"),
    "values of defaults": ("def f(x=1, *, y=2): return x", "def f(x=3, *, y=4): return x"),
    "type comment": ("def f(x):\n  # type: (int) -> int\n  return x", "def f(x): return x"),
    "docstring of a nested function": (
        "def f():\n  def g():\n    'one'\n    return 1\n  return g",
        "def f():\n  def g():\n    return 1\n  return g",
    ),
    "hints of a nested class": (
        "def f():\n  class A:\n    x: int = 1\n  return A",
        "def f():\n  class A:\n    x = 1\n  return A",
    ),
    "u prefix": ("def f(): return u'a'", "def f(): return 'a'"),
    "order of declared globals": ("def f():\n  global a, b", "def f():\n  global b, a"),
}


@pytest.mark.parametrize("pair", SAME.values(), ids=SAME)
def test_definitions_that_run_alike_are_equal(pair):
    assert text(pair[0]) == text(pair[1])


DIFFERENT = {
    "integer and float": ("def f(): return 1", "def f(): return 1.0"),
    "integer and boolean": ("def f(): return 1", "def f(): return True"),
    "float and complex": ("def f(): return 1.0", "def f(): return (1.0+0j)"),
    "text and bytes": ("def f(): return 'a'", "def f(): return b'a'"),
    "tuple and list": ("def f(): return (1,)", "def f(): return [1]"),
    "name and text": ("def f(): return a", "def f(): return 'a'"),
    "attribute and name": ("def f(): return a.b", "def f(): return ab"),
    "nesting": ("def f(): return (a, (b, c))", "def f(): return ((a, b), c)"),
    "two lists": ("def f(): return g([a], [b])", "def f(): return g([a, b], [])"),
    "asynchronous": ("def f(): return 1", "async def f(): return 1"),
    "local name": ("def f():\n  x: int\n  return x", "def f(): return x"),
    "keyword and position": ("def f(): return g(x=1)", "def f(): return g(1)"),
    "keyword-only": ("def f(a, b): pass", "def f(a, *, b): pass"),
    "positional-only": ("def f(a, b): pass", "def f(a, /, b): pass"),
    "star": ("def f(a): pass", "def f(*a): pass"),
    "global": ("def f():\n  global x\n  x = 1", "def f():\n  x = 1"),
    "else": ("def f():\n  if a: b()\n  c()", "def f():\n  if a: b()\n  else: c()"),
    "in the loop and after it": (
        "def f():\n  for a in b:\n    c()\n    d()",
        "def f():\n  for a in b:\n    c()\n  d()",
    ),
    "sides of a subtraction": ("def f(): return a - b", "def f(): return b - a"),
    "comparison": ("def f(): return a < b", "def f(): return a <= b"),
    "is": ("def f(): return a is b", "def f(): return a == b"),
    "text in an f-string": ("def f(): return f'{a}b'", "def f(): return f'{a}c'"),
    "format of an f-string": ("def f(): return f'{a:1}'", "def f(): return f'{a:2}'"),
    "conversion in an f-string": ("def f(): return f'{a!r}'", "def f(): return f'{a!s}'"),
    "hints of a nested dataclass": (
        "def f():\n  @d\n  class A:\n    x: int",
        "def f():\n  @d\n  class A:\n    x: float",
    ),
    "fields of a nested dataclass": (
        "def f():\n  @d\n  class A:\n    x: int\n    y: int",
        "def f():\n  @d\n  class A:\n    y: int\n    x: int",
    ),
    "default of a nested function": (
        "def f():\n  def g(x=1): pass",
        "def f():\n  def g(x=2): pass",
    ),
    "decorator of a nested function": (
        "def f():\n  @a\n  def g(): pass",
        "def f():\n  @b\n  def g(): pass",
    ),
    "text that looks like the text around it": (
        "def f(): return 'a\\n)', 'b'",
        "def f(): return 'a', ')\\nb'",
    ),
    "pattern none and any": (
        "def f(x):\n  match x:\n    case None: pass",
        "def f(x):\n  match x:\n    case _: pass",
    ),
    "dictionary merged and nested": ("def f(): return {**a}", "def f(): return {a: a}"),
}


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_definitions_that_may_run_otherwise_differ(pair):
    assert text(pair[0]) != text(pair[1])


def test_docstrings_count_when_asked_for():
    pair = "def f(): 'one'", "def f(): 'two'"
    assert text(pair[0], docstrings=True) != text(pair[1], docstrings=True)


def test_indentation_of_a_docstring_does_not_count():
    pair = "def f():\n  '''one\n  two'''", "def f():\n      '''one\n      two'''"
    assert text(pair[0], docstrings=True) == text(pair[1], docstrings=True)


constants = st.one_of(
    st.integers(), st.booleans(), st.none(), st.text(), st.binary(), st.just(...),
    st.floats(0, allow_nan=False, allow_infinity=False),
)  # fmt: skip


@given(constants, constants)
def test_constants_are_told_apart_by_type_and_value(one, two):
    texts = []
    for value in (one, two):
        definition = ast.parse("lambda: 0", mode="eval").body
        definition.body = ast.Constant(value)
        texts.append(canonical(definition))
    same = type(one) is type(two) and repr(one) == repr(two)
    assert (texts[0] == texts[1]) == same


def test_a_deeply_nested_expression_is_no_reason_to_fail():
    deep = "+".join(["x"] * 900)
    assert text(f"def f(x): return {deep}") != text(f"def f(x): return {deep}+x")


# Lambdas and look-alikes

PAIR = lambda x: x + 1, lambda x: x * 2
SAME_CODE = lambda x: x, lambda x: x
NESTED = (lambda x: lambda y: x - y), (lambda x: lambda y: y - x)
MANY = {"a": lambda x: x, "b": lambda x: -x, "c": lambda x: +x}


@pytest.mark.parametrize("functions", [PAIR, NESTED, MANY.values()], ids=["pair", "nested", "many"])
def test_lambdas_on_one_line_are_told_apart(functions):
    assert len({normalized(function) for function in functions}) == len(functions)


def test_the_text_of_a_lambda_is_its_own():
    found = source.find(PAIR[1].__code__, globals())
    assert found.text == "lambda x: x * 2"


def test_lambdas_that_do_the_same_are_equal():
    assert normalized(SAME_CODE[0]) == normalized(SAME_CODE[1])


def test_an_inner_lambda_is_found():
    assert "BinOp" in normalized(NESTED[0](1))


LAMBDAS = """
import math
a = lambda: 1
b = lambda x: None
c = (lambda x:
     1)
d = lambda x: (lambda y: (lambda z: z)(y))(x), lambda: 2
e = {'a': lambda: 1, 'b': lambda: 1, 'c': lambda q=lambda: 3: q()}
f = [lambda i=i: i for i in range(3)]
class C:
    g = lambda self: 5
    h = property(lambda self: (yield 1))
@(lambda k: k)
def w(x=lambda: 4): return lambda: x
i = lambda *a, **k: (a if a else
   k)
j = (lambda x: x
     if x else
     0)
k = f"{(lambda: 7)()}"
l = lambda: (lambda: 1, lambda: 1)
m = sorted([], key=lambda x: (x,
   1)); n = lambda: ...
o = lambda: [y for y in (lambda: [1])()]
p = lambda y=lambda: (lambda: 0): math.sqrt(y)
"""


def test_lambdas_are_found_wherever_they_stand():
    session = Session()
    session.run(LAMBDAS)
    name = session["a"].__code__.co_filename
    codes = [c for c in nested(compile(LAMBDAS, name, "exec")) if c.co_name == "<lambda>"]
    missing = [code for code in codes if source.find(code, vars(session.module)) is None]
    assert len(codes) >= 25
    assert missing == []
    session.close()


@pytest.mark.parametrize(
    ("name", "qualname"),
    [
        ("method", "Outer.method"),
        ("inner", "Outer.Inner.method"),
        ("local", "Outer.make.<locals>.g"),
    ],
)
def test_names_are_qualified(name, qualname):
    functions = {
        "method": Outer.method,
        "inner": Outer.Inner.method,
        "local": Outer().make(),
    }
    function = functions[name]
    assert source.find(function.__code__, function.__globals__).qualname == qualname


class Outer:
    def method(self): ...

    class Inner:
        def method(self): ...

    def make(self):
        def g(): ...

        return g


if itertools.count:  # two definitions of one name

    def twice(x):
        return x + 1
else:

    def twice(x):
        return x + 2


def test_the_definition_that_runs_is_found_among_several():
    assert source.find(twice.__code__, globals()).text.endswith("x + 1\n")


# Where source is found


def test_cells_of_a_session():
    session = Session()
    session.run("import math\n\ndef g(x):\n    return math.sqrt(x)  # so\n")
    assert source.find(session["g"].__code__, vars(session.module)) is not None
    session.close()


def test_statements_compiled_one_by_one():
    """Shells compile the statements of a cell by themselves, and code differs by that."""
    session = Session()
    cell = "import math\ndef g(x): return math.sqrt(x)\n"
    session.run(cell)
    name = session["g"].__code__.co_filename
    for statement in ast.parse(cell).body:
        exec(compile(ast.Module([statement], []), name, "exec"), vars(session.module))
    assert source.find(session["g"].__code__, vars(session.module)) is not None
    session.close()


def test_examples_in_docstrings():
    found = []
    globs = {"found": found, "find": source.find}
    text = ">>> def g(x): return x\n>>> found.append(find(g.__code__, globals()))\n"
    test = doctest.DocTestParser().get_doctest(text, globs, "example", None, 0)
    doctest.DocTestRunner().run(test, clear_globs=False)
    assert found[0].text == "def g(x): return x\n"


def test_code_without_source_counts_by_its_bytecode():
    names = {}
    for number in (1, 2):
        exec(f"def g{number}(x): return x + {number}", names)
    names["g2"].__code__ = names["g2"].__code__.replace(co_name="g1")
    assert normalized(names["g1"]) != normalized(names["g2"])
    assert "cpython" in normalized(names["g1"])


def test_code_whose_name_hides_another_file(tmp_path):
    """A code object may name a file that holds something else."""
    file = tmp_path / "other.py"
    file.write_text("def g(x): return x + 1\n")
    names = {}
    exec(compile("def g(x): return x + 2\n", str(file), "exec"), names)
    assert source.find(names["g"].__code__, names) is None


def test_future_imports_are_known():
    session = Session()
    session.run("from __future__ import annotations\ndef g(x: int):\n    y: int = x\n    return y")
    assert source.find(session["g"].__code__, vars(session.module)) is not None
    session.close()


MODULES = ["argparse", "ast", "collections", "contextlib", "csv", "dataclasses", "enum", "textwrap"]


def functions_of(name):
    module = importlib.import_module(name)
    classes = [v for v in vars(module).values() if isinstance(v, type)]
    held = [*vars(module).values(), *(v for cls in classes for v in vars(cls).values())]
    for value in held:
        function = inspect.unwrap(getattr(value, "__func__", value))
        if isinstance(function, types.FunctionType) and function.__globals__ is vars(module):
            yield function


@pytest.mark.parametrize("name", MODULES)
def test_real_modules_are_found_in_their_source(name):
    functions = [f for f in functions_of(name) if "<" not in f.__code__.co_filename]
    missing = [f for f in functions if source.find(f.__code__, f.__globals__) is None]
    assert len(functions) > 5
    assert missing == []


@pytest.mark.parametrize("name", MODULES)
def test_names_read_by_source_are_at_least_those_read_by_bytecode(name):
    """The compiler knows what a function reads; reading the source must find no less."""
    for function in functions_of(name):
        code = function.__code__
        found = described(code, function.__globals__, False).reads
        names = {read.root for read in (*found.uses, *found.computed)}
        compiled = {
            read.root
            for read, how in reads_of_code(code).uses.items()
            if how & READ and isinstance(read.root, str) and read.root in function.__globals__
        }
        assert compiled - names <= {"__name__"}, function


@pytest.mark.parametrize("name", MODULES)
def test_layout_does_not_count_in_real_modules(name):
    """What is parsed, written out by Python in its own layout, and parsed again is the same."""
    tree = ast.parse(inspect.getsource(importlib.import_module(name)))
    for node in (node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)):
        again = ast.parse(ast.unparse(node)).body[0]
        again = again.value if isinstance(again, ast.Expr) else again
        assert canonical(again) == canonical(node), ast.unparse(node)
        assert reads_of(again).uses == reads_of(node).uses
