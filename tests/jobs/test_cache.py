"""The documented API, name by name."""

import inspect
import os
import subprocess
import sys
import zlib
from base64 import urlsafe_b64encode
from pathlib import Path

import numpy as np
import pytest

from neurotools.jobs import cache
from neurotools.jobs.cache import (
    base64hash,
    base64hash10bytes,
    combine_caches,
    disk_cacher,
    exists,
    file_string_to_signature,
    function_hash_no_subroutines,
    function_hash_with_subroutines,
    function_signature,
    get_cache_path,
    get_source,
    hierarchical_cacher,
    human_decode,
    human_encode,
    locate_cached,
    read_cache_entry,
    scan_cachedir,
    signature_to_file_string,
    validate_for_matfile,
    validate_for_numpy,
)
from neurotools.jobs.ndecorator import argument_signature
from neurotools.memo.entry import Digested
from neurotools.memo.errors import (
    CorruptEntry,
    UnknownChoice,
    UnreadableName,
    UnsupportedFunction,
    UnusableLocation,
)


def helper(x):
    return x + 1


def example(a, b=2, *more, **options):
    """Add one."""
    return helper(a)


DOCUMENTED = {
    "get_source": "(f)",
    "function_hash_no_subroutines": "(f)",
    "function_hash_with_subroutines": "(f, force=False)",
    "function_signature": "(f)",
    "signature_to_file_string": "(f, sig, mode='repr', compressed=True, base64encode=True, "
    "truncate=True)",
    "file_string_to_signature": "(filename, mode='repr', compressed=True, base64encode=True)",
    "human_encode": "(sig)",
    "human_decode": "(key)",
    "get_cache_path": "(cache_root, f, *args, **kwargs)",
    "locate_cached": "(cache_root, f, method, *args, **kwargs)",
    "validate_for_matfile": "(x)",
    "validate_for_numpy": "(x)",
    "disk_cacher": "(cache_location, method='npy', write_back=True, skip_fast=False, "
    "verbose=False, allow_mutable_bindings=False, cache_identifier='__neurotools_cache__')",
    "hierarchical_cacher": "(fast_to_slow, method='npy', write_back=True, verbose=False, "
    "allow_mutable_bindings=False, cache_identifier='neurotools_cache')",
    "scan_cachedir": "(cachedir, method='npy', verbose=False, **kw)",
    "base64hash": "(obj)",
    "base64hash10bytes": "(obj)",
    "combine_caches": "(cache_root, f)",
    "exists": "(cache_root, f, method, *args, **kwargs)",
    "read_cache_entry": "(location, method)",
}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_documented_names_take_the_documented_parameters(name):
    signature = inspect.signature(getattr(cache, name))
    documented = [
        p.replace(annotation=p.empty)
        for p in signature.parameters.values()
        if p.kind is not p.KEYWORD_ONLY
    ]
    assert str(inspect.Signature(documented)) == DOCUMENTED[name]
    assert getattr(cache, name).__doc__


@pytest.fixture
def cached(tmp_path):
    return disk_cacher(tmp_path)


def test_get_source():
    assert get_source(helper) == "def helper(x):\n    return x + 1\n"
    with pytest.raises(UnsupportedFunction, match="len"):
        get_source(len)


def test_get_source_looks_through_the_memoizer(cached):
    assert get_source(cached(helper)) == get_source(helper)


def versions(tmp_path, monkeypatch, *sources):
    """Yield a function of the same name from each source."""
    import importlib

    monkeypatch.syspath_prepend(tmp_path)
    for number, source in enumerate(sources):
        (tmp_path / "changing_module.py").write_text(source)
        os.utime(tmp_path / "changing_module.py", (number, number))
        sys.modules.pop("changing_module", None)
        importlib.invalidate_caches()
        yield importlib.import_module("changing_module").f
    sys.modules.pop("changing_module", None)


BASE = "def g(x):\n    return x\n\ndef f(x, y=1):\n    '''Say.'''\n    return g(x)\n"


