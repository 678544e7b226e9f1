"""Removing nodes: only folders that were made here, and none that anybody runs in."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Container, Iterator

from neurotools.memo.log import Log
from neurotools.memo.nodes import record as records
from neurotools.memo.nodes.alone import alone_if_free
from neurotools.memo.nodes.node import aside
from neurotools.memo.tiers.folders import PRIVATE

log = Log(__name__)


def clear(base: str, keep: Container[str], *, in_use: Container[str] = (), warn: bool) -> list[str]:
    """Remove the nodes that are not to be kept.

    Parameters
    ----------
    base : str
        Folder of the nodes.
    keep : container of str
        Names of nodes, ``<class>/<hash>``.
    in_use : container of str
        Names of nodes that other processes have been given that live; they stay as well.
    warn : bool
        Whether to print the name of each directory that is removed.

    Returns
    -------
    list of str
        The directories.
    """
    gone = []
    for folder, names in nodes(base):
        removed = [name for name in names if _goes(base, f"{folder}/{name}", keep, in_use)]
        place = os.path.join(base, folder)
        try:
            os.rmdir(place)
        except OSError:  # there is something left in it
            gone += [os.path.join(place, name) for name in removed]
        else:
            gone.append(place)
    for place in gone if warn else ():
        print(f"removing directory: {place}")  # noqa: T201 - asked for
    _empty(os.path.join(base, PRIVATE, "removed"))
    return gone


def _empty(trash: str) -> None:
    """Remove what others that were killed had begun to remove."""
    for name in os.listdir(trash) if os.path.isdir(trash) else ():
        shutil.rmtree(os.path.join(trash, name), ignore_errors=True)


def nodes(base: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the folders of interface classes, with the names of the nodes in each."""
    for folder in sorted(_folders(base)):
        place = os.path.join(base, folder)
        names = [
            name
            for name in sorted(_folders(place))
            if re.fullmatch(r"[0-9a-f]{32}", name) and records.is_node(os.path.join(place, name))
        ]
        if names:
            yield folder, names


def _folders(place: str) -> list[str]:
    with os.scandir(place) as found:
        return [e.name for e in found if e.is_dir(follow_symlinks=False) and e.name[0] != "."]


def remove(base: str, node: str) -> bool:
    """Remove a node, unless somebody runs in it; tell whether that was done."""
    with alone_if_free(base, node) as free:
        if not free:
            log.info("%s stays: it is in use", node)
            return False
        try:
            moved = aside(base, os.path.join(base, *node.split("/")))
        except OSError as error:
            log.warning("%s cannot be removed: %s", node, error)
            return False
        shutil.rmtree(moved, ignore_errors=True)
    return True


def _goes(base: str, node: str, keep: Container[str], in_use: Container[str]) -> bool:
    if node in keep:
        return False
    if node in in_use:
        log.info("%s stays: another process was given it, and still runs", node)
        return False
    return remove(base, node)
