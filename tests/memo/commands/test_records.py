"""Records: whole or not at all, bounded, and what is damaged is set aside."""

import json
import os

import pytest

from neurotools.memo.commands.contents import File
from neurotools.memo.commands.records import MOST_RUNS, Records, Run, decoded, encoded
from neurotools.memo.errors import CorruptEntry


def run(number=0, **more):
    files = {"a\udcff": File("p", "hash", [1, 2, 3, 4, 5], 6.0, is_settled=True)}
    folder = File("d", "hash", mode=0o755, inner={"x": File("d/x", "hash")})
    return Run(["word", str(number)], files, {"output d": folder}, when=1.5, seconds=2.0, **more)


def same(one, other):
    return one.as_json() == other.as_json()


def test_a_record_comes_back_as_it_was():
    runs = [run(), run(1, printed=File("out", "hash"), kept=True)]
    back = decoded(encoded("/here", runs), "record")
    assert all(same(one, other) for one, other in zip(back, runs, strict=True))


def test_every_changed_byte_is_damage():
    content = encoded("/here", [run()])
    for place in range(0, len(content) - 1, 7):
        damaged = bytearray(content)
        damaged[place] ^= 1
        try:
            (back,) = decoded(bytes(damaged), "record")
        except CorruptEntry:
            continue
        assert same(back, run()), place  # white space is nobody's concern


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b'{"checksum": ""}', b"[" * 100_000])
def test_what_is_no_record_is_damage(content):
    with pytest.raises(CorruptEntry, match="cannot read cache entry record"):
        decoded(content, "record")


def test_the_newest_runs_stay(tmp_path):
    records = Records(str(tmp_path), "slot", "/here")
    records.save([run(number) for number in range(MOST_RUNS + 3)])
    loaded = records.load()
    assert [one.words[1] for one in loaded] == [str(number) for number in range(3, MOST_RUNS + 3)]


def test_what_forgotten_runs_printed_is_removed(tmp_path):
    records = Records(str(tmp_path), "slot", "/here")
    path = records.place_for_printed(1)
    (tmp_path / "commands").mkdir()
    open(path, "w").close()
    records.save([run(printed=File(path, "hash"))])
    assert (tmp_path / "commands/slot.1.out").exists()
    records.save([run()])
    assert [path.name for path in (tmp_path / "commands").iterdir()] == ["slot.json"]


def test_a_record_is_json_for_people(tmp_path):
    Records(str(tmp_path), "slot", "/here").save([run()])
    facts = json.loads((tmp_path / "commands/slot.json").read_text())
    assert facts["runs"][0]["words"] == ["word", "0"]
    assert facts["folder"] == "/here"


def test_what_a_killed_process_left_is_removed_in_time(tmp_path):
    records = Records(str(tmp_path), "slot", "/here")
    records.save([run()])
    names = {"old": "slot.1.out.7-a.tmp", "young": "slot.json.8-b.tmp", "other": "another.9.tmp"}
    for name in names.values():
        (tmp_path / "commands" / name).touch()
    for kind in ("old", "other"):
        os.utime(tmp_path / "commands" / names[kind], (0, 0))
    records.save([run()])
    left = {path.name for path in (tmp_path / "commands").iterdir()}
    assert left == {"slot.json", names["young"], names["other"]}