@pytest.mark.parametrize(
    ("old", "new", "own", "deep", "folder"),
    [
        ("return g(x)", "return g(x) + 1", True, True, True),
        ("y=1", "y=2", True, True, True),
        ("Say.", "Tell.", True, True, False),
        ("return x\n", "return x + 1\n", False, True, True),
        ("return g(x)", "return g(x)  # really", None, False, False),
    ],
    ids=["body", "default", "docstring", "subroutine", "comment"],
)
def test_what_changes_which_hash(tmp_path, monkeypatch, old, new, own, deep, folder):
    for hashes, changes in [
        (function_hash_no_subroutines, own),
        (function_hash_with_subroutines, deep),
        (function_signature, folder),
    ]:
        one, other = map(hashes, versions(tmp_path, monkeypatch, BASE, BASE.replace(old, new)))
        assert changes is None or (one != other) is changes
        assert isinstance(one, str)


def test_subroutine_hashes_accept_force():
    assert function_hash_with_subroutines(example, force=True) == function_hash_with_subroutines(
        example
    )


def test_a_function_signature_is_name_and_code():
    name, _, code = function_signature(example).rpartition(".")
    assert name == f"{__name__}.example"
    assert len(code) == 14


def test_the_folder_follows_the_recursive_hash(tmp_path, monkeypatch):
    one, other = (
        get_cache_path(tmp_path, f)
        for f in versions(tmp_path, monkeypatch, BASE, BASE.replace("return x\n", "return -x\n"))
    )
    assert one != other
    assert os.path.dirname(one[:-1]) == os.path.dirname(other[:-1])


def test_hashes_are_the_documented_ones():
    assert base64hash("abc") == "Iwl9IjQF2CKGQqR3vaJVsyqtvOS9oLP342ydpw"
    assert base64hash10bytes("abc") == "Iwl9IjQF2CKGQg"


SIGNATURE = ((("a", (1,)), ("b", [1.0, True, "x/y"])), (None, b"\0"))


@pytest.mark.parametrize("mode", ["repr", "pickle", "human"])
@pytest.mark.parametrize(
    ("compressed", "base64encode"), [(True, True), (False, True), (False, False)]
)
def test_signatures_survive_their_file_strings(mode, compressed, base64encode):
    if mode == "pickle" and not base64encode:
        pytest.skip("raw pickles are no file names")
    options = {"mode": mode, "compressed": compressed, "base64encode": base64encode}
    name = signature_to_file_string(example, SIGNATURE, **options)
    assert name.startswith(function_signature(example) + ".")
    assert "/" not in name
    assert file_string_to_signature(name, **options) == SIGNATURE


def test_json_loses_tuples_and_nothing_else():
    name = signature_to_file_string(example, SIGNATURE, mode="json")
    named, extra = file_string_to_signature(name, mode="json")
    assert (named, extra) == ((("a", [1]), ("b", [1.0, True, "x/y"])), (None, b"\0"))


def test_long_signatures_are_truncated_unless_told_otherwise():
    sig = argument_signature(example, *(os.urandom(120).hex()[:120] for _ in range(5)))
    assert len(signature_to_file_string(example, sig)) <= 255
    with pytest.raises(UnreadableName, match="no argument signature"):
        file_string_to_signature(signature_to_file_string(example, sig))
    with pytest.raises(ValueError, match="fit into a file name"):
        signature_to_file_string(example, sig, truncate=False)


def test_bad_encodings_are_refused():
    with pytest.raises(UnknownChoice, match="choose human, json, pickle or repr"):
        signature_to_file_string(example, SIGNATURE, mode="xml")
    with pytest.raises(ValueError, match="base64encode=True"):
        signature_to_file_string(example, SIGNATURE, base64encode=False)


def test_human_form():
    sig = argument_signature(example, 1, name="a=b,c")
    assert human_encode(sig) == "a=1,b=2,name='a=b,c'"
    assert human_decode("a=1,b=2,name='a=b,c'") == sig
    with pytest.raises(UnreadableName, match="no argument signature"):
        human_decode("not a call")


def test_locate_cached_returns_its_five_values(cached):
    f = cached(example)
    fn, sig, path, filename, location = locate_cached(f.cache_root, f, "npy", 1, b=3)
    assert fn == signature_to_file_string(f, sig)
    assert sig == ((("a", 1), ("b", 3)), None)
    assert path == get_cache_path(f.cache_root, f)
    assert filename == ".".join(fn.split(".")[-2:]) + ".npy"
    assert location == path + filename == f.locate(1, 3)


