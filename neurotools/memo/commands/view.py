"""The last run of a command, in three files for people."""

from __future__ import annotations

from neurotools.memo.commands.call import Call
from neurotools.memo.commands.contents import File
from neurotools.memo.commands.records import Run
from neurotools.memo.commands.state import SCRIPT
from neurotools.memo.readable import show, shown_file


def show_run(folder: str, call: Call, run: Run) -> None:
    """Write ``NAME.inputs``, ``NAME.stage`` and ``NAME.outputs`` of a run.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    inputs: dict[str, object] = {}
    for number, word in enumerate(call.words[1:]):
        file = run.reads.get(f"argument {number + 1}")
        inputs[f"arg{number}"] = word if file is None else shown_file(word, file.hash)
    others = {
        label: _shown(file) for label, file in run.reads.items() if label not in _shown_as(call)
    }
    stage = {
        "command": call.words,
        "folder": call.cwd,
        "script": _shown(run.reads[SCRIPT]),
        "dependents": [_shown(run.reads[f"dependent {word}"]) for word in call.dependents],
    }
    outputs: dict[str, object] = {"output": 0}
    for number, file in enumerate(run.makes.values()):
        outputs[f"output{number}"] = _shown(file)
    show(folder, call.name, {**inputs, **others}, stage, outputs)


def _shown_as(call: Call) -> set[str]:
    """Return what is shown in another way."""
    arguments = {f"argument {number}" for number in range(1, len(call.words))}
    return {SCRIPT, *arguments, *(f"dependent {word}" for word in call.dependents)}


def _shown(file: File) -> dict[str, str]:
    return shown_file(file.path, file.hash)
