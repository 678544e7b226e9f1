"""Signatures of entries: an HMAC with a key that only those have who may write what is opened.

It stands before an entry's record, and covers the payload, the record, and the key under which the
entry is kept: nobody without the key can change one of them, or lay the file in another place.
HMAC-SHA256, since processors compute it quickly, and every Python has it, however it was built.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import Any

from neurotools.memo.entry import Buffer, Key
from neurotools.memo.errors import UnusableKey
from neurotools.memo.log import Log

log = Log(__name__)

#: Where a key is looked for if no file is named.
VARIABLE = "NEUROTOOLS_CACHE_KEY"
#: Length of a signature in bytes.
SIGNATURE_SIZE = 32
#: A file that is longer holds something else.
_LONGEST_KEY = 4096
_PURPOSE = b"neurotools entry 1\0"


class Signer:
    """Signs entries, and tells which are signed with the same secret.

    Parameters
    ----------
    secret : bytes
        The secret; with an empty one no signature is right, and nothing is to be signed.
    path : str
        The file that it was read from, or nothing.
    """

    def __init__(self, secret: bytes, path: str = "") -> None:
        self._secret, self._path = secret, path

    @property
    def has_key(self) -> bool:
        """Whether it can sign: not where it was sent to a process that has no key."""
        return bool(self._secret)

    def sign(self, key: Key, parts: Iterable[Buffer]) -> bytes:
        """Return the signature of an entry, given all of its bytes but signature and checksum."""
        import hmac  # with OpenSSL, 3 ms to load

        name = key.path.encode("utf-8", "surrogatepass")
        mac = hmac.new(self._secret, _PURPOSE + len(name).to_bytes(8, "little") + name, "sha256")
        for part in parts:
            mac.update(part)
        return mac.digest()

    def is_right(self, signature: Buffer, key: Key, parts: Iterable[Buffer]) -> bool:
        """Tell whether a signature is that of an entry, in a time that does not depend on it."""
        import hmac

        return self.has_key and hmac.compare_digest(signature, self.sign(key, parts))

    # The secret does not travel: another process reads it where this one did.

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self._path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._path = str(state["path"])
        try:
            self._secret = read_key(self._path) if self._path else _from_environment()
        except UnusableKey as error:
            log.warning("%s. Going on without it: nothing is signed", error)
            self._secret = b""

    def __repr__(self) -> str:
        return f"<signer with the key from {self._path or VARIABLE}>"


def signer_with(key_file: str | os.PathLike[str] | None = None) -> Signer | None:
    """Return what signs with the key in a file, or in the environment; None if there is no key.

    Raises
    ------
    UnusableKey
        If the file holds no key, or is not private.
    """
    if key_file is not None:
        path = os.path.abspath(os.path.expanduser(os.fspath(key_file)))
        return Signer(read_key(path), path)
    secret = _from_environment()
    return Signer(secret) if secret else None


def _from_environment() -> bytes:
    return os.fsencode(os.environ.get(VARIABLE, "").strip())


def read_key(path: str) -> bytes:
    """Return the key in a file, without white space around it.

    Raises
    ------
    UnusableKey
        If the file holds no key, or somebody else could read or write it.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        raise UnusableKey(path, getattr(error, "strerror", None) or str(error)) from None
    try:
        facts = os.fstat(descriptor)
        if reason := _against(facts):
            raise UnusableKey(path, reason)
        secret = os.read(descriptor, _LONGEST_KEY + 1)
    except OSError as error:
        raise UnusableKey(path, error.strerror or str(error)) from None
    finally:
        os.close(descriptor)
    if len(secret) > _LONGEST_KEY or not secret.strip():
        raise UnusableKey(path, f"it holds no key of 1 to {_LONGEST_KEY} bytes")
    return secret.strip()


def _against(facts: os.stat_result) -> str:
    """Return what speaks against reading a key from a file."""
    if not stat.S_ISREG(facts.st_mode):
        return "it is no regular file"
    if not hasattr(os, "geteuid"):
        return ""  # Windows: access control lists decide.
    if facts.st_uid != os.geteuid():
        return f"user {facts.st_uid} owns it, not you"
    if facts.st_mode & 0o077:
        return f"others may use it, its mode is {stat.S_IMODE(facts.st_mode):04o}"
    return ""
