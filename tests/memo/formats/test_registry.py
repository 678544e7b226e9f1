import subprocess
import sys

import numpy as np
import pytest

from neurotools.memo.errors import UnknownChoice
from neurotools.memo.formats.compressed import Compressed
from neurotools.memo.formats.registry import FORMATS, decoder, format_named, holds
from tests.memo.formats.promises import aligned, encoded

DOCUMENTED_TYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)


@pytest.mark.parametrize("method", ["npy", "pickle", "mat", "hdf5"])
def test_a_format_has_the_name_under_which_it_is_found(method):
    assert format_named(method) is FORMATS[method]
    assert format_named(method).method == method


def test_p_is_pickle():
    assert format_named("p") is FORMATS["pickle"]


@pytest.mark.parametrize("method", ["nyp", "", None, 5, ["npy"]])
def test_an_unknown_method_lists_the_known_ones(method):
    with pytest.raises(UnknownChoice, match="choose hdf5, mat, npy or pickle"):
        format_named(method)


@pytest.mark.parametrize(
    ("compress", "level"),
    [(True, 1), ("zstd", 1), ("zstd:9", 9), (("zstd", 3), 3), (["zstd", 22], 22)],
)
@pytest.mark.parametrize("method", ["npy", "pickle"])
def test_compression_may_be_written_in_these_ways(method, compress, level):
    form = format_named(method, compress)
    assert isinstance(form, Compressed)
    assert (form.method, form.level) == (method, level)
    assert form.runs_code is FORMATS[method].runs_code


@pytest.mark.parametrize("compress", [None, False])
def test_no_compression_is_the_format_itself(compress):
    assert format_named("npy", compress) is FORMATS["npy"]


@pytest.mark.parametrize("compress", ["gzip", 5, ("gzip", 5), (), "zst", ("zstd", 1, 2)])
def test_unknown_compression_is_refused(compress):
    with pytest.raises(UnknownChoice, match=r"unknown compress .* choose zstd or zstd:LEVEL"):
        format_named("npy", compress)


@pytest.mark.parametrize("compress", ["zstd:0", "zstd:23", "zstd:", "zstd:x", ("zstd", True)])
def test_unknown_levels_are_refused(compress):
    with pytest.raises(ValueError, match="levels go from 1 to 22"):
        format_named("npy", compress)


@pytest.mark.parametrize("method", ["mat", "hdf5"])
def test_files_for_other_programs_are_not_compressed(method):
    with pytest.raises(ValueError, match=f"'{method}' cannot be compressed.*npy and pickle can"):
        format_named(method, "zstd")


@pytest.mark.parametrize("method", FORMATS)
@pytest.mark.parametrize("compress", [None, "zstd"])
def test_reading_goes_by_the_layout(method, compress):
    if compress and method in {"mat", "hdf5"}:
        pytest.skip("is not compressed")
    content, layout = encoded(format_named(method, compress), np.arange(10**5))
    back = decoder(method, layout).decode(aligned(content), layout)
    assert (back == np.arange(10**5)).all()


@pytest.mark.parametrize("method", ["npy", "mat"])
@pytest.mark.parametrize("dtype", DOCUMENTED_TYPES)
def test_all_documented_types_are_held(method, dtype):
    array = np.ones((2, 3), dtype)
    assert holds(FORMATS[method], (array, array[0, 0], [array])) is True


@pytest.mark.parametrize("method", ["npy", "mat"])
@pytest.mark.parametrize("value", [np.array([1, None]), (1, object()), {"x": [len]}])
def test_other_types_are_not_held(method, value):
    assert holds(FORMATS[method], value) is False


def test_importing_all_formats_loads_nothing_slow():
    slow = {"scipy", "h5py", "zstandard", "pandas"}
    module = "neurotools.memo.formats.registry"
    code = f"import sys, {module} as known; [*known.FORMATS.values()]; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not slow & set(done.stdout.split())