@pytest.mark.parametrize("arguments", [[], range(500), ["x" * 1000]])
def test_locate_cached_and_the_memoized_function_agree(cached, arguments):
    f = cached(example)
    f(0, 1, *arguments)
    assert locate_cached(f.cache_root, f, "npy", 0, 1, *arguments)[-1] == f.locate(0, 1, *arguments)
    assert os.path.exists(f.locate(0, 1, *arguments))


def test_locate_cached_refuses_wrong_arguments_and_methods(tmp_path):
    with pytest.raises(ValueError, match="does not take these arguments"):
        locate_cached(tmp_path, helper, "npy", 1, 2)
    with pytest.raises(UnknownChoice, match="choose hdf5, mat, npy or pickle"):
        locate_cached(tmp_path, helper, "nyp", 1)


def test_exists_honours_keyword_arguments(cached):
    f = cached(example)
    f(1, b=5)
    assert exists(f.cache_root, f, "npy", 1, b=5)
    assert exists(f.cache_root, example, "npy", 1, 5)
    assert not exists(f.cache_root, f, "npy", 1)
    assert not exists(f.cache_root, f, "pickle", 1, b=5)


@pytest.mark.parametrize("method", ["npy", "pickle", "mat", "hdf5"])
def test_read_cache_entry(tmp_path, method):
    f = disk_cacher(tmp_path, method)(lambda x: (x, [1.5]))
    f(1)
    assert read_cache_entry(f.locate(1), method) == (1, [1.5])


def test_folders_are_asked_for_not_urls():
    pytest.importorskip("fsspec")
    f = disk_cacher("memory://asked")(lambda x: x)
    f(1)
    assert f.check_call_in_cache(1)
    assert locate_cached("memory://asked/__neurotools_cache__", f, "npy", 1)[-1] == f.locate(1)
    path = get_cache_path("memory://asked/__neurotools_cache__", f)
    for ask in (
        lambda: exists(f.cache_root, f, "npy", 1),
        lambda: exists("memory://asked/__neurotools_cache__", f, "npy", 1),
        lambda: read_cache_entry(f.locate(1), "npy"),
        lambda: scan_cachedir(path),
        lambda: combine_caches("memory://asked/__neurotools_cache__", f),
    ):
        with pytest.raises(ValueError, match="is no folder of this computer"):
            ask()


def test_read_cache_entry_says_what_is_wrong(tmp_path, cached):
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_cache_entry(tmp_path / "nothing.npy", "npy")
    np.save(tmp_path / "foreign.npy", np.zeros(3))
    with pytest.raises(CorruptEntry, match="seal"):
        read_cache_entry(tmp_path / "foreign.npy", "npy")
    f = cached(helper)
    f(1)
    with open(f.locate(1), "r+b") as file:
        file.write(b"damage")
    with pytest.raises(CorruptEntry, match="cannot read"):
        read_cache_entry(f.locate(1), "npy")


def test_reading_an_entry_leaves_its_file_alone(cached):
    f = cached(helper)
    f(1)
    location = f.locate(1)
    with open(location, "r+b") as file:
        file.write(b"damage")
    with pytest.raises(CorruptEntry, match="cannot read"):
        read_cache_entry(location, "npy")
    assert os.path.exists(location)


def test_scan_lists_arguments(cached):
    f = cached(example)
    f(1), f(2.0, b=(3,)), f(1, 2, 3, 4, z="z"), f(np.zeros((2, 3)))
    listing = scan_cachedir(get_cache_path(f.cache_root, f))
    assert set(listing) == set(f.lscache()[1])
    found = sorted(listing.values(), key=str)
    assert ({"a": 1, "b": 2}, None) in found
    assert ({"a": 2.0, "b": (3,)}, None) in found
    assert ({"a": 1, "b": 2, "z": "z"}, [3, 4]) in found
    (array,) = (args["a"] for args, _ in found if isinstance(args["a"], Digested))
    assert array.detail == "(2, 3) float64"


def test_scan_recovers_truncated_arguments_from_the_record(cached):
    f = cached(lambda x: x)
    words = [os.urandom(60).hex() for _ in range(5)]
    f(words)
    ((args, extra),) = scan_cachedir(get_cache_path(f.cache_root, f)).values()
    assert (args, extra) == ({"x": words}, None)


