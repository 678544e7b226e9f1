"""How each cache remembers a plain function in a folder. Not here: trying it (`stale_worker`).

Every adapter takes the function, the folder and options of ours, and returns the function to call.
Each is written as the tool's own documentation shows it, with what makes a result survive the
process. Tools are imported inside, since a process tries one of them.
"""

# ruff: noqa: ARG001 - all adapters take the same, whether they need it or not

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Function = Callable[..., Any]


def no_cache(function: Function, folder: str, options: dict[str, Any]) -> Function:
    return function


def neurotools(function: Function, folder: str, options: dict[str, Any]) -> Function:
    from neurotools.jobs.cache import disk_cacher

    return disk_cacher(folder, method="pickle", **options)(function)


def joblib(function: Function, folder: str, options: dict[str, Any]) -> Function:
    from joblib import Memory

    return Memory(folder, verbose=0).cache(function)


def checkpointer(function: Function, folder: str, options: dict[str, Any]) -> Function:
    from checkpointer import Checkpointer

    return Checkpointer(directory=folder, verbosity=0)(function)


def checkpointer_capture(function: Function, folder: str, options: dict[str, Any]) -> Function:
    from checkpointer import Checkpointer

    return Checkpointer(directory=folder, verbosity=0, capture=True)(function)


def charmonium(function: Function, folder: str, options: dict[str, Any]) -> Function:
    return _charmonium(function, folder)


def charmonium_impure(function: Function, folder: str, options: dict[str, Any]) -> Function:
    from charmonium.freeze import Config

    return _charmonium(function, folder, freeze_config=Config(assume_purity=False))


def _charmonium(function: Function, folder: str, **more: Any) -> Function:
    from charmonium.cache import DirObjStore, MemoizedGroup, memoize

    # Its index is otherwise written when the interpreter ends, which a forked process never does.
    store = DirObjStore(folder)
    group = MemoizedGroup(obj_store=store, size="1GiB", fine_grain_persistence=True, **more)
    return memoize(group=group)(function)


def cachier(function: Function, folder: str, options: dict[str, Any]) -> Function:
    from cachier import cachier

    return cachier(cache_dir=folder)(function)


def diskcache(function: Function, folder: str, options: dict[str, Any]) -> Function:
    from diskcache import Cache

    return Cache(folder).memoize()(function)


def klepto(function: Function, folder: str, options: dict[str, Any]) -> Function:
    from klepto import inf_cache
    from klepto.archives import dir_archive
    from klepto.keymaps import stringmap

    archive = dir_archive(folder, cached=False, serialized=True)
    return inf_cache(cache=archive, keymap=stringmap())(function)


def percache(function: Function, folder: str, options: dict[str, Any]) -> Function:
    import os

    from percache import Cache

    os.makedirs(folder, exist_ok=True)
    return Cache(os.path.join(folder, "cache"), livesync=True)(function)


def connectome(function: Function, folder: str, options: dict[str, Any]) -> Function:
    """Return a function of one argument that runs as a layer, the argument being the identifier."""
    import ast
    import os

    from connectome import Apply, CacheToDisk, Chain, Source, meta
    from tarn.serializers import PickleSerializer

    class Argument(Source):
        @meta
        def ids() -> tuple[str, ...]:
            return ("3",)

        def value(i: str) -> Any:
            return ast.literal_eval(i)

    os.makedirs(folder, exist_ok=True)
    cached = CacheToDisk.simple("value", root=folder, serializer=PickleSerializer())
    layers = Chain(Argument(), Apply(value=function), cached)
    return lambda argument: layers.value(repr(argument))


def connectome_marked(function: Function, folder: str, options: dict[str, Any]) -> Function:
    import os
    import sys

    from tarn import mark_module_unstable

    here = os.getcwd() + os.sep
    for module in list(sys.modules.values()):
        if (getattr(module, "__file__", None) or "").startswith(here):
            mark_module_unstable(module)
    return connectome(function, folder, options)


@dataclass(frozen=True)
class Peer:
    """A cache that is tried.

    Attributes
    ----------
    adapter : callable
        Remembers a function.
    package : str
        What to install, and whose version is told; empty for the truth.
    note : str
        How it was set up, where there is a choice.
    group : str
        Peers of one group can be installed beside each other.
    needs : tuple of str
        What it imports without declaring it.
    """

    adapter: Callable[[Function, str, dict[str, Any]], Function]
    package: str = ""
    note: str = ""
    group: str = "main"
    needs: tuple[str, ...] = ()


TRUTH = "truth"

PEERS = {
    TRUTH: Peer(no_cache),
    "neurotools": Peer(neurotools, "neurotools"),
    "joblib": Peer(joblib, "joblib"),
    "checkpointer": Peer(checkpointer, "checkpointer"),
    "checkpointer+capture": Peer(checkpointer_capture, "checkpointer", "``capture=True``"),
    "charmonium.cache": Peer(charmonium, "charmonium.cache", needs=("typing_extensions",)),
    "charmonium.cache+impure": Peer(
        charmonium_impure,
        "charmonium.cache",
        "``assume_purity=False``",
        needs=("requests", "typing_extensions"),
    ),
    "connectome": Peer(connectome, "connectome", group="layers"),
    "connectome+marked": Peer(
        connectome_marked, "connectome", "all modules marked unstable", "layers"
    ),
    "cachier": Peer(cachier, "cachier"),
    "diskcache": Peer(diskcache, "diskcache", "``memoize()``"),
    "klepto": Peer(klepto, "klepto"),
    "percache": Peer(percache, "percache"),
}
