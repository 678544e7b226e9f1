"""The examples of the documentation are run as tests, each page in a folder of its own."""

import pytest

collect_ignore = ["conf.py", "_build"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    for package in ("fsspec", "nibabel", "pandas", "scipy"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
