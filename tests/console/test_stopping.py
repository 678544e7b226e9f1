"""Commands that take long: a bar on a terminal, nothing in a pipe; Ctrl-C leaves things whole."""

import os
import struct
import subprocess
import sys

import numpy as np
import pytest

from neurotools.console.main import main
from neurotools.jobs.cache import disk_cacher, hierarchical_cacher

MANY = 12

#: Words, what the system does that Ctrl-C comes at, how often it has done so before, the rest.
STOPS = [
    ("verify", "open", ["full"]),
    ("ls", "os.scandir", ["-e", "full"]),
    ("stats", "os.scandir", ["full"]),
    ("du", "os.scandir", ["full"]),
    ("doctor", "os.scandir", ["full"]),
    ("export", "open", ["out.zip", "--cache", "full"]),
    ("import", "os.rename", ["packed.zip", "taken"]),
    ("gc", "os.remove", ["full", "--max-entries", "1"]),
    ("purge", "os.remove", ["values", "--cache", "full", "--yes"]),
    ("sync", "os.rename", ["fast", "slow"]),
]

#: Runs a command, and sends it what Ctrl-C sends when it does something for the n-th time.
STOPPED = """
import os, signal, sys
event, left = sys.argv[1], int(sys.argv[2])
def watch(name, arguments):
    global left
    if name == event and "{mark}" in str(arguments[0] if arguments else ""):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGINT)
from neurotools.console.main import main
sys.addaudithook(watch)
sys.exit(main(sys.argv[3:]))
"""


def values(n):
    return np.full(100, n)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with two caches, and an archive."""
    folder = tmp_path_factory.mktemp("a_place")
    kept = disk_cacher(folder / "full")(values)
    fast = hierarchical_cacher(folder / "fast")(values)
    hierarchical_cacher(folder / "slow")(values)(MANY)
    for n in range(MANY):
        kept(n)
        fast(n)
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """Return a copy of it, in which commands run."""
    import shutil

    folder = tmp_path / "a_place"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


def entries(folder):
    return sorted(path for path in folder.rglob("*.npy") if ".neurotools" not in path.parts)


def leftovers(folder):
    hidden = [p for p in folder.rglob(".*") if p.name != ".neurotools" and p.is_file()]
    return [*hidden, *folder.rglob("*.part")]


@pytest.mark.parametrize(("word", "event", "rest"), STOPS, ids=[stop[0] for stop in STOPS])
@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent in another way there")
def test_ctrl_c_ends_a_command_in_one_line_and_leaves_things_whole(place, capfd, word, event, rest):
    if word == "import":
        assert main(["export", "packed.zip", "--cache", "full"]) == 0
    capfd.readouterr()
    code = STOPPED.replace("{mark}", "" if event == "os.scandir" else "a_place")
    at = 3 if event == "os.scandir" else 6
    done = subprocess.run(
        [sys.executable, "-c", code, event, str(at), word, *rest],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 130
    assert done.stderr == f"neurotools {word}: stopped\n"
    assert leftovers(place) == []
    if word not in {"gc", "purge"}:
        assert len(entries(place / "full")) == MANY
    # The next time it is carried out.
    assert main([word, *rest]) == 0
    for folder in ("full", "slow", *(["taken"] if word == "import" else [])):
        if entries(place / folder):
            assert main(["verify", folder]) == 0
    left = {"import": ("taken", MANY), "gc": ("full", 1), "purge": ("full", 0)}
    folder, number = left.get(word, ("full", MANY))
    assert len(entries(place / folder)) == number
    if word == "sync":
        assert len(entries(place / "slow")) == MANY + 1


@pytest.mark.parametrize(("word", "event", "rest"), STOPS, ids=[stop[0] for stop in STOPS])
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo terminals")
def test_a_terminal_shows_a_bar_and_a_pipe_shows_none(
    place, monkeypatch, capsys, word, event, rest
):
    pytest.importorskip("tqdm")
    import fcntl
    import termios

    monkeypatch.setattr("neurotools.memo.progress._LONG_SECONDS", 0)
    if word == "import":
        assert main(["export", "packed.zip", "--cache", "full"]) == 0
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with open(theirs, "w") as terminal, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", terminal)
        assert main([word, *rest]) == 0
        terminal.flush()
        told = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "it/s" in told or "/12" in told
    assert capsys.readouterr().err == ""


def test_in_a_pipe_there_is_no_bar(place, monkeypatch, capsys):
    monkeypatch.setattr("neurotools.memo.progress._LONG_SECONDS", 0)
    assert main(["verify", "full"]) == 0
    assert capsys.readouterr().err == ""
