"""One program has one fingerprint: on all Pythons and machines, in all folders and processes."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

PROGRAM = {
    "main.py": """
\"\"\"A program with a bit of everything.\"\"\"
import dataclasses, enum, functools, math, os, re
from collections import OrderedDict, namedtuple
from pathlib import Path
from typing import Any, Generic, NamedTuple, Optional, TypeVar
import numpy as np
from pkg import low as lower
from pkg.low import scale

T = TypeVar("T")
RATE: float = 0.1
NAMES = {"b", "a", "c"}
TABLE = {"half": lambda x: x / 2, "double": lambda x: x * 2}
WEIGHTS = np.linspace(0, 1, 5)
PATTERN = re.compile("a+", re.I)
HOME = Path("data") / "raw"
STEPS = (abs, math.floor, functools.partial(pow, 2), Path, os.path.join, open)
LOG: list = []

class Color(enum.Enum):
    RED = 1
    BLUE = "b"
    @property
    def short(self): return self.name[0]
    @classmethod
    def _missing_(cls, value): return cls.RED

class Mode(enum.IntFlag):
    READ = 1
    WRITE = 2

@dataclasses.dataclass(order=True)
class Setup:
    n: int = 3
    items: list = dataclasses.field(default_factory=list)
    def __post_init__(self): self.n += 1

class Point(NamedTuple):
    x: float
    y: float = 0.0
    def norm(self): return math.hypot(*self)

Pair = namedtuple("Pair", "a b", defaults=(1,))

class Base(Generic[T]):
    __slots__ = ("v",)
    def __init__(self, v: T): self.v = v
    def __call__(self, x): return f"{self.v!r:>{10}}{x:}{x=}"

class Child(Base[int]):
    limit = 5
    @functools.cached_property
    def c(self): return super().__call__(1)
    @staticmethod
    def s(x, /, y=2, *, z=3): return x + y + z

def wrapped(n):
    def outer(g):
        @functools.wraps(g)
        def inner(*a, **k):
            try:
                return g(*a, **k) * n
            except (ValueError, KeyError) as error:
                raise RuntimeError from error
        return inner
    return outer

@wrapped(2)
def helper(x: Optional[int], *rest: Any) -> float:
    \"\"\"Doc.\"\"\"
    LOG.append(x)
    with open(os.devnull) as file:
        pass
    match x:
        case 0 | 1: return RATE
        case [a, *_]: return a
        case {"k": v}: return v
    return sum(i * w for i, w in zip(range(5), WEIGHTS)) + scale(x)

@functools.lru_cache(maxsize=None)
def cached(x): return [*map(str, sorted(NAMES)), lower.CONSTANT]

@functools.singledispatch
def dispatched(x): return None

@dispatched.register
def _(x: int): return cached(x)

async def later():
    async for i in source():
        yield i

async def source():
    yield 1

def f(x, *, mode=Mode.READ | Mode.WRITE, color=Color.BLUE):
    import pkg.low
    local = [y for y in TABLE if (z := len(y)) > 1]
    assert local, "no steps"
    return (helper(x), dispatched(x), Setup(), Point(1.0), Pair(2), Child(1), later, PATTERN,
            HOME, STEPS, pkg.low.__name__, undefined_name if x < 0 else -0.0, 1_000, 1e3, b"\\x00")
""",
    "pkg/__init__.py": "",
    "pkg/low.py": "from pkg import low\nCONSTANT = ('x', 1, 1.0, True, None)\n"
    "def scale(x): return x * low.CONSTANT[1]\n",
}

#: The fingerprint of the program without distributions. It may only change with the rules: then all
#: results that anybody has kept are computed again.
CODE = "7XcSSBkLwdE3sg"

LOOK = """
import json, sys
sys.path.insert(0, {folder!r})
import main
from neurotools.memo.fingerprint.reach import Tracker
tracker = Tracker(main.f, packages="off")
print(json.dumps([tracker.current().code, tracker.current().manifest.to_json()]))
"""


def write(folder, **changes):
    for path, text in PROGRAM.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode().replace(b"\n", changes.get("newline", b"\n")))
    return folder


def look(folder, python=sys.executable, options=(), cwd=None, **environment):
    script = LOOK.format(folder=str(folder))
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [python, *options, "-c", script]
    done = subprocess.run(
        command, capture_output=True, text=True, env=variables, cwd=cwd or folder, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)[0]


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "project")


def test_the_code_is_the_one_that_is_kept(folder):
    assert look(folder) == CODE


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_whatever_the_seed_of_hashes(folder, seed):
    assert look(folder, PYTHONHASHSEED=seed) == CODE


def test_whatever_the_working_directory(folder, tmp_path):
    assert look(folder, cwd=tmp_path) == CODE


def test_whatever_the_folder(tmp_path):
    assert look(write(tmp_path / "some" / "where" / "else é")) == CODE


def test_whatever_the_ends_of_lines(tmp_path):
    assert look(write(tmp_path, newline=b"\r\n")) == CODE


def test_with_compiled_files_or_without(folder):
    assert look(folder, options=["-B"]) == CODE
    for path in folder.rglob("*.py"):
        py_compile.compile(str(path))
    assert look(folder) == CODE


def test_read_from_an_archive(folder, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "archive"), "zip", folder)
    assert look(archive, cwd=tmp_path) == CODE


def test_where_assertions_are_left_out_that_counts(folder):
    assert look(folder, options=["-O"]) != CODE


def test_as_a_script_it_has_another_name_and_else_counts_alike(folder):
    script = folder / "main.py"
    script.write_text(
        script.read_text()
        + "\nif __name__ == '__main__':\n"
        + "    from neurotools.memo.fingerprint.reach import Tracker\n"
        + "    manifest = Tracker(f, packages='off').current().manifest\n"
        + "    print(sorted((p.kind, p.digest) for p in manifest.parts if p.kind == 'function'))\n"
        + "    import main\n"
        + "    manifest = Tracker(main.f, packages='off').current().manifest\n"
        + "    print(sorted((p.kind, p.digest) for p in manifest.parts if p.kind == 'function'))\n"
    )
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=True)
    first, second = done.stdout.splitlines()
    assert first == second
