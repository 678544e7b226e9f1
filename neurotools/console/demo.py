"""``neurotools demo``: one script on a real scan, run four times, edited in between.

The script is `analysis`. Each run is a process of its own, so nothing is remembered but what is on
disk. Not here: the picture (`picture`).
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile, rmtree
from typing import Any

import numpy as np

from neurotools.console import picture, screen
from neurotools.jobs.cache import scan_cachedir
from neurotools.memo.entry import Digested
from neurotools.memo.errors import CacheError, MissingExtra, UnusableLocation
from neurotools.memo.tiers.files import read_record

SUMMARY = "analyse a real brain scan four times, and see what is remembered"

SCRIPT, CACHE, PICTURE = "analysis.py", "cache", "timings.png"
#: Where long lines are cut.
WIDTH = 95
STEPS = ("load", "denoise", "decompose", "agreement")


class UnexpectedRun(CacheError, AssertionError):
    """A run of the demo did not do what it is there to show."""

    def __init__(self, run: int, what: str) -> None:
        super().__init__(f"run {run} went wrong: {what}. This is a defect; please report it")
        self.run, self.what = run, what


@dataclass(frozen=True, slots=True)
class Act:
    """One run of the script: the edit before it, and the steps that must be computed in it."""

    title: str
    computed: tuple[str, ...] = ()
    old: str = ""
    new: str = ""
    options: tuple[str, ...] = ()


@dataclass(slots=True)
class Run:
    """What one run did: where the result of each step came from, and the seconds it took."""

    origins: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def read(self, line: str) -> None:
        """Take in one line that the script printed."""
        match line.split():
            case [step, origin, seconds, "s"] if step in STEPS:
                self.origins[step], self.seconds[step] = origin, float(seconds)


ACTS = (
    Act("The first run computes every step.", computed=STEPS),
    Act("The second run is a new process. It remembers every step."),
    Act(
        "denoised() gets a comment and another layout. Nothing has to be computed.",
        old="    return total / weights\n",
        new="    # No weight is zero.\n    return (\n        total / weights\n    )\n",
    ),
    Act(
        "brain() gets another threshold. What depends on it is computed, and no more.",
        computed=("decompose", "agreement"),
        old="    return mean > 0.2 * np.percentile(mean, 99)\n",
        new="    return mean > 0.3 * np.percentile(mean, 99)\n",
        options=("--why",),
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="where to work: a new or empty folder (default: neurotools-demo)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the cache as well, not only script and picture"
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON, for programs; the rest goes to stderr"
    )


def run(options: argparse.Namespace) -> int:
    """Run the demo; programs get what each run did, and people what they read meanwhile.

    Raises
    ------
    MissingExtra
        If matplotlib, nibabel or scipy is not installed.
    UnusableLocation
        If the folder has something in it.
    UnexpectedRun
        If a step was computed or remembered against the rule.
    """
    if not options.json:
        played_to_the_end(options)
        return 0
    with contextlib.redirect_stdout(sys.stderr):
        folder, runs = played_to_the_end(options)
    steps = [
        {"title": act.title, "steps": run.origins, "seconds": run.seconds}
        for act, run in zip(ACTS, runs, strict=True)
    ]
    script, drawn = str(folder / SCRIPT), str(folder / PICTURE)
    screen.as_json({"folder": str(folder), "script": script, "picture": drawn, "runs": steps})
    return 0


def played_to_the_end(options: argparse.Namespace) -> tuple[Path, list[Run]]:
    """Run the demo from the first word to the last; return its folder, and what each run did."""
    if not all(map(find_spec, ("matplotlib", "nibabel", "scipy"))):
        raise MissingExtra("the demo", "demo")
    folder = prepared(options.folder or unused(Path("neurotools-demo")))
    script = Path(copyfile(Path(__file__).with_name(SCRIPT), folder / SCRIPT))
    print(f"A scan of a head goes through {len(STEPS)} steps of {script}.")
    runs = [played(script, number, act) for number, act in enumerate(ACTS, 1)]
    cold, warm, *_ = runs
    show_entries(folder / CACHE)
    picture.draw(folder / PICTURE, slices(folder / CACHE), cold.seconds, warm.seconds)
    before, now = sum(cold.seconds.values()), sum(warm.seconds.values())
    print(f"\nWhat took {before:.1f} s at first takes {now:.3f} s when it is remembered.")
    print(f"The picture is {folder / PICTURE}")
    if options.keep:
        print(f"To go on: edit {script}, then run  {sys.executable} {script} --why")
    else:
        rmtree(folder / CACHE)
    return folder, runs


def unused(folder: Path) -> Path:
    """Return the folder, or the first of ``folder-2``, ``folder-3``, ... that does not exist."""
    number, candidate = 1, folder
    while candidate.exists():
        number += 1
        candidate = folder.with_name(f"{folder.name}-{number}")
    return candidate


def prepared(folder: Path) -> Path:
    """Make the folder where it is missing; refuse one that is in use."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        raise UnusableLocation(str(folder), error.strerror or str(error)) from error
    if occupied:
        raise UnusableLocation(str(folder), "it is not empty")
    return folder


