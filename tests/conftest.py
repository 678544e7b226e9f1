"""Fixtures and settings for all tests."""

import gc
import os
import signal
import sys

import pytest
from hypothesis import settings

# Deadlines measure the machine, not the code. On a server the examples are the same each time.
settings.register_profile("here", deadline=None)
settings.register_profile("server", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("server" if os.environ.get("CI") else "here")

# A shell that starts something in the background has it ignore Ctrl-C, and so would all programs
# that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="module")
def _what_is_there_is_no_garbage():
    """Leave what is loaded out of the collections of garbage that come while a module is tested.

    The tests alone are half a million objects: to look through them takes longer than most tests,
    and children that are forked would come to have copies of them all.
    """
    gc.collect()
    gc.freeze()


def pytest_collection_finish():
    # Programs that tests edit twice in a second would else be taken from the first one's bytecode.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


@pytest.fixture
def cache_dir(tmp_path):
    """Return a folder for a cache that does not exist yet."""
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def s3():
    """Return a real S3 server that runs on this computer."""
    for package in ("s3fs", "moto", "flask"):
        pytest.importorskip(package)
    from tests.faults.stores import s3_server

    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(s3):
    """Return the name of an empty bucket of it."""
    return s3.bucket()


@pytest.fixture(scope="session")
def _proxy(s3):
    from tests.faults.proxy import Proxy

    proxy = Proxy(s3.port)
    yield proxy
    proxy.end()


@pytest.fixture
def proxy(_proxy):
    """Return what stands before the server, and spoils its answers on demand."""
    yield _proxy
    _proxy.well()
    _proxy.count()


@pytest.fixture(scope="session")
def sftp_port():
    """Return the port of a real SFTP server."""
    for package in ("asyncssh", "paramiko"):
        pytest.importorskip(package)
    from tests.faults.stores import sftp_server

    with sftp_server() as (_, port):
        yield port
