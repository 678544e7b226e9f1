"""Each code block of the documentation is run, and prints what the page says."""

import configparser
import gc
import logging
import os
import re
import sys
import warnings

import pytest

pytest.importorskip("docutils")

from tests.docs.blocks import CODE, ROOT, TEXTS, blocks, pages
from tests.docs.running import Session, need

#: Blocks that cannot be run: they need a cluster, other people's accounts, or install something.
MOST_NOT_RUN = 18
PAGES = {str(page.relative_to(ROOT)): blocks(page) for page in pages()}
CODED = {name: found for name, found in PAGES.items() if any(b.language in CODE for b in found)}
#: What pages use, beyond what all have.
_USES = {
    r"\bdistributed\b": "distributed",
    r"fsspec|memory://|s3://": "fsspec",
    "joblib": "joblib",
    "loky|executor=": "loky",
    "nibabel": "nibabel",
    "nilearn": "nilearn",
    "nipype": "nipype",
    "pandas": "pandas",
    "scipy": "scipy",
    "skimage": "skimage",
    "sklearn": "sklearn",
    "s3://": "moto",
}


@pytest.mark.parametrize("name", PAGES)
def test_each_block_says_what_it_is(name):
    for block in PAGES[name]:
        assert block.language in CODE | TEXTS, (
            f"{block.place}: write `.. code:: LANGUAGE` before it, with one of {CODE | TEXTS}"
        )
        if block.language in TEXTS:
            assert not re.search(r"^(\$ |>>> )", block.text, re.MULTILINE), (
                f"{block.place}: this is something to type: console or pycon"
            )
        pasted = re.search(r"^\.\.\. {5,}return.*\n>>> ", block.text, re.MULTILINE)
        assert not pasted, f"{block.place}: Python wants an empty line behind a function"
        assert "doctest: +SKIP" not in block.text, f"{block.place}: mark the block, with a reason"


def test_few_blocks_are_not_run_and_each_says_why():
    marked = [block for found in PAGES.values() for block in found if "not run" in block.marks]
    for block in marked:
        (reason,) = block.marks["not run"]
        assert len(reason.split()) >= 3, f"{block.place}: why is it not run?"
    assert len(marked) <= MOST_NOT_RUN, [block.place for block in marked]


def test_extras_that_pages_name_are_there():
    text = "\n".join(block.text for found in PAGES.values() for block in found)
    named = ",".join(re.findall(r"(?:neurotools|\.)\[([\w,]+)\]", text)).split(",")
    assert set(named) <= set(_extras()), named
    assert len(named) > 5


@pytest.fixture
def logging_as_it_was():
    """Undo what a page says about logging: other tests look at what is logged."""
    root = logging.getLogger()
    level, handlers, disabled = root.level, root.handlers[:], root.manager.disable
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.disable(disabled)


@pytest.mark.skipif(os.name == "nt", reason="the pages' commands need a shell")
@pytest.mark.parametrize("name", CODED)
@pytest.mark.filterwarnings("default::ResourceWarning")
@pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning")
def test_the_blocks_of_a_page(name, tmp_path, monkeypatch, request, logging_as_it_was):
    todo = [b for b in CODED[name] if b.marks.keys() & {"saved as"} or b.language in CODE]
    todo = [block for block in todo if "not run" not in block.marks]
    text = "\n".join(f"{block.text}\n{block.marks}" for block in todo)
    _need_packages(text)
    need(*(name for name in ("make", "octave-cli") if f"{name} " in text))
    if "s3://" in text:
        _use(request.getfixturevalue("s3"), monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "ana"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    session = Session(tmp_path)
    before = set(sys.modules)
    for block in todo:
        session.run(block)
    for module in set(sys.modules) - before:
        if str(getattr(sys.modules[module], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[module]
    session.names.clear()
    gc.collect()


def _need_packages(text):
    for pattern, package in _USES.items():
        if re.search(pattern, text):
            pytest.importorskip(package)
    if "nipype" in text:
        os.environ.setdefault("NIPYPE_NO_ET", "1")  # it would ask the network for its version
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pytest.importorskip("nipype.interfaces.utility")


def _use(server, monkeypatch):
    """Lead everybody who asks for S3 to a server of ours, with the pages' bucket."""
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    system = server.system()
    if not system.exists("lab-bucket"):
        system.mkdir("lab-bucket")


def test_examples_in_docstrings_are_run_but_for_those_of_fsl():
    skipped = []
    for path in (ROOT / "neurotools").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(::|\.\. code.*)$", text, re.MULTILINE), (
            f"{path}: write >>> examples"
        )
        skipped += re.findall(r">>> .*doctest: \+SKIP", text)
    assert len(skipped) <= 5  # FSL is no package that can be installed
    assert {"fsl", "merge", "bet"} >= {re.search("fsl|merge|bet", line)[0] for line in skipped}


def test_the_page_on_installing_names_all_extras():
    theirs = {"bench", "docs", "lint", "test"}  # of those who work on neurotools
    named = set(re.findall(r"\* - ``(\w+)``", (ROOT / "docs" / "install.rst").read_text()))
    assert named == set(_extras()) - theirs


def _extras():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup["options.extras_require"]
