"""``neurotools report``: the page as a file, the pictures, the data, and what can be wrong."""

import base64
import hashlib
import html
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmarks import report as lab
from neurotools.console.main import main
from neurotools.console.report import page as pages
from neurotools.console.report.data import as_data
from neurotools.jobs.cache import disk_cacher
from neurotools.memo.tiers import uses
from neurotools.memo.upkeep.held import Held, Version, functions_of, named
from neurotools.memo.upkeep.summary import Summary

EVIL = """</script><script>alert("&'1")</script>\u2028\u202e"""


def report(*words, code=0):
    assert main(["report", *map(str, words)]) == code


def data_of(capsys, *words):
    report(*words, "--json")
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Return a cache like a lab's, with 600 entries of 18 functions and two years of use."""
    folder = tmp_path_factory.mktemp("lab")
    lab.fill(folder, 600)
    return folder


@pytest.fixture
def small(tmp_path):
    """Return a cache with three results, one of them loaded twice."""

    @disk_cacher(tmp_path / "cache")
    def area(name):
        time.sleep(0.002)
        return np.arange(50)

    for name in ("one", EVIL, "three", "three", "three"):
        area(name)
    uses.uses_in(area.cache_root, None, None).write()
    return tmp_path / "cache"


def entries(folder):
    return sorted(folder.rglob("*.npy"))


def test_the_page_stands_alone_and_lets_nothing_else_in(small, tmp_path, capsys):
    report(small, "--html", tmp_path / "out.html")
    assert re.fullmatch(r"\S+out\.html written, \d+ kB\n", capsys.readouterr().out)
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", text)
    assert not re.search(r"@import|url\(", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert " style=" not in text


def test_no_name_can_end_the_data_or_become_markup(small, tmp_path):
    report(small, "--html", tmp_path / "out.html")
    text = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "alert(" in text
    assert "<script>alert" not in text
    assert text.count("</script>") == 2
    assert "\u202e" not in text
    block = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1]
    calls = [entry["call"] for entry in json.loads(block)["entries"]]
    assert any("</script><script>" in call for call in calls)  # shown as what it is


def test_texts_of_the_page_itself_are_escaped():
    note = {"level": "problem", "what": "<b>", "text": EVIL, "remedy": "<i>", "cache": "<u>"}
    made = pages._note(note, several=True)
    assert not re.search(r"<(?:b|i|u|script)>", made)
    assert html.escape("<u>") in made


def test_data_tells_what_is_there(small, capsys):
    data = data_of(capsys, small)
    total = data["total"]
    assert (total["entries"], total["functions"], total["versions"]) == (3, 1, 1)
    assert total["bytes"] == sum(file.stat().st_size for file in entries(small))
    assert (total["loads"], total["computed"], total["hit_rate"]) == (2, 3, 0.4)
    assert total["seconds_saved"] >= 0.004
    assert total["methods"] == {"npy": 3}
    (function,) = data["functions"]
    assert function["function"].endswith("area")
    assert len(function["versions"]) == 1
    three = next(entry for entry in data["entries"] if "three" in entry["call"])
    assert (three["loads"], three["kinds"]) == (2, ["largest", "least useful", "most useful"])
    assert os.path.isfile(three["path"])
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert data["stored"] == [{"day": today, "bytes": total["bytes"], "entries": 3}]
    assert [(day["day"], day["loads"]) for day in data["used"]] == [(today, 2)]
    assert [idle["entries"] for idle in data["idle"]] == [3, 0, 0, 0, 0, 0]


def test_sums_agree_with_each_other_and_with_ls(filled, capsys):
    data = data_of(capsys, filled)
    total = data["total"]
    main(["ls", str(filled), "--json"])
    listed = {one["function"]: one for one in json.loads(capsys.readouterr().out)}
    assert {one["function"] for one in data["functions"]} == set(listed)
    for one in data["functions"]:
        assert one["entries"] == listed[one["function"]]["entries"]
        assert one["seconds_saved"] == pytest.approx(listed[one["function"]]["seconds_saved"], 1e-3)
        assert sum(version["bytes"] for version in one["versions"]) == one["bytes"]
    for name in ("entries", "bytes_on_disk"):
        assert sum(one[name] for one in data["functions"]) == total[name]
        assert sum(one[name] for one in data["idle"]) == total[name]
    assert sum(day["entries"] for day in data["stored"]) == total["entries"]
    assert sum(day["loads"] for day in data["used"]) == total["loads"]
    assert {note["what"] for note in data["notes"] if note["level"] == "hint"} == {
        "earlier versions",
        "not used",
    }


def test_the_least_useful_are_those_that_gc_gives_up_first(filled, capsys):
    data = data_of(capsys, filled)
    least = {entry["path"] for entry in data["entries"] if "least useful" in entry["kinds"]}
    main(["gc", str(filled), "--max-entries", "590", "--dry-run", "--json"])
    gone = json.loads(capsys.readouterr().out)
    names = set(re.findall(r"[\w-]{14}\.[\w-]+\.npy", json.dumps(gone)))
    assert names
    assert names <= {os.path.basename(path) for path in least}


