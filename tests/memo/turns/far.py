"""A folder that looks like a store elsewhere: entries and marks, no locks; and what goes wrong."""

import os
from collections import Counter

from neurotools.memo.tiers.directory import DirectoryTier

_METHODS = (
    *("get", "put", "discard", "clear", "record", "size", "has", "keys", "location"),
    *("put_manifest", "get_manifest"),
)


class FarTier:
    """A store that others share.

    Parameters
    ----------
    root : str
        The folder.
    faults : dict, optional
        Name of a method (those of marks as ``'marks.create'``) -> what is called instead of it,
        with the method itself and its arguments.
    """

    def __init__(self, root, faults=None):
        inner = DirectoryTier(str(root))
        self.name, self.counts, self.faults = f"far:{root}", Counter(), dict(faults or {})
        for name in _METHODS:
            setattr(self, name, self._counted(name, getattr(inner, name)))
        self.marks = FarMarks(inner.marks, self._counted)

    def _counted(self, name, method):
        def ask(*arguments):
            self.counts[name] += 1
            fault = self.faults.get(name)
            return method(*arguments) if fault is None else fault(method, *arguments)

        return ask


class FarMarks:
    def __init__(self, inner, counted, is_exclusive=True):
        self.is_exclusive = is_exclusive
        for name in ("create", "keep", "read", "drop", "names"):
            setattr(self, name, counted(f"marks.{name}", getattr(inner, name)))


def marks_in(root):
    """Return the names of all marks below a folder."""
    top = os.path.join(root, ".neurotools", "marks")
    return [name for _, _, names in os.walk(top) for name in names]
