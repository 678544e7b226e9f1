"""What a command would read if it ran now, and whether a remembered run read and made the same."""

from __future__ import annotations

import os
import stat

from neurotools.memo.commands.call import Call, depended_on
from neurotools.memo.commands.contents import Contents, File
from neurotools.memo.commands.records import Run
from neurotools.memo.errors import UnreadableFile, UnusableCommand

SCRIPT, STDIN = "script", "stdin"


class Unrememberable(Exception):
    """A call cannot be remembered: what it would read cannot be told."""


def observed(call: Call, contents: Contents, stdin: File | None = None) -> dict[str, File]:
    """Return what a call would read now, by what that is to it.

    Raises
    ------
    UnusableCommand
        If a dependent is not there or cannot be read.
    Unrememberable
        If something else that counts cannot be read.
    """
    reads = {f"dependent {word}": _dependent(word, contents) for word in call.dependents}
    try:
        reads[SCRIPT] = contents.of(call.script)
        for path in call.inputs:
            reads[f"input {path}"] = contents.of(call.place(path))
        for label, path in call.arguments():
            if is_file(call.place(path)):
                reads[label] = contents.of(call.place(path))
    except UnreadableFile as error:
        raise Unrememberable(str(error)) from None
    for name in call.environment:
        reads[f"variable {name}"] = _variable(name)
    if stdin is not None:
        reads[STDIN] = stdin
    return reads


def _dependent(word: str, contents: Contents) -> File:
    path = depended_on(word)
    try:
        return contents.of(path)
    except UnreadableFile as error:
        raise UnusableCommand(word, error.reason) from None


def is_file(path: str) -> bool:
    """Tell whether an argument stands for a file's content.

    Raises
    ------
    Unrememberable
        If it is a pipe or a socket: what comes out of it is not known before.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        raise Unrememberable(f"{path} is a pipe, and can be read only once")
    return stat.S_ISREG(mode)


def _variable(name: str) -> File:
    import hashlib

    value = os.environ.get(name)
    digest = "" if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()
    return File(name, digest)


def without_made(call: Call, reads: dict[str, File], runs: list[Run]) -> dict[str, File]:
    """Return what is read, without those arguments that the same command has made before."""
    made = {label for run in runs if run.words == call.words for label in run.makes}
    return {label: file for label, file in reads.items() if label not in made}


def created(call: Call, before: dict[str, File], contents: Contents) -> dict[str, File]:
    """Return what the run has made among its arguments: files that were not there before."""
    return {
        label: contents.of(call.place(path), is_new=True)
        for label, path in call.arguments()
        if label not in before and os.path.isfile(call.place(path))
    }


def outputs(call: Call, contents: Contents) -> dict[str, File]:
    """Return the outputs that were named.

    Raises
    ------
    UnreadableFile
        If one is not there, or cannot be read.
    """
    return {f"output {path}": contents.of(call.place(path), is_new=True) for path in call.outputs}


def changed_input(reads: dict[str, File], contents: Contents) -> str:
    """Return the path of something that is not any more what it was before the run, or nothing."""
    for file in reads.values():
        if file.stat is None and file.inner is None:
            continue
        try:
            if contents.of(file.path).hash != file.hash:
                return file.path
        except UnreadableFile:
            return file.path
    return ""


def difference(run: Run, call: Call, reads: dict[str, File]) -> str:
    """Return what differs between what a run read and what would be read now, or nothing."""
    if reason := _other_words(run, call, reads):
        return reason
    for label, file in run.reads.items():
        now = reads.get(label)
        if now is None:
            return f"{label} ({file.path}) is gone"
        if now.hash != file.hash:
            return f"{label} ({now.path}) has changed"
    for label, file in reads.items():
        if label not in run.reads and label not in run.makes:
            return f"{label} ({file.path}) is new"
    return ""


def _other_words(run: Run, call: Call, reads: dict[str, File]) -> str:
    if len(run.words) != len(call.words):
        return "the number of arguments is another"
    both = run.reads.keys() & reads.keys()
    for number, (old, new) in enumerate(zip(run.words, call.words, strict=True)):
        name, equals, _ = new.partition("=")
        same_name = equals and old.partition("=")[0] == name
        is_file = f"argument {number}" in both
        if old != new and not (is_file or (same_name and f"argument {number}, {name}" in both)):
            return f"argument {number} was {old!r}"
    return ""


def unfinished(run: Run, call: Call, reads: dict[str, File], contents: Contents) -> str:
    """Return what is missing or changed among what a run made, or nothing."""
    for label, file in run.makes.items():
        now = reads.get(label)
        if now is None:
            try:
                now = contents.of(call.place(file.path))
            except UnreadableFile as error:
                return f"{label} ({error.path}) {error.reason}"
        if now.hash != file.hash:
            return f"{label} ({now.path}) has changed"
    return ""
