"""PathManager: the statements of the reference, BIDS names, and what a Path is."""

import pathlib
import pickle

import pytest

from neurotools.jobs.paths import PathManager as PathMan

FILE = PathMan("/my/path/to/a/file.ext.ext2")


def test_it_is_a_path_and_has_the_methods_of_its_parents(tmp_path):
    """It is derived from a Path object, and so can use any of the parent methods as well."""
    path = PathMan(tmp_path) / "a" / "b.nii.gz"
    assert isinstance(path, pathlib.Path)
    assert isinstance(path, PathMan)
    path.parent.mkdir()
    path.write_text("text")
    assert path.read_text() == "text"
    assert [type(found) for found in path.parent.iterdir()] == [PathMan]
    made = (path.parent, path.with_name("c"), path.resolve())
    assert {type(one) for one in made} == {PathMan}
    assert path == pathlib.Path(path)
    assert hash(path) == hash(pathlib.Path(path))


def test_only_the_file_prefix():
    """Get only the file prefix: prefix contains "file"."""
    assert FILE.get_prefix().path == "file"


def test_the_path_and_prefix():
    """path_and_prefix contains "/my/path/to/a/file"."""
    assert FILE.get_path_and_prefix().path == "/my/path/to/a/file"


def test_repath_keeps_the_filename():
    """Change path of the file, keeping the filename the same: "/new/path/file.ext.ext2"."""
    assert FILE.repath("/new/path").path == "/new/path/file.ext.ext2"


def test_suffixes_are_appended_replaced_and_deleted():
    """Suffixed, replaced and deleted, one after the other, as in the reference."""
    suffixed = FILE.append_suffix("_newsuffix")
    assert suffixed.path == "/my/path/to/a/file_newsuffix.ext.ext2"
    replaced = suffixed.replace_suffix("_newsuffix2")
    assert replaced.path == "/my/path/to/a/file_newsuffix2.ext.ext2"
    assert replaced.delete_suffix().path == "/my/path/to/a/file.ext.ext2"


def test_methods_can_be_chained():
    """Methods can be chained together: chained contains /new/file_test."""
    chained = FILE.repath("/new").append_suffix("_test").get_path_and_prefix()
    assert chained.path == "/new/file_test"
    assert type(chained.path) is str


def test_each_method_gives_a_path_manager():
    """All return PathManager."""
    made = (
        *(FILE.get_prefix(), FILE.get_path_and_prefix(), FILE.repath("a"), FILE.delete_suffix()),
        *(FILE.append_suffix("_a"), FILE.replace_suffix("_a")),
    )
    assert {type(one) for one in made} == {PathMan}


@pytest.mark.parametrize(
    ("path", "method", "given", "expected"),
    [
        (
            "sub-01_task-rest_bold.nii.gz",
            "replace_suffix",
            ["_mask"],
            "sub-01_task-rest_mask.nii.gz",
        ),
        ("sub-01_task-rest_bold.nii.gz", "delete_suffix", [], "sub-01_task-rest.nii.gz"),
        ("/a/b.nii", "delete_suffix", [], "/a/b.nii"),
        ("/my_dir/b.nii", "delete_suffix", [], "/my_dir/b.nii"),
        ("/a/b.nii", "replace_suffix", ["_x"], "/a/b_x.nii"),
        ("/my_dir/b.nii", "replace_suffix", ["_x"], "/my_dir/b_x.nii"),
        ("_b.nii", "delete_suffix", [], "_b.nii"),
        ("/v1.2/scan.nii.gz", "get_path_and_prefix", [], "/v1.2/scan"),
        ("/v1.2/scan", "append_suffix", ["_x"], "/v1.2/scan_x"),
        (".hidden", "get_prefix", [], ".hidden"),
        ("..hidden.txt", "get_prefix", [], "..hidden"),
        (".hidden.txt", "append_suffix", ["_x"], ".hidden_x.txt"),
        ("name.", "append_suffix", ["_x"], "name_x."),
        ("a/", "append_suffix", ["_x"], "a_x"),
        ("größe_ü.nii", "replace_suffix", [" ß"], "größe ß.nii"),
        ("rel/b.nii", "repath", ["../other"], "../other/b.nii"),
    ],
)
def test_names_as_they_are_in_the_field(path, method, given, expected):
    assert getattr(PathMan(path), method)(*given).path == str(pathlib.Path(expected))


@pytest.mark.parametrize("path", ["/", ".", "", ".."])
def test_a_path_without_a_name_has_no_suffix(path):
    with pytest.raises(ValueError, match="has no file name that could be changed"):
        PathMan(path).append_suffix("_x")


def test_a_suffix_does_not_lead_away():
    with pytest.raises(ValueError, match=r"suffix '/\.\./x' would lead into another folder"):
        FILE.append_suffix("/../x")


def test_it_travels():
    copy = pickle.loads(pickle.dumps(FILE))
    assert (type(copy), copy) == (PathMan, FILE)
