"""What a person writes for a tier -> the tier."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from neurotools.memo.errors import UnknownChoice, UnusableLocation
from neurotools.memo.naming import is_device
from neurotools.memo.tiers.base import Tier
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.tiers.limits import Folder

# Two letters at least: C:\\ is a drive, not a scheme.
_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]+://"
#: What is left of a URL that has been made a path, which has no empty parts.
_LOST_SLASH = r"(?i)(ram|memory|file|s3a?|gc?s|az|abfs|sftp|ssh|smb):($|[/\\](?![/\\]))"
_CHAIN = r"[A-Za-z][A-Za-z0-9+.-]+(://[^:]*)?::"
_NEVER_IN_NAMES = frozenset([*map(chr, range(32)), *"\\/:"])
#: Schemes of folders of this computer.
_FOLDERS = frozenset(["file", "local"])
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
        A folder, ``'ram://'`` (``'ram://?max_bytes=2e9'``), the URL of a folder elsewhere, or a
        tier made before.
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
            return _in_memory(place)
        if scheme not in _FOLDERS:
            of_urls = {name: options[name] for name in _OF_URLS & options.keys()}
            of_urls.update(patience=patience, storage_options=storage_options)
            return _elsewhere(place, checked_identifier(identifier), of_urls)
        place = _folder_of(place)
    if re.match(_LOST_SLASH, place):
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


def _in_memory(url: str) -> Tier:
    parts = urlsplit(url)
    from neurotools.memo.tiers.ram import DEFAULT_MAX_BYTES, RamTier  # not loaded for folders

    query = parse_qs(parts.query, keep_blank_values=True)
    unknown = parts.netloc + parts.path or next(iter(query.keys() - {"max_bytes"}), "")
    if unknown:
        raise UnknownChoice("part of ram://", unknown, ["?max_bytes=..."])
    return RamTier(_bytes(query.get("max_bytes", [str(DEFAULT_MAX_BYTES)])[0]))


def _bytes(text: str) -> int:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        raise ValueError(f"max_bytes={text!r} is no number of bytes, such as 2e9") from None


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
