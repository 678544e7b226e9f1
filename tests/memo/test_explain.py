import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from neurotools.jobs.cache import File, disk_cacher, hierarchical_cacher
from neurotools.memo.explanation import Explanation
from neurotools.memo.fingerprint.manifest import Difference, Manifest
from neurotools.memo.upkeep import collecting
from neurotools.memo.upkeep.inventory import Place


def test_a_hit_says_where(tmp_path):
    @hierarchical_cacher((tmp_path / "fast", tmp_path / "slow"))
    def f(x):
        return x

    f(1)
    why = f.explain(1)
    assert why.hit
    assert why.location == f.locate(1)
    assert str(why).startswith(f"hit: in {tmp_path / 'fast'}")


def test_explaining_runs_and_counts_nothing(tmp_path):
    @disk_cacher(tmp_path)
    def f(x):
        raise AssertionError("was run")

    assert not f.explain(1).hit
    assert f.cache_info()[:3] == (0, 0, 0)


def test_a_first_call_is_said_to_be_one(tmp_path):
    f = disk_cacher(tmp_path)(lambda x: x)
    assert str(f.explain(1)) == "miss: nothing is kept of this function yet"


def test_a_new_argument_is_shown_against_the_nearest_call(tmp_path):
    @disk_cacher(tmp_path)
    def f(x, gain=1.0, data=None):
        return x

    f("far", gain=5.0), f("near", data=np.zeros(3))
    why = f.explain("near", data=np.ones(3))
    assert not why.hit
    assert list(why.arguments) == ["data"]
    assert "argument data:" in str(why)
    assert why.location == f.locate("near", data=np.zeros(3))


def load(folder, source):
    import importlib

    (folder / "explained_module.py").write_text(source)
    sys.modules.pop("explained_module", None)
    importlib.invalidate_caches()
    module = importlib.import_module("explained_module")
    del sys.modules["explained_module"]
    return module.f


def test_changed_code_and_arguments_are_both_said(tmp_path):
    cached = disk_cacher(tmp_path)

    def make(step):
        @cached
        def f(x):
            return x + step

        return f

    make(1)(1)
    why = make(2)(2) and make(3).explain(3)
    assert "the code has changed, and these arguments are new" in str(why)
    assert why.code


def test_doubts_are_told(tmp_path):
    @disk_cacher(tmp_path, allow_mutable_bindings=True)
    def f(x):
        return eval(x)

    assert "doubt:" in str(f.explain("1"))


