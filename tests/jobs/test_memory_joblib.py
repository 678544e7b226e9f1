"""A memory in the place of joblib's: tests of scikit-learn and nilearn that take one, and more.

From scikit-learn: `Pipeline` and `make_pipeline` (also with callbacks), `AgglomerativeClustering`,
`check_memory`. From nilearn: `CacheMixin` with shelving, `NiftiMasker`, `FirstLevelModel`,
`SecondLevelModel`. Their tests make a memory themselves; here they get one of ours.
"""

import importlib
import inspect
import logging
import types
import warnings

import numpy as np
import pytest

from neurotools.jobs.memory import Memory

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    joblib = pytest.importorskip("joblib")
    pytest.importorskip("sklearn", reason="pip install scikit-learn")
    from sklearn.base import BaseEstimator, TransformerMixin, clone
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

pytestmark = pytest.mark.filterwarnings("ignore")  # theirs

made = []


def ours(location=None, verbose=0, **_):
    """Make what the test asked joblib for; where it asks for no caching, leave that to joblib."""
    if location is None:
        return joblib.Memory(location=None, verbose=verbose)
    made.append(Memory(location))
    return made[-1]


STAND_IN = types.SimpleNamespace(Memory=ours)


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    made.clear()
    # Their modules use marks that are not declared here.
    monkeypatch.setattr(pytest.mark, "_config", None, raising=False)


