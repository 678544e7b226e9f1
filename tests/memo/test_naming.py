import ast
import contextlib
import pickle
import string
import zlib
from base64 import urlsafe_b64encode
from pathlib import PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo import naming
from neurotools.memo.digest.values import qualified_name
from neurotools.memo.entry import Digested
from neurotools.memo.errors import UnknownChoice, UnreadableName
from neurotools.memo.signature import canonical

atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(),
    st.just(...),
    st.builds(np.int64, st.integers(-(2**63), 2**63 - 1)),
    st.builds(np.float32, st.floats(width=32)),
    st.builds(np.bool_, st.booleans()),
    st.builds(PurePosixPath, st.text(string.ascii_letters, min_size=1)),
    st.builds(Digested, st.text(), st.text(), st.text()),
)
hashable = st.recursive(
    atoms, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4
)
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.sets(hashable, max_size=3),
        st.dictionaries(hashable, inner, max_size=3),
    ),
    max_leaves=8,
)
names = st.one_of(st.sampled_from(["a", "b", "lambda", "two words"]), st.text())
signatures = st.tuples(
    st.dictionaries(names, values, max_size=3).map(lambda d: tuple(sorted(d.items()))),
    st.none() | st.lists(values, min_size=1, max_size=2).map(tuple),
).map(lambda sig: canonical(sig, qualified_name))


def same(a, b):
    """Equality that tells 1 from True, and finds NaN equal to itself."""
    return type(a) is type(b) and naming.text(naming.tag(a)) == naming.text(naming.tag(b))


@given(signatures)
@pytest.mark.parametrize("mode", ["repr", "pickle", "human"])
def test_a_signature_survives_its_text(mode, signature):
    assert same(naming.decode(naming.encode(signature, mode), mode), signature)


@given(signatures)
def test_a_signature_survives_its_file_name(signature):
    stem = naming.stem(signature, room=10**6)
    assert same(naming.signature_of(stem), signature)


@given(signatures)
@pytest.mark.parametrize("mode", ["repr", "human", "json"])
def test_a_plain_name_is_one_name_and_comes_back(mode, signature):
    stem = naming.stem(signature, mode=mode, compressed=False, base64encode=False, room=10**6)
    assert not set(stem) & set('\\/<>:"|?*\0\n')
    assert stem.count(".") == 1
    back = naming.signature_of(stem, mode=mode, compressed=False, base64encode=False)
    if mode != "json":
        assert same(back, signature)


@given(signatures, signatures)
def test_different_signatures_have_different_text(one, other):
    if naming.encode(one) == naming.encode(other):
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
    texts = {naming.text(naming.tag(value)) for value in hard}
    assert len(texts) == len(hard)


def test_json_forgets_tuples_as_documented():
    sig = ((("a", (1, 2)),), None)
    assert naming.decode(naming.encode(sig, "json"), "json") == ((("a", [1, 2]),), None)


def test_the_human_form_is_a_python_call():
    sig = ((("name", "x=1,y"), ("x", 1)), (2.5,))
    assert naming.human_encode(sig) == "name='x=1,y',x=1,*(2.5,)"
    assert naming.human_decode("name='x=1,y',x=1,*(2.5,)") == sig


def test_names_that_python_would_change_are_kept():
    sig = ((("\u00ba", 1),), None)
    assert naming.human_decode(naming.human_encode(sig)) == sig


def test_dictionaries_do_not_differ_by_order():
    one, other = ({"a": 1, "b": {2: 3, "x": 4}}, {"b": {"x": 4, 2: 3}, "a": 1})
    assert naming.text(naming.tag(one)) == naming.text(naming.tag(other))


def test_hashes_are_those_of_the_documented_layout():
    assert naming.base64hash("abc") == "Iwl9IjQF2CKGQqR3vaJVsyqtvOS9oLP342ydpw"
    assert naming.base64hash10bytes("abc") == "Iwl9IjQF2CKGQg"
    assert naming.base64hash(12) == naming.base64hash("12")


def test_a_name_that_is_too_long_holds_a_digest():
    sig = ((("a", "x" * 100),), tuple(range(60)))
    stem = naming.stem(sig, room=60)
    assert len(stem) <= 60
    with pytest.raises(UnreadableName, match="no argument signature"):
        naming.signature_of(stem)
    with pytest.raises(ValueError, match="fit into a file name"):
        naming.stem(sig, room=60, truncate=False)


