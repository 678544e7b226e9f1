"""Results of earlier code, taken over only where the present code gives the same."""

import importlib
import os
import sys

import numpy as np
import pytest

from neurotools.jobs.cache import combine_caches, disk_cacher
from neurotools.memo.errors import VersionsDisagree

CODE = """
import numpy as np
NOTE = {note!r}
def note(letter):
    with open(NOTE, "a") as file:
        file.write(letter)
def helper(x):
    note("h")
    return x
{memoized}
def f(x, *more, scale=2, jobs=1, **others):
    note("f")
    return {result}
async def later(x):
    return {result}
def of_array(a):
    return {result}
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return what writes another version of a module, and memoizes one of its functions."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    number = iter(range(100))

    def version(result, name="f", memoized="", **options):
        code = CODE.format(note=str(tmp_path / "note"), result=result, memoized=memoized)
        os.makedirs(tmp_path / "mods", exist_ok=True)
        (tmp_path / "mods" / "study_of_it.py").write_text(code)
        stamp = 1e9 + next(number)
        os.utime(tmp_path / "mods" / "study_of_it.py", (stamp, stamp))
        sys.modules.pop("study_of_it", None)
        module = importlib.import_module("study_of_it")
        return disk_cacher(tmp_path, **options)(getattr(module, name))

    monkeypatch.syspath_prepend(str(tmp_path / "mods"))
    yield version
    sys.modules.pop("study_of_it", None)


def noted(tmp_path):
    return len((tmp_path / "note").read_text())


def test_a_version_that_holds_is_taken_over(study, tmp_path):
    old = study("np.full(3, x * scale)")
    for x in range(5):
        old(x)
    new = study("np.full(3, scale * x)")
    before = noted(tmp_path)
    done = combine_caches(new.cache_root, new, verify=3)
    assert noted(tmp_path) == before + 3
    assert (len(done.merged), len(done.refused)) == (5, 0)
    (verdict,) = done.verdicts
    assert (verdict.verified, verdict.entries, verdict.unmade) == (3, 5, 0)
    assert all(new.check_call_in_cache(x) for x in range(5))


def test_a_version_that_does_not_is_left_alone(study, tmp_path):
    old = study("np.full(3, x * scale)")
    for x in range(5):
        old(x)
    new = study("np.full(3, x * scale + (x == 3))")
    done = combine_caches(new.cache_root, new, verify="all")
    assert (len(done.merged), len(done.refused)) == (0, 5)
    assert not new.lscache()[1]
    (one,) = done.verdicts[0].disagreements
    assert one.arguments == "x=3, scale=2, jobs=1"
    assert one.difference.absolute == 1
    assert "1 of 5 calls give something else now" in str(done)
    assert "3 of 3 elements differ; at [0] 6 before, 7 now" in str(done)


def test_what_was_refused_is_also_told_to_those_who_do_not_look(study, caplog):
    study("x * scale")(1)
    new = study("x * scale + 1")
    combine_caches(new.cache_root, new, verify=1)
    assert "not combined: version" in caplog.text


def test_a_tolerance_lets_numbers_differ(study):
    study("x * 1.0")(3)
    new = study("x * (1 + 1e-12)")
    assert combine_caches(new.cache_root, new, verify=1).refused
    assert combine_caches(new.cache_root, new, verify=1, atol=1e-9).merged


@pytest.mark.parametrize("result", ["1.0 * x", "np.int64(x)", "[x][5]", "exit()"])
def test_other_types_and_errors_disagree(study, result):
    study("x")(3)
    new = study(result)
    done = combine_caches(new.cache_root, new, verify=1, rtol=0.5)
    assert (len(done.merged), len(done.refused)) == (0, 1)


def test_versions_are_judged_one_by_one(study):
    study("x + 1")(1)
    study("x + 2")(1), study("x + 2")(5)
    new = study("1 * x + 2")
    done = combine_caches(new.cache_root, new, verify=9)
    assert (len(done.merged), len(done.refused)) == (2, 1)
    assert sorted(verdict.is_refused for verdict in done.verdicts) == [False, True]


def test_strict_raises_before_anything_is_copied(study):
    study("x + 1")(1)
    study("x + 2")(1)
    new = study("1 * x + 2")
    with pytest.raises(VersionsDisagree, match="nothing was taken over") as caught:
        combine_caches(new.cache_root, new, verify=9, strict=True)
    assert len(caught.value.combined.refused) == 1
    assert not new.lscache()[1]


def test_neither_cache_nor_helpers_cache_is_used(study, tmp_path):
    study("helper(x)")(1)
    remember = f"disk_cacher({str(tmp_path)!r})"
    memoized = f"from neurotools.jobs.cache import disk_cacher\nhelper = {remember}(helper)"
    new = study("1 * helper(x)", memoized=memoized)
    sys.modules["study_of_it"].helper(1)
    names = set(tmp_path.rglob("*.npy"))
    (tmp_path / "note").write_text("")
    combine_caches(new.cache_root, new, verify=1)
    assert (tmp_path / "note").read_text() == "fh"
    assert len(set(tmp_path.rglob("*.npy")) - names) == 1  # the one that was taken over


def test_all_kinds_of_arguments_are_read_back(study):
    result = "[x, more, scale, others]"
    old = study(result, ignore=["jobs"])
    old(1, scale=np.float32(2.5), jobs=3, z={1, 2}, y={"a": (1, [b"b"])})
    old((None, 1j), 5, "six", scale=-0.0)
    old("text" * 20, q="long" * 31)
    old({"k": 10**40}, b"", ..., True)
    new = study(f"list({result})", ignore=["jobs"])
    done = combine_caches(new.cache_root, new, verify="all")
    assert len(done.merged) == 4, done
    assert done.verdicts[0].verified == 4


def test_calls_with_digests_alone_cannot_be_made_again(study):
    old = study("x", method="pickle")
    old(np.arange(5)), old("long" * 50), old(1)
    new = study("[x][0]", method="pickle")
    done = combine_caches(new.cache_root, new, verify=10)
    (verdict,) = done.verdicts
    assert (verdict.verified, verdict.unmade, len(done.merged)) == (1, 2, 3)
    assert "1 of 3 calls computed again, 2 cannot be" in str(done)


def test_without_any_call_to_make_nothing_is_taken_over(study):
    old = study("a", "of_array")
    old(np.arange(5)), old(np.arange(6))
    new = study("[a][0]", "of_array")
    done = combine_caches(new.cache_root, new, verify=10)
    assert (len(done.merged), len(done.refused)) == (0, 2)
    assert "none of its 2 calls could be computed again: only a digest is kept" in str(done)
    assert len(combine_caches(new.cache_root, new).merged) == 2


def test_the_sample_is_the_same_for_a_seed(study, tmp_path):
    old = study("x")
    for x in range(20):
        old(x)
    new = study("[x][0] + 100")

    def looked_at(seed):
        done = combine_caches(new.cache_root, new, verify=5, seed=seed)
        return [one.arguments for one in done.verdicts[0].disagreements]

    assert looked_at(1) == looked_at(1) != looked_at(2)
    assert len(looked_at(1)) == 5


def test_coroutines_are_awaited(study):
    import asyncio

    asyncio.run(study("x + 1", "later")(1))
    new = study("1 + x", "later")
    done = combine_caches(new.cache_root, new, verify=1)
    assert (len(done.merged), done.verdicts[0].verified) == (1, 1)


def test_damaged_entries_are_no_evidence(study):
    old = study("x")
    old(1), old(2)
    with open(old.locate(1), "r+b") as file:
        file.write(b"damage")
    new = study("[x][0]")
    done = combine_caches(new.cache_root, new, verify="all")
    assert (len(done.merged), len(done.unreadable)) == (1, 1)
    assert (done.verdicts[0].verified, done.verdicts[0].unmade) == (1, 1)
    assert "checksum" in next(iter(done.reasons.values()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"verify": 0},
        {"verify": True},
        {"verify": "some"},
        {"verify": 1.5},
        {"rtol": 1e-3},
        {"strict": True},
        {"verify": 1, "rtol": -1},
    ],
)
def test_wrong_options_are_refused(study, wrong):
    f = study("x")
    with pytest.raises(ValueError, match=r"verify|rtol"):
        combine_caches(f.cache_root, f, **wrong)


def test_copying_that_takes_long_is_seen_in_a_terminal_alone(study, tmp_path, monkeypatch, capsys):
    old = study("x + 1")
    for x in range(3):
        old(x)
    new = study("1 + x")
    combine_caches(new.cache_root, new)
    assert capsys.readouterr().err == ""
    other = study("x + 1 + 0")
    monkeypatch.setattr("neurotools.memo.progress.is_seen", lambda: True)
    monkeypatch.setattr("neurotools.memo.progress._LONG_SECONDS", 0.0)
    assert len(combine_caches(other.cache_root, other).merged) == 3
    told = capsys.readouterr().err
    assert "looking" in told
    assert "copying" in told
    assert "/6 [" in told  # of both versions before
