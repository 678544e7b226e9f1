"""The table of joblib's names: each line is run, on joblib and here."""

import re
import subprocess
import sys

import pytest

pytest.importorskip("docutils")

import docutils.core
import docutils.nodes as dn

from tests.docs.blocks import ROOT

joblib = pytest.importorskip("joblib")

PAGE = ROOT / "docs" / "from-joblib.rst"
_SAME = "the same"
_BEGIN = """
import statistics
from datetime import timedelta
from joblib import expires_after
def mean(x, verbose=0):
    return statistics.mean(x)
x = [1, 2, 6]
"""
_THEIRS = """
from joblib import Memory
memory = Memory("cache", verbose=0)
f = memory.cache(mean)
"""
_OURS = _THEIRS.replace("joblib", "neurotools.jobs.memory")
_NATIVE = """
from neurotools.jobs.cache import disk_cacher, read_cache_entry
remember = disk_cacher("results")
f = remember(mean)
f(x)
"""


def rows():
    settings = {"report_level": 5, "halt_level": 5}
    tree = docutils.core.publish_doctree(PAGE.read_text(), settings_overrides=settings)
    (table,) = (table for table in tree.findall(dn.table) if "names" in table["classes"])
    body = next(table.findall(dn.tbody))
    return [list(row.findall(dn.entry)) for row in body.findall(dn.row)]


def codes(cell):
    return [node.astext() for node in cell.findall(dn.literal)]


ROWS = {codes(row[0])[0]: row for row in rows()}


def run(lines, begin, folder):
    """Return what the last line gives."""
    names, value = {"__name__": "__main__"}, None
    path = folder / "begin.py"
    path.write_text(_BEGIN + begin)  # joblib reads the source
    exec(compile(path.read_text(), path, "exec"), names)
    for line in lines:
        if line.startswith("neurotools "):
            command = [sys.executable, "-m", "neurotools.console", *line.split()[1:]]
            assert subprocess.run(command, cwd=folder, check=False).returncode == 0, line
        elif re.match(r"\w+ = ", line):
            exec(line, names)
        else:
            value = eval(line, names)
    return value


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", ROWS)
@pytest.mark.filterwarnings("ignore::joblib.memory.JobLibCollisionWarning")
def test_a_line_of_joblib_runs_with_our_memory(line, folder):
    theirs = run([line], _THEIRS, folder)
    said = ROWS[line][1].astext()
    if said.startswith("refused"):
        with pytest.raises(ValueError, match="mmap_mode"):
            run([line], _OURS, folder)
        return
    assert said.startswith(_SAME), f"say what else to do: {said}"
    ours = run([line], _OURS, folder)
    if isinstance(theirs, (bool, int, float)):
        assert ours == theirs


@pytest.mark.parametrize("line", ROWS)
def test_a_line_of_joblib_has_one_of_ours(line, folder):
    pytest.importorskip("fsspec")
    lines = codes(ROWS[line][2])
    value = run(lines, _NATIVE, folder)
    if line in {"f(x)", "memory.eval(mean, x)", "f.call_and_shelve(x).get()"}:
        assert value == 3


def test_all_public_names_of_joblib_are_in_it():
    text = PAGE.read_text()
    for kind in (joblib.Memory, joblib.memory.MemorizedFunc):
        for name in set(vars(kind)) - {"func_code_info"}:  # for joblib's own use
            assert name.startswith("_") or re.search(rf"\b{name}\b", text), name