def played(script: Path, number: int, act: Act) -> Run:
    """Make the edit of an act, run the script, print what it did; see that it was right."""
    print(f"\n{number}. {act.title}\n")
    if act.old:
        edit(script, act.old, act.new)
    done = Run()
    for line in lines_of(script, number, act.options):
        done.read(line)
        if "nearest entry:" not in line:  # a long path, which helps nobody here
            print(f"   {line if len(line) < WIDTH else line[:WIDTH] + '...'}")
    print(f"   {'in all':<24}{sum(done.seconds.values()):10.4f} s")
    for step in STEPS:
        origin = done.origins.get(step, "not run")
        if origin != ("computed" if step in act.computed else "remembered"):
            raise UnexpectedRun(number, f"{step} was {origin}")
    return done


def edit(script: Path, old: str, new: str) -> None:
    """Replace one passage of the script, and print the difference."""
    text = script.read_text(encoding="utf-8")
    script.write_text(text.replace(old, new), encoding="utf-8")
    for sign, passage in (("-", old), ("+", new)):
        for line in passage.splitlines():
            print(f"   {sign} {line}")
    print()


def lines_of(script: Path, number: int, options: tuple[str, ...]) -> Iterator[str]:
    """Run the script in a process of its own; yield what it prints, line by line."""
    command = [sys.executable, "-u", script.name, *options]
    with subprocess.Popen(command, cwd=script.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield line.rstrip()
    if process.returncode:
        raise UnexpectedRun(number, f"{script} ended with exit code {process.returncode}")


def entries(cache: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield each entry of the demo's cache, oldest first: its file and its arguments."""
    listing = scan_cachedir(cache)
    for name in sorted(listing, key=lambda name: (cache / name).stat().st_mtime_ns):
        yield cache / name, listing[name][0]


def show_entries(cache: Path) -> None:
    """List the cache as the calls whose results it holds."""
    found = list(entries(cache))
    print(
        f"\nThe cache holds {len(found)} results. Their files tell by which calls they were made:\n"
    )
    print(f"   {'version':<16}{'took':>9}{'size':>11}   call")
    for file, arguments in found:
        took = f"{read_record(str(file)).seconds:.3f} s"
        size = f"{file.stat().st_size / 1e6:.3f} MB"
        call = ", ".join(f"{name}={shown(value)}" for name, value in arguments.items())
        print(f"   {file.parts[-2]:<16}{took:>9}{size:>11}   {file.parts[-3]}({call})")


def shown(value: Any) -> str:
    """Return an argument as it is, or what is known of it where it is too large for that."""
    if isinstance(value, Digested):
        return f"<{value.kind.rpartition('.')[2]} {value.digest[:6]}>"
    return repr(value)


def slices(cache: Path) -> dict[str, np.ndarray]:
    """Return images of the first results of the demo, which any program may read with `np.load`."""
    oldest = {file.parts[-3]: file for file, _ in reversed(list(entries(cache)))}
    load, denoise, decompose = (np.load(oldest[step]) for step in STEPS[:3])
    return {
        "scan": load[20:108, :, 13, 0],
        "denoised": denoise[20:108, :, 13, 0],
        "component 1": decompose[20:108, :, 13, 0, 0],
        "component 2": decompose[20:108, :, 13, 0, 1],
    }
