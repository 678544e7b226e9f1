"""What a person writes for a tier -> the tier."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from neurotools.memo.errors import UnknownChoice, UnusableLocation
from neurotools.memo.naming import is_device
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.limits import Budget, Folder, bytes_of

# Two letters at least: C:\\ is a drive, not a scheme.
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]+://"
#: What is left of a URL that has been made a path, which has no empty parts.
_LOST_SLASH = r"(?i)(ram|memory|file|s3a?|gc?s|az|abfs|sftp|ssh|smb):($|[/\\](?![/\\]))"
_CHAIN = r"[A-Za-z][A-Za-z0-9+.-]+(://[^:]*)?::"
_NEVER_IN_NAMES = frozenset([*map(chr, range(32)), *"\\/:"])
#: What can be said of memory.
_OF_MEMORY = ("max_bytes", "max_entries")
#: Schemes of folders of this computer.
_FOLDERS = frozenset(["file", "local"])
_NO_BUDGET = (
    "{}: max_bytes, max_entries and min_free are for folders and memory; leave them out here, and "
    "have the server remove what is old (for a bucket, a lifecycle rule)"
)
#: What other URLs take of a folder's options.
_OF_URLS = frozenset(["verify", "signer"])


def tier_at(
    location: Any,
    identifier: str,
    *,
    patience: float | None = None,
    storage_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> Tier:
    """Return the tier at a location.

    Parameters
    ----------
    location : str, path, Folder or Tier
        A folder, ``'ram://'`` (``'ram://?max_bytes=2GB&max_entries=500'``), the URL of a folder
        elsewhere, or a tier made before.
    identifier : str
        Sub-folder of a folder that holds the cache.
    patience : float, optional
        Seconds to wait for answers, of whatever is not in memory.
    storage_options : mapping, optional
        For URLs, see `neurotools.memo.tiers.remote.RemoteTier`.
    **options
        For tiers that are folders, see `DirectoryTier`; of these, other URLs take ``verify`` and
        ``signer``.

    Raises
    ------
    UnusableLocation
        If no cache can be kept there.
    ValueError
        If it cannot be kept to a limit.
    TypeError
        If it is none of these.
    """
    if isinstance(location, Folder):
        options["budget"] = location.budget
        location = location.path
    if not isinstance(location, (str, os.PathLike)):
        if all(hasattr(location, method) for method in ("get", "put", "discard", "keys")):
            tier: Tier = location
            return tier if patience is None else Guarded(tier, patience)
        raise TypeError(f"a tier is a folder, a URL or a Tier, not {location!r}")
    place = os.fspath(location)
    if not isinstance(place, str):
        raise TypeError(f"a tier is a folder, a URL or a Tier, not {location!r}")
    if "://" in place and re.match(_CHAIN, place):
        raise UnusableLocation(place, "it is a chain of URLs; give each as a tier of its own")
    if "://" in place and re.match(_SCHEME, place):
        scheme = place.partition("://")[0].lower()
        if scheme == "ram":
            return _in_memory(place, options.get("budget"))
        if scheme not in _FOLDERS:
            if options.get("budget") is not None and options["budget"].is_limited:
                raise ValueError(_NO_BUDGET.format(place))
            of_urls = {name: options[name] for name in _OF_URLS & options.keys()}
            of_urls.update(patience=patience, storage_options=storage_options)
            return _elsewhere(place, checked_identifier(identifier), of_urls)
        place = _folder_of(place)
    if ":" in place and re.match(_LOST_SLASH, place):
        raise UnusableLocation(place, "a URL has two slashes; give it as a text, not as a path")
    if not place:
        raise ValueError("the location of a cache is empty; '.' is the working directory")
    return DirectoryTier(
        os.path.join(os.path.expanduser(place), checked_identifier(identifier)),
        patience=patience,
        **options,
    )


def _elsewhere(url: str, identifier: str, options: dict[str, Any]) -> Tier:
    from neurotools.memo.tiers.remote import RemoteTier  # not loaded for folders

    scheme, _, place = url.partition("://")
    if not place.strip("/") and scheme.lower() != "memory":
        raise UnusableLocation(url, "it names no place; 's3://bucket/folder' does")
    return RemoteTier(f"{scheme}://{place.rstrip('/')}/{identifier}", **options)


def _folder_of(url: str) -> str:
    """Return the folder on this computer that a URL names."""
    place = url.partition("://")[2]
    # A drive comes after a slash: file:///C:/results.
    return place[1:] if re.match(r"/[A-Za-z]:[/\\]", place) else place


def _in_memory(url: str, budget: Budget | None) -> Tier:
    # Not loaded for folders.
    from urllib.parse import parse_qs, urlsplit

    from neurotools.memo.tiers.ram import RamTier

    parts = urlsplit(url)

    query = parse_qs(parts.query, keep_blank_values=True)
    unknown = parts.netloc + parts.path or next(iter(query.keys() - {*_OF_MEMORY}), "")
    if unknown:
        raise UnknownChoice("part of ram://", unknown, [f"?{name}=..." for name in _OF_MEMORY])
    limits = {name: values[0] for name, values in query.items()}
    if budget is not None and budget.min_free is not None:
        raise ValueError(f"{url}: min_free is for folders; memory takes max_bytes and max_entries")
    if budget is not None and budget.evict == "oldest":
        raise ValueError(f"{url}: memory gives up what was not used for longest, evict='lru'")
    most = budget and budget.max_bytes
    entries = budget and budget.max_entries
    return RamTier(
        **{} if most is None else {"max_bytes": most},
        **{} if entries is None else {"max_entries": entries},
        **{name: _number(name, text) for name, text in limits.items()},
    )


def _number(name: str, text: str) -> int:
    """Return a limit in a URL: bytes as a person writes them, 0 for none; or entries."""
    if name == "max_entries":
        if not text.isdecimal():
            raise ValueError(f"max_entries={text!r} is no number of entries")
        return int(text)
    if re.fullmatch(r"0+(\.0*)?", text):
        return 0
    try:
        return bytes_of(text)
    except ValueError:
        raise ValueError(f"max_bytes={text!r} is no number of bytes, such as 2e9 or 2GB") from None


def checked_identifier(identifier: str) -> str:
    """Return a cache identifier that is one plain folder name.

    Raises
    ------
    ValueError
        If it would lead out of the location, or is no name.
    """
    if not isinstance(identifier, str) or not identifier or _NEVER_IN_NAMES & {*identifier}:
        raise ValueError(f"cache_identifier {identifier!r} is no folder name")
    if identifier in {".", ".."}:
        raise ValueError(f"cache_identifier {identifier!r} leads out of the cache's location")
    # What one system makes of them, another does not: caches lie on disks that many share.
    if identifier[-1] in ". " or is_device(identifier):
        raise ValueError(f"cache_identifier {identifier!r} is no folder name on Windows")
    return identifier
