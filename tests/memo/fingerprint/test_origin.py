"""Where code comes from, and what counts of a distribution."""

from __future__ import annotations

import collections
import enum
import functools
import importlib
import json
import os
import sys

import numpy as np
import pytest

from neurotools.memo import function
from neurotools.memo.fingerprint import origin
from neurotools.memo.fingerprint.origin import LIBRARY, USER, Package, version_of


class Own:
    pass


Point = collections.namedtuple("Point", "x")
Color = enum.Enum("Color", "RED")


@pytest.mark.parametrize(
    "value",
    [len, json, json.dumps, functools.partial, os.path.join, dict, sys, enum.Enum, str.upper],
)
def test_the_standard_library(value):
    assert origin.of(value) is LIBRARY


@pytest.mark.parametrize("value", [Own, test_the_standard_library, Point, Color])
def test_the_users_own(value):
    assert origin.of(value) is USER


@pytest.mark.parametrize("value", [np, np.ndarray, np.mean, np.linalg.norm, np.linalg, pytest])
def test_a_distribution(value):
    home = origin.of(value)
    assert isinstance(home, Package)
    assert home.name in ("numpy", "pytest")


def test_the_engine_counts_for_nothing():
    assert origin.of(function) is LIBRARY


def test_a_class_that_a_library_makes_for_the_user_is_followed():
    assert origin.of(type("Made", (), {"__module__": "json"})) is USER


def test_code_run_from_text_is_the_users():
    names = {"__name__": "__main__"}
    exec("def f(): pass", names)
    assert origin.of(names["f"]) is USER


class TestInstalled:
    @pytest.fixture(autouse=True)
    def _fresh(self):
        for known in (origin.of_file, origin._metadata, origin._top_levels, origin._record):
            known.cache_clear()

    def write(self, folder, *paths):
        for path, text in zip(paths[::2], paths[1::2], strict=True):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)

    @pytest.mark.parametrize("folder", ["site-packages", "dist-packages", "vendored"])
    def test_by_metadata_beside_it(self, tmp_path, folder):
        root = tmp_path / folder
        self.write(root, "lib/__init__.py", "", "Lib-1.0.dist-info/METADATA", "")
        home = origin.of_file(str(root / "lib" / "a.py"))
        assert (home.name, home.version) == ("lib", "1.0")

    def test_by_its_top_level_names(self, tmp_path):
        root = tmp_path / "site-packages"
        self.write(root, "lib/a.py", "", "other_name-1.0.dist-info/top_level.txt", "lib\n")
        assert origin.of_file(str(root / "lib" / "a.py")).name == "other-name"

    def test_by_its_list_of_files(self, tmp_path):
        root = tmp_path / "site-packages"
        self.write(root, "lib.py", "", "other-1.0.dist-info/RECORD", "lib.py,sha256=a,1\n")
        assert origin.of_file(str(root / "lib.py")).name == "other"

    def test_two_distributions_in_one_namespace(self, tmp_path):
        root = tmp_path / "site-packages"
        for name in "ab":
            path = f"space/{name}.py"
            self.write(root, path, "", f"dist_{name}-1.dist-info/RECORD", f"{path},,\n")
        homes = [origin.of_file(str(root / "space" / f"{name}.py")).name for name in "ab"]
        assert homes == ["dist-a", "dist-b"]

    def test_metadata_of_the_system(self, tmp_path):
        root = tmp_path / "dist-packages"
        self.write(root, "lib/a.py", "", "lib-1.0.egg-info", "Name: lib\n")
        assert origin.of_file(str(root / "lib" / "a.py")).version == "1.0"

    def test_a_project_in_editable_mode_is_the_users(self, tmp_path):
        self.write(tmp_path, "proj/__init__.py", "", "proj.egg-info/PKG-INFO", "Name: proj\n")
        assert origin.of_file(str(tmp_path / "proj" / "__init__.py")) is USER

    def test_a_file_dropped_among_installed_ones_is_the_users(self, tmp_path):
        root = tmp_path / "site-packages"
        self.write(root, "stray.py", "", "lib-1.0.dist-info/RECORD", "lib.py,,\n")
        assert origin.of_file(str(root / "stray.py")) is USER

    def test_a_module_that_hides_one_of_the_standard_library(self, tmp_path, monkeypatch):
        self.write(tmp_path, "colorsys.py", "def f(): pass")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "colorsys", raising=False)
        assert origin.of(importlib.import_module("colorsys").f) is USER
        monkeypatch.delitem(sys.modules, "colorsys")


@pytest.mark.parametrize(
    ("version", "counted"),
    [
        ("1.26.4", "1.26"),
        ("2.0", "2.0"),
        ("3", "3"),
        ("2024.1.2", "2024.1"),
        ("1.2.3.post1", "1.2"),
        ("1.2.0rc1", "1.2.0rc1"),
        ("1.2.0.dev3", "1.2.0.dev3"),
        ("1.2.0+local", "1.2.0+local"),
        ("unknown", "unknown"),
    ],
)
def test_minor_versions(version, counted):
    assert version_of(Package("lib", version, ""), "minor") == counted


def test_the_record_is_of_the_files_alone(tmp_path):
    def recorded(text):
        (tmp_path / "RECORD").write_text(text)
        origin._record.cache_clear()
        return version_of(Package("lib", "1", str(tmp_path)), "record")

    first = recorded("lib.py,sha256=a,1\nlib-1.dist-info/INSTALLER,sha256=b,1\n")
    assert recorded("lib-1.dist-info/INSTALLER,sha256=c,1\nlib.py,sha256=a,1\nlib.pyc,,\n") == first
    assert recorded("lib.py,sha256=z,1\n") != first
