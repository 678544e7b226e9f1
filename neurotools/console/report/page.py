"""The page of a report: one file of HTML that needs nothing else, and runs nothing but itself.

Its policy for content, in its head, lets a browser run the one script and use the one style whose
digests stand there, and load nothing: no name of a function, whatever is in it, can change that.
The figures stand in the page as JSON; the script makes tables and plots of them.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from importlib.resources import files
from typing import Any

from neurotools.console import screen, spoken
from neurotools.console.report.files import MARK

#: Longer texts are cut in the middle: a page is read, `--json` has them whole.
_LONGEST = 400
#: One script, in this order.
_SCRIPTS = ("words.js", "treemap.js", "plots.js", "tables.js", "main.js")
#: What the page does not show.
_LEFT_OUT = ("path",)
_LEVELS = {"problem": "Problem", "hint": "Worth a look", "ok": "All well"}
_SIGNS = {"problem": "✕", "hint": "!", "ok": "✓"}


def page(data: dict[str, Any]) -> str:
    """Return the page.

    Parameters
    ----------
    data : dict
        What `neurotools.console.report.data.as_data` returns.
    """
    shown = _cleaned(data)
    style, script = _asset("page.css"), "".join(map(_asset, _SCRIPTS))
    parts = {
        "mark": MARK,
        "policy": (
            f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
            "img-src data:; base-uri 'none'; form-action 'none'"
        ),
        "style": style,
        "script": script,
        "caches": "".join(f"<li><code>{_escaped(path)}</code></li>" for path in shown["caches"]),
        "made": _escaped(shown["made"]),
        "made_spoken": _escaped(shown["made"].replace("T", " ").replace("Z", " UTC")[:16] + " UTC"),
        "version": _escaped(shown["neurotools"]),
        "tiles": "".join(_tile(*one) for one in _tiles(shown)),
        "notes": _notes(shown["notes"], len(shown["caches"]) > 1),
        "data": _as_script(shown),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


def _asset(name: str) -> str:
    return files("neurotools.console.report").joinpath("assets", name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


def _cleaned(value: Any) -> Any:
    """Return data whose texts can be shown: short, and without what cannot be seen."""
    if isinstance(value, str):
        short = screen.cut(value, _LONGEST)
        # Almost all are: to look at each character takes a while.
        return short if short.isprintable() else screen.clean(short).replace("\n", " ")
    if isinstance(value, dict):
        return {name: _cleaned(item) for name, item in value.items() if name not in _LEFT_OUT}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value


def _as_script(data: dict[str, Any]) -> str:
    """Return data as JSON that nothing in it can end, or turn into markup."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _escaped(text: str) -> str:
    return html.escape(text)


def _tiles(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the headline figures: name, figure, and what to know of it."""
    total = data["total"]
    rate, levels = total["hit_rate"], [note["level"] for note in data["notes"]]
    wrong, hints = levels.count("problem"), levels.count("hint")
    advice = f"{hints} worth a look" if hints else "all looks well"
    computed = total["seconds_to_compute"]
    versions = spoken.count(total["versions"], "version")
    return [
        ("Results", f"{total['entries']:,}",
         f"{spoken.count(total['functions'], 'function')}, {versions}"),
        ("On disk", spoken.size(total["bytes_on_disk"]), f"{spoken.size(total['bytes'])} of data"),
        ("Time saved", spoken.span(total["seconds_saved"]),
         f"in {spoken.count(total['loads'], 'load')}"),
        ("Hit rate", "?" if rate is None else _share(rate),
         "no use was noted" if rate is None else f"{total['computed']:,} were computed"),
        ("To compute anew", spoken.span(computed) if computed or not total["entries"] else "?",
         "all that is here, one after the other"),
        ("Problems", f"{wrong:,}" if wrong else "none", "see below" if wrong else advice),
    ]  # fmt: skip


def _share(rate: float) -> str:
    # Never told as all, or nothing, where it is not.
    percent = f"{100 * rate:.0f}"
    return "> 99 %" if percent == "100" and rate < 1 else f"{percent} %"


def _tile(name: str, figure: str, text: str) -> str:
    return (
        f'<div class="tile"><dt>{_escaped(name)}</dt><dd><strong>{_escaped(figure)}</strong>'
        f"<span>{_escaped(text)}</span></dd></div>"
    )


def _notes(notes: list[dict[str, str]], several: bool) -> str:
    """Return what was found: what is wrong first, what is well folded away."""
    found = {level: [_note(n, several) for n in notes if n["level"] == level] for level in _LEVELS}
    telling, well = [*found["problem"], *found["hint"]], found["ok"]
    top = f"<ul>{''.join(telling)}</ul>" if telling else ""
    title = f"{_SIGNS['ok']} {spoken.count(len(well), 'check')} passed"
    return f"{top}<details><summary>{title}</summary><ul>{''.join(well)}</ul></details>"


def _note(note: dict[str, str], several: bool) -> str:
    level, remedy, cache = note["level"], note["remedy"], note["cache"]
    shown = _escaped(remedy)
    if remedy.startswith("neurotools "):
        shown = f"<code>{shown}</code>"
    told = f'<p class="remedy">{shown}</p>' if remedy else ""
    where = f'<p class="where"><code>{_escaped(cache)}</code></p>' if cache and several else ""
    return (
        f'<li class="note {level}"><span class="sign"><span aria-hidden="true">{_SIGNS[level]}'
        f"</span> {_LEVELS[level]}</span><div><strong>{_escaped(note['what'])}</strong> "
        f"<span>{_escaped(note['text'])}</span>{told}{where}</div></li>"
    )