def test_changed_code_is_shown_with_its_lines(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    source = "def helper(x):\n    return x + 1\n\ndef f(x):\n    return helper(x)\n"
    f = disk_cacher(tmp_path)(load(tmp_path, source))
    f(1)
    g = disk_cacher(tmp_path)(load(tmp_path, source.replace("x + 1", "x + 12345")))
    why = g.explain(1)
    assert not why.hit
    assert "the code has changed" in why.reason
    assert len(why.code) == 1
    assert "helper" in str(why)
    assert "12345" in str(why)


class TestReasons:
    """Each reason by a real cause; what computing cost is told with all that ever computed."""

    @pytest.fixture
    def made(self, tmp_path, monkeypatch):
        """Return what makes a function from a source, as a new program would."""
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        return lambda source, **options: disk_cacher(tmp_path, **options)(load(tmp_path, source))

    def test_a_constant_is_told_with_both_values(self, made):
        source = "RATE = 30\ndef f(x):\n    return x * RATE\n"
        made(source)(1)
        why = made(source.replace("30", "25")).explain(1)
        assert why.kind == "code"
        assert "  changed value explained_module.RATE: 30 -> 25" in str(why).splitlines()

    def test_a_package_is_told_with_both_versions(self, made, monkeypatch):
        source = "import numpy\ndef f(x):\n    return numpy.add(x, 1)\n"
        f = made(source)
        f(1)
        place = Path(f.locate(1)).parent / "manifest.json"
        manifest = Manifest.from_json(place.read_text())
        assert any(part.kind == "package" for part in manifest.parts)
        older = [
            part._replace(digest="older", source="numpy 0.1") if part.kind == "package" else part
            for part in manifest.parts
        ]
        place.write_text(manifest._replace(parts=tuple(older)).to_json())
        place.parent.rename(place.parent.with_name("AnotherVersion"))
        assert "changed package numpy: numpy 0.1 -> numpy" in str(f.explain(1))

    def test_the_same_call_of_another_version_is_nearer_than_another_call(self, made):
        source = "def f(x):\n    return x + 1\n"
        made(source)(1)
        new = made(source.replace("+ 1", "+ 2"))
        new(2)
        assert new.explain(1).kind == "code"
        assert new.explain(3).kind == "arguments"

    def test_a_version_without_its_manifest_is_said_to_be_one(self, made):
        f = made("def f(x):\n    return x + 1\n")
        f(1)
        (Path(f.locate(1)).parent / "manifest.json").unlink()
        why = made("def f(x):\n    return x + 2\n").explain(1)
        assert "what has changed is not known, the version has no manifest" in why.reason

    def test_memory_remembers_the_code_of_earlier_versions(self, tmp_path, made):
        source = "def f(x):\n    return x + 1\n"
        remember = hierarchical_cacher(("ram://",))
        remember(load(tmp_path, source))(1)
        why = remember(load(tmp_path, source.replace("+ 1", "+ 2"))).explain(1)
        assert "  -    return x + 1\n  +    return x + 2" in str(why)

    def test_another_method_is_told(self, made):
        source = "def f(x):\n    return x\n"
        made(source)(1)
        why = made(source, method="pickle").explain(1)
        assert (why.kind, why.seconds is not None) == ("method", True)
        assert why.reason == "it is kept as npy, and pickle is asked for now"

    def test_a_file_argument_is_told_by_its_content(self, tmp_path):
        f = disk_cacher(tmp_path / "cache")(lambda path: 1)
        one, two = tmp_path / "one", tmp_path / "two"
        one.write_text("1"), two.write_text("2")
        f(File(one))
        assert "  file path: content " in str(f.explain(File(two)))

    def test_a_traced_file_is_told_with_both_digests(self, tmp_path):
        data = tmp_path / "data.txt"
        data.write_text("one")
        f = disk_cacher(tmp_path / "cache", trace=True)(lambda path: Path(path).read_text())
        f(str(data))
        data.write_text("other")
        why = f.explain(str(data))
        assert (why.kind, list(why.files)) == ("file", [str(data)])
        assert len(set(why.files[str(data)])) == 2
        data.unlink()
        assert "nothing now" in str(f.explain(str(data)))

    def test_damage_is_seen_before_the_call_meets_it(self, tmp_path):
        f = disk_cacher(tmp_path)(lambda x: x)
        f(1.0)
        path = Path(f.locate(1.0))
        content = bytearray(path.read_bytes())
        content[20] ^= 1
        path.write_bytes(content)
        why = f.explain(1.0)
        assert (why.hit, why.kind) == (False, "damaged")
        assert "its checksum does not fit" in why.reason
        assert why.seconds is not None
        assert path.exists()  # looking changes nothing
        f.hierarchy.get(f.key_of((1.0,), {}))  # as a call would, which moves it aside
        why = f.explain(1.0)
        assert why.reason.startswith("its entry was damaged, and moved aside on ")
        assert Path(why.location).read_bytes() == content

    def test_what_was_removed_for_its_age_has_expired(self, tmp_path):
        f = disk_cacher(tmp_path)(lambda x: x)
        f(1)
        os.utime(f.locate(1), (1, 1))
        root = f.hierarchy.tiers[0].root
        planned = collecting.plan(Place(root), collecting.Limits(older_than=-10.0))
        assert list(collecting.carry_out(root, planned.going, print))
        why = f.explain(1)
        assert why.kind == "expired"
        assert "not used for long" in why.reason

    def test_an_argument_without_a_digest_is_told(self, tmp_path):
        f = disk_cacher(tmp_path)(lambda x: x)
        assert f.explain(iter([])).kind == "uncached"


class TestTelling:
    def test_every_place_is_looked_at(self, tmp_path):
        pytest.importorskip("fsspec")
        places = ("ram://", tmp_path / "folder", "memory://explained")
        f = hierarchical_cacher(places)(lambda x: x)
        f(1)
        Path(f.locate(1)).unlink()
        why = f.explain(1)
        assert [look.state for look in why.tiers] == ["hit", "nothing", "hit"]
        lines = str(why).splitlines()
        start = lines.index("  looked in:")
        assert lines[start + 1].split() == ["hit", "ram://"]
        assert lines[start + 3].split()[1].startswith("memory://explained")

    def test_nothing_but_places_is_wider_than_a_terminal(self, tmp_path):
        f = disk_cacher(tmp_path)(lambda x, y=None: x)
        f("a" * 200)
        why = f.explain("b" * 200, y=list(range(100)))
        wide = [line for line in str(why).splitlines() if len(line) > 80]
        assert [line.split(":")[0] for line in wide] == ["  nearest entry"]

    def test_an_argument_that_was_not_given_is_told_from_none(self, tmp_path):
        f = disk_cacher(tmp_path)(lambda **more: 1)
        f(a=None)
        assert f.explain(b=None).as_dict()["arguments"] == {
            "a": ["None", "nothing"],
            "b": ["nothing", "None"],
        }

    def test_as_data_it_is_plain(self, tmp_path):
        f = disk_cacher(tmp_path)(lambda x: x)
        f(np.zeros(3))
        for told in (f.explain(np.ones(3)), f.explain(np.zeros(3))):
            assert json.loads(json.dumps(told.as_dict())) == told.as_dict()
            assert told.as_dict()["created"].endswith("Z")

    def test_in_notebooks_nothing_of_a_call_becomes_html(self, tmp_path):
        f = disk_cacher(tmp_path)(lambda x: x)
        f("<b>one</b>")
        shown = f.explain("<script>alert(1)</script>")._repr_html_()
        assert "<script" not in shown
        assert "<b>one" not in shown
        assert "&lt;script&gt;" in shown

    def test_in_notebooks_a_diff_is_coloured(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        source = "def f(x):\n    return x + 1\n"
        disk_cacher(tmp_path)(load(tmp_path, source))(1)
        shown = disk_cacher(tmp_path)(load(tmp_path, source.replace("+", "-"))).explain(1)
        assert '<span class="minus">-    return x + 1</span>' in shown._repr_html_()
        assert '<span class="plus">+    return x - 1</span>' in shown._repr_html_()

    def test_nothing_in_it_steers_a_terminal_or_breaks_json(self):
        part = Difference("changed", "value", "m.N", ("-\x1b[31m", "+1"))
        told = Explanation(False, "why", code=(part,), seconds=float("nan"), created=float("inf"))
        assert "\x1b" not in str(told)
        assert json.dumps(told.as_dict(), allow_nan=False)
        assert told._repr_html_()


def test_files_that_are_watched_are_no_doubt(tmp_path):
    (tmp_path / "in.txt").write_text("one")

    def load(path):
        return open(path).read()

    plain = disk_cacher(tmp_path)(load)
    watched = disk_cacher(tmp_path, trace="files")(load)
    path = str(tmp_path / "in.txt")
    assert "what a file holds does not count, unless" in plain.explain(path).doubts[0]
    assert watched.explain(path).doubts == ()


def test_a_session_shows_what_print_does(tmp_path):
    f = disk_cacher(tmp_path)(lambda x: x)
    assert repr(f.explain(1)) == str(f.explain(1))
    f(1)
    assert repr(f.lineage(1)) == str(f.lineage(1))
    with open(__file__) as opened:
        assert f.explain(opened).function.endswith("(lambda)")
