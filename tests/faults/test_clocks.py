"""Clocks that are wrong, files with coarse times, times that were put back."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.faults import watched

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    bool(watched.reason_against()), reason=watched.reason_against() or "it can be done here"
)

DAY = 24 * 3600
#: Seconds that the clock is wrong, and seconds between two times of files (0: as they are).
LIES = [(0, 0), (400 * DAY, 0), (-400 * DAY, 0), (0, 1), (0, 2), (5, 2), (-5, 1)]

_BEGIN = """
import ctypes, os, sys, time
import numpy as np
from neurotools.jobs.cache import File, disk_cacher
steer = ctypes.CDLL(None)
shift, step, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
os.chdir(folder)
steer.clock_shift(ctypes.c_long(shift))
steer.clock_coarse(ctypes.c_long(step))

def rewritten(path, content):
    "Change a file's content, and put its size and modification time back."
    before = os.stat(path)
    with open(path, "r+b") as file:
        file.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

def made(path, content):
    with open(path, "wb") as file:
        file.write(content)
    os.utime(path, (1e9, 1e9))
"""


def told(script, shift, step, folder):
    """Run a script with a wrong clock; return what it prints."""
    command = [sys.executable, "-c", _BEGIN + textwrap.dedent(script), str(shift), str(step)]
    done = subprocess.run(
        [*command, str(folder)],
        cwd=ROOT,
        env={**watched.environment("clock"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("shift", "step", "wait"), [*((*lie, 0) for lie in LIES), (0, 0, 2.1), (0, 2, 2.1)]
)
def test_a_file_argument_that_changed_is_noticed(tmp_path, shift, step, wait):
    script = f"""
    @disk_cacher("cache")
    def content(path):
        with open(path, "rb") as file:
            return file.read()

    made("scan", b"first")
    content(File("scan"))
    time.sleep({wait})
    content(File("scan"))
    rewritten("scan", b"other")
    print(content(File("scan")).decode(), content.cache_info().misses)
    """
    assert told(script, shift, step, tmp_path) == ["other", "2"]


@pytest.mark.parametrize(("shift", "step"), LIES[:5])
def test_a_file_that_was_traced_and_changed_is_noticed(tmp_path, shift, step):
    script = """
    @disk_cacher("cache", trace=True)
    def content(number):
        with open("scan", "rb") as file:
            return file.read()

    made("scan", b"first")
    content(1), content(1)
    rewritten("scan", b"other")
    print(content(1).decode(), content.cache_info().misses)
    """
    assert told(script, shift, step, tmp_path) == ["other", "2"]


@pytest.mark.parametrize(("shift", "step"), LIES[:5])
def test_a_mapped_argument_that_changed_is_noticed(tmp_path, shift, step):
    script = """
    @disk_cacher("cache")
    def total(recording):
        return float(recording.sum())

    np.save("recording.npy", np.zeros(100_000))
    os.utime("recording.npy", (1e9, 1e9))
    time.sleep(0.1)
    mapped = np.load("recording.npy", mmap_mode="r")
    total(mapped), total(mapped)
    before = os.stat("recording.npy")
    with open("recording.npy", "r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(np.float64(1).tobytes())
    os.utime("recording.npy", ns=(before.st_atime_ns, before.st_mtime_ns))
    print(total(mapped))
    """
    assert told(script, shift, step, tmp_path) == ["1.0"]


@pytest.mark.parametrize(("shift", "step"), LIES[:5])
def test_a_mapped_entry_that_was_damaged_is_noticed(tmp_path, shift, step):
    script = """
    import logging
    logging.disable()

    @disk_cacher("cache", mmap_mode="r")
    def numbers(count):
        return np.arange(count)

    numbers(1000)
    time.sleep(0.1)
    numbers(1000), numbers(1000)
    path = numbers.locate(1000)
    with open(path, "rb") as file:
        content = bytearray(file.read())
    content[-4000] ^= 1
    rewritten(path, content)
    print((numbers(1000) == np.arange(1000)).all(), numbers.cache_info().misses)
    """
    assert told(script, shift, step, tmp_path) == ["True", "2"]


@pytest.mark.parametrize(("shift", "step"), [(0, 0), (400 * DAY, 2)])
def test_code_whose_file_was_changed_and_dated_back_is_noticed(tmp_path, shift, step):
    script = """
    import subprocess
    made("helper.py", b"def number(): return 1\\n")
    made("study.py", b"from helper import number\\ndef f(): return number()\\n")
    run = (
        "import sys; sys.path.insert(0, '.'); sys.dont_write_bytecode = True\\n"
        "from neurotools.jobs.cache import disk_cacher\\n"
        "import study; print(disk_cacher('cache')(study.f)(), flush=True)\\n"
    )
    subprocess.run([sys.executable, "-c", run], check=True)
    subprocess.run([sys.executable, "-c", run], check=True)
    rewritten("helper.py", b"def number(): return 2\\n")
    subprocess.run([sys.executable, "-c", run], check=True)
    """
    assert told(script, shift, step, tmp_path) == ["1", "1", "2"]


#: Stops in the middle of a write until it is told to go on, as a slow disk would.
_WRITER = """
import os, signal, sys, time
from neurotools.jobs.cache import disk_cacher
from neurotools.memo.tiers import directory
replace = directory.os.replace
def slowly(*paths):
    directory.os.replace = replace
    print(paths[0], flush=True)
    sys.stdin.readline()
    replace(*paths)
@disk_cacher(sys.argv[1])
def f(x):
    directory.os.replace = slowly
    return x
print(f(7) == 7 and f.check_call_in_cache(7), f._hierarchy.counts[0]["failures"], flush=True)
os._exit(0)
"""

_OTHER = """
@disk_cacher(folder)
def g(x):
    return x
for number in range(200):
    g(number)
print(g._hierarchy.counts[0]["failures"])
"""


@pytest.fixture
def writer(tmp_path):
    """Return a process in the middle of a write, and the name that it writes under."""

    def begun(*before):
        process = subprocess.Popen(
            [*before, sys.executable, "-c", _WRITER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        begun_now.append(process)
        return process, Path(process.stdout.readline().strip())

    begun_now = []
    yield begun
    for process in begun_now:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("shift", "age"), [(0, 0), (60 * DAY, 0), (0, 60), (-60 * DAY, -60)])
def test_what_is_being_written_is_left_alone_whatever_the_clock_says(tmp_path, writer, shift, age):
    process, unfinished = writer()
    for path in (unfinished, *tmp_path.rglob(".neurotools/writing/*")):
        os.utime(path, (path.stat().st_mtime - age * DAY,) * 2)
    assert told(_OTHER, shift, 0, tmp_path) == ["0"]
    assert unfinished.exists()
    assert process.communicate("\n")[0].split() == ["True", "0"]


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="a PID namespace needs to be root"
)
def test_what_another_container_is_writing_is_left_alone(tmp_path, writer):
    process, unfinished = writer("unshare", "--pid", "--fork", "--mount-proc", "--uts")
    if not unfinished.name:
        pytest.skip("there are no PID namespaces here")
    assert told(_OTHER, 0, 0, tmp_path) == ["0"]
    assert unfinished.exists()
    assert process.communicate("\n")[0].split() == ["True", "0"]


@pytest.mark.parametrize("shift", [0, 60 * DAY, -60 * DAY])
def test_what_a_killed_process_left_goes_whatever_the_clock_says(tmp_path, writer, shift):
    process, unfinished = writer()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert unfinished.exists()
    assert told(_OTHER, shift, 0, tmp_path) == ["0"]
    assert not unfinished.exists()


@pytest.mark.parametrize("shift", [60 * DAY, -60 * DAY])
def test_no_lock_is_kept_by_a_wrong_clock(tmp_path, shift):
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time\nfrom neurotools.jobs.cache import disk_cacher\n"
            "@disk_cacher(sys.argv[1])\ndef f(x):\n    print('!', flush=True)\n    time.sleep(99)\n"
            "f(1)",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    with holder:
        holder.stdout.readline()
        holder.kill()
        script = """
        @disk_cacher(folder)
        def f(x):
            return x
        print(f(1))
        """
        assert told(script, shift, 0, tmp_path) == ["1"]
