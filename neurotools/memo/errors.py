"""Every error raised on purpose. Not here: warnings, which go through `logging`.

One base class, `CacheError`; each class also inherits the built-in that a caller would catch, and
keeps the facts of its message as attributes.
"""

from __future__ import annotations

from collections.abc import Iterable


class CacheError(Exception):
    """Base of all errors that neurotools raises on purpose."""


class UndigestableValue(CacheError, TypeError):
    """A value has no reliable digest, so that no result can be kept under it."""

    def __init__(self, kind: str, reason: str, where: str = "") -> None:
        place = f"{where} " if where else "a value "
        super().__init__(
            f"{place}of type {kind} cannot be digested: {reason}. Pass plain data instead, leave "
            "the argument out with ignore=, or tell how to digest the type with register_digest."
        )
        self.kind, self.reason, self.where = kind, reason, where

    def at(self, where: str) -> UndigestableValue:
        """Return the same error, naming the argument or binding that holds the value."""
        inner = f"{where} ({self.where})" if self.where else where
        return UndigestableValue(self.kind, self.reason, inner)


class WrongArguments(CacheError, TypeError):
    """A function does not take the arguments it was given."""

    def __init__(self, function: str, reason: str) -> None:
        super().__init__(f"{function} does not take these arguments: {reason}")
        self.function, self.reason = function, reason


class UnstorableValue(CacheError, TypeError):
    """A method cannot hold a value exactly; raised before anything is written."""

    def __init__(self, method: str, kind: str, reason: str, suggestion: str = "pickle") -> None:
        remedy = f"; method={suggestion!r} can" if suggestion else ""
        super().__init__(f"method {method!r} cannot hold {kind} exactly: {reason}{remedy}")
        self.method, self.kind, self.reason, self.suggestion = method, kind, reason, suggestion


class CorruptEntry(CacheError, ValueError):
    """An entry exists but cannot be read back."""

    def __init__(self, location: str, reason: str) -> None:
        remedy = "It counts as a miss; delete it, or call the function again to replace it"
        super().__init__(f"cannot read cache entry {location}: {reason}. {remedy}")
        self.location, self.reason = location, reason
        #: Whether it has been moved out of the way, and so is not met again.
        self.is_set_aside = False


class UntrustedEntry(CacheError, PermissionError):
    """An entry could run code when opened, and somebody else may have written it."""

    def __init__(self, location: str, reason: str) -> None:
        remedy = (
            "It counts as a miss; use npy, keep the cache in a folder that only you can write, "
            "name its owner in trusted_owners=, or sign results with key_file="
        )
        super().__init__(f"will not open {location}: {reason}. {remedy}")
        self.location, self.reason = location, reason


class UntrustedPlace(CacheError, PermissionError):
    """A link that somebody else has made leads out of the cache."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"will not go through {location}: {reason}. Remove it")
        self.location, self.reason = location, reason


class UnusableKey(CacheError, ValueError):
    """A file holds no key to sign results with, or others could read it."""

    def __init__(self, location: str, reason: str) -> None:
        remedy = "It must be a file of your own, with mode 0600, that holds some random text"
        super().__init__(f"cannot sign with the key in {location}: {reason}. {remedy}")
        self.location, self.reason = location, reason


class UnreadableName(CacheError, ValueError):
    """A file name does not decode to an argument signature."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name[:80]!r} holds no argument signature: {reason}")
        self.name, self.reason = name, reason


class UnknownChoice(CacheError, ValueError):
    """An option has a value that is not one of the known ones."""

    def __init__(self, option: str, value: object, known: Iterable[str]) -> None:
        names = sorted(known)
        listing = f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
        super().__init__(f"unknown {option} {value!r}; choose {listing}")
        self.option, self.value, self.known = option, value, names


class UnusableLocation(CacheError, OSError):
    """A tier cannot be kept at the location given for it."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"cannot keep a cache at {location}: {reason}. Choose another folder")
        self.location, self.reason = location, reason


class NoCache(CacheError, ValueError):
    """A folder holds no cache."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"there is no cache at {location}: {reason}")
        self.location, self.reason = location, reason


class NoEntry(CacheError, LookupError):
    """What was named is no entry of a cache, or more than one."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"no entry {name}: {reason}")
        self.name, self.reason = name, reason


class LeftAlone(CacheError, OSError):
    """A place that failed lately is not used for a while."""

    def __init__(self, location: str, reason: str) -> None:
        super().__init__(f"{location} is left alone for a while: {reason}")
        self.location, self.reason = location, reason


class UnsupportedFunction(CacheError, TypeError):
    """A callable of a kind that cannot be memoized."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"cannot memoize {name}: {reason}")
        self.name, self.reason = name, reason


class UnsafeBinding(CacheError, ValueError):
    """A function depends on something that the cache cannot follow."""

    def __init__(self, function: str, binding: str, reason: str) -> None:
        super().__init__(
            f"{function} depends on {binding}, which cannot be followed: {reason}. Pass it as an "
            "argument, or accept the risk of stale results with allow_mutable_bindings=True"
        )
        self.function, self.binding, self.reason = function, binding, reason


class MissingExtra(CacheError, ImportError):
    """Something optional is needed and not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs more: pip install 'neurotools[{extra}]'")
        self.purpose, self.extra = purpose, extra
