"""A cell's text as the text of a function: its inputs are parameters, its outputs are returned.

Lines keep their numbers: the line of the magic becomes the line of ``def``, so that a traceback
shows the cell as it was written. Not here: which names those are (`reading`).
"""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
from collections.abc import Sequence

#: What stands for the value of the cell's last line, and for what is handed out.
SHOWN, GIVEN = "_neurotools_shown", "_neurotools_given"
#: What Python calls a cell, as it does all code that stands in no function.
_NAME = "<module>"


def function_text(
    cell: str, name: str, inputs: Sequence[str], certain: Sequence[str], maybe: Sequence[str]
) -> str:
    """Return the text of a function that does what a cell does.

    Parameters
    ----------
    cell : str
        The cell, without the line of its magic; it can be parsed.
    name : str
        The function's.
    inputs : sequence of str
        Its parameters, by keyword only.
    certain, maybe : sequence of str
        Names to be returned: bound at the end in any case, or perhaps.

    Returns
    -------
    str
        The function returns a dict of what is bound, and the value of the last line if that is an
        expression, else None.
    """
    shown = with_last_shown(cell)
    parameters = f"*, {', '.join(inputs)}" if inputs else ""
    head = f"def {name}({parameters}):"
    tail = [f"{GIVEN} = {{{', '.join(f'{one!r}: {one}' for one in certain)}}}"]
    for one in maybe:
        tail += ["try:", f"    {GIVEN}[{one!r}] = {one}", "except NameError:", "    pass"]
    tail.append(f"return {GIVEN}, {SHOWN if shown != cell else None}")
    return f"{head}\n{indented(shown)}\n{textwrap.indent(chr(10).join(tail), '    ')}\n"


def function_tree(cell: str, text: str) -> ast.Module:
    """Return that function as a tree in which all stands where it does in the cell.

    So whoever prints a traceback finds the cell's own lines, and marks the right part of them. Like
    a cell, the function has no name of its own there.

    Parameters
    ----------
    cell : str
        The cell.
    text : str
        What `function_text` gave for it.
    """
    tree, own = ast.parse(text), ast.parse(f"\n{cell}").body
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    function.name, last = _NAME, function.body[len(own) - 1]
    if own and isinstance(own[-1], ast.Expr) and isinstance(last, ast.Assign):
        last.value = own[-1].value
        own[-1] = ast.copy_location(last, own[-1])
    function.body[: len(own)] = own
    return tree


def with_last_shown(cell: str) -> str:
    """Return a cell whose last line, where it is an expression to be shown, is given a name."""
    tree = ast.parse(cell)
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr) or _ends_quietly(cell):
        return cell
    lines = [line.encode() for line in cell.splitlines(keepends=True)]
    first_line, last_line = last.lineno - 1, (last.end_lineno or last.lineno) - 1
    # Positions count bytes; the end comes first, since both may be on one line.
    end, start = last.end_col_offset or 0, last.col_offset
    whole = lines[last_line]
    lines[last_line] = whole[:end] + b")" + whole[end:]
    whole = lines[first_line]
    lines[first_line] = whole[:start] + f"{SHOWN} = (".encode() + whole[start:]
    return b"".join(lines).decode()


def _ends_quietly(cell: str) -> bool:
    """Whether a semicolon asks that nothing be shown, as in any cell."""
    ignored = {
        *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.DEDENT, tokenize.ENDMARKER),
    }
    tokens = tokenize.generate_tokens(io.StringIO(cell).readline)
    kept = [token.string for token in tokens if token.type not in ignored]
    return bool(kept) and kept[-1] == ";"


def indented(cell: str) -> str:
    """Return a cell as the body of a function; texts that go over several lines stay as they are.

    Where that cannot be done to the text, the cell is written anew, which loses its comments.
    """
    within = _lines_within_texts(cell)
    lines = [
        line if number in within or not line.strip() else f"    {line}"
        for number, line in enumerate(cell.splitlines(keepends=True), 1)
    ]
    text = "".join(lines)
    try:
        (function,) = ast.parse(f"def f():\n{text}\n    return").body
        same = ast.dump(ast.Module(function.body[:-1], [])) == ast.dump(ast.parse(cell))  # type: ignore[attr-defined]
    except (SyntaxError, ValueError):
        same = False
    if same:
        return text
    (function,) = ast.parse("def f(): pass").body
    function.body = ast.parse(cell).body  # type: ignore[attr-defined]
    return ast.unparse(function).partition("\n")[2]


def _lines_within_texts(cell: str) -> set[int]:
    """Return the numbers of the lines that begin inside of a text."""
    found: set[int] = set()
    starts: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(cell).readline):
        kind = tokenize.tok_name[token.type]
        if kind == "STRING":
            found.update(range(token.start[0] + 1, token.end[0] + 1))
        elif kind.endswith("STRING_START"):  # of Python 3.12, for f-strings
            starts.append(token.start[0])
        elif kind.endswith("STRING_END"):
            found.update(range(starts.pop() + 1, token.end[0] + 1))
    return found
