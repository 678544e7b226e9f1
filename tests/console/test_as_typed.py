"""What people type by habit: paths of entries, ages, whole caches; what programs get of errors."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from neurotools.console import screen
from neurotools.console.main import COMMANDS, main
from neurotools.jobs.cache import disk_cacher, hierarchical_cacher, open_cache
from neurotools.jobs.memory import Memory
from neurotools.memo.tiers import uses
from neurotools.memo.upkeep import inventory


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return a cache with three entries of one function, in the current folder."""
    monkeypatch.chdir(tmp_path)

    @disk_cacher("results")
    def area(n):
        return [n]

    for n in range(3):
        area(n)
    return area


def entry(cache, n=1):
    return os.path.relpath(cache.locate(n))


def data(capsys, *words, code=0):
    assert main([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


TAKES_A_CACHE = ("ls", "stats", "du", "report", "verify", "doctor", "audit", "gc", "prune")
TAKES_A_NAME = ("show", "explain", "lineage", "pin", "purge")


@pytest.mark.parametrize("word", [*TAKES_A_CACHE, *TAKES_A_NAME])
def test_programs_are_told_an_error_as_json(word, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([word, "nowhere", "--json", *(["-n", "--max-size=0"] * (word in ("gc", "prune")))])
    done = capsys.readouterr()
    told = json.loads(done.out)
    assert sorted(told) == ["error", "kind"]
    assert done.err == f"neurotools {word}: {told['error']}\n"


@pytest.mark.parametrize(
    "words", [["gc", "--older-than", "soon"], ["du", "--depth=-1"], ["ls", "--none"], ["lss"]]
)
def test_programs_are_told_what_was_not_understood(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*words, "--json"])
    assert stop.value.code == 2
    done = capsys.readouterr()
    assert json.loads(done.out)["kind"] == "Misused"
    assert done.err.startswith("usage: neurotools")


def test_every_word_takes_json(capsys):
    for word in COMMANDS:
        with pytest.raises(SystemExit):
            main([word, "--help"])
        assert "--json" in capsys.readouterr().out


def test_an_entry_is_pinned_and_purged_by_its_file(cache, capsys):
    place = f"test_as_typed/{cache.keys.folder.partition('/')[2]}"
    (pinned,) = data(capsys, "pin", entry(cache))["pinned"]
    assert pinned.endswith(f"/{os.path.basename(entry(cache))}")
    assert place.rpartition("/")[2] in pinned
    folder = os.path.dirname(entry(cache))
    assert data(capsys, "pin", folder)["pinned"] == [pinned.rpartition("/")[0]]
    assert data(capsys, "pin", "--remove", entry(cache))["unpinned"] == [pinned]
    assert main(["pin", "--remove", entry(cache)]) == 1
    assert "nothing of that name is pinned" in capsys.readouterr().err
    assert data(capsys, "purge", entry(cache, 2), "--yes")["entries"] == 1
    assert [cache.check_call_in_cache(n) for n in range(3)] == [True, True, False]
    assert data(capsys, "purge", folder, "--yes")["entries"] == 2


@pytest.mark.parametrize("word", TAKES_A_NAME)
def test_who_names_a_whole_cache_is_told_how_to_name_a_part(word, cache, capsys):
    assert main([word, "results"]) == 1
    assert "it is a whole cache" in capsys.readouterr().err
    assert main([word, "nothing-of-that-name"]) == 1
    assert "there is no such file" in capsys.readouterr().err
    assert data(capsys, "stats", "results")["entries"] == 3


def test_a_call_in_the_wrong_spelling_is_shown_the_right_one(cache, capsys):
    assert main(["explain", "package.study.area", "3"]) == 1
    assert "write package.study:area and its arguments" in capsys.readouterr().err


def test_caches_near_by_are_named(cache, tmp_path, capsys):
    assert main(["ls"]) == 1
    assert "such as results" in capsys.readouterr().err


def test_what_a_memory_keeps_is_listed_from_above(tmp_path, capsys):
    Memory(tmp_path / "work", verbose=0).cache(abs)(3)
    for folder in ("work", "work/nipype_mem", "work/nipype_mem/functions"):
        (one,) = data(capsys, "ls", str(tmp_path / folder))
        assert (one["function"], one["entries"]) == ("builtins.abs", 1)


def test_nothing_at_all_may_be_kept(cache, capsys):
    assert data(capsys, "gc", "results", "--max-size", "0")[0]["entries"] == 3
    assert not cache.check_call_in_cache(1)


def test_sync_takes_the_one_cache_that_is_there(cache, capsys):
    assert data(capsys, "sync", "results", "copy", "--to")["ways"][0]["copied"] == 3
    assert list(Path("copy/__neurotools_cache__").rglob("*.npy"))
    hierarchical_cacher("results")(abs)(3)  # a second one beside it
    assert main(["sync", "results", "copy", "--to"]) == 0
    assert list(Path("copy/neurotools_cache").rglob("*.npy"))


def test_pins_and_graves_of_a_memory(capsys):
    @hierarchical_cacher(("ram://?max_entries=2",))
    def double(n):
        return 2 * n

    double.pin(0)
    for n in range(5):
        double(n)
    assert [double.check_call_in_cache(n) for n in range(5)] == [True, False, False, False, True]
    why = double.explain(1)
    assert (why.kind, why.seconds is not None) == ("removed", True)
    double.unpin(0)
    double(5), double(6)
    assert not double.check_call_in_cache(0)
    double.pin()
    for n in range(9):
        double(n)
    assert all(double.check_call_in_cache(n) for n in range(9))
    double.cache_clear()
    assert double.explain(1).kind == "new"


def test_entries_of_other_versions_are_said_to_be_of_those(cache, tmp_path, capsys):
    newer = Path(cache.locate(1))
    newer.write_bytes(newer.read_bytes().replace(b"NTmemo1", b"NTmemo2"))
    older = newer.with_name("AAAAAAAAAAAAAA.eJzT0NBQr1DXMdTU0dTxy89L1QQAH-QD_w==.npy")
    pair = np.empty(2, dtype=object)
    pair[:] = ((1,), ()), 5
    np.save(older, pair)
    for path, said in ((newer, "another version of"), (older, "the earlier")):
        assert main(["show", str(path)]) == 1
        assert f"{said} neurotools wrote it" in capsys.readouterr().err
    assert main(["export", "all.zip", "--cache", "results"]) == 1
    told = capsys.readouterr().err
    assert "another version of neurotools wrote it" in told
    assert "the earlier neurotools wrote it" in told


def test_names_in_wide_letters_fit_the_line_too(capsys):
    names = ["研究." + "関数" * 40, "study." + "f" * 90, "e\u0301tude.f"]
    screen.table(["function", "entries"], [[name, "12"] for name in names])
    lines = capsys.readouterr().out.splitlines()
    assert {screen.columns(line) for line in lines} <= {79, 80}
    assert lines[1].startswith("研究.関数")
    assert "…" in lines[1]
    assert "…" in lines[2]


def test_what_may_not_be_removed_is_not_said_to_be_gone(cache, capsys, monkeypatch):
    def refuse(folders, candidate):
        raise PermissionError(13, "Permission denied", candidate.name)

    cache(3)
    monkeypatch.setattr("neurotools.memo.tiers.worth.remove", refuse)
    for words, said in (
        (["gc", "results", "--max-size", "0"], "4 entries could not be removed"),
        (["purge", "area", "--cache", "results", "--yes"], "0 entries, 0 B removed"),
    ):
        assert main(words) == 1
        done = capsys.readouterr()
        assert said in done.out
        assert "nothing has to go" not in done.out
        assert done.err.count("\n") == 1
        assert "Permission denied (and 3 more alike)" in done.err
    (told,) = data(capsys, "gc", "results", "--max-size", "0", code=1)
    assert (told["entries"], told["entries_left"], told["limits_are_kept"]) == (0, 4, False)
    assert told["bytes_left_on_disk"] >= 4 * 4096
    assert data(capsys, "purge", "area", "--cache", "results", "--yes", code=1)["removed"] == []


def loads(capsys, folder):
    """Return the loads that a cache has noted, those of this process too."""
    for place in inventory.places_at(folder):
        uses.write_own(place.root)
    return data(capsys, "stats", folder)["loads"]


def test_to_copy_or_to_show_an_entry_is_no_use_of_it(cache, capsys):
    before = loads(capsys, "results")
    assert main(["sync", "results", "copy", "--to", "--verify"]) == 0
    assert main(["export", "all.zip", "--cache", "results"]) == 0
    assert main(["show", entry(cache)]) == 0
    for one in (cache.entry(1), *open_cache("results").entries()):
        assert "[" in one._repr_html_()
    capsys.readouterr()
    assert loads(capsys, "results") == before
    assert loads(capsys, "copy") == 0
    assert cache(1) == [1]
    assert loads(capsys, "results") == before + 1
