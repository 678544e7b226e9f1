"""Questions about paths against `pathlib`."""

import pathlib
import sys

import pytest

from neurotools.memo.pathlike import is_path, is_plain_path, stem_of_file


class _Own(pathlib.PurePosixPath):
    pass


PLAIN = (pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath)


@pytest.mark.parametrize(
    "value", [pathlib.Path("a"), pathlib.PureWindowsPath("a"), _Own("a"), "a", b"a", None, object()]
)
def test_a_path_is_what_pathlib_makes(value):
    assert is_path(value) == isinstance(value, pathlib.PurePath)


@pytest.mark.parametrize("kind", [*PLAIN, pathlib.PurePath, pathlib.Path, _Own, str, object])
def test_plain_ones_are_the_four(kind):
    assert is_plain_path(kind) == (kind in PLAIN)


def test_a_class_of_the_same_name_is_none():
    assert not is_plain_path(type("PosixPath", (), {}))


def test_before_pathlib_is_loaded_there_is_none(monkeypatch):
    value = pathlib.Path("a")
    monkeypatch.delitem(sys.modules, "pathlib")
    assert not is_path("a")
    assert not is_plain_path(str)
    assert not is_path(value)  # cannot be met: where one is, the module is


@pytest.mark.parametrize(
    "name",
    ["a.py", "a", "a.b.py", ".a", ".a.py", "x/y.z/b.py", "x.y/b", "a.b c.py", "ä.py"],
)
def test_the_stem_is_that_of_pathlib(name):
    assert stem_of_file(name) == pathlib.PurePath(name).stem
    assert stem_of_file(pathlib.PurePath(name)) == pathlib.PurePath(name).stem
