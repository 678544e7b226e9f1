"""Which processes that live have been given the files of which nodes.

What a process was given may be used by it for as long as it lives, and is not to be removed by
another. Each process that uses nodes keeps a list of them in ``.neurotools/users``, under a name
of its own, and shows that it lives (`neurotools.memo.tiers.alive`): however it ends, its list no
longer counts. Where there are no locks to show that with, nobody is known to live.
"""

from __future__ import annotations

import contextlib
import os
import platform
import uuid
from collections.abc import Iterator
from typing import Any

from neurotools.memo import forks
from neurotools.memo.log import Log
from neurotools.memo.tiers import alive
from neurotools.memo.tiers.folders import PRIVATE

log = Log(__name__)


_HOLDERS: dict[str, Holders] = {}


def holders_of(base: str) -> Holders:
    """Return the one object of this process for a folder of nodes."""
    return _HOLDERS.setdefault(base, Holders(base))


class Holders:
    """The processes that use the nodes of one folder.

    Parameters
    ----------
    base : str
        The folder.
    """

    def __init__(self, base: str) -> None:
        self._base, self._lock = base, forks.lock_of(self)
        self._folder = os.path.join(base, PRIVATE, "users")
        self._process = 0
        self._name = ""
        self._held: set[str] = set()

    def __reduce__(self) -> Any:
        return holders_of, (self._base,)

    def hold(self, node: str) -> None:
        """Note that this process is given a node."""
        if node in self._held and self._process == os.getpid():
            return
        with self._lock:
            try:
                self._add(node)
            except OSError as error:
                log.info("others do not know that %s is used here: %s", node, error)

    def _add(self, node: str) -> None:
        if self._process != os.getpid():  # the first time, and in a forked child
            self._process, self._held = os.getpid(), set()
            self._name = f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            alive.show(self._alive, self._name)
        with open(os.path.join(self._folder, self._name), "a", encoding="utf-8") as file:
            file.write(f"{node}\n")
        self._held.add(node)

    @property
    def _alive(self) -> str:
        return os.path.join(self._base, PRIVATE, "users-alive")

    def others(self) -> set[str]:
        """Return the nodes that other processes were given that live; forget those that do not."""
        return {node for name in self._others() for node in self._nodes(name)}

    def _others(self) -> Iterator[str]:
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self._folder):
                if name == self._name and self._process == os.getpid():
                    continue
                lives = alive.lives(self._alive, name)
                if lives:
                    yield name
                elif lives is False:
                    with contextlib.suppress(OSError):
                        os.unlink(os.path.join(self._folder, name))

    def _nodes(self, name: str) -> list[str]:
        try:
            path = os.path.join(self._folder, name)
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []
