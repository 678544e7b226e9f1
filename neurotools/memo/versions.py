"""The versions of a function that a cache holds: one for each code that it has had."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from neurotools.memo.fingerprint.manifest import Difference, Manifest, difference
from neurotools.memo.hierarchy import Hierarchy


@dataclass(frozen=True)
class Version:
    """One version of a function, as it is kept.

    Attributes
    ----------
    code : str
        The fingerprint's code, which names the version's folder.
    is_current : bool
        Whether the function has this code now.
    entries : int
        How many results are kept.
    size_bytes : int
        What they take, each counted once.
    changes : tuple of Difference or None
        What has changed from this version to the present one; None where that is not known.
    """

    code: str
    is_current: bool
    entries: int
    size_bytes: int
    changes: tuple[Difference, ...] | None = None

    def __str__(self) -> str:
        present = " (present)" if self.is_current else ""
        lines = [f"{self.code}{present}: {self.entries} entries, {self.size_bytes} bytes"]
        lines += [f"  {line}" for part in self.changes or () for line in str(part).splitlines()]
        return "\n".join(lines)


def versions(hierarchy: Hierarchy, function: str, manifest: Manifest) -> list[Version]:
    """Return the versions of a function that are kept, the present one first.

    Parameters
    ----------
    hierarchy : Hierarchy
        The cache.
    function : str
        The function's folder.
    manifest : Manifest
        Of the present code.
    """
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    for key, size in hierarchy.sizes(function).items():
        sizes[key.code].append(size)
    found = [
        Version(
            code,
            code == manifest.code,
            len(of_code),
            sum(of_code),
            changes(hierarchy, function, code, manifest),
        )
        for code, of_code in sorted(sizes.items())
    ]
    return sorted(found, key=lambda version: not version.is_current)


def changes(
    hierarchy: Hierarchy, function: str, code: str, manifest: Manifest
) -> tuple[Difference, ...] | None:
    """Return what has changed since a version, or None if its manifest is gone or damaged."""
    if code == manifest.code:
        return ()
    content = hierarchy.get_manifest(function, code)
    if content is None:
        return None
    try:
        return difference(Manifest.from_json(content.decode("ascii")), manifest)
    except ValueError:
        return None


def nearest(
    hierarchy: Hierarchy, function: str, codes: Iterable[str], manifest: Manifest
) -> tuple[str, tuple[Difference, ...]]:
    """Return the version that differs least from the present one, and how.

    Where no manifest is left, it is the first version, and what differs is not known.
    """
    known = [(code, changes(hierarchy, function, code, manifest)) for code in sorted(set(codes))]
    ranked = [(code, found) for code, found in known if found is not None]
    if not ranked:
        return known[0][0], ()
    return min(ranked, key=lambda pair: sum(1 + len(part.lines) for part in pair[1]))
