"""Promises of pictures of a lineage: the same each time, any text in them, a clear word without."""

import sys
from xml.etree import ElementTree as ET

import pytest

from neurotools.jobs.cache import disk_cacher
from neurotools.memo.errors import MissingExtra
from neurotools.memo.lineage import drawing


@pytest.fixture
def lineage(tmp_path):
    remember = disk_cacher(tmp_path / "cache")
    low = remember(lambda x: len(x))
    f = remember(lambda x: low(x) + low(x + "$x$ <&\x1b\u4e2d"))
    f("cost: $5")
    return f.lineage("cost: $5")


def test_a_picture_is_one(tmp_path, lineage):
    pytest.importorskip("matplotlib")
    with open(lineage.save(str(tmp_path / "a.png")), "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"


def test_an_svg_holds_the_text_and_is_the_same_each_time(tmp_path, lineage):
    pytest.importorskip("matplotlib")
    texts = []
    for name in ("a.svg", "b.svg"):
        with open(lineage.save(str(tmp_path / name)), encoding="utf-8") as file:
            texts.append(file.read())
    assert texts[0] == texts[1]
    drawn = "".join(ET.fromstring(texts[0]).itertext())
    assert "cost:" in drawn
    assert drawn.count("version") == 3


def test_graphviz_is_given_what_it_can_read(tmp_path, lineage):
    with open(lineage.save(str(tmp_path / "a.dot")), encoding="utf-8") as file:
        text = file.read()
    assert text.startswith("digraph lineage {")
    assert text.count(" -> ") == 2
    assert "\x1b" not in text


def test_another_ending_is_refused(tmp_path, lineage):
    with pytest.raises(ValueError, match=r"ends with none of \.png"):
        lineage.save(str(tmp_path / "a.jpg"))


def test_without_matplotlib_the_extra_is_named(tmp_path, lineage, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"neurotools\[report\]"):
        lineage.save(str(tmp_path / "a.png"))
    assert lineage.save(str(tmp_path / "a.dot"))


def test_an_arrow_that_a_box_would_hide_goes_around_it(tmp_path):
    pytest.importorskip("matplotlib")
    remember = disk_cacher(tmp_path)

    @remember
    def low(x):
        return x

    @remember
    def middle(x):
        return low(x)

    @remember
    def high(x):
        return middle(x) + low(x)

    high(1)
    (axes,) = drawing._figure(high.lineage(1)).axes
    arrows = [text.arrow_patch for text in axes.texts if getattr(text, "arrow_patch", None)]
    bends = sorted(abs(arrow.get_connectionstyle().rad) > 0 for arrow in arrows)
    assert bends == [False, False, True]