def theirs(name):
    """Return a module of tests that a package brings along, or skip."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"{name} is not installed: {error}")


def was_used():
    return bool(made) and any(name.endswith(".pickle") for m in made for name in _names(m))


def _names(mem):
    import os

    return [name for _, _, names in os.walk(mem.base_dir) for name in names]


class TestScikitLearn:
    @pytest.mark.parametrize("test", ["test_pipeline_memory", "test_make_pipeline_memory"])
    def test_its_pipeline_tests_pass(self, test, monkeypatch):
        module = theirs("sklearn.tests.test_pipeline")
        monkeypatch.setattr(module, "joblib", STAND_IN)
        getattr(module, test)()
        assert made

    def test_its_pipeline_test_with_callbacks_passes(self, monkeypatch):
        module = theirs("sklearn.tests.test_pipeline")
        test = getattr(module, "test_pipeline_memory_callbacks_second_fit_same_pipeline", None)
        if test is None:
            pytest.skip("this version of scikit-learn has no such test")
        monkeypatch.setattr(module, "joblib", STAND_IN)
        test()
        assert made

    def test_its_clustering_test_passes(self, monkeypatch):
        module = theirs("sklearn.cluster.tests.test_hierarchical")
        validation = importlib.import_module("sklearn.utils.validation")
        monkeypatch.setattr(validation, "joblib", STAND_IN)
        test = module.test_agglomerative_clustering
        if "global_random_seed" in inspect.signature(test).parameters:
            test(0, module.LIL_CONTAINERS[0])
        else:
            test(module.LIL_CONTAINERS[0])
        assert made

    def test_check_memory_takes_it(self, tmp_path):
        from sklearn.utils.validation import check_memory

        mem = Memory(tmp_path)
        assert check_memory(mem) is mem

    def test_a_pipeline_fits_once_and_clones_share_it(self, tmp_path):
        X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
        mem = Memory(tmp_path)
        scaler = Noted(tmp_path / "fits")
        pipeline = Pipeline([("scale", scaler), ("fit", LogisticRegression())], memory=mem)
        first = pipeline.fit(X, y).predict(X)
        again = clone(pipeline).fit(X, y).predict(X)
        assert (tmp_path / "fits").read_text() == "1"
        np.testing.assert_array_equal(first, again)
        pipeline.fit(X + 1, y)
        assert (tmp_path / "fits").read_text() == "11"

    def test_a_search_in_processes_gives_what_it_gives_without(self, tmp_path):
        from sklearn.model_selection import GridSearchCV

        X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
        scores = []
        for memory in (None, Memory(tmp_path)):
            steps = [("scale", StandardScaler()), ("fit", LogisticRegression())]
            search = GridSearchCV(Pipeline(steps, memory=memory), {"fit__C": [0.1, 1]}, n_jobs=2)
            with joblib.parallel_config("multiprocessing"):
                scores.append(search.fit(X, y).cv_results_["mean_test_score"])
        np.testing.assert_array_equal(*scores)


class Noted(TransformerMixin, BaseEstimator):
    """A transformer that notes each fit in a file."""

    def __init__(self, path):
        self.path = path

    def fit(self, X, y=None):
        with self.path.open("a") as file:
            file.write("1")
        self.mean_ = X.mean(0)
        return self

    def transform(self, X):
        return X - self.mean_


class TestNilearn:
    @pytest.fixture(autouse=True)
    def nilearn(self, monkeypatch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pytest.importorskip("nilearn", reason="pip install nilearn")
            mixin = theirs("nilearn._utils.cache_mixin")
        monkeypatch.setattr(mixin, "Memory", ours)
        return mixin

    def test_its_shelving_test_passes_but_for_joblibs_folders(self, nilearn, tmp_path, monkeypatch):
        module = theirs("nilearn._utils.tests.test_cache_mixin")
        monkeypatch.setattr(module, "Memory", ours)
        # The folder of a function is elsewhere, and has one entry for each call.
        monkeypatch.setattr(module, "_get_subdirs", lambda _: _entries(tmp_path))
        module.test_cache_shelving(tmp_path)
        assert was_used()

    def test_its_test_of_levels_passes_but_for_joblibs_folders(
        self, nilearn, tmp_path, monkeypatch
    ):
        module = theirs("nilearn._utils.tests.test_cache_mixin")
        monkeypatch.setattr(module, "Memory", ours)
        monkeypatch.setattr(module, "_get_subdirs", lambda _: _entries(tmp_path))
        module.test_cache_memory_level(tmp_path)
        assert len(_entries(tmp_path)) == 2

    def test_it_passes_for_joblibs_where_that_is_asked(self, tmp_path):
        mem = Memory(tmp_path)
        assert isinstance(mem, joblib.Memory)
        assert type(mem) is Memory

    def test_its_glm_tests_with_memory_pass(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        first = theirs("nilearn.glm.tests.test_first_level")
        first.test_first_level_glm_computation_with_memory_caching((7, 7, 7, 5))
        assert was_used()

    @pytest.mark.parametrize("strategy", ["whole-brain-template", "gm-template"])
    def test_its_masker_test_with_memory_passes(self, tmp_path, monkeypatch, strategy):
        monkeypatch.chdir(tmp_path)
        module = theirs("nilearn.maskers.tests.test_nifti_masker")
        module.test_no_warning_partial_joblib(strategy)
        assert made

    def test_its_second_level_test_with_memory_passes(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        module = theirs("nilearn.glm.tests.test_second_level")
        module.test_second_level_contrast_computation_with_memory_caching(3)
        assert was_used()

    def test_a_masker_reads_its_images_once(self, tmp_path, caplog):
        import nibabel
        from nilearn.maskers import NiftiMasker

        data = np.random.default_rng(0).normal(size=(6, 6, 6, 10)).astype(np.float32)
        image = nibabel.Nifti1Image(data, np.eye(4))
        mask = nibabel.Nifti1Image(np.ones((6, 6, 6), np.uint8), np.eye(4))
        mem = Memory(tmp_path)
        found = []
        for memory in (None, mem, mem):
            masker = NiftiMasker(mask, memory=memory, memory_level=1 if memory else 0)
            found.append(masker.fit().transform(image))
        np.testing.assert_array_equal(found[0], found[1])
        np.testing.assert_array_equal(found[0], found[2])
        assert _entries(tmp_path)
        assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def _entries(tmp_path):
    return list((tmp_path / "nipype_mem").glob("functions/**/*.pickle"))
