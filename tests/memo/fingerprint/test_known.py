"""What processes learn of source, and what later ones make of it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo.fingerprint import known, source
from neurotools.memo.fingerprint.known import Known
from neurotools.memo.fingerprint.reads import Import
from tests.memo.fingerprint.test_source import MODULES, functions_of


class Dictionary(dict):
    """A shelf."""

    def note(self, name):
        return self.get(name)

    def keep_note(self, name, content):
        self[name] = content


def fresh(function):
    """Return what the source says, whatever is known."""
    return source._describe(function.__code__, function.__globals__, False)


def learnt(functions, shelf):
    notes = Known(shelf)
    for function in functions:
        notes.learn(function.__code__, False, fresh(function))
    notes.save()
    return Known(shelf)


@pytest.mark.parametrize("name", [*MODULES, "neurotools.memo.turns.turn"])
def test_what_comes_back_is_what_the_source_says(name):
    functions = [f for f in functions_of(name) if "<" not in f.__code__.co_filename]
    notes = learnt(functions, Dictionary())
    with_source = [f for f in functions if fresh(f).text is not None]
    assert len(with_source) > 5
    for function in with_source:
        assert notes.described(function.__code__, False) == fresh(function)


def test_code_learnt_with_docstrings_is_not_known_without():
    notes = learnt([textwrap.dedent], Dictionary())
    assert notes.described(textwrap.dedent.__code__, docstrings=True) is None


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that writes a module and gives its function ``f``, loaded anew."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def load(text):
        (tmp_path / "learnt.py").write_text(text)
        sys.modules.pop("learnt", None)
        importlib.invalidate_caches()
        return importlib.import_module("learnt").f

    yield load
    sys.modules.pop("learnt", None)


def test_an_edited_file_is_learnt_anew(module):
    shelf = Dictionary()
    before = module("def f():\n    import json as j\n    return eval('j.x')\n")
    assert learnt([before], shelf).described(before.__code__, False).reads.imports == {
        Import(0, "json")
    }
    after = module("def f():\n    import json as j\n    return eval('j.x')  # edited\n")
    assert Known(shelf).described(after.__code__, False) is None
    assert learnt([after], shelf).described(after.__code__, False).text.endswith("edited\n")


def test_processes_that_learn_of_one_file_add_to_each_other(module):
    f = module("def f():\n    return g()\n\ndef g():\n    return 1\n")
    g, shelf = f.__globals__["g"], Dictionary()
    one, other = Known(shelf), Known(shelf)
    one.learn(f.__code__, False, fresh(f))
    other.learn(g.__code__, False, fresh(g))
    one.save()
    other.save()
    later = Known(shelf)
    assert None not in (later.described(f.__code__, False), later.described(g.__code__, False))


def test_cells_and_archives_leave_no_notes():
    shelf = Dictionary()
    names = {}
    exec("def f():\n    return 1\n", names)
    learnt([names["f"]], shelf)
    assert shelf == {}


class Damaged(Dictionary):
    """A shelf that gives its notes back changed."""

    def __init__(self, change):
        self.change = change

    def note(self, name):
        return self.change(self[name]) if name in self else None


def _resealed(change):
    """Return a change of what a note says, with the checksum made to fit."""

    def changed(note):
        text = json.dumps(change(json.loads(note.partition(b"\n")[2])))
        return f"{known.short_digest(text)}\n{text}".encode()

    return changed


def _rows(change):
    return _resealed(
        lambda facts: {**facts, "rows": {name: change(row) for name, row in facts["rows"].items()}}
    )


def _deep(_):
    text = "[" * 100_000
    return f"{known.short_digest(text)}\n{text}".encode()


DAMAGES = {
    "cut": lambda note: note[: len(note) // 2],
    "empty": lambda _: b"",
    "not text": lambda note: b"\xff" + note,
    "a read left out": lambda note: note.replace(b'"re"', b'"os"'),
    "no object": _resealed(lambda _: [1, 2]),
    "deep": _deep,
    "another layout": _resealed(lambda facts: {**facts, "layout": 0}),
    "no rows": _resealed(lambda facts: {"layout": facts["layout"], "file": facts["file"]}),
    "rows of another kind": _rows(lambda _: 7),
    "short rows": _rows(lambda row: row[:4]),
    "numbers for text": _rows(lambda row: [1, *row[1:]]),
    "reads of another kind": _rows(lambda row: [*row[:3], [[[1, 2], 3, 4]], *row[4:]]),
}


def test_a_note_that_fits_is_read():
    shelf = Damaged(_resealed(lambda facts: facts))
    learnt([textwrap.dedent], shelf)
    assert Known(shelf).described(textwrap.dedent.__code__, False) == fresh(textwrap.dedent)


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_note_is_no_note(change):
    shelf = Damaged(change)
    learnt([textwrap.dedent], shelf)
    assert Known(shelf).described(textwrap.dedent.__code__, False) is None


@given(st.data())
def test_no_damage_changes_what_a_note_says(data):
    shelf = Dictionary()
    learnt([textwrap.dedent], shelf)
    ((name, note),) = shelf.items()
    place = data.draw(st.integers(0, len(note) - 1))
    shelf[name] = note[:place] + data.draw(st.binary(max_size=3)) + note[place + 1 :]
    found = Known(shelf).described(textwrap.dedent.__code__, False)
    assert found in (None, fresh(textwrap.dedent))
    assert (found is None) == (shelf[name] != note)


PROGRAM = """
import sys
from neurotools.jobs.cache import disk_cacher
import helpers

@disk_cacher({cache!r})
def f(x):
    return helpers.g(x)

print(f(1), f.keys.fingerprint.code, "neurotools.memo.fingerprint.reader" in sys.modules)
"""


def test_a_new_process_takes_no_unchanged_source_apart(tmp_path):
    (tmp_path / "helpers.py").write_text(
        "def g(x):\n    return [x, h(x)]\n\ndef h(x):\n    return x\n"
    )
    (tmp_path / "main.py").write_text(PROGRAM.format(cache=str(tmp_path / "cache")))

    def run():
        command = [sys.executable, str(tmp_path / "main.py")]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    *first, parsed = run()
    assert parsed == "True"
    assert run() == [*first, "False"]
