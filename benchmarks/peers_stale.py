"""Which caches hand out a stale result after an edit of the code, and which compute for nothing?

Every case of ``tests/memo/fingerprint/mutations`` is a small program, an edit of it, and a verdict.
Through each cache, each in a fresh process, the program's function is called, called again, edited,
and called once more; what comes back is compared with what the edited program returns without a
cache. Needs Linux or macOS, and the first time a network, to install the caches.

    python benchmarks/peers_stale.py                 # everything: some minutes on two processors
    python benchmarks/peers_stale.py --quick         # every tenth case
    python benchmarks/peers_stale.py --peers joblib,neurotools --show stale
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import pkgutil
import shutil
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from stale_peers import PEERS, TRUTH
from tables import ROOT, circumstances, grid, keep

WORKER = Path(__file__).with_name("stale_worker.py")

#: What neurotools and the programs need.
_COMMON = ("h5py", "numpy", "xxhash", "zstandard")

#: Verdicts on one case, and what each means in the table.
STALE, NEEDLESS, FORGETS, FAILS, FINE = "stale", "needless", "forgets", "fails", "fine"
COLUMNS = {
    STALE: "stale",
    NEEDLESS: "needless",
    FORGETS: "forgotten",
    FAILS: "errors",
}
_BELOW = """
*Stale*: the edit changes what the function returns, and the old result came back. *Needless*: the
edit cannot change it, and the function ran again. *Forgotten*: the function ran again in the next
process although nothing was edited. *Errors*: the call raised, or gave no answer within 20 seconds.
{circumstances}

Stale results by what is edited:

"""


# ---------------------------------------------------------------- cases


def load_cases(step: int = 1) -> dict[str, list[Any]]:
    """Return every step-th case of each table, by the table's name."""
    sys.path.insert(0, str(ROOT))
    from tests.memo.fingerprint import mutations

    names = sorted(module.name for module in pkgutil.iter_modules(mutations.__path__))
    modules = [importlib.import_module(f"{mutations.__name__}.{n}") for n in names if n != "worker"]
    tables = {m.__name__.rpartition(".")[2]: getattr(m, "CASES", ()) for m in modules}
    return {name: list(cases)[::step] for name, cases in tables.items() if cases}


def write(folder: Path, files: dict[str, str]) -> None:
    """Make a folder hold these files and nothing else."""
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


# ---------------------------------------------------------------- environments


def prepare(folder: Path, peers: Iterable[str]) -> dict[str, Path]:
    """Return the Python of each group of peers, in virtual environments made where missing."""
    packages: dict[str, set[str]] = {}
    for name in peers:
        peer = PEERS[name]
        packages.setdefault(peer.group, set()).update(
            {peer.package, *peer.needs} - {"", "neurotools"}
        )
    return {group: _environment(folder / group, sorted(p)) for group, p in packages.items()}


def _environment(folder: Path, packages: Sequence[str]) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *_COMMON, *packages], check=True)
    return python


def version(python: Path, package: str) -> str:
    if package == "neurotools":
        from neurotools import __version__

        return __version__
    ask = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run(
        [str(python), "-c", ask], check=True, capture_output=True, text=True
    ).stdout.strip()


# ---------------------------------------------------------------- trying one cache


