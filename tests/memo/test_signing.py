import pickle

import pytest

from neurotools.memo.entry import Key
from neurotools.memo.signing import SIGNATURE_SIZE, VARIABLE, Signer, signer_with

KEY = Key("pkg/f", "code", "hash.key", "pickle")
SIGNER = Signer(b"a secret")


def test_a_signature_fits_its_entry_alone():
    signature = SIGNER.sign(KEY, [b"payload", b"record"])
    assert len(signature) == SIGNATURE_SIZE
    assert SIGNER.is_right(signature, KEY, [b"payloadrecord"])
    assert not SIGNER.is_right(signature, KEY, [b"payload", b"recorD"])
    assert not SIGNER.is_right(signature, KEY._replace(call="hash.other"), [b"payloadrecord"])
    assert not Signer(b"another").is_right(signature, KEY, [b"payloadrecord"])


def test_a_name_and_a_content_are_told_apart():
    """Else what is moved from the one to the other would have the same signature."""
    longer = KEY._replace(method="pickle" + "x")
    assert SIGNER.sign(KEY, [b"xy"]) != SIGNER.sign(longer, [b"y"])


@pytest.mark.parametrize("signature", [b"", b"\0" * SIGNATURE_SIZE, b"\0" * 31, b"\0" * 33])
def test_what_is_no_signature_is_wrong(signature):
    assert not SIGNER.is_right(memoryview(signature), KEY, [b""])


def test_without_a_secret_nothing_is_right():
    empty = Signer(b"")
    assert not empty.has_key
    assert not empty.is_right(Signer(b"").sign(KEY, [b""]), KEY, [b""])


def test_white_space_around_a_key_does_not_count(tmp_path, monkeypatch):
    path = tmp_path / "key"
    path.write_text(" a secret \n")
    path.chmod(0o600)
    monkeypatch.setenv(VARIABLE, "a secret\n")
    found = [signer.sign(KEY, [b""]) for signer in (signer_with(path), signer_with())]
    assert found == [SIGNER.sign(KEY, [b""])] * 2


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_variable_is_no_key(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    assert signer_with() is None


def test_another_process_takes_the_key_from_its_own_environment(monkeypatch):
    monkeypatch.setenv(VARIABLE, "a secret")
    sent = pickle.dumps(signer_with())
    monkeypatch.setenv(VARIABLE, "another")
    assert pickle.loads(sent).sign(KEY, []) == Signer(b"another").sign(KEY, [])
