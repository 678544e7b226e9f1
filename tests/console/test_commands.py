"""The words of the command, each typed by a user with a real cache, in real processes or here."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from neurotools.console.main import COMMANDS, main
from neurotools.jobs.cache import disk_cacher
from neurotools.memo.tiers import uses

STUDY = """
import numpy as np
from neurotools.jobs.cache import disk_cacher
remember = disk_cacher("results")
@remember
def area(n, scale=1):
    return np.full(10, n * scale)
@disk_cacher("results", method="pickle")
def model(kind):
    return {"kind": kind, "parts": complex(1, 2)}
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return a folder with a module and its cache: five entries of two functions."""
    monkeypatch.chdir(tmp_path)
    # Edits within a second that keep the size would not be seen in a module's bytecode.
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "a_study.py").write_text(STUDY)
    calls = "import a_study as s; [s.area(n) for n in (1, 2, 3, 3)]; s.model('a'); s.model('b')"
    subprocess.run([sys.executable, "-c", calls], check=True)
    yield tmp_path
    sys.modules.pop("a_study", None)


def said(capsys, *words, code=0):
    assert main([str(word) for word in words]) == code
    done = capsys.readouterr()
    assert "Traceback" not in done.err
    return done.out


def data(capsys, *words, code=0):
    return json.loads(said(capsys, *words, "--json", code=code))


def files(folder, suffix="npy"):
    return sorted(folder.rglob(f"*.{suffix}"))


def test_ls_tells_functions_entries_and_what_they_saved(study, capsys):
    text = said(capsys, "ls", "results")
    assert re.search(r"a_study\.area +3 ", text)
    assert re.search(r"a_study\.model +2 ", text)
    assert "2 functions, 2 versions, 5 entries" in text
    area, model = data(capsys, "ls", "results")
    assert (area["function"], area["entries"], model["entries"]) == ("a_study.area", 3, 2)
    assert area["versions"][0]["loads"] == 1  # the fourth call
    assert area["versions"][0]["methods"] == {"npy": 3}
    assert area["bytes"] == sum(file.stat().st_size for file in files(study / "results"))


def test_ls_lists_a_version_of_its_own_when_the_code_has_changed(study, capsys):
    (study / "a_study.py").write_text(STUDY.replace("n * scale", "n + scale"))
    subprocess.run([sys.executable, "-c", "import a_study; a_study.area(1)"], check=True)
    area = data(capsys, "ls", "results")[0]
    assert sorted(version["entries"] for version in area["versions"]) == [1, 3]
    assert len(re.findall(r"^  [\w-]{14} ", said(capsys, "ls", "results"), re.MULTILINE)) == 2


def test_ls_of_entries_tells_the_calls(study, capsys):
    text = said(capsys, "ls", "-e", "results")
    assert "area(n=1, scale=1)" in text
    assert "model(kind='a')" in text
    calls = {entry["call"] for entry in data(capsys, "ls", "-e", "results")}
    assert "area(n=3, scale=1)" in calls
    assert len(calls) == 5


def test_ls_lists_the_newest_version_first_and_in_it_the_newest_entry(study, capsys):
    (study / "a_study.py").write_text(STUDY.replace("n * scale", "n + scale"))
    subprocess.run([sys.executable, "-c", "import a_study as s; s.area(1), s.area(2)"], check=True)
    first = [entry["path"] for entry in data(capsys, "ls", "-e", "results")]
    ages = {path: age for age, path in enumerate(sorted(first))}  # another order than was listed
    new = {version["version"] for version in data(capsys, "ls", "results")[0]["versions"][:1]}
    for path, age in ages.items():
        moment = 1e9 + age + 1000 * any(f"{os.sep}{code}{os.sep}" in path for code in new)
        os.utime(path, (moment, moment))
    listed = [entry["path"] for entry in data(capsys, "ls", "-e", "results")]
    assert [("model" in path, *(code in path for code in new)) for path in listed] == (
        [(False, True)] * 2 + [(False, False)] * 3 + [(True, False)] * 2
    )
    for part in (listed[:2], listed[2:5], listed[5:]):
        assert part == sorted(part, reverse=True)


def test_a_cache_is_found_from_above_and_from_within(study, capsys, monkeypatch):
    here = data(capsys, "ls", "results/__neurotools_cache__")
    assert here == data(capsys, "ls", "results")
    part = data(capsys, "ls", "results/__neurotools_cache__/a_study/area")
    assert [one["function"] for one in part] == ["a_study.area"]
    monkeypatch.chdir(study / "results")
    assert data(capsys, "ls") == here


@pytest.mark.parametrize("word", ["ls", "stats", "du", "verify", "doctor", "gc", "pin"])
@pytest.mark.parametrize("place", ["file", "empty", "missing"])
def test_what_is_no_cache_is_one_line(word, place, tmp_path, capsys):
    (tmp_path / "file").write_text("no cache")
    (tmp_path / "empty").mkdir()
    words = [word, str(tmp_path / place)]
    words[1:1] = {"gc": ["--max-size", "1GB"], "pin": ["--cache"]}.get(word, [])
    assert main(words) == 1
    done = capsys.readouterr()
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert str(tmp_path / place) in done.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads it all")
def test_a_folder_without_permission_is_one_line(study, capsys):
    place = study / "results" / "__neurotools_cache__" / "a_study" / "area"
    place.chmod(0)
    try:
        assert main(["ls", "results"]) == 1
    finally:
        place.chmod(0o700)
    done = capsys.readouterr()
    assert "a_study.model" in done.out
    assert "area: Permission denied" in done.err


def test_stats_sum_up(study, capsys):
    total = data(capsys, "stats", "results")
    assert (total["functions"], total["entries"], total["loads"]) == (2, 5, 1)
    assert total["methods"] == {"npy": 3, "pickle": 2}
    assert total["sampled_entries"] == 5
    assert "5 results of 2 functions" in said(capsys, "stats", "results")


def test_du_adds_up_folder_by_folder(study, capsys):
    rooms = data(capsys, "du", "results")
    blocks = 4096 * 3
    assert rooms["a_study/area"]["bytes_on_disk"] == blocks
    assert rooms["a_study"]["entries"] == 5
    assert ".neurotools" in rooms
    assert list(data(capsys, "du", "-d", "1", "results")) == [".neurotools", "a_study"]


def test_show_tells_the_call_the_record_and_the_value(study, capsys):
    (file,) = [one for one in files(study / "results") if np.load(one)[0] == 3]
    text = said(capsys, "show", file)
    assert "area(n=3, scale=1)" in text
    assert "[3 3 3" in text
    assert f"np.load('{file}')" in text
    shown = data(capsys, "show", file.name[:10], "--cache", "results")
    assert shown["path"] == str(file)
    assert shown["arguments"] == {"n": "3", "scale": "1"}
    assert shown["record"]["function"] == "a_study.area"


def test_show_does_not_open_a_pickle_unless_asked(tmp_path, capsys):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    @disk_cacher(tmp_path / "cache", method="pickle")
    def bomb():
        return Bomb()

    bomb()
    (file,) = files(tmp_path / "cache", "pickle")
    assert "not opened" in said(capsys, "show", file)
    assert "open" in said(capsys, "show", file)
    assert not (tmp_path / "exploded").exists()
    said(capsys, "show", file, "--open")
    assert (tmp_path / "exploded").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="access control lists decide")
def test_show_opens_no_pickle_that_others_could_have_written(study, capsys):
    file = files(study / "results", "pickle")[0]
    file.parent.chmod(0o777)
    assert "will not open" in said(capsys, "show", file, "--open", code=1)


def test_show_and_verify_tell_of_damage_and_repair_sets_it_aside(study, capsys):
    file = files(study / "results")[0]
    content = bytearray(file.read_bytes())
    content[10] ^= 1
    file.write_bytes(content)
    assert "checksum" in said(capsys, "show", file, code=1)
    assert "1 damaged" in said(capsys, "verify", "results", code=1)
    (problem,) = data(capsys, "verify", "results", code=1)["problems"]
    assert problem["path"] == str(file)
    assert file.exists()
    assert "mended" in said(capsys, "verify", "--repair", "results")
    assert not file.exists()
    assert "4 entries as they were written" in said(capsys, "verify", "results")
    assert "set aside" in said(capsys, "doctor", "results", code=1)


def test_verify_opens_no_pickle(tmp_path, capsys):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    disk_cacher(tmp_path / "cache", method="pickle")(lambda: Bomb())()
    assert "1 entry" in said(capsys, "verify", tmp_path / "cache")
    assert not (tmp_path / "exploded").exists()


def test_explain_says_why_a_call_hits_or_misses(study, capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(study))
    assert said(capsys, "explain", "a_study:area", "3").startswith("hit")
    told = data(capsys, "explain", "a_study:area", "3", "scale=2", code=1)
    assert told["hit"] is False
    assert told["arguments"] == {"scale": ["1", "2"]}


def test_explain_says_what_differs_between_versions(study, capsys):
    (study / "a_study.py").write_text(STUDY.replace("n * scale", "n + scale"))
    subprocess.run([sys.executable, "-c", "import a_study; a_study.area(1)"], check=True)
    newest = max(files(study / "results"), key=lambda file: file.stat().st_mtime_ns)
    text = said(capsys, "explain", newest)
    assert "-" in text
    assert "n * scale" in text
    assert "n + scale" in text


def test_explain_of_what_does_not_remember_is_one_line(capsys):
    assert main(["explain", "os:getcwd"]) == 1
    assert "it does not remember its results" in capsys.readouterr().err


def test_gc_says_what_would_go_and_what_it_would_cost(study, capsys):
    before = files(study / "results")
    text = said(capsys, "gc", "results", "--max-entries", "3", "--dry-run")
    assert "2 entries would go" in text
    assert "computing them again would cost" in text
    assert files(study / "results") == before
    done = data(capsys, "gc", "results", "--max-entries", "3")
    assert [len(one["removed"]) for one in done] == [2]
    assert data(capsys, "stats", "results")["entries"] == 3


def test_prune_keeps_versions_used_last_and_explain_tells_what_was_removed(
    study, capsys, monkeypatch
):
    (study / "a_study.py").write_text(STUDY.replace("n * scale", "n + scale"))
    subprocess.run([sys.executable, "-c", "import a_study; a_study.area(1)"], check=True)
    text = said(capsys, "prune", "results", "--keep-versions", "1")
    assert "3 entries removed" in text
    assert [one["entries"] for one in data(capsys, "ls", "results")] == [1, 2]
    (study / "a_study.py").write_text(STUDY)
    monkeypatch.syspath_prepend(str(study))
    told = data(capsys, "explain", "a_study:area", "2", code=1)
    assert "removed" in told["reason"]
    assert "an earlier version" in told["reason"]


def test_what_was_not_used_for_long_goes(study, capsys):
    old = files(study / "results")[0]
    os.utime(old, (1, 1))
    place = study / "results" / "__neurotools_cache__" / ".neurotools" / "uses"
    for name in os.listdir(place):
        (place / name).unlink()
    said(capsys, "gc", "results", "--older-than", "90d")
    assert not old.exists()
    assert data(capsys, "stats", "results")["entries"] == 4


def test_what_is_pinned_stays(study, capsys):
    assert said(capsys, "pin", "a_study.area", "--cache", "results") == "a_study/area\n"
    assert data(capsys, "pin", "--cache", "results") == {"pinned": ["a_study/area"]}
    text = said(capsys, "gc", "results", "--max-entries", "1")
    assert "more than that is pinned" in text
    assert data(capsys, "stats", "results")["methods"] == {"npy": 3}
    said(capsys, "pin", "a_study.area", "--remove", "--cache", "results")
    said(capsys, "gc", "results", "--max-entries", "1")
    assert data(capsys, "stats", "results")["entries"] == 1


def test_purge_asks_first_where_nobody_can_answer_it_removes_nothing(study, capsys, monkeypatch):
    with open(os.devnull) as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        assert main(["purge", "a_study.area", "--cache", "results"]) == 1
    assert "nothing was removed" in capsys.readouterr().err
    assert "3 entries" in said(capsys, "purge", "a_study.area", "--cache", "results", "--dry-run")
    assert "3 entries" in said(capsys, "purge", "a_study.area", "--cache", "results", "--yes")
    assert data(capsys, "stats", "results")["functions"] == 1
    # The folders of the function are gone with its last entry.
    assert not (study / "results" / "__neurotools_cache__" / "a_study" / "area").exists()


def test_a_name_that_means_several_entries_is_refused(study, capsys):
    assert main(["show", "a_study.area", "--cache", "results"]) == 1
    assert "more than one" in capsys.readouterr().err


def test_combine_keeps_results_of_earlier_code(study, capsys, monkeypatch):
    (study / "a_study.py").write_text(STUDY.replace("(10, n", "(10, 1 * n"))
    monkeypatch.syspath_prepend(str(study))
    done = data(capsys, "combine", "a_study:area")
    assert len(done["merged"]) == 3


def test_doctor_finds_foreign_files_leftovers_and_wrong_dates(study, capsys):
    assert "!!" not in said(capsys, "doctor", "results")
    folder = files(study / "results")[0].parent
    (folder / "notes.txt").write_text("mine")
    (folder / ".host+0-1-aa-7").write_text("left")
    os.utime(folder / ".host+0-1-aa-7", (1, 1))
    os.utime(files(study / "results")[0], (4e9, 4e9))
    findings = data(capsys, "doctor", "results", code=1)[0]["findings"]
    bad = {finding["what"] for finding in findings if not finding["is_well"]}
    assert bad == {"foreign", "leftovers", "dates"}
    said(capsys, "verify", "--repair", "results")
    assert not (folder / ".host+0-1-aa-7").exists()
    assert (folder / "notes.txt").exists()


def test_a_reader_that_has_seen_enough_ends_it_quietly(study):
    for words in (["ls", "-e", "--json"], ["stats"]):
        command = [sys.executable, "-m", "neurotools.console", *words, "results"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0


def test_what_is_piped_has_no_colour_and_fits_80_columns(study):
    environment = {**os.environ, "COLUMNS": "200"}
    for words in (["ls"], ["ls", "-e"], ["stats"], ["du"], ["doctor"]):
        command = [sys.executable, "-m", "neurotools.console", *words, "results"]
        done = subprocess.run(command, capture_output=True, check=True, env=environment)
        assert b"\033" not in done.stdout
        # A path is there to be copied, and is not cut.
        lines = done.stdout.decode().splitlines()
        assert max(len(line) for line in lines if not line.startswith(str(study))) <= 80


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no such terminals here")
def test_a_terminal_gets_colour_unless_it_wants_none(study):
    for wanted in (True, False):
        environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "" if wanted else "1"}
        mine, theirs = os.openpty()
        command = [sys.executable, "-m", "neurotools.console", "ls", "results"]
        subprocess.run(command, stdout=theirs, stderr=theirs, check=True, env=environment)
        os.close(theirs)
        assert (b"\033[1m" in os.read(mine, 1 << 16)) is wanted
        os.close(mine)


def test_a_name_that_would_steer_a_terminal_is_shown(tmp_path, capsys):
    folder = tmp_path / "__neurotools_cache__" / "mod\033[2J" / "code"
    folder.mkdir(parents=True)
    (folder / "x.y.npy").write_bytes(b"no entry")
    text = said(capsys, "ls", tmp_path)
    assert "\033" not in text
    assert "\\x1b" in text


def test_every_command_takes_help_and_says_what_it_does(capsys):
    for word in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            main([word, "--help"])
        assert stop.value.code == 0
        assert "usage: neurotools" in capsys.readouterr().out


def test_a_listing_loads_no_numpy():
    code = "import sys; from neurotools.console.main import parser, command; parser(['ls'])\n"
    code += "command('ls'); command('stats'); command('du'); assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_use_is_read_again_after_it_was_summed_up(study, capsys):
    place = study / "results" / "__neurotools_cache__" / ".neurotools" / "uses"
    before = data(capsys, "ls", "results")
    uses.sum_up(str(place))
    assert (place / uses.SUMS).exists()
    assert not (place / uses.LOG).exists()
    assert data(capsys, "ls", "results") == before


SLOW = """
import time
from neurotools.console import screen
for n in screen.progress(range({count}), {count}, "looking"):
    time.sleep(0.05)
