import pytest

from neurotools.memo.pages import parts

HOSTILE = '<script>alert("x")</script>'


@pytest.mark.parametrize(
    "made",
    [
        parts.head(HOSTILE, HOSTILE, HOSTILE),
        parts.table([HOSTILE], [[HOSTILE]]),
        parts.facts([(HOSTILE, HOSTILE)]),
        parts.code(HOSTILE),
        parts.fold(HOSTILE, parts.escape(HOSTILE)),
        parts.diff([HOSTILE]),
    ],
)
def test_nothing_in_a_text_becomes_html(made):
    assert "<script" not in made
    assert "&lt;script&gt;" in made


def test_what_is_escaped_is_not_escaped_again():
    assert parts.escape(parts.escape("a < b")) == "a &lt; b"


def test_what_cannot_be_seen_is_spelled_out():
    assert parts.escape("a\x1b[31m\u202eb") == "a\\x1b[31m\\x202eb"


def test_a_long_text_keeps_its_ends():
    cut = parts.short("a" * 500 + "z" * 500, 21)
    assert cut == "a" * 9 + "..." + "z" * 9


def test_lines_of_a_diff_are_told_apart():
    shown = parts.diff([" same", "-old", "+new", ""])
    assert '<span class="minus">-old</span><span class="plus">+new</span>' in shown
    assert shown.count('class="same"') == 2


def test_a_fragment_brings_its_style():
    shown = parts.fragment(parts.table(["n"], [[1]], numbers=[0]))
    assert shown.startswith('<div class="neurotools"><style>')
    assert "<td class=number>1</td>" in shown


def test_facts_without_a_value_are_left_out():
    assert parts.facts([("a", ""), ("b", None)]) == ""
    assert "<td>0</td>" in parts.facts([("a", 0)])
