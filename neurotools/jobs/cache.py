"""Memoize functions on disk.

`disk_cacher` keeps results in one folder, `hierarchical_cacher` in several tiers from fast to slow.
The other functions look into such caches, and turn calls into file names and back.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from neurotools.jobs.cachers import Cacher, disk_cacher, flush, hierarchical_cacher
from neurotools.memo.digest.files import File
from neurotools.memo.digest.values import register_digest
from neurotools.memo.literals import human_decode, human_encode
from neurotools.memo.naming import base64hash, base64hash10bytes
from neurotools.memo.tiers.limits import folder

if TYPE_CHECKING:
    from neurotools.jobs.auditing import Audit, audit
    from neurotools.jobs.combining import Combined, combine_caches
    from neurotools.jobs.entries import (
        exists,
        get_cache_path,
        locate_cached,
        read_cache_entry,
        scan_cachedir,
        validate_for_matfile,
        validate_for_numpy,
    )
    from neurotools.jobs.names import (
        file_string_to_signature,
        function_hash_no_subroutines,
        function_hash_with_subroutines,
        function_signature,
        get_source,
        signature_to_file_string,
    )
    from neurotools.jobs.opening import Cache, open_cache

__all__ = [
    "Audit",
    "Cache",
    "Cacher",
    "Combined",
    "File",
    "audit",
    "base64hash",
    "base64hash10bytes",
    "combine_caches",
    "disk_cacher",
    "exists",
    "file_string_to_signature",
    "flush",
    "folder",
    "function_hash_no_subroutines",
    "function_hash_with_subroutines",
    "function_signature",
    "get_cache_path",
    "get_source",
    "hierarchical_cacher",
    "human_decode",
    "human_encode",
    "locate_cached",
    "open_cache",
    "read_cache_entry",
    "register_digest",
    "scan_cachedir",
    "signature_to_file_string",
    "validate_for_matfile",
    "validate_for_numpy",
]

#: What memoizing does not need is loaded when it is first asked for.
_PARTS = ("names", "entries", "opening", "combining", "auditing")
_LATER = tuple(f"neurotools.jobs.{name}" for name in _PARTS)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in map(import_module, _LATER):
            if name in module.__all__:
                return globals().setdefault(name, getattr(module, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
