"""Fresh processes: what stands between a script's start and its first hit."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.speed.contestants import RAW, Cannot
from benchmarks.speed.study import TALLY
from benchmarks.speed.task import Stage, Task, must_hit, must_run

_STEP = '''

WEIGHT_{number} = {number}.5


def step_{number}(signal):
    """Change a signal a little, and hand it on."""
    weighted = signal * WEIGHT_{number}
    if number_of(weighted) % 2:
        weighted = weighted + math.sqrt({number})
    return {following}
'''

_HEAD = """import math
import os
{below}

def number_of(signal):
    return len(signal) if hasattr(signal, "__len__") else int(signal)
"""

_FIRST = """

import numpy as np


def analysis(number):
    os.write({tally}, b".")
    return np.full(128, step_0(float(number)))
"""

#: Opens the file in which executions are counted; raw does it, too.
_COUNTING = (
    "import os; os.dup2(os.open({tally!r}, os.O_RDWR | os.O_CREAT | os.O_APPEND), {number})\n"
)

_SCRIPTS = {
    RAW: "import numpy as np\nvalue = np.load('by-hand.npy')\n",
    "neurotools": "from neurotools.jobs.cache import disk_cacher\n"
    "from package.part_0 import analysis\nvalue = disk_cacher('cache')(analysis)(3)\n",
    "joblib": "from joblib import Memory\n"
    "from package.part_0 import analysis\n"
    "value = Memory('cache', verbose=0).cache(analysis)(3)\n",
    "diskcache": "from diskcache import Cache\n"
    "from package.part_0 import analysis\nvalue = Cache('cache').memoize()(analysis)(3)\n",
    "checkpointer": "from checkpointer import Checkpointer\n"
    "from package.part_0 import analysis\n"
    "value = Checkpointer(directory='cache', verbosity=0)(analysis)(3)\n",
    "cachier": "from cachier import cachier\n"
    "from package.part_0 import analysis\nvalue = cachier(cache_dir='cache')(analysis)(3)\n",
    "klepto": "from klepto import inf_cache\nfrom klepto.archives import dir_archive\n"
    "from klepto.keymaps import hashmap\nfrom package.part_0 import analysis\n"
    "archive = dir_archive('cache', cached=False, serialized=True)\n"
    "value = inf_cache(cache=archive, keymap=hashmap(algorithm='md5'))(analysis)(3)\n",
}


def generate(folder: Path, helpers: int, modules: int, name: str = "package") -> None:
    """Write a package in which ``part_0.analysis`` reaches so many helpers."""
    package = folder / name
    package.mkdir()
    (package / "__init__.py").touch()
    each = -(-helpers // modules)
    for part in range(modules):
        numbers = range(part * each, min((part + 1) * each, helpers))
        below = f"from {name} import part_{part + 1}\n" if numbers.stop < helpers else ""
        bodies = "".join(_step(number, each, helpers) for number in numbers)
        text = (
            _HEAD.format(below=below) + bodies + (_FIRST.format(tally=TALLY) if part == 0 else "")
        )
        (package / f"part_{part}.py").write_text(text, encoding="utf-8")


def _step(number: int, each: int, helpers: int) -> str:
    following = f"step_{number + 1}(weighted)"
    if number + 1 == helpers:
        following = "weighted"
    elif (number + 1) % each == 0:
        following = f"part_{(number + 1) // each}.{following}"
    return _STEP.format(number=number, following=following)


def hit_reaching(stage: Stage, *, helpers: int) -> Task:
    """Hit where the function reaches so many helpers."""
    stage.folder.mkdir(exist_ok=True)
    name = f"package_{helpers}"
    generate(stage.folder, helpers, max(1, helpers // 25), name)
    sys.path.insert(0, str(stage.folder))
    importlib.invalidate_caches()
    analysis = importlib.import_module(f"{name}.part_0").analysis
    expected = analysis(3)
    remembered = stage.remember(analysis)
    must_run(lambda: remembered.call(3), expected)
    return Task(lambda: remembered.call(3), must_hit(lambda: remembered.call(3), expected))


def cold_start(stage: Stage, *, helpers: int, modules: int) -> Task:
    """Start Python, import, remember a function with helpers, hit once; by hand: ``np.load``."""
    if stage.contestant not in _SCRIPTS:
        raise Cannot("has no script")
    stage.folder.mkdir(exist_ok=True)
    generate(stage.folder, helpers, modules)
    np.save(stage.folder / "by-hand.npy", np.zeros(128))
    tally = stage.folder / "executions"
    script = _COUNTING.format(tally=str(tally), number=TALLY) + _SCRIPTS[stage.contestant]
    expected = 0 if stage.is_raw else 1

    def call() -> None:
        _run(stage.folder, script)

    def check() -> None:
        call()
        ran = tally.stat().st_size
        assert ran == expected, f"the function ran {ran} times, not {expected}"

    call()
    return Task(call, check)


def import_time(stage: Stage) -> Task:
    """Start Python and import the documented module; by hand: numpy."""
    module = "numpy" if stage.is_raw else "neurotools.jobs.cache"

    def call() -> None:
        _run(stage.folder, f"import numpy, {module}")

    call()
    return Task(call)


def _run(folder: Path, script: str) -> None:
    # The folder of a script's own modules comes first, as it does for a file.
    paths = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    # Packages are installed with their bytecode: it is kept, whatever the environment says.
    environment = {**os.environ, "PYTHONPATH": paths}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-300:]