def test_compression_needs_base64():
    with pytest.raises(ValueError, match="base64encode=True"):
        naming.stem(((), None), compressed=True, base64encode=False)
    with pytest.raises(ValueError, match="base64encode=True"):
        naming.stem(((), None), mode="pickle", compressed=False, base64encode=False)


def test_unknown_modes_are_refused():
    with pytest.raises(UnknownChoice, match="choose human, json, pickle or repr"):
        naming.encode(((), None), "yaml")
    with pytest.raises(UnknownChoice, match="unknown mode 'yaml'"):
        naming.decode(b"", "yaml")


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


def test_a_hostile_pickle_in_a_name_is_not_executed():
    stem = "hash." + urlsafe_b64encode(zlib.compress(pickle.dumps((((), Bomb()), None)))).decode()
    with pytest.raises(UnreadableName, match="no place in an argument signature"):
        naming.signature_of(stem, mode="pickle")


def test_a_name_that_inflates_without_bound_is_refused():
    stem = "hash." + urlsafe_b64encode(zlib.compress(b"(" * 10**8)).decode()
    with pytest.raises(UnreadableName, match="inflates"):
        naming.signature_of(stem)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: urlsafe_b64encode(b).decode()))
@pytest.mark.parametrize("mode", naming.MODES)
@pytest.mark.parametrize("plain", [True, False])
def test_any_text_is_a_signature_or_unreadable(mode, plain, text):
    with contextlib.suppress(UnreadableName):
        naming.signature_of(text, mode=mode, compressed=not plain, base64encode=not plain)


def outer():
    def inner():
        pass

    return inner, lambda: None


class Holder:
    def method(self):
        pass


def test_folders_carry_module_and_qualified_name():
    package = tuple(__name__.split("."))
    inner, unnamed = outer()
    assert naming.function_parts(outer) == (*package, "outer")
    assert naming.function_parts(Holder.method) == (*package, "Holder.method")
    assert naming.function_parts(inner) == (*package, "outer.(locals).inner")
    assert naming.function_parts(unnamed) == (*package, "outer.(locals).(lambda)")


def test_scripts_and_sessions_have_folders_of_their_own():
    def made_in(**scope):
        exec("def f(): pass", scope := {"__name__": "__main__", **scope})
        return naming.function_parts(scope["f"])

    assert made_in(__file__="/home/me/analysis.py") == ("__main__", "analysis", "f")
    assert made_in(__vsc_ipynb_file__="/home/me/figures.ipynb") == ("__main__", "figures", "f")
    assert made_in() == ("__main__", "interactive", "f")


@pytest.mark.parametrize("part", ["con", "NUL.x", "a/b", "..", "trailing.", "q?", "x" * 300])
def test_folder_names_are_safe_everywhere(part):
    safe = naming._safe(part)
    assert not set(safe) & set('\\/<>:"|?*')
    assert len(safe.encode()) <= 120
    assert safe.strip(". ") == safe
    assert not naming._RESERVED.match(safe)


def test_different_parts_have_different_folder_names():
    parts = ["con", "_con_", "a:b", "a%3ab", "x" * 300, "x" * 299]
    assert len({naming._safe(part) for part in parts}) == len(parts)


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
    short = naming._plain_signature(text.encode())
    if short is not None:
        assert repr(short) == repr(ast.literal_eval(text))


def test_the_short_way_is_taken_for_plain_values():
    signature = ((("i", 5), ("name", "abc"), ("rate", 0.5), ("x", None)), None)
    assert naming._plain_signature(naming.encode(signature)) == signature


@given(
    st.dictionaries(
        st.from_regex(r"[a-z_]\w{0,5}", fullmatch=True),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        max_size=4,
    )
)
def test_plain_values_are_the_same_in_both_ways(values):
    signature = tuple(sorted(values.items())), None
    content = naming.encode(signature)
    short = naming._plain_signature(content)
    assert short is None or repr(short) == repr(signature)
    assert repr(naming.decode(content)) == repr(signature)
