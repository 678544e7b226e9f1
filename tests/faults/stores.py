"""Real servers on this computer, each a program of its own: S3 (moto's), and SFTP (asyncssh's)."""

import contextlib
import itertools
import subprocess
import sys
import threading

_S3 = """
import logging, sys, threading
logging.disable(logging.CRITICAL)
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
_SFTP = """
import asyncio, os, sys, asyncssh
class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True
    def password_auth_supported(self):
        return True
    def validate_password(self, username, password):
        return password == "secret"
async def main():
    keys = [asyncssh.generate_private_key("ssh-ed25519")]
    serving = {"server_host_keys": keys, "server_factory": Server, "sftp_factory": True}
    served = await asyncssh.listen("127.0.0.1", int(sys.argv[1]), **serving)
    print(served.get_port(), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)
asyncio.run(main())
"""


@contextlib.contextmanager
def _program(code, *arguments):
    """Run a server that prints its port, and ends when its input does."""
    program = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield program, int(program.stdout.readline())
    finally:
        program.kill()
        program.wait()
        program.stdin.close()
        program.stdout.close()


class S3:
    """An S3 server.

    Attributes
    ----------
    url : str
        Its endpoint.
    options : dict
        The storage options that lead to it.
    """

    def __init__(self, port):
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.options = self.options_at(self.url)
        self._numbers, self._lock = itertools.count(), threading.Lock()

    @staticmethod
    def options_at(url):
        return {"key": "testing", "secret": "testing", "endpoint_url": url}

    def system(self):
        import s3fs

        return s3fs.S3FileSystem(**self.options, use_listings_cache=False)

    def bucket(self):
        """Make a bucket that nobody else uses; return its name."""
        with self._lock:
            name = f"bucket-{next(self._numbers)}"
        self.system().mkdir(name)
        return name


@contextlib.contextmanager
def s3_server():
    with _program(_S3) as (_, port):
        yield S3(port)


@contextlib.contextmanager
def sftp_server(port=0):
    """Give an SFTP server's program and port; it takes anybody whose password is ``secret``."""
    with _program(_SFTP, port) as served:
        yield served
