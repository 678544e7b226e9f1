"""Caches of the earlier neurotools, taken over; `legacy_files.json` holds one."""

import base64
import importlib
import json
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from neurotools.jobs.cache import combine_caches, scan_cachedir
from neurotools.memo.upkeep.legacy import legacy_code

DATA = json.loads(Path(__file__).with_name("legacy_files.json").read_text())


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return the module whose calls the earlier neurotools has kept."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for path, content in DATA["files"].items():
        place = tmp_path / "c" / path
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.write_bytes(base64.b64decode(content))
        place.chmod(0o600)
    (tmp_path / "legacy_study.py").write_text(DATA["study"])
    sys.modules.pop("legacy_study", None)
    yield importlib.import_module("legacy_study")
    sys.modules.pop("legacy_study", None)


def adopted(f, **options):
    return combine_caches(f.cache_root, f, legacy=True, **options)


def entry_of(study, name):
    return next(Path(study.remember.cache_root, "legacy_study", name).rglob("*.*"))


CALLS = [
    ("one", (3,), {}),
    ("one", ([1],), {}),
    ("one", ({"k": [1], "b": (2,)},), {}),
    ("one", (np.arange(40.0) / 7,), {}),
    ("two", (1,), {}),
    ("two", (1, 3, 4, 5), {"z": 1, "y": "q"}),
    ("two", (1,), {"b": 7}),
    ("scaled", (np.arange(6.0).reshape(2, 3) / 7, 2), {}),
    ("scaled", (np.float32(0.1), np.float32(3)), {}),
    ("pair", (None,), {"flag": False}),
    ("nothing", (), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), CALLS)
def test_results_of_the_earlier_neurotools_are_found(study, name, args, kwargs):
    f = getattr(study, name)
    assert not f.check_call_in_cache(*args, **kwargs)
    done = adopted(f)
    assert not done.unreadable, done.reasons
    assert f.check_call_in_cache(*args, **kwargs)
    found, new = f(*args, **kwargs), f.__wrapped__(*args, **kwargs)
    assert pickle.dumps(found) == pickle.dumps(new)
    assert f.cache_info().misses == 0


def test_arguments_that_had_one_name_are_told_apart(study):
    done = adopted(study.one)
    assert len(done.merged) == 4
    assert not study.one.check_call_in_cache(1)  # it was kept as the name of [1]
    assert study.one(1) == 1


def test_it_can_be_done_again(study):
    adopted(study.one)
    done = adopted(study.one)
    assert (len(done.merged), len(done.kept)) == (0, 4)


def test_without_being_asked_nothing_is_taken_over(study):
    done = combine_caches(study.one.cache_root, study.one)
    assert (len(done.merged), len(done.unreadable)) == (0, 4)


def test_their_names_are_read_without_opening_them(study):
    found = scan_cachedir(Path(study.one.cache_root, "legacy_study"))
    arguments = [args for name, (args, _) in found.items() if name.startswith("one/")]
    # A single argument was named by one letter; a long one is not in the name.
    kept = [{"d": 1}, {"d": (("b", 2), ("k", 1))}, {"d": 3}]
    assert sorted(map(str, arguments)) == sorted(map(str, kept))
    assert any(extra == [4, 5] for _, extra in found.values())


def test_the_old_files_stay_as_they_are(study, tmp_path):
    before = {path: (tmp_path / "c" / path).read_bytes() for path in DATA["files"]}
    adopted(study.one), adopted(study.pair)
    assert before == {path: (tmp_path / "c" / path).read_bytes() for path in DATA["files"]}


def test_repairing_a_cache_leaves_them_where_they_are(study, tmp_path, capsys):
    from neurotools.console.main import main

    damaged = entry_of(study, "pair")
    damaged.write_bytes(b"damage")
    assert main(["verify", "c", "--repair"]) == 0
    told = capsys.readouterr().out
    assert "13 entries of the earlier neurotools" in told
    assert not damaged.exists()
    assert sum((tmp_path / "c" / path).exists() for path in DATA["files"]) == 13


def test_arguments_that_a_function_changed_are_noticed(study):
    done = adopted(study.grows)
    assert not done.merged
    assert "changed them as it ran" in next(iter(done.reasons.values()))


def test_a_function_in_another_counts_by_its_code_and_a_closure_not_at_all(study, tmp_path):
    assert len(adopted(study.inner).merged) == 1
    assert len(adopted(study.closing).foreign) == 1
    (tmp_path / "legacy_study.py").write_text(DATA["study"].replace("v + 1", "v + 100"))
    os.utime(tmp_path / "legacy_study.py", (1, 1))
    again = importlib.reload(study)
    assert len(adopted(again.inner).foreign) == 2  # the old file, and what was made of it


