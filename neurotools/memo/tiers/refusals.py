"""What drivers of file systems raise -> `OSError`, in plain words.

Every driver has errors of its own kinds. They are told by their names and codes, so that no driver
is loaded for it.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

from neurotools.memo.errors import CacheError
from neurotools.memo.watch.deadline import GivenUp, NoAnswer


class CutShort(OSError):
    """An answer ended early: to ask again may help."""


_REFUSED = "the credentials were refused"
_NO_CREDENTIALS = (
    "there are no credentials; give them in storage_options, or where the driver looks"
)
_BUSY = "it has too much to do"
#: S3's own words, and those of stores that speak like it.
_CODES: dict[str, tuple[type[OSError], int, str]] = {
    **dict.fromkeys(
        (
            *("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"),
            *("InvalidClientTokenId", "TokenRefreshRequired", "RequestTimeTooSkewed"),
            *("AuthorizationHeaderMalformed", "401"),
        ),
        (PermissionError, errno.EACCES, _REFUSED),
    ),
    **dict.fromkeys(
        ("AccessDenied", "AllAccessDisabled", "AccountProblem", "403"),
        (PermissionError, errno.EACCES, "there is no permission"),
    ),
    "NoSuchBucket": (OSError, errno.ENODEV, "there is no such bucket"),
    **dict.fromkeys(
        ("SlowDown", "ServiceUnavailable", "RequestLimitExceeded", "Throttling", "503", "429"),
        (OSError, errno.EBUSY, _BUSY),
    ),
    **dict.fromkeys(
        ("InternalError", "500", "502", "504"), (OSError, errno.EIO, "it failed by itself")
    ),
    "RequestTimeout": (TimeoutError, errno.ETIMEDOUT, "it did not answer in time"),
    "KeyTooLongError": (OSError, errno.ENAMETOOLONG, "the name is too long for it"),
}
#: Names of classes, of whatever driver.
_KINDS: dict[str, tuple[type[OSError], int, str]] = {
    **dict.fromkeys(
        ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"),
        (PermissionError, errno.EACCES, _NO_CREDENTIALS),
    ),
    "ProfileNotFound": (PermissionError, errno.EACCES, "there is no such profile"),
    **dict.fromkeys(
        ("AuthenticationException", "DefaultCredentialsError", "RefreshError"),
        (PermissionError, errno.EACCES, _REFUSED),
    ),
    **dict.fromkeys(
        ("ConnectTimeoutError", "ReadTimeoutError", "TimeoutError", "FSTimeoutError", "timeout"),
        (NoAnswer, errno.ETIMEDOUT, "it did not answer in time"),
    ),
    **dict.fromkeys(
        (
            *("IncompleteRead", "IncompleteReadError", "ResponseStreamingError"),
            *("ClientPayloadError", "ServerDisconnectedError", "ConnectionClosedError"),
        ),
        (CutShort, errno.EIO, "its answer ended early"),
    ),
    **dict.fromkeys(
        ("EndpointConnectionError", "ClientConnectorError", "NoValidConnectionsError"),
        # As certain as silence: the driver has tried twice.
        (NoAnswer, errno.ECONNREFUSED, "there is no way to connect to it"),
    ),
    **dict.fromkeys(
        ("SSHException", "HTTPClientError", "ClientConnectionError", "EOFError"),
        (ConnectionError, errno.ECONNABORTED, "the connection failed"),
    ),
    "NotImplementedError": (OSError, errno.EROFS, "this cannot be done there"),
}


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Have what drivers raise in the block appear as `OSError`; `FileNotFoundError` stays as it is.

    Raises
    ------
    OSError
        In place of whatever was raised, but for what is meant for other ears.
    """
    try:
        yield
    except (CacheError, GivenUp, MemoryError):
        raise
    except Exception as error:
        told = _told(error)
        if told is error:
            raise
        raise told from error


def _told(error: Exception) -> Exception:
    for cause in _causes(error):
        if (known := _CODES.get(_code(cause))) is not None:
            return _made(known, cause)
    if isinstance(error, (FileNotFoundError, FileExistsError, CutShort)):
        return error
    for cause in _causes(error):
        for kind in type(cause).__mro__:
            if (known := _KINDS.get(kind.__name__)) is not None:
                return _made(known, cause)
    if isinstance(error, OSError) and error.errno:
        return error
    return OSError(errno.EIO, _words(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error, and what it was raised from: drivers wrap those of what they use."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen and len(seen) < 8:
        seen.append(cause)
        yield cause
        hidden = cause.__suppress_context__
        cause = cause.__cause__ or (None if hidden else cause.__context__)


def _code(error: BaseException) -> str:
    """Return the code that a server gave, of S3 or of others' web services; or nothing."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):
        return str((response.get("Error") or {}).get("Code", ""))
    # Not of any error: aiohttp's warn of those who ask them for a code.
    name = "code" if type(error).__module__.startswith("gcsfs") else "status_code"
    code = getattr(error, name, None)
    return str(code) if isinstance(code, int) else ""


def _made(known: tuple[type[OSError], int, str], cause: BaseException) -> OSError:
    kind, number, words = known
    return kind(number, f"{words} ({_words(cause)})")


def _words(error: BaseException) -> str:
    name, text = type(error).__name__, " ".join(str(error).split())
    return f"{name}: {text[:300]}" if text else name
