"""The code blocks of a page, as docutils finds them, and the marks that stand before them.

A mark is a comment, which readers of the page do not see:

``.. not run: REASON``
    The next block cannot be run by a test, and this is why.
``.. saved as: FILE``
    The next block is a file, which is written instead of run.
``.. differs: PATTERN``
    Where the output of the next block matches, it depends on the machine and is not compared.
``.. fails: REASON``
    A command of the next block prints nothing and ends with another exit code than 0.
``.. first:`` or ``.. first in the shell:``, with a block below it
    What is done before the next block, unseen: Python, or commands.
"""

from dataclasses import dataclass, field
from pathlib import Path

import docutils.core
import docutils.nodes as dn
from docutils.parsers.rst import Directive, directives

ROOT = Path(__file__).resolve().parents[2]
#: What is no code: outputs, layouts of folders. Nothing in it may look like something to type.
TEXTS = {"text", "output", "make", "matlab", "json"}
CODE = {"python", "pycon", "console", "bash"}
#: Directives of Sphinx and of its extensions that hold no blocks.
_EMPTY = (
    "autoclass",
    "automodule",
    "autosummary",
    "currentmodule",
    "py:currentmodule",
    "minigallery",
    "py:data",
    "sphinx_argparse_cli",
    "toctree",
)
#: Those whose content is as it would be without them.
_HOLDERS = (
    "dropdown",
    "grid",
    "grid-item-card",
    "only",
    "seealso",
    "versionadded",
    "versionchanged",
)


@dataclass(slots=True)
class Block:
    """One block, and what is said of it."""

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, list[str]] = field(default_factory=dict)

    @property
    def place(self):
        """Where it is, as an editor takes it."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


class _Empty(Directive):
    has_content = True
    optional_arguments, final_argument_whitespace = 100, True
    option_spec = None

    def run(self):
        return []


class _Holder(_Empty):
    def run(self):
        inside = dn.container()
        self.state.nested_parse(self.content, self.content_offset, inside)
        return inside.children


class _AnyOption(dict):
    def __missing__(self, name):
        return directives.unchanged

    def __bool__(self):
        return True


_Empty.option_spec = _AnyOption()
for _names, _directive in ((_EMPTY, _Empty), (_HOLDERS, _Holder)):
    for _name in _names:
        directives.register_directive(_name, _directive)


def pages():
    """Return all pages: those of the site that are written by hand, and those beside it."""
    found = sorted((ROOT / "docs").rglob("*.rst"))
    made = ("_build", "generated", "gallery")
    found = [page for page in found if not {*page.relative_to(ROOT).parts} & {*made}]
    return [*found, *(ROOT / f"{name}.rst" for name in ("README", "CONTRIBUTING", "CHANGELOG"))]


def blocks(page):
    """Return all blocks of a page, in order; what a page includes is part of it."""
    tree = docutils.core.publish_doctree(
        page.read_text(encoding="utf-8"),
        source_path=str(page),
        settings_overrides={
            "syntax_highlight": "none",
            "report_level": 5,
            "halt_level": 5,
            "file_insertion_enabled": True,
            "_disable_config": True,
        },
    )
    _complain_of_unknown_directives(page, tree)
    found, marks = [], {}
    for node in tree.findall():
        if isinstance(node, dn.comment):
            kind, _, words = node.astext().partition(":")
            marks.setdefault(" ".join(kind.split()), []).append(words.strip("\n"))
        elif isinstance(node, (dn.paragraph, dn.title)):
            marks = {}
        elif isinstance(node, (dn.literal_block, dn.doctest_block)) and not _is_said(node):
            line = _line(page, node.astext(), found[-1].line if found else 0)
            found.append(Block(page, line, _language(node), node.astext(), marks))
            marks = {}
    return found


def _complain_of_unknown_directives(page, tree):
    for message in tree.findall(dn.system_message):
        said = message.astext()
        assert "Unknown directive" not in said, f"{page}: {said}: say in blocks.py what it is"
        assert message["level"] < 4, f"{page}: {said}"


def _is_said(node):
    """Tell whether a node is only quoted by a message of docutils."""
    return isinstance(node.parent, dn.system_message)


def _language(node):
    if isinstance(node, dn.doctest_block):
        return "pycon"
    named = [name for name in node.get("classes", ()) if name != "code"]
    return named[0] if named else ""


def _line(page, text, after):
    """Return where a block begins; what docutils says depends on the kind of block."""
    first = text.split("\n", 1)[0].strip()
    lines = page.read_text(encoding="utf-8").splitlines()
    stripped = (number for number, line in enumerate(lines, 1) if line.strip() == first)
    return next((number for number in stripped if number > after), after)
