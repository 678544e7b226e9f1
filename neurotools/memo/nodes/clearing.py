"""Removing nodes: only folders that were made here, and none that anybody runs in."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Container, Iterator

from neurotools.memo.log import Log
from neurotools.memo.nodes import record as records
from neurotools.memo.nodes.alone import alone_if_free
from neurotools.memo.nodes.node import aside
from neurotools.memo.tiers.folders import PRIVATE

log = Log(__name__)


InUse = Callable[[], Container[str]]


def clear(base: str, keep: Container[str], *, in_use: InUse = tuple, warn: bool) -> list[str]:
    """Remove the nodes that are not to be kept.

    Parameters
    ----------
    base : str
        Folder of the nodes.
    keep : container of str
        Names of nodes, ``<class>/<hash>``.
    in_use : callable
        Returns the names of the nodes that other processes have been given that live; they stay
        as well.
    warn : bool
        Whether to print the name of each directory that is removed.

    Returns
    -------
    list of str
        The directories.
    """
    gone = []
    held = in_use()
    for folder, names in nodes(base):
        going = [name for name in names if f"{folder}/{name}" not in keep]
        removed = [name for name in going if remove(base, f"{folder}/{name}", held, in_use)]
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
    try:
        with os.scandir(place) as found:
            return [e.name for e in found if e.is_dir(follow_symlinks=False) and e.name[0] != "."]
    except FileNotFoundError:  # somebody else has removed it
        return []


def remove(base: str, node: str, held: Container[str], in_use: InUse) -> bool:
    """Remove a node, unless somebody runs in it or was given it; tell whether that was done.

    Parameters
    ----------
    base, node : str
        Folder of the nodes, and the node's name.
    held : container of str
        The nodes that others were given a moment ago.
    in_use : callable
        Returns those that they were given now.
    """
    if node in held:
        log.info("%s stays: another process was given it, and still runs", node)
        return False
    folder = os.path.join(base, *node.split("/"))
    with alone_if_free(base, node) as free:
        if not free:
            log.info("%s stays: it is in use", node)
            return False
        try:
            moved = aside(base, folder)
            if node in in_use():  # it was collected meanwhile, by somebody who still found it
                os.rename(moved, folder)
                return False
        except OSError as error:
            log.warning("%s cannot be removed: %s", node, error)
            return False
        shutil.rmtree(moved, ignore_errors=True)
    return True
