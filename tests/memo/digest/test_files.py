"""Digests of files: content counts, names only below a folder, and nothing makes it wait."""

import os
import shutil
import socket
import time
import types

import pytest

from neurotools.memo.digest import files
from neurotools.memo.digest.files import File, file_digest
from neurotools.memo.digest.values import digest
from neurotools.memo.errors import UndigestableValue

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX file system")


@pytest.fixture(autouse=True)
def _nothing_is_known_of_files(monkeypatch):
    monkeypatch.setattr(files, "_digests", {})


@pytest.fixture
def reads(monkeypatch):
    """Return the list of paths that were read."""
    paths, read = [], files._read
    monkeypatch.setattr(files, "_read", lambda path: (paths.append(path), read(path))[1])
    return paths


@pytest.fixture
def scan(tmp_path):
    """Return a file that was written some time ago."""
    return written(tmp_path / "scan.nii", b"voxels")


def written(path, content, age_seconds=60):
    """Write a file as if it were older, as far as its modification time tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    then = time.time() - age_seconds
    os.utime(path, (then, then))
    return path


@pytest.fixture
def settled(monkeypatch):
    """Let time pass at once for the status of files, which no one can set back."""
    monkeypatch.setattr(files, "_SETTLED_NANOSECONDS", 0)


class TestFile:
    def test_it_is_a_plain_string_elsewhere(self, scan):
        assert File(scan) == str(scan)
        assert open(File(scan), "rb").close() is None

    def test_content_counts_and_the_name_does_not(self, tmp_path, scan):
        other = written(tmp_path / "folder" / "other.nii", b"voxels")
        assert digest(File(scan)) == digest(File(other))
        written(other, b"VOXELS")
        assert digest(File(scan)) != digest(File(other))

    def test_it_differs_from_text_and_from_its_content(self, scan):
        assert len({digest(value) for value in (File(scan), str(scan), b"voxels", scan)}) == 4

    def test_a_file_inside_of_a_value_counts_by_content(self, scan):
        before = digest({"images": [File(scan)]})
        written(scan, b"other voxels")
        assert digest({"images": [File(scan)]}) != before

    def test_a_subclass_counts_by_content_too(self, scan):
        class Scan(File):
            pass

        before = digest(Scan(scan))
        written(scan, b"other voxels")
        assert digest(Scan(scan)) not in {before, digest(File(scan))}

    def test_a_missing_file_is_refused(self, tmp_path):
        with pytest.raises(UndigestableValue, match="does not exist") as caught:
            digest({"image": File(tmp_path / "none.nii")})
        assert caught.value.where == "['image']"

    def test_a_path_with_a_null_is_refused(self):
        with pytest.raises(UndigestableValue, match="cannot be read"):
            digest(File("a\0b"))


class TestFileDigest:
    def test_it_is_22_characters_and_depends_on_the_content_only(self, tmp_path):
        one, other = written(tmp_path / "a", b"x"), written(tmp_path / "b", b"x", 1000)
        assert len(file_digest(one)) == 22
        assert file_digest(one) == file_digest(str(other))

    @pytest.mark.parametrize("size", [0, 1, 2**20 - 1, 2**20, 2**20 + 1, 3 * 2**20])
    def test_every_byte_counts(self, tmp_path, size):
        found = {file_digest(written(tmp_path / "a", bytes(size)))}
        for place in {0, size // 2, size - 1} if size else ():
            changed = bytearray(size)
            changed[place] = 1
            found.add(file_digest(written(tmp_path / "b", changed)))
        assert len(found) == 1 + len({0, size // 2, size - 1} if size else ())

    def test_an_unchanged_file_is_read_once(self, scan, reads, settled):
        assert file_digest(scan) == file_digest(scan)
        assert len(reads) == 1

    def test_another_name_of_the_same_file_is_not_read(self, tmp_path, scan, reads, settled):
        os.link(scan, tmp_path / "other.nii")
        file_digest(scan)
        reads.clear()
        assert file_digest(tmp_path / "other.nii") == file_digest(scan)
        assert len(reads) <= 1  # a new name may count as a change of the file

    def test_a_file_as_young_as_two_seconds_is_read_again(self, tmp_path, reads):
        young = written(tmp_path / "young", b"x", age_seconds=0)
        file_digest(young)
        file_digest(young)
        assert len(reads) == 2

    @posix
    def test_same_size_and_time_but_other_content_is_noticed(self, scan, settled):
        before, status = file_digest(scan), scan.stat()
        time.sleep(0.02)
        scan.write_bytes(b"VOXELS")
        os.utime(scan, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert file_digest(scan) != before

    def test_a_file_whose_change_time_can_be_set_is_read_each_time(
        self, scan, reads, settled, monkeypatch
    ):
        plain = files._read

        def coarse(path):
            _, found, after = plain(path)
            row = {name: getattr(after, name) for name in dir(after) if name[:3] == "st_"}
            row["st_ctime_ns"] = 12 * 10**9
            facts = types.SimpleNamespace(**row)
            return facts, found, facts

        monkeypatch.setattr(files, "_read", coarse)
        file_digest(scan), file_digest(scan)
        assert len(reads) == 2

    def test_a_file_of_another_computer_is_remembered_when_time_has_passed_here(
        self, scan, reads, settled, monkeypatch
    ):
        steady = iter([0, 10**9, 3 * 10**9])
        monkeypatch.setattr(files, "is_elsewhere", lambda _: True)
        monkeypatch.setattr(files, "kernel_time", lambda: 1 << 62)
        monkeypatch.setattr(files, "_SETTLED_NANOSECONDS", 2 * 10**9)
        monkeypatch.setattr(files, "_first_read", {})
        monkeypatch.setattr(files.time, "monotonic_ns", lambda: next(steady))
        for _ in range(5):
            file_digest(scan)
        assert len(reads) == 3

    @pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="there is no other clock to ask")
    def test_a_wrong_clock_is_not_asked(self, tmp_path, reads, monkeypatch):
        young = written(tmp_path / "young", b"x", age_seconds=0)
        monkeypatch.setattr(files.time, "time_ns", lambda: 1 << 62)
        file_digest(young), file_digest(young)
        assert len(reads) == 2

    def test_a_file_that_changes_while_it_is_read_is_refused(self, scan, monkeypatch):
        read = files._read

        def slow_read(path):
            before, found, _ = read(path)
            with open(path, "ab") as file:
                file.write(b"x")
            return before, found, os.stat(path)

        monkeypatch.setattr(files, "_read", slow_read)
        with pytest.raises(UndigestableValue, match="changes while"):
            file_digest(scan)

    def test_what_is_remembered_is_bounded(self, tmp_path, monkeypatch, settled):
        monkeypatch.setattr(files, "_REMEMBERED", 10)
        for number in range(30):
            file_digest(written(tmp_path / str(number), b"x"))
        assert len(files._digests) == 10

    @posix
    def test_a_pipe_is_refused_without_waiting(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UndigestableValue, match="neither a file nor a folder"):
            file_digest(tmp_path / "pipe")

    @posix
    @pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/tty"])
    def test_a_device_is_refused(self, device):
        if not os.path.exists(device):
            pytest.skip(f"there is no {device}")
        with pytest.raises(UndigestableValue, match="neither a file nor a folder"):
            file_digest(device)

    def test_a_folder_is_no_file(self, tmp_path):
        with pytest.raises(UndigestableValue, match="is a folder, not a file"):
            file_digest(tmp_path)

    @posix
    def test_a_socket_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)  # names of sockets are short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("s")
            with pytest.raises(UndigestableValue, match="neither"):
                file_digest("s")

    @posix
    @pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root reads everything")
    def test_a_file_that_may_not_be_read_is_refused(self, scan):
        scan.chmod(0)
        with pytest.raises(UndigestableValue, match="cannot be read"):
            file_digest(scan)

    @posix
    def test_a_link_stands_for_what_it_points_to(self, tmp_path, scan):
        (tmp_path / "link").symlink_to(scan)
        assert file_digest(tmp_path / "link") == file_digest(scan)


class TestFolder:
    @pytest.fixture
    def study(self, tmp_path):
        """Return a folder with files and folders in it."""
        written(tmp_path / "study" / "a.dcm", b"a")
        written(tmp_path / "study" / "inner" / "b.dcm", b"b")
        (tmp_path / "study" / "empty").mkdir()
        return tmp_path / "study"

    def test_its_own_name_does_not_count(self, tmp_path, study):
        shutil.copytree(study, tmp_path / "copy")
        assert digest(File(tmp_path / "copy")) == digest(File(study))

    @pytest.mark.parametrize(
        "change",
        {
            "another file": lambda study: written(study / "c.dcm", b"c"),
            "another file inside": lambda study: written(study / "inner" / "c.dcm", b""),
            "another folder": lambda study: (study / "other").mkdir(),
            "a file less": lambda study: (study / "a.dcm").unlink(),
            "a folder less": lambda study: (study / "empty").rmdir(),
            "other content": lambda study: written(study / "inner" / "b.dcm", b"c"),
            "another name": lambda study: (study / "a.dcm").rename(study / "b.dcm"),
            "another place": lambda study: (study / "a.dcm").rename(study / "inner" / "a.dcm"),
        }.values(),
    )
    def test_names_and_contents_inside_count(self, study, change):
        before = digest(File(study))
        change(study)
        assert digest(File(study)) != before

    def test_the_order_in_which_names_are_listed_does_not_count(self, study, monkeypatch):
        before, listdir = digest(File(study)), os.listdir
        for order in (sorted, lambda names: sorted(names, reverse=True)):
            monkeypatch.setattr(os, "listdir", lambda path, order=order: order(listdir(path)))
            assert digest(File(study)) == before

    def test_an_empty_folder_differs_from_an_empty_file(self, tmp_path, study):
        empty = written(tmp_path / "file", b"")
        assert digest(File(empty)) != digest(File(study / "empty"))

    def test_a_folder_differs_from_a_file_of_that_name(self, tmp_path):
        (tmp_path / "one" / "a").mkdir(parents=True)
        written(tmp_path / "two" / "a", b"")
        assert digest(File(tmp_path / "one")) != digest(File(tmp_path / "two"))

    @posix
    def test_a_link_inside_counts_by_content(self, tmp_path, study):
        before = digest(File(study))
        (study / "a.dcm").rename(tmp_path / "elsewhere")
        (study / "a.dcm").symlink_to(tmp_path / "elsewhere")
        assert digest(File(study)) == before

    @posix
    def test_a_dangling_link_counts_by_its_target(self, study):
        found = []
        for target in ("none", "nothing"):
            (study / "link").unlink(missing_ok=True)
            (study / "link").symlink_to(target)
            found.append(digest(File(study)))
        assert found[0] != found[1]

    @posix
    def test_a_folder_that_links_back_into_itself_is_refused(self, study):
        (study / "inner" / "loop").symlink_to(study)
        with pytest.raises(UndigestableValue, match="links back into itself"):
            digest(File(study))

    @posix
    def test_a_pipe_inside_is_refused_without_waiting(self, study):
        os.mkfifo(study / "pipe")
        with pytest.raises(UndigestableValue, match="pipe"):
            digest(File(study))

    @posix
    def test_names_that_are_no_text_are_allowed(self, study):
        try:
            written_raw = os.open(os.fsencode(study) + b"/\xff\xfe", os.O_CREAT | os.O_WRONLY)
        except OSError:
            pytest.skip("the file system wants text")
        os.close(written_raw)
        assert digest(File(study))