def test_an_empty_cache_and_a_part_of_one(small, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    empty = tmp_path / "empty" / "__neurotools_cache__"
    empty.mkdir(parents=True)
    report(empty.parent, "--html", tmp_path / "empty.html", "--png", tmp_path / "empty")
    assert "Nothing is kept here" in (tmp_path / "empty.html").read_text(encoding="utf-8")
    assert data_of(capsys.readouterr() and capsys, empty)["total"]["entries"] == 0
    part = entries(small)[0].parent
    data = data_of(capsys, part)
    assert data["total"]["entries"] == 3
    assert data["used"] == []  # days are noted of a whole cache


def test_two_caches_in_a_folder_are_told_apart(small, capsys):
    (small / "__neurotools_cache__").rename(small / "neurotools_cache")

    @disk_cacher(small)
    def other(n):
        return n

    other(1)
    data = data_of(capsys, small)
    assert len(data["caches"]) == 2
    assert len({function["cache"] for function in data["functions"]}) == 2


def test_what_is_wrong_is_told(small, tmp_path, capsys):
    first, second, _ = entries(small)
    content = first.read_bytes()
    first.write_bytes(content[: len(content) // 2])
    second.write_bytes(b"")
    (first.parent / "photo.jpg").write_bytes(b"x")
    data = data_of(capsys, small)
    wrong = {note["what"]: note for note in data["notes"] if note["level"] == "problem"}
    assert {"damaged", "empty", "foreign"} <= set(wrong)
    assert "2 of the files" in wrong["damaged"]["text"]
    assert "--repair" in wrong["damaged"]["remedy"]
    report(small, "--html", tmp_path / "out.html")
    assert "</span> Problem</span>" in (tmp_path / "out.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [(), ("--json", "--html", "-")])
def test_asking_for_nothing_or_for_two_outputs_at_once_is_one_line(small, capsys, words):
    report(small, *words, code=2)
    done = capsys.readouterr()
    assert done.out == ""
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("place", ["file", "empty", "missing"])
def test_what_is_no_cache_is_one_line_and_no_file(tmp_path, capsys, place):
    (tmp_path / "file").write_text("no cache")
    (tmp_path / "empty").mkdir()
    report(tmp_path / place, "--html", tmp_path / "out.html", code=1)
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out.html").exists()


def test_only_an_earlier_report_is_replaced(small, tmp_path, capsys):
    out = tmp_path / "out.html"
    out.write_text("my thesis")
    report(small, "--html", out, code=1)
    assert "is no report" in capsys.readouterr().err
    assert out.read_text() == "my thesis"
    report(small, "--html", out, "--force")
    first = out.stat().st_mtime_ns
    report(small, "--html", out)
    assert out.stat().st_mtime_ns >= first
    for wrong in (tmp_path, tmp_path / "none" / "out.html", out / "below.html"):
        capsys.readouterr()
        report(small, "--html", wrong, code=1)
        assert capsys.readouterr().err.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_the_page_can_be_printed(small, capfdbinary):
    report(small, "--html", "-")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out.startswith(b"<!doctype html>")


def test_pictures_alone_are_written_and_known_again(filled, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    report(filled, "--png", tmp_path)
    names = {"bytes.png", "saved.png", "stored.png", "loads.png", "idle.png"}
    assert {file.name for file in tmp_path.iterdir()} == names
    assert all(file.read_bytes()[:4] == b"\x89PNG" for file in tmp_path.iterdir())
    (tmp_path / "mine-idle.png").write_bytes(b"mine")
    report(filled, "--png", tmp_path / "mine", code=1)
    assert {file.name for file in tmp_path.glob("mine*")} == {"mine-idle.png"}


def test_pictures_without_matplotlib_name_the_extra(small, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setattr("neurotools.console.report.pictures.find_spec", lambda name: None)
    report(small, "--png", tmp_path / "plot", code=1)
    assert "neurotools[report]" in capsys.readouterr().err


def test_however_many_functions_there_are_the_page_is_bounded():
    name = "study/a_function_with_quite_a_long_name_" + "x" * 900
    found = {
        ("/cache", f"{name}{number}"): [
            Version(f"version{n:07d}", Held(1, number, number, saved=10_000.0 - number))
            for n in range(10)
        ]
        for number in range(3000)
    }
    functions, rests = named(functions_of(found))
    rooms = [one.held.room for one in functions]
    assert rooms == sorted(rooms, reverse=True)
    assert (rooms[0], rooms[-1]) == (10 * 2999, 0)  # the largest, and what has saved most
    assert len(functions) == 1000
    (rest,) = rests
    assert (rest.module, rest.functions, rest.held.entries) == ("study", 2000, 10 * 2000)
    assert sum(len(one.versions) for one in functions) == 6000
    whole = Held()
    for one in (*(one.held for one in functions), rest.held):
        whole.add(one)
    summary = Summary([], time.time(), whole, functions, 3000, 30_000, rests)
    text = pages.page(as_data(summary))
    assert "x" * 100 in text
    assert len(text) < 3_500_000


def test_a_log_that_anybody_wrote_breaks_nothing(small, tmp_path, capsys):
    place = small / "__neurotools_cache__" / ".neurotools" / "uses"
    (place / "days").write_bytes(b"1e9\t1\t1\n20000\t3\tnan\n20001\t-3\t1\n20002\t5\t2.5\n\xff\n")
    (place / "log").write_bytes(b"@x\t1\tinf\t3\n@y\t9\n\x00\xff")
    data = data_of(capsys, small)
    assert [day["loads"] for day in data["used"]] == [5]
    report(small, "--html", tmp_path / "out.html")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_an_interrupted_report_leaves_nothing(filled, tmp_path):
    out = tmp_path / "out.html"
    code = (
        "import os, signal\n"
        "from neurotools.console import main\n"
        "from neurotools.console.report import page\n"
        "page._as_script = lambda data: os.kill(os.getpid(), signal.SIGINT)\n"
        f"raise SystemExit(main.main(['report', {str(filled)!r}, '--html', {str(out)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode not in {0, -signal.SIGINT}
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
