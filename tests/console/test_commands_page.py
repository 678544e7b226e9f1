"""The page on shell commands is true: each line is run, and prints what stands below it."""

import os
import re
import shutil
import textwrap
from pathlib import Path

import pytest

from tests.shells import needs_posix

pytestmark = needs_posix
PAGE = Path(__file__).resolve().parents[2] / "docs" / "commands.rst"


def steps():
    """Give each line of the page that is run, and what it prints, streams in any order."""
    text = PAGE.read_text()
    for block in re.findall(r"\.\. code:: console\n\n((?:   .*\n|\n)+)", text):
        for part in textwrap.dedent(block).strip().split("$ ")[1:]:
            line, _, printed = part.partition("\n")
            yield line, sorted(printed.split("\n")) if printed else []


def test_every_line_of_the_page(place):
    if shutil.which("sed") is None or os.uname().sysname != "Linux":
        pytest.skip("the page uses GNU tools")
    lines = list(steps())
    assert len(lines) >= 30
    for line, printed in lines:
        ended = place.sh(line)
        shown = f"{ended.out}{ended.err}".replace(f"{place.folder}/", ".../")
        assert sorted(filter(None, shown.split("\n"))) == list(filter(None, printed)), line
