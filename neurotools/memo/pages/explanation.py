"""Why a call hits or misses, as HTML, from the data that ``Explanation.as_dict`` gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from neurotools.memo.pages.parts import Html, code, diff, escape, facts, fold, fragment, head, table

#: Parts of the code whose lines are shown at once; the rest is folded.
_OPEN = 3


def page(told: Mapping[str, Any], cost: str = "", place: str = "at") -> str:
    """Return an explanation as a fragment of HTML.

    Parameters
    ----------
    told : mapping
        The explanation's data.
    cost : str
        What computing cost the last time, in words.
    place : str
        What its location is, in words.
    """
    return fragment(*_sections(told, cost, place))


def _sections(told: Mapping[str, Any], cost: str, place: str) -> Iterator[str]:
    is_hit = told["hit"]
    yield head(told["reason"], "hit" if is_hit else "miss", "good" if is_hit else "bad")
    yield facts(
        [
            ("call", code(told["call"]) if told["call"] else ""),
            ("function", told["function"]),
            ("version", code(told["version"]) if told["version"] else ""),
            ("cost", cost),
            (place, _path(told["location"])),
        ]
    )
    if told["arguments"]:
        rows = [[name, code(was), code(now)] for name, (was, now) in told["arguments"].items()]
        yield table(["argument", "there", "here"], rows)
    if told["files"]:
        rows = [[path, code(was[:8]), code(now[:8])] for path, (was, now) in told["files"].items()]
        yield table(["file", "then", "now"], rows)
    yield from _code(told["code"])
    if len(told["tiers"]) > 1 or not is_hit:
        yield _places(told["tiers"])
    yield from _list("doubts", told["doubts"])
    yield from _list("left alone", told["left_alone"])


def _path(path: str) -> Html | str:
    return code(path) if path else ""


def _places(tiers: Sequence[Mapping[str, str]]) -> Html:
    rows = [[_path(one["name"]), one["state"], one["detail"]] for one in tiers]
    return table(["looked in", "", ""], rows) if rows else Html("")


def _code(parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for number, part in enumerate(parts):
        title = f"{part['what']} {part['kind']} {part['name']}"
        if part["lines"]:
            yield fold(title, diff(part["lines"]), is_open=number < _OPEN)
        else:
            yield Html(f"<div>{escape(title)}</div>")


def _list(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        items = "".join(f"<li>{escape(line)}</li>" for line in lines)
        yield fold(f"{title}: {len(lines)}", Html(f"<ul>{items}</ul>"), is_open=True)
