"""What drivers raise, in plain words: with the errors of real drivers."""

import asyncio
import errno

import pytest

from neurotools.memo.errors import CorruptEntry
from neurotools.memo.tiers.refusals import CutShort, plainly
from neurotools.memo.watch.deadline import GivenUp, NoAnswer


def told(error):
    try:
        with plainly():
            raise error
    except OSError as found:
        return found


def of_s3(code, status=400):
    exceptions = pytest.importorskip("botocore.exceptions")
    response = {"Error": {"Code": code, "Message": "no"}}
    response["ResponseMetadata"] = {"HTTPStatusCode": status}
    return exceptions.ClientError(response, "GetObject")


@pytest.mark.parametrize(
    ("code", "number", "words"),
    [
        ("NoSuchBucket", errno.ENODEV, "no such bucket"),
        ("InvalidAccessKeyId", errno.EACCES, "credentials were refused"),
        ("ExpiredToken", errno.EACCES, "credentials were refused"),
        ("AccessDenied", errno.EACCES, "no permission"),
        ("SlowDown", errno.EBUSY, "too much to do"),
        ("InternalError", errno.EIO, "failed by itself"),
        ("KeyTooLongError", errno.ENAMETOOLONG, "too long"),
        ("SomethingNew", errno.EIO, "ClientError"),
    ],
)
def test_codes_of_s3_are_told_in_words(code, number, words):
    error = told(of_s3(code))
    assert error.errno == number
    assert words in str(error)


def test_what_an_error_was_raised_from_counts():
    outer = FileNotFoundError("the bucket")
    outer.__cause__ = of_s3("NoSuchBucket")
    assert told(outer).errno == errno.ENODEV


def test_an_object_that_is_not_there_stays_what_it_is():
    error = FileNotFoundError("no key")
    error.__cause__ = of_s3("NoSuchKey")
    assert told(error) is error


def test_errors_of_connections():
    exceptions = pytest.importorskip("botocore.exceptions")
    gone = exceptions.EndpointConnectionError(endpoint_url="http://nowhere")
    silent = exceptions.ReadTimeoutError(endpoint_url="http://nowhere")
    assert isinstance(told(gone), NoAnswer)
    assert isinstance(told(silent), NoAnswer)
    assert isinstance(told(asyncio.TimeoutError()), NoAnswer)
    assert isinstance(told(asyncio.IncompleteReadError(b"", 3)), CutShort)


def test_errors_of_ssh():
    paramiko = pytest.importorskip("paramiko")
    assert told(paramiko.AuthenticationException("no")).errno == errno.EACCES
    assert isinstance(told(paramiko.SSHException("gone")), ConnectionError)
    nobody = paramiko.ssh_exception.NoValidConnectionsError({("host", 22): OSError("refused")})
    assert isinstance(told(nobody), NoAnswer)


@pytest.mark.parametrize("error", [ValueError("odd"), RuntimeError("odd"), KeyError("odd")])
def test_whatever_else_a_driver_raises_is_an_oserror(error):
    assert told(error).errno == errno.EIO
    assert "odd" in str(told(error))


def test_an_oserror_with_a_number_stays():
    error = OSError(errno.ENOSPC, "full")
    assert told(error) is error


@pytest.mark.parametrize("error", [GivenUp(), MemoryError(), CorruptEntry("here", "odd")])
def test_what_is_meant_for_others_passes(error):
    with pytest.raises(type(error)), plainly():
        raise error
