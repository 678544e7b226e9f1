"""``neurotools show``: one entry, its record and its arguments, and a look at its value.

A value is decoded only where that runs nothing: of a pickle, the names in it are told.
"""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from neurotools.console import given, screen, spoken
from neurotools.console.calls import arguments_of, call_of, key_of, opening, pickled_names, preview
from neurotools.memo.entry import Record
from neurotools.memo.errors import CacheError, CorruptEntry, NoEntry, UntrustedEntry
from neurotools.memo.formats.registry import RUNS_CODE
from neurotools.memo.signing import signer_with
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.files import read_record
from neurotools.memo.upkeep import inventory, legacy
from neurotools.memo.upkeep.inventory import Located

SUMMARY = "show an entry: its call, its record, a look at its value, how to open it"

#: Larger values are not read for a look at them.
_LARGEST = 256 << 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("entry", metavar="ENTRY", help="a file, or the beginning of its name")
    given.add_cache(parser, option=True)
    parser.add_argument(
        "--open", action="store_true", help="open a pickle, if nobody else could have written it"
    )


def run(options: argparse.Namespace) -> int:
    """Show the entry."""
    entry, _ = given.entry_named(options.entry, options)
    record = _record(entry)
    lines, code = _value(entry, is_open=options.open)
    if options.json:
        screen.as_json({**_as_data(entry, record), "value": "\n".join(lines)})
    else:
        _print(entry, record, lines)
    return code


def _record(entry: Located) -> Record:
    try:
        return read_record(entry.path)
    except CorruptEntry:
        if legacy.seems_whole(entry.path):
            remedy = "the earlier neurotools wrote it; neurotools combine --legacy takes it over"
            raise NoEntry(entry.path, remedy) from None
        raise


def _as_data(entry: Located, record: Record) -> dict[str, Any]:
    signature = arguments_of(entry, record)
    named, extra = signature or ((), None)
    return {
        **given.entry_data(entry),
        "call": call_of(entry),
        "arguments": {name: repr(value) for name, value in named},
        "more_arguments": [repr(value) for value in extra or ()],
        "computed": spoken.stamp(record.created),
        "seconds": record.seconds,
        "record": record.details,
        "open_with": opening(entry),
    }


def _print(entry: Located, record: Record, lines: list[str]) -> None:
    details = record.details
    screen.say(screen.bold(call_of(entry)[:400]))
    facts = [
        ("function", f"{inventory.human_name(entry.shelf.function)}, version {entry.shelf.code}"),
        ("computed", f"{spoken.date(record.created)} in {spoken.span(record.seconds)}"),
        ("on", f"{details.get('host', '?')}, Python {details.get('python', '?')}, "
               f"numpy {details.get('numpy', '?')}"),
        ("script", str(details.get("script") or "")),
        ("size", f"{spoken.size(entry.found.size)} as {entry.found.method}"),
        ("file", entry.path),
    ]  # fmt: skip
    for name, text in facts:
        if text:
            # A path is not cut: it is there to be copied.
            screen.say(f"{screen.dim(name.ljust(9))} {text}")
    screen.say(f"\n{screen.dim('value')}")
    screen.say(textwrap.indent("\n".join(lines), "  "))
    screen.say(f"\n{screen.dim('open it with')}")
    for line in opening(entry):
        screen.say(f"  {line}")


def _value(entry: Located, *, is_open: bool) -> tuple[list[str], int]:
    """Return a look at a value, line by line, and the exit code."""
    if entry.found.size > _LARGEST:
        return [f"too large for a look at it: {spoken.size(entry.found.size)}"], 0
    signer = signer_with()
    try:
        if entry.found.method in RUNS_CODE and not is_open:
            return _unopened(entry), 0
        found = DirectoryTier(entry.root, signer=signer).read(key_of(entry))
        if found is None:
            return ["it is gone"], 1
        return preview(found.value()).splitlines(), 0
    except (CorruptEntry, UntrustedEntry) as error:
        return textwrap.wrap(str(error), 76, break_long_words=False), 1
    except CacheError:
        raise
    except Exception as error:  # what is decoded may be anything
        return [f"it cannot be decoded: {type(error).__name__}: {error}"], 1


def _unopened(entry: Located) -> list[str]:
    from neurotools.memo.upkeep.inspection import checked

    payload = checked(entry.path, key_of(entry)).payload
    names = pickled_names(payload)
    told = f"names {', '.join(names)}" if names else "names nothing to import"
    return [f"a pickle of {spoken.size(len(payload))}, not opened; it {told}", "--open opens it"]
