import ast
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo import literals
from neurotools.memo.entry import Digested
from neurotools.memo.errors import UnreadableName
from tests.memo.signatures import same, signatures


@given(signatures)
@pytest.mark.parametrize("mode", ["repr", "pickle", "human"])
def test_a_signature_survives_its_text(mode, signature):
    assert same(literals.decode(literals.encode(signature, mode), mode), signature)


@given(signatures, signatures)
def test_different_signatures_have_different_text(one, other):
    if literals.encode(one) == literals.encode(other):
        assert same(one, other)


@pytest.mark.parametrize(
    "hard",
    [
        (1, 1.0, True, "1", b"1", [1], (1,), {1}, np.int64(1), np.float32(1), 1 + 0j),
        (0.0, -0.0, 0, False, None, "", b"", (), [], set(), {}, frozenset()),
        ({...: ("set", 1)}, {1}, {...: 1}, {"...": 1}),
        (float("inf"), float("-inf"), "1e999", 1e308),
        (Digested("a", "b", "c"), ("a", "b", "c"), {...: ("digest", "a", "b", "c")}),
        (complex(0.0, 1), complex(-0.0, 1), complex(0, float("inf"))),
        (PurePosixPath("a"), "a"),
    ],
)
def test_values_that_look_alike_have_different_texts(hard):
    texts = {literals.text(literals.tag(value)) for value in hard}
    assert len(texts) == len(hard)


def test_json_forgets_tuples_as_documented():
    sig = ((("a", (1, 2)),), None)
    assert literals.decode(literals.encode(sig, "json"), "json") == ((("a", [1, 2]),), None)


def test_the_human_form_is_a_python_call():
    sig = ((("name", "x=1,y"), ("x", 1)), (2.5,))
    assert literals.human_encode(sig) == "name='x=1,y',x=1,*(2.5,)"
    assert literals.human_decode("name='x=1,y',x=1,*(2.5,)") == sig


def test_names_that_python_would_change_are_kept():
    sig = ((("\u00ba", 1),), None)
    assert literals.human_decode(literals.human_encode(sig)) == sig


def test_dictionaries_do_not_differ_by_order():
    one, other = ({"a": 1, "b": {2: 3, "x": 4}}, {"b": {"x": 4, 2: 3}, "a": 1})
    assert literals.text(literals.tag(one)) == literals.text(literals.tag(other))


#: Texts of signatures, and of what only looks like one.
TEXTS = [
    *("((),None)", "((('i',5),),None)", "((('i',-5),('name','abc'),('r',0.5)),None)"),
    *("((('x','it,)'),('y',None),('z',True)),None)", "((('i','('),('j',')')),None)"),
    "((('i',1e-05),('j',1e+16),('k',-0.0),('l',123456789012345678)),None)",
    *("((('i',007),),None)", "((('a',1)),None)", "((('a',1)('b',2)),None)", "(None,None)"),
    *("((('i',1e999),),None)", r"((('i','\\'),),None)", "((('i',[1]),),None)", "((('i',5),),(1,))"),
    *("((('i',12345678901234567890),),None)", "((('i',1_0),),None)", "((('i',nan),),None)"),
    *("((('i',0x5),),None)", "((('i',5.),),None)", "((('é','é'),),None)", "((('i',٣),),None)"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_short_way_reads_what_the_parser_reads_or_leaves_it_to_it(text):
    short = literals._plain_signature(text.encode())
    if short is not None:
        assert repr(short) == repr(ast.literal_eval(text))


def test_the_short_way_is_taken_for_plain_values():
    signature = ((("i", 5), ("name", "abc"), ("rate", 0.5), ("x", None)), None)
    assert literals._plain_signature(literals.encode(signature)) == signature


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]\w{0,5}", fullmatch=True),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        max_size=4,
    )
)
def test_plain_values_are_the_same_in_both_ways(values):
    signature = tuple(sorted(values.items())), None
    content = literals.encode(signature)
    short = literals._plain_signature(content)
    assert short is None or repr(short) == repr(signature)
    assert repr(literals.decode(content)) == repr(signature)


@pytest.mark.parametrize("text", [b"((('x',1),),5)", b"((('x',1),),True)", b"((5,),None)"])
def test_what_has_no_form_of_a_signature_is_refused(text):
    with pytest.raises(UnreadableName, match="holds no argument signature"):
        literals.decode(text)
