"""Archives of entries: what goes in comes out, and what should not come in does not."""

import hashlib
import io
import json
import os
import stat
import sys
import zipfile

import numpy as np
import pytest

from neurotools.console.main import main
from neurotools.jobs.cache import disk_cacher
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep import inventory, parcel


def numbers(n):
    return np.arange(n)


def parts(n):
    return {"n": complex(n, 1)}


def packed(tmp_path, *, method="npy", function=numbers, signer=None, **options):
    """Return an archive of two entries, and where they were."""
    remembering = disk_cacher(tmp_path / "from", method=method, **options)(function)
    remembering(3)
    remembering(4)
    archive = str(tmp_path / "archive.zip")
    entries = list(inventory.entries_in(inventory.places_at(tmp_path / "from")))
    done = list(parcel.pack(archive, entries, signer))
    assert [one.problem for one in done] == ["", ""]
    return archive


def unpacked(archive, tmp_path, signer=None):
    tier = DirectoryTier(str(tmp_path / "to" / "__neurotools_cache__"), signer=signer)
    return [(one.what, one.reason) for one in parcel.unpack(archive, tier, signer)]


def changed(archive, change):
    """Write the archive anew, its members changed by name."""
    with zipfile.ZipFile(archive) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    with zipfile.ZipFile(archive, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)


def relisted(change):
    """Change the list of entries."""

    def in_members(members):
        listed = json.loads(members[parcel.LIST])
        change(listed, members)
        members[parcel.LIST] = json.dumps(listed).encode()

    return in_members


def test_what_goes_in_comes_out_and_is_a_hit(tmp_path):
    archive = packed(tmp_path)
    assert unpacked(archive, tmp_path) == [("taken", "")] * 2
    elsewhere = disk_cacher(tmp_path / "to")(numbers)
    np.testing.assert_array_equal(elsewhere(3), [0, 1, 2])
    assert elsewhere.cache_info().hits == 1
    assert elsewhere.versions()[0].changes == ()  # the manifest came along
    assert unpacked(archive, tmp_path) == [("there", "")] * 2


def test_an_archive_opens_with_ordinary_tools(tmp_path):
    archive = packed(tmp_path)
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.endswith(".npy")]
        arrays = [np.load(io.BytesIO(opened.read(name))) for name in names]
        assert b"numpy.load" in opened.read(parcel.WORDS)
    assert sorted(map(len, arrays)) == [3, 4]


@pytest.mark.parametrize(
    "path",
    [
        "../../../../evil/f/code/call.npy",
        "/etc/f/code/call.npy",
        "f/../../code/call.npy",
        ".neurotools/notes/code/call.npy",
        "C:/f/code/call.npy",
        "a\\b/code/call.npy",
        "f//call.npy",
        "f/code/call",
        "f/code/call.py",
        "f/code/.npy",
        "code/call.npy",
        "f/co\0de/call.npy",
        "/".join(["f"] * 80) + "/call.npy",
        "f/code/" + "x" * 300 + ".npy",
    ],
)
def test_no_path_leads_out_of_the_cache(tmp_path, path):
    archive = packed(tmp_path)

    def rename(listed, members):
        item = listed["entries"][0]
        members[f"{parcel.BELOW}/{path}"] = members.pop(f"{parcel.BELOW}/{item['path']}")
        item["path"] = path

    changed(archive, relisted(rename))
    before = {str(file) for file in tmp_path.parent.rglob("*")}
    refused, taken = unpacked(archive, tmp_path)
    assert refused[0] == "refused"
    assert taken[0] == "taken"
    new = {str(file) for file in tmp_path.parent.rglob("*")} - before
    assert all(file.startswith(str(tmp_path / "to")) for file in new)


def test_an_entry_under_another_name_is_refused(tmp_path):
    archive = packed(tmp_path)

    def swap(listed, members):
        one, two = [f"{parcel.BELOW}/{item['path']}" for item in listed["entries"]]
        members[one], members[two] = members[two], members[one]
        for item in listed["entries"]:
            content = members[f"{parcel.BELOW}/{item['path']}"]
            item.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())

    changed(archive, relisted(swap))
    assert [what for what, _ in unpacked(archive, tmp_path)] == ["refused"] * 2


def test_a_damaged_entry_is_refused(tmp_path):
    archive = packed(tmp_path)

    def damage(listed, members):
        name = f"{parcel.BELOW}/{listed['entries'][0]['path']}"
        members[name] = members[name][:-1] + b"?"

    changed(archive, relisted(damage))
    assert unpacked(archive, tmp_path) == [("refused", "its checksum is wrong"), ("taken", "")]