def test_scan_works_without_arguments_and_below_the_folder(cached, tmp_path):
    f = cached(lambda: 1)
    f()
    assert list(scan_cachedir(get_cache_path(f.cache_root, f)).values()) == [({}, None)]
    ((name, _),) = scan_cachedir(f.cache_root).items()
    assert os.path.join(f.cache_root, name) == f.locate()


def test_scan_of_one_method_leaves_the_others_out(tmp_path):
    for method in ("npy", "pickle"):
        f = disk_cacher(tmp_path, method)(example)
        f(1)
    assert len(scan_cachedir(get_cache_path(f.cache_root, f), "pickle")) == 1


def test_scan_of_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="no cache folder"):
        scan_cachedir(tmp_path / "nothing")


def test_scan_passes_by_what_is_no_entry(tmp_path):
    (tmp_path / "stray.npy").write_text("x")
    (tmp_path / "a.b.npy").write_text("x")
    os.mkdir(tmp_path / "folder.npy")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.npy")
    os.symlink("/etc/hostname", tmp_path / "link.npy")
    assert scan_cachedir(tmp_path) == {}


def test_scan_prints_where_asked(cached, capsys):
    f = cached(example)
    f(1)
    folder = get_cache_path(f.cache_root, f)
    Path(folder, "foreign.npy").write_text("x")
    scan_cachedir(folder, verbose=True)
    lines = sorted(line.partition(": ")[2] for line in capsys.readouterr().out.splitlines())
    assert lines == ["a=1,b=2", "no arguments to be read"]


def earlier_name(signature):
    """Return a file name as the earlier neurotools wrote it, padding and all."""
    text = repr(signature).encode()
    return f"{base64hash10bytes(text)}.{urlsafe_b64encode(zlib.compress(text)).decode()}"


def test_caches_of_the_earlier_neurotools_are_read(tmp_path):
    folder = tmp_path / "__neurotools_cache__" / "pkg" / "mod" / "f" / "Iwl9IjQF2CKGQg"
    folder.mkdir(parents=True)
    signature = ((("a", 1), ("b", "text")), None)
    value = np.empty(2, dtype=object)
    value[:] = [((1, "text"), ()), np.zeros(3)]
    np.save(folder / f"{earlier_name(signature)}.npy", value)
    assert list(scan_cachedir(folder).values()) == [({"a": 1, "b": "text"}, None)]
    assert file_string_to_signature(f"pkg.mod.f.code.{earlier_name(signature)}") == signature


def test_combine_merges_other_versions_and_overwrites_nothing(tmp_path, monkeypatch):
    package = tmp_path / "deep" / "er"
    package.mkdir(parents=True)
    made = versions(package, monkeypatch, BASE, BASE.replace("return x\n", "return x + 0\n"))
    old = disk_cacher(tmp_path)(next(made))
    old(1), old(2), old(3)
    before = {x: Path(old.locate(x)).read_bytes() for x in (1, 2, 3)}
    new = disk_cacher(tmp_path)(next(made))
    new(1)
    mine = Path(new.locate(1)).read_bytes()
    done = combine_caches(new.cache_root, new)
    assert (len(done.merged), len(done.kept), len(done.unreadable)) == (2, 1, 0)
    assert str(done).startswith("2 entries merged")
    assert Path(new.locate(1)).read_bytes() == mine
    assert new(2) == 2
    assert new(3) == 3
    assert new.cache_info().misses == 1
    assert {x: Path(old.locate(x)).read_bytes() for x in (1, 2, 3)} == before


def test_combine_leaves_siblings_alone(tmp_path):
    cached = disk_cacher(tmp_path)

    def make(n):
        return cached(lambda x: x * n)

    one, other = make(1), make(100)
    one(5)
    done = combine_caches(other.cache_root, other)
    assert (len(done.merged), len(done.foreign)) == (0, 1)
    assert other(5) == 500


RUN = """
import sys
from neurotools.jobs.cache import *
@disk_cacher(sys.argv[1])
def f(x):
    return x {change}
print(combine_caches(f.cache_root, f))
print(f(5))
"""


