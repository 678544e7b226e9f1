import os
import stat

import pytest

from neurotools.memo.errors import UnknownChoice
from neurotools.memo.tiers.folders import PRIVATE, Folders
from neurotools.memo.tiers.trust import Trust

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes or links")


@pytest.fixture
def folders(tmp_path):
    made = Folders(str(tmp_path / "a" / "root"), Trust())
    made.make_root()
    return made


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_all_that_is_made_is_private(folders):
    folders.make(f"{folders.root}/b/c")
    for place in (folders.root, os.path.dirname(folders.root), f"{folders.root}/b/c"):
        assert mode(place) == 0o700


def test_what_was_there_keeps_its_mode(folders):
    os.mkdir(f"{folders.root}/b", 0o750)
    folders.make(f"{folders.root}/b/c")
    assert mode(f"{folders.root}/b") == 0o750


def test_links_of_ones_own_are_gone_through(folders, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", f"{folders.root}/b")
    folders.make(f"{folders.root}/b/c")
    assert (tmp_path / "elsewhere" / "c").is_dir()


def test_a_file_in_the_way_is_set_aside(folders):
    with open(f"{folders.root}/b", "w", encoding="ascii") as file:
        file.write("not lost")
    folders.make(f"{folders.root}/b/c")
    (moved,) = os.listdir(f"{folders.root}/{PRIVATE}/damaged")
    with open(f"{folders.root}/{PRIVATE}/damaged/{moved}", encoding="ascii") as file:
        assert file.read() == "not lost"


def test_what_was_exchanged_meanwhile_stays(folders):
    path = f"{folders.root}/entry"
    with open(path, "wb"):
        before = os.stat(path)
    with open(f"{path}-new", "wb") as file:
        file.write(b"good")
    os.replace(f"{path}-new", path)
    assert not folders.set_aside(path, before)
    assert os.path.getsize(path) == 4


def test_a_folder_with_content_is_never_removed(folders):
    place = f"{folders.root}/{PRIVATE}/damaged"
    folders.make(f"{place}/0-thesis/chapters")
    for number in range(40):
        path = f"{folders.root}/entry-{number}"
        with open(path, "wb"):
            pass
        assert folders.set_aside(path, os.stat(path))
    assert os.path.isdir(f"{place}/0-thesis/chapters")
    assert len(os.listdir(place)) <= 17


def test_an_unknown_way_to_share_is_refused(tmp_path):
    with pytest.raises(UnknownChoice, match="choose None or group"):
        Folders(str(tmp_path), Trust(), "world")
