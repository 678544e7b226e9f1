"""Calls of a memoized function -> what is to be looked up and computed, each key once.

A plan is only a plan: whoever computes asks the memoized function, which makes its own key of the
arguments that it gets. Not here: carrying it out (`run`).
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from neurotools.memo.careful import is_meant_to_end, spelled
from neurotools.memo.entry import Key
from neurotools.memo.errors import CacheError, UnsafeBinding, WrongArguments
from neurotools.memo.key import KeyMaker, code_name
from neurotools.memo.many.calls import Call
from neurotools.memo.signature import canonical_value

#: Types whose digests are not worth being kept.
_PLAIN = frozenset([int, float, complex, bool, str, bytes, type(None)])
#: Entries whose times are asked for.
_SAMPLE = 32


class Group:
    """Calls with one key, or one call without.

    Attributes
    ----------
    key : Key or None
        Under which the result is kept.
    numbers : list of int
        Of the calls.
    """

    __slots__ = ("key", "numbers")

    def __init__(self, key: Key | None, number: int) -> None:
        self.key, self.numbers = key, [number]


class Plan:
    """What many calls of a memoized function need.

    Parameters
    ----------
    keys : KeyMaker
        Of the function.
    method : str
        By which results are kept.
    calls : sequence of Call
        The calls.

    Attributes
    ----------
    groups : list of Group
        In the order of their first calls; those of wrong arguments are left out.
    wrong : dict
        Number of a call to the error, where the function does not take its arguments.
    unnamed : dict
        Number of a call to why it cannot be remembered, in words.

    Raises
    ------
    UnsafeBinding
        As a call does.
    """

    def __init__(self, keys: KeyMaker, method: str, calls: Sequence[Call]) -> None:
        self._keys, self._method = keys, method
        self.wrong: dict[int, WrongArguments] = {}
        self.unnamed: dict[int, str] = {}
        self.groups: list[Group] = []
        self._canonical = _canonical_of_repeated(calls, keys)
        by_key: dict[Key, Group] = {}
        for number, call in enumerate(calls):
            key = self._key(number, call)
            if key is not None and (group := by_key.get(key)) is not None:
                group.numbers.append(number)
            elif number not in self.wrong:
                group = Group(key, number)
                self.groups.append(group)
                if key is not None:
                    by_key[key] = group

    def _key(self, number: int, call: Call) -> Key | None:
        args, kwargs = call
        if self._canonical:
            args = tuple(self._canonical.get(id(value), value) for value in args)
            kwargs = {name: self._canonical.get(id(value), value) for name, value in kwargs.items()}
        try:
            return self._keys.key_of_call(args, kwargs, self._method)[0]
        except WrongArguments as error:
            self.wrong[number] = error
        except UnsafeBinding:
            raise
        except BaseException as error:  # objects in arguments may fail in any way there is
            if is_meant_to_end(error):
                raise
            self.unnamed[number] = str(error) if isinstance(error, CacheError) else spelled(error)
        return None


def _canonical_of_repeated(calls: Sequence[Call], keys: KeyMaker) -> Mapping[int, Any]:
    """Return the canonical form of objects that occur in several calls, by their identity.

    Nothing runs between this and the last key that could change them.
    """
    if keys.binder.reads_files:
        return {}  # what stands for a file is not known here
    seen: Counter[int] = Counter()
    objects: dict[int, Any] = {}
    for args, kwargs in calls:
        for value in (*args, *kwargs.values()) if kwargs else args:
            if type(value) not in _PLAIN:
                seen[id(value)] += 1
                objects[id(value)] = value
    found: dict[int, Any] = {}
    for place, count in seen.items():
        if count > 1:
            try:
                found[place] = canonical_value(objects[place], code_name)
            except BaseException as error:  # the call that has it says so, and where
                if is_meant_to_end(error):
                    raise
    return found


def told_seconds(seconds: float) -> str:
    """Return a time as people say it.

    Examples
    --------
    >>> told_seconds(0.2), told_seconds(75), told_seconds(9000)
    ('less than a second', 'about 1 min', 'about 2.5 h')
    """
    if seconds < 1:
        return "less than a second"
    for unit, length in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length or (unit == "min" and seconds >= length):
            many = seconds / length
            return f"about {many:.0f} {unit}" if unit == "min" else f"about {many:.2g} {unit}"
    return f"about {seconds:.0f} s"


def typical_seconds(hierarchy: Any, folder: str, found: Sequence[Key]) -> float | None:
    """Return how long a call usually takes to compute, from what was recorded, or None.

    Parameters
    ----------
    hierarchy : Hierarchy
        Where entries are.
    folder : str
        The function's.
    found : sequence of Key
        Entries that are there; if there are none, others of the function are looked at.
    """
    step = max(1, len(found) // _SAMPLE)
    keys = found[::step][:_SAMPLE] or hierarchy.some_keys(folder, _SAMPLE)
    records = (hierarchy.record(key) for key in keys)
    seconds = [record.seconds for record in records if record is not None]
    return statistics.median(seconds) if seconds else None
