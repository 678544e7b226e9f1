"""Manifests: kept, read back whatever the file holds, and compared."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo.fingerprint import manifest as module
from neurotools.memo.fingerprint.manifest import Manifest, Part, difference
from neurotools.memo.fingerprint.reach import Tracker
from tests.memo.fingerprint.sessions import Session

texts = st.text(st.characters(codec="utf-8") | st.just("\udc80"), max_size=20)
parts = st.builds(Part, texts, texts, texts, st.none() | texts)
manifests = st.builds(
    Manifest, texts, texts, st.lists(parts, max_size=5).map(tuple), st.lists(texts).map(tuple)
)


@given(manifests)
def test_a_manifest_survives_its_file(manifest):
    assert Manifest.from_json(manifest.to_json()) == manifest


@given(manifests)
def test_its_text_is_ascii(manifest):
    assert manifest.to_json().isascii()


def example():
    return json.loads(Manifest("m:f", "c", (Part("m:f", "function", "d", "def f(): 1"),)).to_json())


def packed(content):
    return base64.b64encode(zlib.compress(content)).decode()


DAMAGED = {
    "empty": "",
    "no json": "{",
    "a number": "1",
    "a list": "[]",
    "nothing in it": "{}",
    "deep": "[" * 100_000,
    "another layout": json.dumps({**example(), "layout": 99}),
    "a code that is a number": json.dumps({**example(), "code": 1}),
    "parts that are a number": json.dumps({**example(), "parts": 1}),
    "short rows": json.dumps({**example(), "parts": [["a"]]}),
    "a part of numbers": json.dumps({**example(), "parts": [[1, 2, 3]]}),
    "doubts that are a number": json.dumps({**example(), "doubts": 1}),
    "doubts that are numbers": json.dumps({**example(), "doubts": [1]}),
    "sources missing": json.dumps({**example(), "sources": packed(b"[]")}),
    "sources that are a number": json.dumps({**example(), "sources": packed(b"1")}),
    "sources that are numbers": json.dumps({**example(), "sources": packed(b"[1]")}),
    "sources not compressed": json.dumps({**example(), "sources": "AAAA"}),
    "sources not encoded": json.dumps({**example(), "sources": "*"}),
    "sources cut off": json.dumps({**example(), "sources": example()["sources"][:8]}),
    "sources not text": json.dumps({**example(), "sources": packed(b"\xff\xfe")}),
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_what_is_no_manifest_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 - from json, zlib, base64 or here
        Manifest.from_json(text)


@given(
    st.recursive(
        st.none() | st.integers() | texts, lambda s: st.lists(s) | st.dictionaries(texts, s)
    )
)
def test_any_json_is_a_manifest_or_a_value_error(content):
    with pytest.raises(ValueError):  # noqa: PT011
        Manifest.from_json(json.dumps(content))


def test_sources_that_unpack_to_a_flood_are_refused(monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 100_000)
    flood = packed(json.dumps(["a" * 200_000]).encode())
    with pytest.raises(ValueError, match="too long"):
        Manifest.from_json(json.dumps({**example(), "layout": 1, "sources": flood}))


def test_a_manifest_with_one_changed_letter_is_refused():
    for name, was, now in (("code", "c", "d"), ("checksum", "", "x")):
        content = {**example(), name: example()[name].replace(was, now, 1)}
        assert content != example()
        with pytest.raises(ValueError, match="damaged"):
            Manifest.from_json(json.dumps(content))


def test_a_text_that_is_too_long_is_not_read(monkeypatch):
    monkeypatch.setattr(module, "LIMIT", 100)
    with pytest.raises(ValueError, match="too long"):
        Manifest.from_json(" " * 200)


class TestDifference:
    def test_equal_manifests_do_not_differ(self):
        manifest = Manifest("f", "c", (Part("a", "value", "1"),))
        assert difference(manifest, manifest) == ()

    @pytest.mark.parametrize(
        ("old", "new", "what"), [((), ("a",), "added"), (("a",), (), "removed")]
    )
    def test_parts_come_and_go(self, old, new, what):
        before, after = (
            Manifest("f", "c", tuple(Part(name, "value", "1", "x") for name in names))
            for names in (old, new)
        )
        (found,) = difference(before, after)
        assert (found.what, found.kind, found.name) == (what, "value", "a")

    def test_a_changed_part_shows_its_lines(self):
        old, new = (
            Manifest("f", "c", (Part("a", "function", str(n), f"def a():\n    return {n}\n"),))
            for n in (1, 2)
        )
        (found,) = difference(old, new)
        assert found.lines == (" def a():", "-    return 1", "+    return 2")

    def test_lines_that_look_like_headers_are_shown(self):
        old, new = (Manifest("f", "c", (Part("a", "x", t, t),)) for t in ("-- a\n@@", "++ a\n@@"))
        (found,) = difference(old, new)
        assert found.lines == ("--- a", "+++ a", " @@")

    def test_it_reads_as_text(self):
        session = Session()
        session.run("RATE = 1\ndef g(x):\n    return x * RATE\ndef f(x):\n    return g(x)")
        tracker = Tracker(session["f"])
        old = tracker.current().manifest
        session.run("RATE = 2\ndef g(x):\n    return x + RATE")
        name = session.module.__name__
        assert "\n".join(map(str, difference(old, tracker.current().manifest))).splitlines() == [
            f"changed function {name}:g",
            " def g(x):",
            "-    return x * RATE",
            "+    return x + RATE",
            f"changed value {name}.RATE",
            "-1",
            "+2",
        ]
        session.close()


def test_a_manifest_lists_what_counts():
    session = Session()
    session.run("import numpy as np\nN = 1\ndef g(x): return np.sum(x)\ndef f(x): return g(x) + N")
    manifest = Tracker(session["f"]).current().manifest
    name = session.module.__name__
    assert {(part.kind, part.name) for part in manifest.parts} == {
        ("function", f"{name}:f"),
        ("function", f"{name}:g"),
        ("name", f"{name}.np"),
        ("package", "numpy"),
        ("value", f"{name}.N"),
    }
    session.close()


def test_parts_are_sorted_and_occur_once():
    session = Session()
    session.run("A = B = 1\ndef h(): return A\ndef g(): return A + B\ndef f(x): return g() + h()")
    found = [(part.kind, part.name) for part in Tracker(session["f"]).current().manifest.parts]
    assert found == sorted(set(found))
    session.close()
