"""The page on the command: what it shows is what the command prints, but for times and hashes."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "command.rst"


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """Return the folder of the page's reader, after what the page says was done."""
    folder = tmp_path_factory.mktemp("page")
    module = re.search(r"\.\. code:: python\n\n((?:    .*\n|\n)+)", PAGE.read_text())[1]
    source = re.sub(r"^    ", "", module, flags=re.MULTILINE)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    calls = ("(10), s(20), s(30), s(20); study.model('fast'); study.model('slow')", "(10), s(20)")
    for code, done in zip((source, source.replace("hanning", "hamming")), calls, strict=True):
        (folder / "study.py").write_text(code)
        run = [sys.executable, "-c", f"import study; s = study.spectrum; s{done}"]
        subprocess.run(run, cwd=folder, env=environment, check=True)
    return folder


def shown():
    """Return each command of the page, with what the page says that it prints."""
    text = PAGE.read_text()
    return re.findall(
        r"^    \$ neurotools (.+)\n((?:    .*\n|\n(?=    [^$]))*)", text, re.MULTILINE
    )


@pytest.mark.parametrize(("typed", "printed"), shown(), ids=lambda text: text.split("\n")[0][:30])
def test_the_page_shows_what_the_command_prints(there, typed, printed):
    words = shlex.split(typed)
    if words[0] == "show":
        words[1] = next(there.rglob("*.npy")).name[:8]
        words[1] = f"{next(there.rglob('*.npy')).parent.name}/{words[1]}"
    done = subprocess.run(
        [sys.executable, "-m", "neurotools.console", *words],
        cwd=there,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    mine, theirs = labels(printed), labels(done.stdout)
    if not mine:
        assert re.sub(r"\s", "", printed) == re.sub(r"\s", "", done.stdout)
        return
    assert len(mine & theirs) >= 0.6 * len(mine), (mine - theirs, done.stdout, done.stderr)


def labels(text):
    """Return the words of a text that do not depend on the time, the machine or chance."""
    return set(re.findall(r"(?<![\w/.-])[a-z]{4,}(?![\w/-])", text))