def test_what_is_taken_over_is_verified_on_request(study, tmp_path):
    done = adopted(study.scaled, verify="all")
    assert (done.verdicts[0].verified, len(done.merged)) == (2, 2)
    study.scaled.purge()
    (tmp_path / "legacy_study.py").write_text(DATA["study"].replace("array * by", "array * by + 1"))
    os.utime(tmp_path / "legacy_study.py", (1, 1))
    again = importlib.reload(study)
    done = adopted(again.scaled, verify="all")
    assert (len(done.refused), len(done.merged)) == (2, 0)
    assert "give something else now" in str(done)


def test_old_and_new_entries_are_taken_over_together(study, tmp_path):
    study.one("new")
    (tmp_path / "legacy_study.py").write_text(
        DATA["study"].replace("return data", "return (data)#")
    )
    (tmp_path / "legacy_study.py").write_text(
        DATA["study"].replace("    return data\n", "    copy = data\n    return copy\n")
    )
    os.utime(tmp_path / "legacy_study.py", (1, 1))
    again = importlib.reload(study)
    assert len(adopted(again.one).merged) == 5
    assert again.one.check_call_in_cache("new")


class Bomb:
    def __reduce__(self):
        return (open, ("executed", "w"))


def write_bomb(place):
    if place.suffix == ".pickle":
        place.write_bytes(pickle.dumps((((), ()), Bomb())))
    else:
        value = np.empty(2, dtype=object)
        value[:] = [((3,), ()), Bomb()]
        np.save(place, value)


@pytest.mark.parametrize("name", ["one", "pair"])
@pytest.mark.skipif(os.name == "nt", reason="folders have no modes there")
def test_nothing_is_opened_that_others_could_have_written(study, tmp_path, name):
    f = getattr(study, name)
    place = entry_of(study, name)
    write_bomb(place)
    place.parent.chmod(0o777)
    done = adopted(f)
    assert not done.merged
    assert "other users may write to it" in done.reasons[f"{place.parent.name}/{place.name}"]
    assert not (tmp_path / "executed").exists()
    place.parent.chmod(0o700)
    place.chmod(0o666)
    adopted(f, verify="all")
    assert not (tmp_path / "executed").exists()
    combine_caches(f.cache_root, f)
    scan_cachedir(f.cache_root)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"damage", pickle.dumps(5), pickle.dumps(((1, 2, 3), 4)), pickle.dumps((((1,), 5), 4))],
)
def test_damage_is_told_and_does_not_stop_the_rest(study, content):
    place = entry_of(study, "pair")
    place.write_bytes(content)
    done = adopted(study.pair)
    assert len(done.unreadable) == 1
    one = entry_of(study, "one")
    one.write_bytes(content)
    done = adopted(study.one)
    assert (len(done.merged), len(done.unreadable)) == (3, 1)
    assert str(place.name) not in "".join(done.reasons.values())


def test_a_file_under_anothers_name_is_left_out(study):
    paths = sorted(Path(study.one.cache_root, "legacy_study", "one").rglob("*.npy"))
    paths[0].write_bytes(paths[1].read_bytes())
    assert len(adopted(study.one).unreadable) == 1


def test_a_changed_signature_is_told(study, tmp_path):
    (tmp_path / "legacy_study.py").write_text(DATA["study"].replace("(array, by)", "(by, array)"))
    os.utime(tmp_path / "legacy_study.py", (1, 1))
    again = importlib.reload(study)
    done = adopted(again.scaled)
    assert not done.merged
    assert "the function has others now" in next(iter(done.reasons.values()))


def test_a_new_parameter_with_a_default_is_no_hindrance(study, tmp_path):
    (tmp_path / "legacy_study.py").write_text(
        DATA["study"].replace("(array, by)", "(array, by, shift=0)")
    )
    os.utime(tmp_path / "legacy_study.py", (1, 1))
    again = importlib.reload(study)
    assert len(adopted(again.scaled).merged) == 2
    assert again.scaled.check_call_in_cache(np.float32(0.1), np.float32(3))


def test_the_code_of_a_function_is_known(study):
    folder = Path(study.one.cache_root, "legacy_study", "one")
    assert legacy_code(study.one.__wrapped__) in {place.name for place in folder.iterdir()}
    assert legacy_code(len) == ""
