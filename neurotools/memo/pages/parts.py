"""Parts of what notebooks show: escaped text, tables, folds, diffs, and one style for all of them.

A fragment carries its style along, and uses no colour that needs a light or a dark page behind it:
text is what the page has, lines and backgrounds are shades that let the page shine through.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable, Sequence

#: Longer texts are cut where they stand in a table.
_LONGEST = 400

_STYLE = """
.neurotools{font-size:13px;line-height:1.45;color:inherit;max-width:64em}
.neurotools .head{font-weight:600;margin:.2em 0}
.neurotools .mark{display:inline-block;padding:0 .6em;margin-right:.5em;border-radius:.7em;
border:1px solid currentColor;font-weight:600}
.neurotools .good{color:#1f9d55}.neurotools .bad{color:#d9662b}
.neurotools .dim{opacity:.7}
.neurotools table{border-collapse:collapse;margin:.4em 0;color:inherit;background:transparent}
.neurotools th,.neurotools td{padding:.15em .8em .15em 0;text-align:left;vertical-align:top;
background:transparent;border:0;border-bottom:1px solid rgba(128,128,128,.25);
overflow-wrap:anywhere;white-space:pre-wrap}
.neurotools th{font-weight:600;white-space:nowrap}
.neurotools tr:nth-child(n){background:transparent}
.neurotools .number{text-align:right;white-space:nowrap}
.neurotools code,.neurotools pre{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px;
color:inherit;background:transparent}
.neurotools code{padding:0}
.neurotools pre{margin:.3em 0;padding:.3em 0;overflow-x:auto;border-radius:4px;
background:rgba(128,128,128,.08)}
.neurotools pre span{display:block;padding:0 .6em;min-height:1.45em;white-space:pre}
.neurotools .plus{background:rgba(46,160,67,.22)}
.neurotools .minus{background:rgba(248,81,73,.22)}
.neurotools summary{cursor:pointer}
""".strip().replace("\n", "")
# Named twice, so that it weighs more than what notebooks say of all tables.
_STYLE = _STYLE.replace(".neurotools ", ".neurotools.neurotools ")


class Html(str):
    """Text that is HTML already: it is not escaped again."""

    __slots__ = ()


def escape(text: object) -> Html:
    """Return a text as HTML; what cannot be seen in it is spelled out.

    Parameters
    ----------
    text : object
        Any object, as `str` shows it; `Html` stays as it is.
    """
    if isinstance(text, Html):
        return text
    shown = "".join(c if c in "\n\t" or _is_seen(c) else f"\\x{ord(c):02x}" for c in str(text))
    return Html(html.escape(shown))


def _is_seen(character: str) -> bool:
    # Control characters, lone surrogates, and marks that turn the direction of writing.
    return unicodedata.category(character) not in {"Cc", "Cs", "Cf", "Co", "Cn", "Zl", "Zp"}


def short(text: object, most: int = _LONGEST) -> str:
    """Return a text, cut in the middle where it is longer than ``most`` characters."""
    whole = str(text)
    half = (most - 3) // 2
    return whole if len(whole) <= most else f"{whole[: most - 3 - half]}...{whole[-half:]}"


def fragment(*parts: str) -> str:
    """Return a fragment that can stand on any page: HTML parts, and the style they need."""
    return f'<div class="neurotools"><style>{_STYLE}</style>{"".join(parts)}</div>'


def head(text: object, mark: str = "", kind: str = "") -> Html:
    """Return a heading line, with a word in a frame in front.

    Parameters
    ----------
    text : object
        The line.
    mark : str
        The word, such as ``'hit'``.
    kind : {'', 'good', 'bad'}
        Its colour.
    """
    framed = f'<span class="mark {escape(kind)}">{escape(mark)}</span>' if mark else ""
    return Html(f'<div class="head">{framed}{escape(text)}</div>')


def table(
    header: Sequence[object], rows: Iterable[Sequence[object]], numbers: Iterable[int] = ()
) -> Html:
    """Return a table.

    Parameters
    ----------
    header : sequence
        Names of the columns; empty for none.
    rows : iterable of sequence
        Cells; texts are escaped and cut, `Html` stands as it is.
    numbers : iterable of int
        Columns that are set to the right.
    """
    right = set(numbers)
    top = "".join(
        f'<th scope="col"{_set(column, right)}>{escape(name)}</th>'
        for column, name in enumerate(header)
    )
    lines = "".join(f"<tr>{_cells(row, right)}</tr>" for row in rows)
    heading = f"<thead><tr>{top}</tr></thead>" if top else ""
    return Html(f"<table>{heading}<tbody>{lines}</tbody></table>")


def _cells(row: Sequence[object], right: set[int]) -> str:
    return "".join(
        f"<td{_set(column, right)}>{_cell(cell)}</td>" for column, cell in enumerate(row)
    )


def _set(column: int, right: set[int]) -> str:
    return " class=number" if column in right else ""


def _cell(cell: object) -> Html:
    return cell if isinstance(cell, Html) else escape(short(cell))


def facts(pairs: Iterable[tuple[str, object]]) -> Html:
    """Return names and what they stand for, line by line; what is empty is left out."""
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_cell(value)}</td></tr>'
        for name, value in pairs
        if value not in ("", None)
    )
    return Html(f"<table><tbody>{lines}</tbody></table>" if lines else "")


def code(text: object) -> Html:
    """Return a text as code."""
    return Html(f"<code>{escape(text)}</code>")


def fold(summary: object, *content: str, is_open: bool = False) -> Html:
    """Return HTML that is shown when its summary is clicked at."""
    shown = " open" if is_open else ""
    return Html(f"<details{shown}><summary>{escape(summary)}</summary>{''.join(content)}</details>")


def diff(lines: Iterable[str]) -> Html:
    """Return the lines of a unified diff, coloured by their first character."""
    kinds = {"+": "plus", "-": "minus"}
    shown = "".join(
        f'<span class="{kinds.get(line[:1], "same")}">{escape(line)}</span>' for line in lines
    )
    return Html(f"<pre>{shown}</pre>" if shown else "")
