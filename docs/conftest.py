"""The examples of the documentation are run as tests, each page in a folder of its own."""

import gc
import os
import warnings

import pytest

collect_ignore = ["conf.py", "_build"]


#: Its runner of commands leaves their pipes to the garbage collector.
_OF_NIPYPE = ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def pytest_collection_modifyitems(items):
    """Let warnings pass where nipype is used."""
    for item in items:
        if item.name == "interfaces.rst":
            for warning in _OF_NIPYPE:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(request, tmp_path, monkeypatch):
    for package in ("fsspec", "nibabel", "pandas", "scipy", "skimage"):
        pytest.importorskip(package)
    if request.node.name == "interfaces.rst":
        _load_nipype()
    monkeypatch.chdir(tmp_path)
    yield
    if request.node.name == "interfaces.rst":
        gc.collect()


def _load_nipype():
    os.environ.setdefault("NIPYPE_NO_ET", "1")  # it would ask the network for its newest version
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("nipype.interfaces.utility")
