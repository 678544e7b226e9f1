"""``neurotools explain``: why a call would hit or miss, or what differs between two versions."""

from __future__ import annotations

import argparse
import ast
import os
from typing import Any

from neurotools.console import given, screen, spoken
from neurotools.console.calls import arguments_of, call_of
from neurotools.memo.errors import NoEntry
from neurotools.memo.explanation import Explanation
from neurotools.memo.fingerprint.manifest import Difference, Manifest, difference
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.upkeep import inventory
from neurotools.memo.upkeep.inventory import Located

SUMMARY = "say why a call would hit or miss, or what differs between an entry and another"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "what",
        metavar="WHAT",
        help="MODULE:FUNCTION, which is imported and not called; or an entry, of which nothing "
        "is imported",
    )
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="ARGUMENT",
        help="of the call, as Python writes them: 3 'text' n=[1,2]; or another entry",
    )
    given.add_cache(parser, option=True)


def run(options: argparse.Namespace) -> int:
    """Explain; 0 for a hit or a difference that was found, 1 for a miss."""
    is_call = ":" in options.what and not os.path.exists(options.what)
    return _call(options) if is_call else _entry(options)


def _call(options: argparse.Namespace) -> int:
    function = given.function_named(options.what)
    args = [_value(text) for text in options.arguments if not _name_of(text)]
    kwargs = {
        name: _value(text[len(name) + 1 :])
        for text in options.arguments
        if (name := _name_of(text))
    }
    told: Explanation = function.explain(*args, **kwargs)
    if options.json:
        screen.as_json(told.as_dict())
    else:
        for line in str(told).splitlines():
            screen.say(_coloured(line))
    return 0 if told.hit else 1


def _coloured(line: str) -> str:
    """Return a line of an explanation as a terminal shows it: what was there red, what is green."""
    word, colon, rest = line.partition(":")
    if word in ("hit", "miss"):
        return f"{(screen.green if word == 'hit' else screen.red)(word)}{colon}{rest}"
    return {"  +": screen.green, "  -": screen.red}.get(line[:3], str)(line)


def _name_of(text: str) -> str:
    name, equals, rest = text.partition("=")
    return name if equals and name.isidentifier() and not rest.startswith("=") else ""


def _value(text: str) -> Any:
    """Return the value of a Python literal; what is none is text, as shells write it."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _entry(options: argparse.Namespace) -> int:
    one, places = _first(options)
    others = [
        inventory.one_entry(name, places or given.places(options)) for name in options.arguments
    ]
    other = others[0] if others else _last_other_version(one)
    if other is None:
        if options.json:
            screen.as_json({"entry": given.entry_data(one), "other": None})
        else:
            screen.say(f"{call_of(one)}: the only version of its function that is kept")
        return 0
    there, here = _manifest(other), _manifest(one)
    code = difference(there, here) if there and here else ()
    known = there is not None and here is not None
    arguments = _differing(other, one)
    if options.json:
        screen.as_json(
            {
                "entry": given.entry_data(one),
                "other": given.entry_data(other),
                "code": _differences(code) if known else None,
                "arguments": {name: list(two) for name, two in arguments.items()},
            }
        )
        return 0
    screen.say(screen.bold(call_of(one)[:400]))
    screen.say(f"  version {one.shelf.code}, written {spoken.date(one.found.written)}")
    screen.say(f"against version {other.shelf.code}, written {spoken.date(other.found.written)}")
    for name, (was, now) in arguments.items():
        screen.say(f"  argument {name}: {was} there, {now} here")
    for part in code:
        screen.say("\n".join(f"  {line}" for line in str(part).splitlines()))
    if not known:
        screen.say("  what differs in the code is not known: a manifest is missing")
    elif not code:
        screen.say("  the code is the same")
    return 0


def _first(options: argparse.Namespace) -> tuple[Located, list[inventory.Place]]:
    try:
        return given.entry_named(options.what, options)
    except NoEntry as error:
        module, dot, function = options.what.rpartition(".")
        if not (dot and all(part.isidentifier() for part in options.what.split("."))):
            raise
        remedy = f"{error.reason}. For a call, write {module}:{function} and its arguments"
        raise NoEntry(options.what, remedy) from None


def _differences(code: tuple[Difference, ...]) -> list[dict[str, Any]]:
    return [part._asdict() for part in code]


def _last_other_version(entry: Located) -> Located | None:
    """Return an entry of the version that was used last beside an entry's own, the same call's."""
    place = inventory.Place(entry.root, entry.shelf.function)
    every = screen.progress(inventory.entries_in([place]), what="looking")
    others = [one for one in every if one.shelf.code != entry.shelf.code]
    same = [one for one in others if one.found.name == entry.found.name]
    return max(same or others, key=lambda one: one.found.written, default=None)


def _manifest(entry: Located) -> Manifest | None:
    content = DirectoryTier(entry.root).get_manifest(entry.shelf.function, entry.shelf.code)
    try:
        return Manifest.from_json((content or b"").decode("ascii"))
    except ValueError:
        return None


def _differing(other: Located, one: Located) -> dict[str, tuple[str, str]]:
    there, here = _texts(other), _texts(one)
    return {
        name: (there.get(name, "none"), here.get(name, "none"))
        for name in {**there, **here}
        if there.get(name) != here.get(name)
    }


def _texts(entry: Located) -> dict[str, str]:
    signature = arguments_of(entry)
    named, extra = signature or ((), None)
    return {**{name: repr(value) for name, value in named}, **({"*": repr(extra)} if extra else {})}
