"""Stands between a client and an HTTP server, counts what is asked, and spoils answers on demand.

``proxy.spoil(how, times=..., of=...)`` spoils the next so many answers, or all until ``well()``, of
requests that begin with some text, such as ``'GET /bucket/a'``.
"""

import contextlib
import socket
import struct
import threading

_LINGER = struct.pack("ii", 1, 0)
_ERROR = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{}</Code><Message>no</Message></Error>"
#: Answers that the server never gave.
_ANSWERS = {
    "500": ("500 Internal Server Error", "InternalError"),
    "503": ("503 Slow Down", "SlowDown"),
    "403": ("403 Forbidden", "AccessDenied"),
    "keys": ("403 Forbidden", "InvalidAccessKeyId"),
    "signature": ("403 Forbidden", "SignatureDoesNotMatch"),
}
WAYS = ("hang", "stall", "reset", "lost", "cut", "torn", "short", "flipped", "nonsense", *_ANSWERS)


class Proxy:
    """A proxy of one server.

    Attributes
    ----------
    asked : list of str
        What was asked, ``'GET /bucket/key'``.
    """

    def __init__(self, port):
        self._behind, self.asked = port, []
        self._how, self._left, self._of = "", 0, ""
        self._lock, self._released = threading.Lock(), threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def spoil(self, how, *, times=-1, of=""):
        """Spoil answers from now on."""
        assert how in WAYS
        with self._lock:
            self._released = threading.Event()
            self._how, self._left, self._of = how, times, of

    def well(self):
        """Spoil no more answers; what hangs is dropped."""
        with self._lock:
            self._how = ""
            self._released.set()

    def count(self, of=""):
        """Return how many requests there were that begin with some text; start counting anew."""
        with self._lock:
            found = [asked for asked in self.asked if asked.startswith(of)]
            self.asked.clear()
        return len(found)

    def end(self):
        self.well()
        self._socket.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer_all, args=(client,), daemon=True).start()

    def _answer_all(self, client):
        with client, contextlib.suppress(OSError):
            while (request := _message(client)) is not None:
                line = b" ".join(request.split(b"\r\n", 1)[0].split(b" ")[:2]).decode()
                with self._lock:
                    self.asked.append(line)
                    how = self._how if self._left and line.startswith(self._of) else ""
                    self._left -= bool(how)
                    released = self._released
                if not self._answer(client, request, how, released):
                    return

    def _answer(self, client, request, how, released):
        """Answer one request; return whether there may be another one."""
        if how == "hang":
            released.wait()
            return False
        if how == "reset":
            return _reset(client)
        if how in _ANSWERS:
            status, code = _ANSWERS[how]
            body = b"" if request.startswith(b"HEAD") else _ERROR.format(code).encode()
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n"
            client.sendall(f"{head}Content-Type: application/xml\r\n\r\n".encode() + body)
            return True
        if how == "nonsense":
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<nonsense")
            return True
        answer = self._from_server(request)
        if answer is None:  # it has ended: what was given up may still be on its way at the end
            return _reset(client)
        head, _, body = answer.partition(b"\r\n\r\n")
        if how == "lost":
            return _reset(client)
        if how == "stall":
            client.sendall(head + b"\r\n\r\n" + body[: len(body) // 2])
            released.wait()
            return False
        if how == "cut":
            client.sendall(head + b"\r\n\r\n" + body[: len(body) // 2])
            return _reset(client)
        if how == "torn":
            client.sendall(head + b"\r\n\r\n" + body[: len(body) // 2])
            return False
        if how == "short":
            body = body[: len(body) // 2]
            lines = [line for line in head.split(b"\r\n") if not _is_length(line)]
            head = b"\r\n".join([*lines, b"Content-Length: %d" % len(body)])
        if how == "flipped" and body:
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
        client.sendall(head + b"\r\n\r\n" + body)
        return b"connection: close" not in head.lower()

    def _from_server(self, request):
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"expect:")]
        with socket.create_connection(("127.0.0.1", self._behind)) as server:
            server.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
            return _message(server, is_body_expected=not request.startswith(b"HEAD"))


def _is_length(line):
    return line.lower().startswith((b"content-length", b"content-range"))


def _reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    return False


def _message(source, *, is_body_expected=True):
    """Read one request or answer; None where there is none."""
    content = bytearray()
    while b"\r\n\r\n" not in content:
        piece = source.recv(1 << 16)
        if not piece:
            return None
        content += piece
        if b"expect: 100-continue" in content.lower() and content.endswith(b"\r\n\r\n"):
            source.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    start = content.index(b"\r\n\r\n") + 4
    head = bytes(content[:start]).lower()
    if not is_body_expected or b"content-length:" not in head:
        return bytes(content)
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    while len(content) < start + length:
        piece = source.recv(1 << 20)
        if not piece:
            return bytes(content)
        content += piece
    return bytes(content)
