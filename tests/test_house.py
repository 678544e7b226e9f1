"""Promises of the whole package: what an import loads, which names and versions agree."""

import configparser
import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import neurotools

ROOT = Path(__file__).resolve().parents[1]

#: Slow or optional: imported where they are first used, never by importing a door.
SLOW = {
    *("cloudpickle", "dask", "distributed", "fsspec", "h5py", "IPython", "matplotlib", "nibabel"),
    *("joblib", "nilearn", "nipype", "pandas", "scipy", "sklearn", "zstandard"),
}

DOORS = (
    "neurotools",
    "neurotools.jobs.cache",
    "neurotools.jobs.closure",
    "neurotools.jobs.layers",
    "neurotools.jobs.memory",
    "neurotools.jobs.notebook",
    "neurotools.jobs.ndecorator",
    "neurotools.jobs.command",
    "neurotools.jobs.paths",
    "neurotools.jobs.pipeline",
    "neurotools.console.main",
    "neurotools.console.memo",
    "neurotools.console.pathman",
)


@pytest.mark.parametrize("door", DOORS)
def test_importing_a_door_loads_nothing_slow_or_optional(door):
    code = f"import json, sys, {door}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not SLOW & set(json.loads(done.stdout))


#: What memoizing a function needs only later, or never: the import is to be over soon.
LATER = {
    *("base64", "concurrent.futures", "hashlib", "json", "mmap", "pathlib", "socket"),
    *("unicodedata", "urllib.parse"),
    *("neurotools.memo.explain", "neurotools.memo.upkeep.maintenance", "neurotools.memo.versions"),
    *("neurotools.memo.fingerprint.reach", "neurotools.memo.fingerprint.walk"),
    *(f"neurotools.memo.formats.{name}" for name in ("compressed", "hdf5", "mat", "npy")),
    *("neurotools.memo.formats.pickled", "neurotools.memo.formats.structure"),
}


def test_importing_the_cache_loads_nothing_that_is_needed_later():
    # What numpy brings along differs between its versions.
    code = (
        "import sys, numpy; before = set(sys.modules)\n"
        "import neurotools.jobs.cache; print(*set(sys.modules) - before)"
    )
    assert not LATER & set(_printed(code).split())


def test_a_hit_loads_only_its_own_format(tmp_path):
    code = (
        "import numpy, sys, neurotools.jobs.cache as cache\n"
        f"double = cache.disk_cacher({str(tmp_path)!r})(abs); double(-2.0); double(-2.0)\n"
        "print(*sys.modules)"
    )
    others = {f"neurotools.memo.formats.{name}" for name in ("compressed", "hdf5", "mat")}
    assert not others & set(_printed(code).split())


#: What takes a new process longer to load than the hit that it is after.
NOT_FOR_A_HIT = {
    *("ast", "base64", "importlib.util", "json", "mmap", "pathlib", "urllib.parse"),
    *("neurotools.memo.fingerprint.compiled", "neurotools.memo.fingerprint.texts"),
    *("neurotools.memo.fingerprint.reader", "neurotools.memo.fingerprint.scopes"),
}


def test_the_first_hit_of_a_process_compiles_nothing_and_loads_little(tmp_path):
    helpers = (
        "import math, numpy as np\nRATE = 2.5\n"
        "def helper(x):\n    return math.sqrt(x) * RATE\n"
        "def analysis(x):\n    return np.full(3, helper(x) + int(x))\n"
    )
    (tmp_path / "helpers_of_a_hit.py").write_text(helpers)
    code = (
        # Of these, numpy brings some along, and not always.
        "import inspect, numpy, re, sys, typing; before = set(sys.modules)\n"
        f"sys.path.insert(0, {str(tmp_path)!r}); import helpers_of_a_hit\n"
        "compiled = []\n"
        # Files are compiled where their bytecode is not kept.
        "def noted(event, args):\n"
        "    if event == 'compile' and not str(args[1]).endswith('.py'): compiled.append(args)\n"
        "sys.addaudithook(noted)\n"
        "patterns, compile_pattern = [], re._compile\n"
        "re._compile = lambda *args: patterns.append(args) or compile_pattern(*args)\n"
        "import neurotools.jobs.cache as cache\n"
        f"f = cache.disk_cacher({str(tmp_path / 'cache')!r})(helpers_of_a_hit.analysis)\n"
        "f(4); print(f.cache_info().hits, patterns, compiled, *set(sys.modules) - before)"
    )
    assert _printed(code).startswith("0")
    hits, patterns, compiled, *loaded = _printed(code).split()
    assert (hits, patterns, compiled) == ("1", "[]", "[]")
    assert not NOT_FOR_A_HIT & set(loaded)


def _printed(code):
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("door", DOORS)
def test_importing_a_door_says_nothing_and_warns_of_nothing(door):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"import {door}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_package_imports_nothing_from_its_own_modules():
    for file in ROOT.glob("neurotools/**/__init__.py"):
        assert not re.findall(r"^\s*(?:from|import) .*", file.read_text(), re.MULTILINE), file


def test_every_module_stands_in_the_import_contract():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    layers = re.findall(r"neurotools[.\w]*", config["importlinter:contract:downwards"]["layers"])
    for file in ROOT.glob("neurotools/*/**/*.py"):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        above_all = name in {"neurotools.memo", "neurotools.jobs"}
        assert above_all or any(f"{name}.".startswith(f"{layer}.") for layer in layers), name


def test_the_installed_version_is_that_of_the_code():
    try:
        assert version("neurotools") == neurotools.__version__
    except PackageNotFoundError:
        pytest.skip("neurotools is not installed here")


def test_the_changelog_speaks_of_this_version():
    release = neurotools.__version__.split(".dev")[0]
    assert f"\n{release} " in (ROOT / "CHANGELOG.rst").read_text()