print("all done")
"""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no such terminals here")
@pytest.mark.parametrize("count", [2, 60], ids=["short", "long"])
def test_what_takes_long_shows_a_bar_on_a_terminal(count):
    pytest.importorskip("tqdm")
    mine, theirs = os.openpty()
    command = [sys.executable, "-c", SLOW.format(count=count)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    os.write(theirs, b".")
    os.close(theirs)
    assert (b"looking" in os.read(mine, 1 << 16)) is (count == 60)
    os.close(mine)


def test_nothing_is_shown_where_it_is_piped():
    command = [sys.executable, "-c", SLOW.format(count=60)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert (done.stdout.strip(), done.stderr) == (b"all done", b"")


@pytest.mark.skipif(os.name == "nt", reason="there are no such signals there")
def test_being_stopped_leaves_things_whole(study):
    code = (
        "import os, signal, sys\n"
        "from neurotools.console.main import main\n"
        "from neurotools.memo.tiers import worth\n"
        "remove, seen = worth.remove, []\n"
        "def stop(*given):\n"
        "    seen.append(1)\n"
        "    if len(seen) == 2: os.kill(os.getpid(), signal.SIGINT)\n"
        "    return remove(*given)\n"
        "worth.remove = stop\n"
        "sys.exit(main(['gc', 'results', '--max-entries', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"neurotools gc: stopped\n")
    left = len(files(study / "results")) + len(files(study / "results", "pickle"))
    assert 3 <= left <= 4
    graves = study / "results" / "__neurotools_cache__" / ".neurotools" / "evicted"
    assert graves.read_bytes().count(b"\n") >= 4 - left
    again = [sys.executable, "-m", "neurotools.console", "verify", "results"]
    assert (
        f"{left} entries".encode() in subprocess.run(again, capture_output=True, check=True).stdout
    )


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="there are no links here")
def test_no_listing_and_no_removing_follows_a_link(study, tmp_path_factory, capsys):
    outside = tmp_path_factory.mktemp("outside") / "code"
    outside.mkdir()
    (outside / "x.y.npy").write_bytes(b"mine")
    root = study / "results" / "__neurotools_cache__"
    os.symlink(outside.parent, root / "linked")
    os.symlink(outside, root / "a_study" / "area" / "linked")
    assert data(capsys, "stats", "results")["entries"] == 5
    said(capsys, "gc", "results", "--max-entries", "0")
    assert (outside / "x.y.npy").read_bytes() == b"mine"
