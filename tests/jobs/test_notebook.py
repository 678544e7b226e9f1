"""Notebooks in a real kernel: cells that remember, code that changes in cells, what is shown."""

import importlib.util
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.jobs.kernels import kernel

for package in ("nbclient", "ipykernel"):
    # Not imported: whoever has loaded a kernel looks like one.
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed", allow_module_level=True)

SETUP = """
%load_ext neurotools
import os
from pathlib import Path
import numpy as np
from neurotools.jobs.cache import disk_cacher, open_cache
def helper(x):
    return 2 * x
a = np.arange(3.0)
"""


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Return one kernel for all tests of this page: to start one takes seconds."""
    with kernel(str(tmp_path_factory.mktemp("notebook"))) as running:
        assert running.run(SETUP).error == ""
        yield running


CELL = """%%cached
import time
text = '''two
  lines'''
print("at work")
b = helper(a)
b.sum()
"""


def is_hit(ran):
    return "from the cache, in " in ran.text


def test_a_cell_gives_what_it_gave_and_shows_what_it_showed(notebook):
    first = notebook.run(CELL)
    assert (first.error, is_hit(first)) == ("", False)
    notebook.run("b = text = None")
    again = notebook.run(CELL + "# a comment\n")
    assert is_hit(again)
    for ran in (first, again):
        assert "at work" in ran.text
        assert "6.0" in ran.text
    assert notebook.run("print(b, repr(text), time.__name__)").text == (
        "[0. 2. 4.] 'two\\n  lines' time\n"
    )


def test_changed_inputs_and_changed_code_in_other_cells_are_seen(notebook):
    notebook.run(CELL)
    notebook.run("a = np.arange(4.0)")
    assert not is_hit(notebook.run(CELL))
    notebook.run("def helper(x):\n    return 3 * x")
    ran = notebook.run(CELL)
    assert not is_hit(ran)
    assert "18.0" in ran.text
    notebook.run("def helper(x):\n    return 2 * x\na = np.arange(3.0)")
    assert is_hit(notebook.run(CELL))


def test_explain_runs_nothing(notebook):
    ran = notebook.run("%%cached --explain\nnew = helper(a)\nprint('ran')")
    assert ran.text.startswith("miss")
    assert "ran\n" not in ran.text


def test_an_error_stores_nothing_and_shows_the_line_of_the_cell(notebook):
    ran = notebook.run("%%cached\nc = 1\nd = 1 / 0")
    assert ran.error.startswith("ZeroDivisionError")
    told = "\n".join(line for out in ran.outputs for line in out.get("traceback", ()))
    plain = re.sub(r"\x1b\[[\d;]*m", "", told)
    assert "3 d = 1 / 0" in plain, "as it stands in the cell"
    # The cell's number, once where its magic is called and once where it failed.
    assert len(set(re.findall(r"In\[\d+\]", plain))) == 1
    assert "_neurotools" not in plain
    if sys.version_info >= (3, 11):  # before, Python puts frames back that were left out
        assert "neurotools/memo" not in plain
    ran = notebook.run("%%cached --explain\nc = 1\nd = 1 / 0")
    assert "nothing is kept" in ran.text
    assert notebook.run("import sys\nprint(type(sys.stdout).__name__)").text == "OutStream\n"


#: What cannot be repeated from a cache, and a word of why not; the cell ran all the same.
NOT_KEPT = [
    ("a[0] += 1", "changes a in place"),
    ("view = a[1:]", "share memory"),
    ("same = a", "share memory"),
    ("drawn = np.random.rand()", "random numbers"),
    ("import random\ndrawn = random.random()", "random numbers"),
    ("lazy = (i for i in range(3))", "not kept: method 'pickle' cannot hold lazy"),
    ("n = opened.name", "not kept: input 'opened'"),
    ("n = bump()", "changes __main__.COUNT"),
    ("n = count()", "share memory"),
    ("both = [a[:2].copy()]\nboth.append(both[0][1:])", "two views of one memory"),
]


@pytest.mark.parametrize(("cell", "told"), NOT_KEPT)
def test_what_a_cache_could_not_repeat_is_run_and_not_kept(notebook, cell, told):
    notebook.run("COUNT = [0]\ndef bump():\n    COUNT[0] += 1\n    return COUNT[0]")
    notebook.run("opened = open(os.devnull)\ndef count():\n    return COUNT")
    for _ in range(2):
        ran = notebook.run(f"%%cached\n{cell}")
        assert told in ran.text
        assert not is_hit(ran)
        assert ran.error == ""


#: What is refused before anything runs.
REFUSED = [
    ("", "def f():\n    return 1", "it defines f"),
    ("", "%time x = 1", "a line of IPython"),
    ("", "!ls", "a line of IPython"),
    ("", "global q\nq = 1", "as global"),
    ("", "import asyncio\nq = await asyncio.sleep(0, 1)", "it waits for something"),
    ("", "q = 1\nasync with base: pass", "it waits for something"),
    ("", "exec('q = 1')", "exec"),
    ("", "x = _ + 1", "_ is IPython's"),
    ("", "q = 1\nimport json", "imports json after"),
    ("", "q = 1\ndel a", "removes a"),
    ("", "from __future__ import annotations", "a cell of its own"),
    ("", "helper.calls = 1", "it sets helper.calls"),
    ("", "np.core = q = 1", "it sets np.core"),
    ("", "x = asks()", "__main__.base"),
    ("-o nope", "x = 1", "does not bind nope"),
    ("-o 3x", "x = 1", "is no name"),
    ("--folders x", "x = 1", "unrecognized"),
]


@pytest.mark.parametrize(("options", "cell", "told"), REFUSED)
def test_what_cannot_be_kept_is_refused_in_one_line(notebook, options, cell, told):
    notebook.run("q = _ = 'before'\nimport sqlite3")
    notebook.run("base = sqlite3.connect(':memory:')\ndef asks():\n    return base.execute('')")
    ran = notebook.run(f"%%cached {options}\n{cell}")
    assert ran.text.startswith("UsageError: %%cached: ")
    assert told in ran.text
    assert ran.text.count("\n") == 1
    assert notebook.run("print(q)").text == "before\n"


def test_chosen_names_are_given_and_the_others_stay_in_the_cell(notebook):
    cell = "%%cached -o kept, more\ndef inner(n):\n    return n + a.size\nkept = inner(1)\nmore = 2"
    for _ in range(2):
        ran = notebook.run(cell)
    assert is_hit(ran)
    assert notebook.run("print(kept, more, 'inner' in globals())").text == "4 2 False\n"


def test_files_that_a_cell_opens_count(notebook):
    cell = "%%cached\nwith open('data.txt') as file:\n    content = file.read()"
    notebook.run("open('data.txt', 'w').write('one');")
    notebook.run(cell)
    assert is_hit(notebook.run(cell))
    notebook.run("open('data.txt', 'w').write('two');")
    assert not is_hit(notebook.run(cell))
    assert notebook.run("print(content)").text == "two\n"


def test_files_of_the_same_name_in_another_folder_are_others(notebook):
    cell = "%%cached --folder ../shared\nwith open('x.txt') as file:\n    content = file.read()"
    for place in ("here", "there"):
        notebook.run(f"os.makedirs({place!r})\nPath({place!r}, 'x.txt').write_text({place!r})")
        notebook.run(f"os.chdir({place!r})")
        assert not is_hit(notebook.run(cell))
        assert is_hit(notebook.run(cell))
        assert notebook.run("print(content)").text == f"{place}\n"
        notebook.run("os.chdir('..')")


def test_names_in_texts_that_are_code_count(notebook):
    pytest.importorskip("pandas")
    notebook.run("import pandas as pd\ntable = pd.DataFrame({'n': [1, 2, 3]})\nlimit = 1")
    cell = "%%cached\nlarge = table.query('n > @limit')\nlen(large)"
    notebook.run(cell)
    assert is_hit(notebook.run(cell))
    indirect = "%%cached\nlarge = table.query(asked)\nlen(large)"
    notebook.run("asked = 'n > @limit'")
    notebook.run(indirect)
    assert is_hit(notebook.run(indirect))
    notebook.run("limit = 2")
    for changed in (cell, indirect):
        ran = notebook.run(changed)
        assert not is_hit(ran)
        assert ran.text.strip() == "1"


def test_much_output_is_cut_and_costs_little(notebook):
    cell = "%%cached\nfor n in range(8000):\n    print('a line of text that is rather long' * 20)"
    notebook.run(cell)
    ran = notebook.run(cell)
    assert is_hit(ran)
    assert ran.text.endswith("... and more, when the cell ran\n")


def test_figures_and_tables_are_shown_again(notebook):
    pytest.importorskip("matplotlib")
    cell = "%%cached\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nd = 1\nopen_cache('.')"
    first, again = notebook.run(cell), notebook.run(cell)
    assert is_hit(again)
    for ran in (first, again):
        assert any("image/png" in out.get("data", ()) for out in ran.outputs)
        assert "<table>" in ran.html


def test_another_folder_is_another_cache(notebook):
    notebook.run(CELL)
    assert not is_hit(notebook.run(CELL.replace("%%cached", "%%cached --folder 'other place'")))


def test_remembered_functions_see_what_changes_in_cells_and_modules(notebook):
    notebook.run(
        "%load_ext autoreload\n%autoreload 2\n"
        "from pathlib import Path\n"
        "Path('near.py').write_text('def near(x):\\n    return x + 1\\n')\n"
        "Path('run_me.py').write_text('def far(x):\\n    return x + 10\\n')\n"
        "import near\n%run run_me.py"
    )
    notebook.run(
        "@disk_cacher('functions')\n"
        "def f(x):\n    print('computing')\n    return helper(x) + near.near(x) + far(x)"
    )
    assert notebook.run("print(f(1))").text == "computing\n15\n"
    assert notebook.run("print(f(1))").text == "15\n"
    for change, now in (
        ("def helper(x):\n    return 100", 113),
        ("import os\nPath('near.py').write_text('def near(x):\\n    return 1000\\n');"
         "os.utime('near.py', (2e9, 2e9))", 1111),
        ("Path('run_me.py').write_text('def far(x):\\n    return 0\\n')\n%run run_me.py", 1100),
    ):  # fmt: skip
        notebook.run(change)
        assert notebook.run("print(f(1))").text == f"computing\n{now}\n"
        assert notebook.run("print(f(1))").text == f"{now}\n"


def test_functions_decorators_caches_and_entries_are_shown_as_tables(notebook):
    notebook.run("odd = disk_cacher('odd')\n@odd\ndef g(text):\n    return text\ng('<script>')")
    notebook.run(
        "from neurotools.jobs.memory import Memory\nmem = Memory('mem')\nmem.cache(helper)(1)"
    )
    for shown in ("g", "odd", "mem", "open_cache('odd')", "g.entry('<script>')"):
        ran = notebook.run(shown)
        assert "<table>" in ran.html
        assert "g" in ran.html
        assert "<script>" not in ran.html
        assert len(ran.html) < 20_000


PAGE = Path(__file__).parents[2] / "docs" / "notebooks.rst"
BLOCK = re.compile(r"^\.\. code:: text\n(    :class: cell\n)?\n((?:    .*\n|\n)+)", re.MULTILINE)


def test_the_cells_of_the_documentation_do_what_it_says(notebook):
    notebook.run("import os\nos.mkdir('page')\nos.chdir('page')")
    ran = None
    for is_cell, block in BLOCK.findall(PAGE.read_text("utf-8")):
        text = textwrap.dedent(block).strip()
        if is_cell:
            ran = notebook.run(text)
            assert ran.error == ""
        else:
            # How long it took differs.
            said, told = (re.sub(r"in \d+ ms", "in a moment", t).strip() for t in (ran.text, text))
            assert said.splitlines() == told.splitlines()
    notebook.run("os.chdir('..')")


def test_cells_are_remembered_in_a_terminal_too(tmp_path):
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_cell('%load_ext neurotools')\n"
        "for _ in range(2):\n"
        "    shell.run_cell('%%cached\\nprint(1)\\na = [2]\\na')\n"
        "shell.run_cell('%unload_ext neurotools')\n"
        "print(shell.find_cell_magic('cached'))\n"
    )
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    said = re.sub(r"in \d+ ms", "in a moment", done.stdout).split("\n")
    assert said == ["1", "[2]", "from the cache, in a moment: a", "1", "[2]", "None", ""]


def test_a_kernel_that_was_started_again_hits(notebook):
    before = CELL.replace("b.sum()", "b.sum() + 0")
    notebook.run("def helper(x):\n    return 2 * x\na = np.arange(3.0)")
    notebook.run(before)
    notebook.restart()
    notebook.run("1 + 1")  # other numbers of cells
    notebook.run(SETUP)
    ran = notebook.run(before)
    assert is_hit(ran)
    assert "at work" in ran.text
    assert notebook.run("print(b)").text == "[0. 2. 4.]\n"
