import contextlib
import pickle
import re
import zlib
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotools.memo import literals, naming
from neurotools.memo.errors import UnknownChoice, UnreadableName
from tests.memo.signatures import same, signatures


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
        literals.encode(((), None), "yaml")
    with pytest.raises(UnknownChoice, match="unknown mode 'yaml'"):
        literals.decode(b"", "yaml")


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
@pytest.mark.parametrize("mode", literals.MODES)
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
    safe = naming.safe_part(part)
    assert not set(safe) & set('\\/<>:"|?*')
    assert len(safe.encode()) <= 120
    assert safe.strip(". ") == safe
    assert not re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", safe)


def test_different_parts_have_different_folder_names():
    parts = ["con", "_con_", "a:b", "a%3ab", "x" * 300, "x" * 299]
    assert len({naming.safe_part(part) for part in parts}) == len(parts)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        *[("con", True), ("Aux.txt", True), ("COM1", True), ("lpt9.a.b", True)],
        *[("com", False), ("com10", False), ("cone", False), ("a.con", False), ("lptx", False)],
    ],
)
def test_names_of_devices_are_known(name, is_one):
    assert naming.is_device(name) is is_one


@given(st.binary(max_size=600))
def test_few_bytes_are_a_stream_of_zlib_too(content):
    assert zlib.decompress(naming._deflated(content)) == content


@pytest.mark.parametrize("many", [0, 1, 7, 60, 255, 256, 257, 5000])
def test_few_bytes_come_out_as_zlib_gives_them(many):
    numbers = ", ".join(str(37**k % 1009) for k in range(many))
    content = f"((('subject', 'sub-{many:03}'), ('weights', ({numbers})), None)".encode()[:many]
    assert naming._deflated(content) == zlib.compress(content)


@pytest.mark.parametrize("room", [30, 60, 248])
@pytest.mark.parametrize("value", [1, "sub-01", tuple(range(40))])
def test_the_stem_of_a_text_is_that_of_its_signature(value, room):
    signature = ((("x", value),), None)
    assert naming.stem_of(literals.encode(signature), room=room) == naming.stem(
        signature, room=room
    )
