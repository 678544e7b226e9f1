"""Digests of the types of other libraries, which are there or not."""

import datetime as dt
import subprocess
import sys

import numpy as np
import pytest

from neurotools.memo.digest.values import digest
from neurotools.memo.errors import UndigestableValue
from tests.memo.digest.promises import DigestPromises

NEW_NUMPY = int(np.__version__.split(".")[0]) >= 2


def test_no_library_is_loaded_to_digest_plain_values():
    code = """if True:
        import sys
        from neurotools.memo.digest.values import digest
        digest([1, {"a": (2.0, None)}, b"x", {3}, print])
        print(*({"pandas", "scipy", "nibabel", "torch", "xarray", "mne"} & sys.modules.keys()))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


class TestRandom(DigestPromises):
    @pytest.fixture
    def different(self):
        drawn = np.random.default_rng(1)
        drawn.random()
        buffered = np.random.RandomState(1)
        buffered.normal()
        return {
            "generator": np.random.default_rng(1),
            "other seed": np.random.default_rng(2),
            "drawn": drawn,
            "other algorithm": np.random.Generator(np.random.Philox(1)),
            "bits": np.random.PCG64(1),
            "state": np.random.RandomState(1),
            "state, other seed": np.random.RandomState(2),
            "state, buffered": buffered,
            "seeds": np.random.SeedSequence(1),
            "other seeds": np.random.SeedSequence(2),
        }

    @pytest.fixture
    def not_copied(self):
        # Before numpy 2, a copy has the state, and other children.
        return () if NEW_NUMPY else ("generator", "other seed", "drawn", "other algorithm", "bits")

    def test_children_that_were_spawned_count(self):
        generator = np.random.default_rng(1)
        before = digest(generator)
        generator.bit_generator._seed_seq.spawn(1)
        assert digest(generator) != before

    def test_a_vectorized_function_is_the_same_after_its_use(self):
        vectorized = np.vectorize(len, otypes=[int])
        before = digest(vectorized)
        vectorized(["a"])
        assert digest(vectorized) == before


# Some pandas uses what some numpy deprecates.
@pytest.mark.filterwarnings("ignore:The 'generic' unit:DeprecationWarning")
class TestPandas(DigestPromises):
    @pytest.fixture
    def pd(self):
        return pytest.importorskip("pandas")

    @pytest.fixture
    def different(self, pd):
        days = pd.date_range("2020", periods=3, freq="D")
        return {
            **{f"series of {kind}": pd.Series([1, 0], dtype=kind) for kind in self.kinds},
            "named": pd.Series([1, 0], name="a"),
            "labelled": pd.Series([1, 0], index=["a", "b"]),
            "other labels": pd.Series([1, 0], index=["a", "c"]),
            "labels with a name": pd.Series([1, 0], index=pd.Index(["a", "b"], name="x")),
            "missing": pd.Series([1, None], dtype="Int64"),
            "missing float": pd.Series([1, None], dtype="Float64"),
            "missing bool": pd.Series([True, None], dtype="boolean"),
            "nan": pd.Series([1, np.nan]),
            "text": pd.Series(["a", "b"], dtype=object),
            "string": pd.Series(["a", "b"], dtype="string"),
            "string, missing": pd.Series(["a", None], dtype="string"),
            "category": pd.Series(["a", "b"], dtype="category"),
            "more categories": pd.Series(pd.Categorical(["a", "b"], categories=["a", "b", "c"])),
            "order of categories": pd.Series(pd.Categorical(["a", "b"], categories=["b", "a"])),
            "ordered": pd.Series(pd.Categorical(["a", "b"], ordered=True)),
            "objects": pd.Series([[1], {"a": 2}]),
            "other objects": pd.Series([[1], {"a": 3}]),
            "dates": pd.Series([dt.date(2020, 1, 1)]),
            "times": pd.Series(days),
            "times with a zone": pd.Series(days.tz_localize("UTC")),
            "times with another zone": pd.Series(days.tz_localize("Europe/Paris")),
            "sparse": pd.Series(pd.arrays.SparseArray([0, 0, 1])),
            "sparse, other fill": pd.Series(pd.arrays.SparseArray([0, 0, 1], fill_value=1)),
            "days": days,
            "days without frequency": pd.DatetimeIndex(list(days), freq=None),
            "days with a zone": days.tz_localize("UTC"),
            "days with a name": days.rename("day"),
            "months": pd.period_range("2020", periods=3, freq="M"),
            "durations": pd.to_timedelta([1, 2, 3], unit="D"),
            "intervals": pd.interval_range(0, 3),
            "intervals, left": pd.interval_range(0, 3, closed="left"),
            "range": pd.RangeIndex(3),
            "index": pd.Index(np.arange(3)),
            "index of floats": pd.Index([0.0, 1.0, 2.0]),
            "index of text": pd.Index(["a", "b", "c"]),
            "categories": pd.CategoricalIndex(["a", "b", "c"]),
            "levels": pd.MultiIndex.from_product([[1, 2], ["a", "b"]]),
            "levels with names": pd.MultiIndex.from_product([[1, 2], ["a", "b"]], names=["x", "y"]),
            "frame": pd.DataFrame({"a": [1, 2], "b": [1.0, 2.0]}),
            "other columns": pd.DataFrame({"b": [1.0, 2.0], "a": [1, 2]}),
            "duplicate columns": pd.DataFrame([[1, 2]], columns=["a", "a"]),
            "frame of levels": pd.DataFrame({("a", 1): [1], ("a", 2): [2]}),
            "empty frame": pd.DataFrame(),
            "no rows": pd.DataFrame({"a": np.zeros(0)}),
            "no columns": pd.DataFrame(index=[0, 1]),
            "timestamp": pd.Timestamp("2020-01-01"),
            "timestamp with a zone": pd.Timestamp("2020-01-01", tz="UTC"),
            "nanosecond": pd.Timestamp("2020-01-01") + pd.Timedelta(1, unit="ns"),
            "duration": pd.Timedelta(1, unit="s"),
            "month": pd.Period("2020-01", "M"),
            "interval": pd.Interval(0, 1),
            "NaT": pd.NaT,
            "NA": pd.NA,
            "offset": pd.offsets.MonthEnd(2),
            "other offset": pd.offsets.MonthEnd(1),
            "keyword offset": pd.DateOffset(months=1),
            **{f"dtype {kind}": pd.Series([1, 0], dtype=kind).dtype for kind in self.kinds},
            "categorical dtype": pd.CategoricalDtype(["a", "b"]),
            "zone dtype": pd.DatetimeTZDtype("ns", "UTC"),
            "period dtype": pd.PeriodDtype("M"),
        }

    kinds = ("i8", "i4", "f8", "f4", "Int64", "Int32", "Float64", "Float32", "bool", "boolean")

    def test_attributes_count(self, pd):
        one, other = pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1]})
        other.attrs["unit"] = "m"
        assert digest(one) != digest(other)

    def test_flags_count(self, pd):
        frame = pd.DataFrame({"a": [1]})
        assert digest(frame) != digest(frame.set_flags(allows_duplicate_labels=False))

    def test_blocks_in_memory_do_not_count(self, pd):
        whole = pd.DataFrame(np.arange(6.0).reshape(3, 2), columns=["a", "b"])
        apart = pd.DataFrame({"a": [0.0, 2.0, 4.0]})
        apart["b"] = [1.0, 3.0, 5.0]
        assert digest(whole) == digest(apart)

    def test_caches_do_not_count(self, pd):
        frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"]))
        before = digest(frame)
        assert frame["a"].sum() + frame.loc["x"].sum() + frame.index.is_unique
        assert digest(frame) == before

    def test_what_lies_under_a_missing_value_does_not_count(self, pd):
        one = pd.array([1, 2, 3], dtype="Int64")
        other = pd.array([1, 7, 3], dtype="Int64")
        one[1] = other[1] = pd.NA
        assert digest(one) == digest(other)

    def test_what_a_subclass_adds_counts(self, pd):
        class Study(pd.DataFrame):
            _metadata = ["subject"]  # noqa: RUF012 - as pandas wants it

        one, other = Study({"a": [1]}), Study({"a": [1]})
        one.subject, other.subject = "A", "B"
        assert len({digest(value) for value in (one, other, pd.DataFrame({"a": [1]}))}) == 3

    def test_chunks_of_arrow_do_not_count(self, pd):
        pa = pytest.importorskip("pyarrow")
        whole = pd.arrays.ArrowExtensionArray(pa.chunked_array([["a", "b"]]))
        parts = pd.arrays.ArrowExtensionArray(pa.chunked_array([["a"], ["b"]]))
        assert digest(whole) == digest(parts)

    def test_an_error_names_the_place(self, pd):
        frame = pd.DataFrame({"a": [1, iter([])]})
        with pytest.raises(UndigestableValue) as caught:
            digest([frame])
        assert caught.value.where == "[0].values[0][1]"


class TestSparse(DigestPromises):
    formats = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")

    @pytest.fixture
    def sparse(self):
        return pytest.importorskip("scipy.sparse")

    @pytest.fixture
    def different(self, sparse):
        dense, other = np.diag([1.0, 2.0, 0.0]), np.diag([1.0, 3.0, 0.0])
        found = {}
        for layout in self.formats:
            for kind in ("matrix", "array"):
                make = getattr(sparse, f"{layout}_{kind}")
                found[f"{layout} {kind}"] = make(dense)
                found[f"{layout} {kind}, other"] = make(other)
                found[f"{layout} {kind}, larger"] = make((4, 3))
                found[f"{layout} {kind}, float32"] = make(dense.astype("f4"))
        return found

    def test_caches_do_not_count(self, sparse):
        matrix = sparse.csr_matrix(np.eye(3))
        before = digest(matrix)
        assert matrix.has_sorted_indices
        assert matrix.has_canonical_format
        assert digest(matrix) == before


class TestNibabel:
    @pytest.fixture
    def nib(self):
        return pytest.importorskip("nibabel")

    @pytest.fixture
    def image(self, nib):
        return nib.Nifti1Image(np.arange(8, dtype="i2").reshape(2, 2, 2), np.eye(4))

    def test_data_affine_header_and_class_count(self, nib, image):
        data = np.asarray(image.dataobj)
        zoomed = nib.Nifti1Image(data, np.eye(4))
        zoomed.header.set_xyzt_units("mm", "sec")
        noted = nib.Nifti1Image(data, np.eye(4))
        noted.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"note"))
        found = [
            *(image, zoomed, noted, nib.Nifti2Image(data, np.eye(4)), image.header),
            *(nib.Nifti1Image(data + 1, np.eye(4)), nib.Nifti1Image(data, 2 * np.eye(4))),
            *(nib.Nifti1Image(data.astype("f4"), np.eye(4)), nib.Nifti1Image(data, None)),
            *(nib.MGHImage(data, np.eye(4)), nib.Nifti1Image(data[0], np.eye(4))),
        ]
        assert len({digest(value) for value in found}) == len(found)

    def test_a_loaded_image_counts_by_content(self, nib, image, tmp_path):
        found = []
        for name in ("one.nii", "other.nii", "packed.nii.gz"):
            nib.save(image, tmp_path / name)
            found.append(digest(nib.load(tmp_path / name)))
        assert len(set(found)) == 1

    def test_other_content_of_the_file_counts(self, nib, image, tmp_path):
        nib.save(image, tmp_path / "a.nii")
        before = digest(nib.load(tmp_path / "a.nii"))
        nib.save(nib.Nifti1Image(np.ones((2, 2, 2), "i2"), np.eye(4)), tmp_path / "a.nii")
        assert digest(nib.load(tmp_path / "a.nii")) != before

    def test_looking_at_the_data_changes_nothing_but_to_write_there_does(
        self, nib, image, tmp_path
    ):
        nib.save(image, tmp_path / "a.nii")
        loaded = nib.load(tmp_path / "a.nii")
        before = digest(loaded)
        data = loaded.get_fdata()
        assert digest(loaded) == before
        data[0, 0, 0] = 9
        assert digest(loaded) != before

    def test_a_proxy_that_scales_in_its_own_way_counts_as_scaled(self, nib, image, tmp_path):
        class Doubling(nib.arrayproxy.ArrayProxy):
            def __array__(self, dtype=None, copy=None):
                return 2 * np.asarray(self.get_unscaled())

        nib.save(image, tmp_path / "a.nii")
        plain = nib.load(tmp_path / "a.nii")
        layout = plain.shape, np.dtype("i2"), plain.dataobj.offset
        doubling = Doubling(tmp_path / "a.nii", layout)
        assert digest(doubling) != digest(plain.dataobj)
        nib.save(nib.Nifti1Image(np.ones((2, 2, 2), "i2"), np.eye(4)), tmp_path / "b.nii")
        assert digest(doubling) != digest(Doubling(tmp_path / "b.nii", layout))

    def test_surfaces_are_digested_by_content(self, nib):
        def surface(value):
            array = nib.gifti.GiftiDataArray(np.full((3, 3), value, "f4"), "NIFTI_INTENT_POINTSET")
            return nib.gifti.GiftiImage(darrays=[array])

        assert digest(surface(1)) == digest(surface(1))
        assert digest(surface(1)) != digest(surface(2))

    def test_tractograms_are_digested_by_content(self, nib):
        def tracts(value):
            lines = [np.full((4, 3), value, "f4"), np.ones((2, 3), "f4")]
            return nib.streamlines.Tractogram(lines, affine_to_rasmm=np.eye(4))

        assert digest(tracts(1)) == digest(tracts(1))
        assert digest(tracts(1)) != digest(tracts(2))


class TestXarray(DigestPromises):
    @pytest.fixture
    def xarray(self):
        return pytest.importorskip("xarray")

    @pytest.fixture
    def different(self, xarray):
        plain = xarray.DataArray(np.zeros((2, 3)), dims=("x", "y"))
        return {
            "array": plain,
            "variable": plain.variable,
            "other dimensions": plain.rename(x="z"),
            "coordinates": plain.assign_coords(x=[1, 2]),
            "other coordinates": plain.assign_coords(x=[1, 3]),
            "name": plain.rename("name"),
            "attributes": plain.assign_attrs(unit="m"),
            "content": plain + 1,
            "set": xarray.Dataset({"a": plain}),
            "other set": xarray.Dataset({"b": plain}),
            "attributes of a set": xarray.Dataset({"a": plain}, attrs={"unit": "m"}),
        }

    def test_a_file_that_is_not_read_yet_counts_by_content(self, xarray, tmp_path):
        pytest.importorskip("scipy")
        for value in (1.0, 2.0):
            path = tmp_path / f"{value}.nc"
            xarray.Dataset({"a": ("x", [value])}).to_netcdf(path, engine="scipy")
        found = []
        for value in (1.0, 2.0):
            with xarray.open_dataset(tmp_path / f"{value}.nc", engine="scipy") as opened:
                opened.encoding.clear()
                opened["a"].encoding.clear()
                found += [digest(opened), digest(opened)]
        assert found[0] == found[1] != found[2] == found[3]


class TestTorch:
    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch")

    def test_what_can_be_seen_of_a_tensor_counts(self, torch):
        found = [
            *(torch.zeros(2), torch.zeros(2, 1), torch.zeros(1, 2), torch.zeros(())),
            *(torch.zeros(2, dtype=torch.float64), torch.zeros(2, dtype=torch.bfloat16)),
            *(torch.zeros(2, dtype=torch.float16), torch.ones(2), torch.zeros(2).numpy()),
            *(torch.zeros(2, requires_grad=True), torch.nn.Parameter(torch.zeros(2))),
            *(torch.zeros(2, dtype=torch.bool), torch.zeros(2, dtype=torch.complex64)),
            *(torch.zeros(0), torch.zeros(0, 1), torch.float32, torch.float64),
            *(torch.device("cpu"), torch.Size([2]), (2,)),
        ]
        assert len({digest(value) for value in found}) == len(found)

    def test_layout_in_memory_does_not_count(self, torch):
        tensor = torch.arange(6.0).reshape(2, 3)
        assert digest(tensor.T) == digest(tensor.T.contiguous()) != digest(tensor)
        assert digest(tensor[:, 1]) == digest(torch.tensor([1.0, 4.0]))

    def test_conjugates_that_are_not_written_out_count(self, torch):
        tensor = torch.tensor([1 + 2j])
        assert digest(tensor.conj()) == digest(torch.tensor([1 - 2j])) != digest(tensor)

    def test_a_gradient_counts(self, torch):
        tensor = torch.ones(2, requires_grad=True)
        before = digest(tensor)
        (tensor * 2).sum().backward()
        assert digest(tensor) != before

    def test_weights_of_a_model_count(self, torch):
        torch.manual_seed(0)
        model = torch.nn.Linear(2, 3)
        before = digest(model)
        assert digest(model) == before
        with torch.no_grad():
            model.weight[0, 0] += 1
        assert digest(model) != before

    def test_a_generator_counts_by_its_state(self, torch):
        one, other = (torch.Generator().manual_seed(seed) for seed in (1, 2))
        assert digest(one) != digest(other)
        assert digest(one) == digest(torch.Generator().manual_seed(1))

    def test_sparse_tensors_are_refused(self, torch):
        with pytest.raises(UndigestableValue, match="layout"):
            digest(torch.eye(3).to_sparse())


class TestOpen:
    """What is in a file still is refused, rather than taken by its name."""

    def test_hdf5(self, tmp_path):
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["a"] = [1]
            for value in (file, file["a"], file.attrs):
                with pytest.raises(UndigestableValue):
                    digest(value)

    def test_archives_of_arrays(self, tmp_path):
        np.savez(tmp_path / "a.npz", a=[1])
        with np.load(tmp_path / "a.npz") as archive:
            with pytest.raises(UndigestableValue, match="still in a file"):
                digest(archive)
            assert digest(dict(archive)) == digest({"a": np.array([1])})

    def test_zarr(self, tmp_path):
        zarr = pytest.importorskip("zarr")
        array = zarr.open_array(str(tmp_path / "a.zarr"), mode="w", shape=(3,), dtype="f8")
        with pytest.raises(UndigestableValue, match="still in a file"):
            digest(array)

    def test_dask(self):
        array = pytest.importorskip("dask.array")
        with pytest.raises(UndigestableValue, match="not computed yet"):
            digest(array.zeros(3))

    def test_mne(self):
        mne = pytest.importorskip("mne")
        raw = mne.io.RawArray(np.zeros((1, 10)), mne.create_info(1, 100.0), verbose="error")
        assert digest(raw) == digest(raw.copy())
        raw.preload = False
        with pytest.raises(UndigestableValue, match="load_data"):
            digest(raw)
