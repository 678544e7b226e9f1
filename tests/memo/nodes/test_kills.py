"""Processes that are killed anywhere leave nothing that is wrong, or in the way."""

import random
import subprocess
import sys
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

#: Runs, hits, damages and clears, as fast as it can; ends with an error if a result is wrong.
CHILD = """
    import random, sys
    from pathlib import Path
    from neurotools.jobs.memory import Memory
    from tests.jobs.interfaces import Repeat
    base, text, seed = sys.argv[1:]
    mem, chance = Memory(base, slower=base + "-share"), random.Random(int(seed))
    repeat = mem.cache(Repeat)
    print("go", flush=True)
    while True:
        times, what = chance.randrange(1, 6), chance.random()
        outputs = repeat(in_file=text, times=times).outputs
        assert Path(outputs.out_file).read_text() == "abc" * times
        assert outputs.size == 3 * times
        if what < 0.05:
            mem.clear_previous_runs(warn=False)
        elif what < 0.1:
            mem.clear_runs_since(year=2100, warn=False)
        elif what < 0.2:
            Path(outputs.out_file).unlink()
        elif what < 0.3:
            Path(outputs.out_file).write_text("broken")
"""


def test_whoever_comes_after_a_kill_finds_what_is_right(tmp_path):
    chance, text = random.Random(1), tmp_path / "in.txt"
    text.write_text("abc")
    for seed in range(5):
        arguments = [textwrap.dedent(CHILD), str(tmp_path / "base"), str(text), str(seed)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([sys.executable, "-c", *arguments], cwd=ROOT, **pipes) as child:
            child.stdout.readline()
            time.sleep(chance.random() * 0.3)
            ended = child.poll()
            child.kill()
            assert ended is None, child.stderr.read()