@contextmanager
def worker(python: Path, name: str, folder: Path) -> Iterator[Any]:
    """Yield a function that answers jobs, each in a fresh process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [str(python), str(WORKER), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
        env=environment,
    ) as process:

        def ask(**job: Any) -> dict[str, Any]:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


def answers(python: Path, name: str, cases: Sequence[Any]) -> list[list[dict[str, Any]]]:
    """Return for each case what three processes say: before the edit, again, after the edit."""
    with tempfile.TemporaryDirectory(prefix="stale-") as scratch:
        project = Path(scratch).resolve() / "project"
        project.mkdir()
        rounds = []
        # One worker for each round: the seed of hashes differs, as it does between processes.
        for edited in (False, False, True):
            with worker(python, name, project) as ask:
                rounds.append(
                    [_ask(ask, project, number, c, edited) for number, c in enumerate(cases)]
                )
    return [list(three) for three in zip(*rounds, strict=True)]


def _ask(ask: Any, project: Path, number: int, case: Any, edited: bool) -> dict[str, Any]:
    write(project, case.after() if edited else case.before())
    return ask(
        folder=str(project),
        cache=str(project.parent / f"cache{number}"),
        args=case.args,
        options=case.options,
    )


# ---------------------------------------------------------------- verdicts


def judge(must_run: bool, got: Sequence[dict[str, Any]], truth: Sequence[dict[str, Any]]) -> str:
    """Return the verdict on one case from the answers of a cache and of no cache."""
    if any("error" in answer for answer in got):
        return FAILS
    if any(mine["value"] != true["value"] for mine, true in zip(got, truth, strict=True)):
        return STALE
    if got[1]["ran"]:
        return FORGETS
    return NEEDLESS if got[2]["ran"] and not must_run else FINE


def judge_all(cases: Sequence[Any], got: Any, truth: Any) -> list[str]:
    return [
        judge(case.verdict == "recompute", mine, true)
        for case, mine, true in zip(cases, got, truth, strict=True)
    ]


def sound(cases: Sequence[Any], python: Path) -> tuple[list[Any], list[Any]]:
    """Return the cases that do what they say in this environment, and what they return."""
    truth = answers(python, TRUTH, cases)
    kept = [pair for pair in zip(cases, truth, strict=True) if is_sound(*pair)]
    for case, true in zip(cases, truth, strict=True):
        if not is_sound(case, true):
            print(f"left out, does not do here what it says: {case.name}", file=sys.stderr)
    return [case for case, _ in kept], [true for _, true in kept]


def is_sound(case: Any, truth: Sequence[dict[str, Any]]) -> bool:
    """Return whether a case does here, without a cache, what its verdict says."""
    if any("error" in answer for answer in truth):
        return False
    return (truth[1]["value"] == truth[2]["value"]) == (case.verdict == "hit")


def report(found: dict[str, list[str]], cases: Sequence[Any], versions: dict[str, str]) -> str:
    """Return the table of all verdicts."""
    must = sum(case.verdict == "recompute" for case in cases)
    totals = {STALE: must, NEEDLESS: len(cases) - must, FORGETS: len(cases), FAILS: len(cases)}
    header = ["cache", "version", *(f"{COLUMNS[k]} (of {totals[k]})" for k in COLUMNS)]
    rows = []
    for name, verdicts in found.items():
        counts = Counter(verdicts)
        rows.append([_label(name), versions[name], *(str(counts[k]) for k in COLUMNS)])
    return grid(header, rows)


def by_kind(found: dict[str, list[str]], cases: Sequence[Any], kinds: dict[str, str]) -> str:
    """Return the table of stale results, a column for each kind of edit that must be noticed."""
    must = Counter(kinds[case.name] for case in cases if case.verdict == "recompute")
    header = ["cache", *(f"{kind} (of {total})" for kind, total in must.items())]
    rows = []
    for name, verdicts in found.items():
        stale = Counter(
            kinds[case.name]
            for case, verdict in zip(cases, verdicts, strict=True)
            if verdict == STALE and case.verdict == "recompute"
        )
        rows.append([_label(name), *(str(stale[kind]) for kind in must)])
    return grid(header, rows)


def _kind(table: str) -> str:
    """Return the column of a table of cases; what people found who looked for gaps is one."""
    return table if table in _KINDS else "looked for"


_KINDS = ("calls", "classes", "corners", "dynamic", "environment", "modules", "values")


def _label(name: str) -> str:
    note = PEERS[name].note
    return name.split("+")[0] + (f", {note}" if note else "")


def show(wanted: str, found: dict[str, list[str]], cases: Sequence[Any], said: Any) -> None:
    """Print the cases with a verdict, and for errors what they say."""
    for name, verdicts in found.items():
        for number, (case, verdict) in enumerate(zip(cases, verdicts, strict=True)):
            if verdict in wanted.split(","):
                errors = [a["error"] for a in said[name][number] if "error" in a]
                print(f"{name}: {verdict}: {case.name}", *errors[:1], sep="\n    ")


# ---------------------------------------------------------------- the command


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    known = [name for name in PEERS if name != TRUTH]
    parser.add_argument("--quick", action="store_true", help="every tenth case; writes nothing")
    parser.add_argument("--peers", default=",".join(known), help="of " + ", ".join(known))
    parser.add_argument("--venv", type=Path, help="folder of virtual environments, kept and reused")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="caches at a time")
    parser.add_argument("--show", default="", help="print cases: stale,needless,forgets,fails")
    chosen = parser.parse_args()
    chosen.peers = chosen.peers.split(",")
    if unknown := set(chosen.peers) - set(known):
        parser.error(f"unknown peers: {', '.join(sorted(unknown))}")
    if not hasattr(os, "fork"):
        parser.error("needs os.fork, which this system lacks")
    return chosen


def run(chosen: argparse.Namespace, folder: Path) -> None:
    names = [TRUTH, *chosen.peers]
    pythons = prepare(folder, names)
    homes = {name: pythons[PEERS[name].group] for name in names}
    tables = load_cases(10 if chosen.quick else 1)
    kinds = {case.name: _kind(table) for table, cases in tables.items() for case in cases}
    cases, true = sound([case for cases in tables.values() for case in cases], homes[TRUTH])
    with ThreadPoolExecutor(chosen.jobs) as pool:
        tried = pool.map(partial(_try, homes, cases), chosen.peers)
        said = dict(zip(chosen.peers, tried, strict=True))
    found = {name: judge_all(cases, got, true) for name, got in said.items()}
    show(chosen.show, found, cases, said)
    versions = {name: version(homes[name], PEERS[name].package) for name in chosen.peers}
    below = _BELOW.format(circumstances=circumstances("peers_stale.py"))
    text = f"{report(found, cases, versions)}{below}{by_kind(found, cases, kinds)}"
    print(text)
    if not chosen.quick and len(chosen.peers) == len(PEERS) - 1:
        keep("peers-stale.inc", text)


def _try(homes: dict[str, Path], cases: Sequence[Any], name: str) -> Any:
    got = answers(homes[name], name, cases)
    print(f"tried {name}", file=sys.stderr, flush=True)
    return got


def main() -> None:
    chosen = options()
    if chosen.venv:
        run(chosen, chosen.venv)
        return
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        run(chosen, Path(folder))


if __name__ == "__main__":
    main()
