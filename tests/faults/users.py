"""Work done by other users, in forked children, and ground that they can reach."""

import contextlib
import os
import pickle
import shutil
import signal
import tempfile

import pytest

# Loaded before anybody forks: other users may be unable to read where Python is installed.
with contextlib.suppress(ImportError):
    import grp  # noqa: F401
    import hmac  # noqa: F401
    import json  # noqa: F401
    import pwd  # noqa: F401
    import socket  # noqa: F401

    import neurotools.memo.explain
    import neurotools.memo.fingerprint.documented
    import neurotools.memo.formats.compressed
    import neurotools.memo.formats.npy
    import neurotools.memo.formats.pickled
    import neurotools.memo.upkeep.maintenance  # noqa: F401

ME, OTHER, THIRD = 61001, 61002, 61003
LAB = 61100

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become other users"
)


@pytest.fixture
def ground():
    """Return a folder that every user can enter, and nobody but root can write."""
    place = tempfile.mkdtemp(prefix="neurotools-")
    os.chmod(place, 0o755)
    yield place
    shutil.rmtree(place, ignore_errors=True)


def as_user(user, work, *arguments, group=None, groups=()):
    """Return what a function returns when another user calls it; it must be done in a minute."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _do(writer, user, group or user, groups, work, arguments)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"it ended with {status}: {said!r}"
    done, value = pickle.loads(said)
    if not done:
        raise AssertionError(f"user {user}: {value}")
    return value


def _do(writer, user, group, groups, work, arguments):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(60)
    try:
        os.umask(0o022)
        os.setgroups(list(groups))
        os.setgid(group)
        os.setuid(user)
        os.chdir("/")
        answer = True, work(*arguments)
    except BaseException as error:
        import traceback

        answer = False, f"{error!r}\n{traceback.format_exc()}"
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(pickle.dumps(answer))
    os._exit(0)


def folder_of(user, path, mode=0o755, group=None):
    """Make a folder that belongs to a user; return its path."""
    os.makedirs(path, exist_ok=True)
    os.chown(path, user, group or user)
    os.chmod(path, mode)
    return path