def test_combine_tells_scripts_of_one_name_apart(tmp_path):
    def run(folder, change):
        (tmp_path / folder).mkdir(exist_ok=True)
        script = tmp_path / folder / "run.py"
        script.write_text(RUN.format(change=change))
        command = [sys.executable, script, tmp_path / "cache"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    run("a", "+ 1")
    assert run("b", "* 100").splitlines()[-1] == "500"
    assert run("a", "+ 1 + 0").startswith("1 entries merged")


def test_combine_wants_a_cache(tmp_path):
    with pytest.raises(FileNotFoundError, match="no cache folder"):
        combine_caches(tmp_path / "nope", helper)
    assert not (tmp_path / "nope").exists()


def test_bound_methods_are_located_with_their_instance(tmp_path):
    cached = disk_cacher(tmp_path)

    class Scaler:
        @cached
        def scale(self, x):
            return x

    one = Scaler()
    one.scale(1)
    assert exists(one.scale.cache_root, one.scale, "npy", 1)
    assert locate_cached(one.scale.cache_root, one.scale, "npy", 1)[-1] == one.scale.locate(1)


def test_a_file_string_is_never_too_long():
    sig = argument_signature(example, 1)
    assert len(signature_to_file_string("n" * 300, sig)) <= 255


def test_combine_works_before_the_new_version_has_run(tmp_path, monkeypatch):
    made = versions(tmp_path, monkeypatch, BASE, BASE.replace("return x\n", "return x + 0\n"))
    old = disk_cacher(tmp_path)(next(made))
    old(1)
    new = next(made)
    assert len(combine_caches(old.cache_root, new).merged) == 1
    assert exists(old.cache_root, new, "npy", 1)


@pytest.mark.parametrize(
    ("value", "mat", "npy"),
    [
        (np.zeros((2, 2), "f2"), True, True),
        (np.zeros(3, "c16"), True, True),
        ((1, "x", [np.arange(3)]), True, True),
        (np.zeros(2, "g"), False, True),
        (object(), False, False),
        (np.array([object()]), False, False),
        ([1, {2}], None, True),
    ],
)
def test_validation_is_a_plain_answer(value, mat, npy):
    assert mat is None or validate_for_matfile(value) is mat
    assert validate_for_numpy(value) is npy


def test_a_plain_string_is_one_tier(tmp_path):
    assert len(hierarchical_cacher(str(tmp_path)).tiers) == 1
    assert len(hierarchical_cacher(tmp_path).tiers) == 1
    assert os.listdir(tmp_path) == ["neurotools_cache"]


def test_tiers_of_a_hierarchy_fail_early(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableLocation, match="a file, not a folder"):
        disk_cacher(tmp_path / "file" / "..", cache_identifier="file")
    with pytest.raises(ValueError, match="empty"):
        hierarchical_cacher(())
    with pytest.raises(UnknownChoice, match=r"choose a folder, .*ram://"):
        hierarchical_cacher(("ram://", "nowhere://bucket"))
    with pytest.raises(TypeError, match="a tier is a folder"):
        hierarchical_cacher(None)
    with pytest.raises(UnknownChoice, match="choose hdf5, mat, npy or pickle"):
        disk_cacher(tmp_path, "excel")
    with pytest.raises(ValueError, match=r"leads out|no folder name"):
        disk_cacher(tmp_path, cache_identifier="../elsewhere")


def test_p_is_pickle(tmp_path):
    f = disk_cacher(tmp_path, "p")(lambda: {1: "x"})
    f()
    assert f.locate().endswith(".pickle")


def test_the_decorator_knows_its_root(tmp_path):
    cached = disk_cacher(tmp_path)
    assert cached.cache_root == cached(helper).cache_root == str(tmp_path / "__neurotools_cache__")


def test_names_are_the_same_in_every_process(tmp_path):
    code = (
        "import numpy as np; from neurotools.jobs.cache import *\n"
        "from neurotools.jobs.ndecorator import argument_signature\n"
        "import string\n"
        "sig = argument_signature(string.capwords, {'x': {1, 'a', 2.5}}, np.arange(4))\n"
        "f = string.capwords\n"
        "print(signature_to_file_string(f, sig), function_hash_with_subroutines(f))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