@pytest.mark.parametrize("lie", [0, 10, 1 << 60])
def test_an_entry_that_is_longer_or_shorter_than_said_is_refused(tmp_path, lie):
    archive = packed(tmp_path)
    changed(archive, relisted(lambda listed, _: listed["entries"][0].update(size=lie)))
    assert [what for what, _ in unpacked(archive, tmp_path)] == ["refused", "taken"]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"[" * 100_000, b'{"format": 2, "entries": []}', b"\xff\xfe",
     b'{"format": 1, "entries": [{"path": 3, "size": 1, "sha256": ""}]}',
     b'{"format": 1, "entries": [{"path": "a", "size": true, "sha256": ""}]}',
     b'{"format": 1, "entries": 7}'],
)  # fmt: skip
def test_an_archive_with_a_bad_list_is_refused_as_a_whole(tmp_path, content):
    archive = packed(tmp_path)
    changed(archive, lambda members: members.update({parcel.LIST: content}))
    with pytest.raises(parcel.BadArchive):
        unpacked(archive, tmp_path)


@pytest.mark.parametrize("cut", [0, 1, 100, -30])
def test_what_is_no_archive_is_one_line(tmp_path, cut, capsys):
    archive = packed(tmp_path)
    with open(archive, "rb+") as file:
        content = file.read()[:cut]
        file.seek(0)
        file.truncate()
        file.write(content)
    assert main(["import", archive, str(tmp_path / "to")]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "archive" in told


class TestPickles:
    def test_they_stay_out_unless_they_are_signed_with_our_key(self, tmp_path):
        archive = packed(tmp_path, method="pickle", function=parts)
        done = unpacked(archive, tmp_path)
        assert [what for what, _ in done] == ["refused"] * 2
        assert "not signed with your key" in done[0][1]
        assert not list((tmp_path / "to").rglob("*.pickle"))

    def test_those_that_are_signed_come_in_and_are_opened(self, tmp_path):
        signer = Signer(b"the secret of our lab")
        archive = packed(tmp_path, method="pickle", function=parts, signer=signer)
        assert unpacked(archive, tmp_path, Signer(b"another one"))[0][0] == "refused"
        assert unpacked(archive, tmp_path, signer) == [("taken", "")] * 2
        elsewhere = disk_cacher(tmp_path / "to", method="pickle")(parts)
        assert elsewhere(3) == {"n": 3 + 1j}
        assert elsewhere.cache_info().hits == 1

    @pytest.mark.skipif(not hasattr(os, "geteuid"), reason="access control lists decide")
    def test_a_pickle_that_is_not_trusted_here_is_not_signed(self, tmp_path):
        remembering = disk_cacher(tmp_path / "from", method="pickle")(parts)
        remembering(3)
        (file,) = (tmp_path / "from").rglob("*.pickle")
        file.chmod(0o666)
        signer, archive = Signer(b"ours"), str(tmp_path / "archive.zip")
        entries = list(inventory.entries_in(inventory.places_at(tmp_path / "from")))
        assert [one.problem for one in parcel.pack(archive, entries, signer)] == [""]
        assert unpacked(archive, tmp_path, signer)[0][0] == "refused"

    def test_nothing_runs_when_an_archive_is_taken_in(self, tmp_path):
        class Bomb:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / "exploded"),)

        archive = packed(tmp_path, method="pickle", function=lambda n: [n, Bomb()])
        unpacked(archive, tmp_path)
        assert not (tmp_path / "exploded").exists()


def test_an_entry_that_tells_what_code_to_load_stays_out(tmp_path):
    archive = packed(tmp_path, trace=True)
    with zipfile.ZipFile(archive) as opened:
        name = next(name for name in opened.namelist() if name.endswith(".npy"))
        has_facts = b'"traced":[]' not in opened.read(name)
    what, reason = unpacked(archive, tmp_path)[0]
    assert what == ("refused" if has_facts else "taken"), reason


@pytest.mark.skipif(sys.platform == "win32", reason="modes are not kept there")
def test_what_is_taken_in_is_private(tmp_path):
    before = os.umask(0)
    try:
        unpacked(packed(tmp_path), tmp_path)
    finally:
        os.umask(before)
    for file in (tmp_path / "to" / "__neurotools_cache__").rglob("*"):
        assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file


def test_an_archive_that_cannot_be_finished_is_not_there(tmp_path):
    remembering = disk_cacher(tmp_path / "from")(numbers)
    remembering(3)
    entries = list(inventory.entries_in(inventory.places_at(tmp_path / "from")))
    packing = parcel.pack(str(tmp_path / "archive.zip"), entries, None)
    next(packing)
    packing.close()  # as when it is stopped
    assert os.listdir(tmp_path) == ["from"]


def test_the_command_exports_what_is_named_and_imports_it(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    disk_cacher("from")(numbers)(3)
    disk_cacher("from", method="pickle")(parts)(3)
    assert main(["export", "all.zip", "--cache", "from"]) == 0
    assert "not signed" in capsys.readouterr().out
    assert main(["export", "one.zip", "numbers", "--cache", "from"]) == 0
    assert "1 entry in one.zip" in capsys.readouterr().out
    assert main(["import", "one.zip", "to"]) == 0
    assert "1 entry taken" in capsys.readouterr().out
    assert main(["import", "all.zip", "to", "--json"]) == 1
    done = json.loads(capsys.readouterr().out)
    assert (len(done["taken"]), len(done["there"]), len(done["refused"])) == (0, 1, 1)
    assert main(["export", "none.zip", "nothing.such", "--cache", "from"]) == 1
    assert not (tmp_path / "none.zip").exists()
