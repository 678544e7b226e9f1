"""Every error raised on purpose. Not here: warnings, which go through `logging`.

One base class, `CacheError`; each class also inherits the built-in that a caller would catch, and
keeps the facts of its message as attributes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class CacheError(Exception):
    """Base of all errors that neurotools raises on purpose."""

    def __reduce__(self) -> Any:
        # Exceptions are made again from their message alone, for which ours take other arguments.
        return _made_again, (type(self), self.args, self.__dict__)

    def said_of(self, where: str) -> CacheError:
        """Return the same error, saying first where it arose."""
        error = _made_again(type(self), (f"{where}: {self}",), self.__dict__)
        error.__cause__ = self.__cause__
        return error


def _made_again(kind: type[CacheError], args: tuple[Any, ...], facts: dict[str, Any]) -> CacheError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(facts)
    return error


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


class UnknownParameter(WrongArguments, ValueError):
    """A function has no parameter of a name that is to be given a value once and for all."""


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


class CannotRebuild(CacheError, ValueError):
    """A call cannot be made again from what is kept of it."""


class VersionsDisagree(CacheError, ValueError):
    """Results of earlier code are not what the present code gives; none was taken over."""

    def __init__(self, told: str, combined: object) -> None:
        super().__init__(told)
        self.combined = combined


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


class CopyStopped(CacheError, OSError):
    """A place failed while results were copied, and did not come back."""

    def __init__(self, location: str, reason: object, copied: int) -> None:
        super().__init__(
            f"{location} cannot be used now: {reason}. {copied} results were copied before; run "
            "the same again when it is back, and it goes on from there"
        )
        self.location, self.reason, self.copied = location, reason, copied


class UnsupportedFunction(CacheError, TypeError):
    """A callable of a kind that cannot be memoized, or called in the way that was asked for."""

    def __init__(self, name: str, reason: str, action: str = "memoize") -> None:
        super().__init__(f"cannot {action} {name}: {reason}")
        self.name, self.reason = name, reason


class UnsafeBinding(CacheError, ValueError):
    """A function depends on something that the cache cannot follow."""

    def __init__(self, function: str, binding: str, reason: str) -> None:
        super().__init__(
            f"{function} depends on {binding}, which cannot be followed: {reason}. Pass it as an "
            "argument, or accept the risk of stale results with allow_mutable_bindings=True"
        )
        self.function, self.binding, self.reason = function, binding, reason


class InterfaceFailed(CacheError, RuntimeError):
    """The command of an interface has failed."""

    def __init__(
        self, interface: str, command: str, exit_code: int | None, stderr: str, folder: str
    ) -> None:
        printed = stderr.strip() or "(it printed nothing)"
        super().__init__(
            f"{interface} failed with exit code {exit_code}\nCommand: {command}\n"
            f"Standard error:\n{printed}\nThe folder stays for inspection: {folder}"
        )
        self.interface, self.command, self.exit_code = interface, command, exit_code
        self.stderr, self.folder = stderr, folder

    def __reduce__(self) -> Any:
        # Pools send what their workers raise.
        facts = (self.interface, self.command, self.exit_code, self.stderr, self.folder)
        return type(self), facts


class MissingExtra(CacheError, ImportError):
    """Something optional is needed and not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs more: pip install 'neurotools[{extra}]'")
        self.purpose, self.extra = purpose, extra


class UnusableCommand(CacheError, OSError):
    """A command, or a script that it depends on, is not there or cannot be run."""

    def __init__(self, command: str, reason: str, code: int = 126) -> None:
        super().__init__(f"{command}: {reason}")
        self.command, self.reason = command, reason
        #: The exit code that a shell gives.
        self.code = code


class UnreadableFile(CacheError, OSError):
    """A file whose content counts is not there, cannot be read, or is none."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path, self.reason = path, reason


class UnknownExecutor(CacheError, TypeError):
    """Calls cannot be given to this."""

    def __init__(self, executor: object, reason: str = "") -> None:
        told = f"{reason}; give" if reason else "give"
        super().__init__(
            f"cannot compute with executor={executor!r}: {told} None, a number of processes, "
            "a concurrent.futures executor or a Dask client"
        )
        self.executor, self.reason = executor, reason


class CannotTravel(CacheError, TypeError):
    """A call or its result cannot be sent between processes."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what} cannot travel to another process: {reason}")
        self.what, self.reason = what, reason


class WorkersLost(CacheError, RuntimeError):
    """Whoever was to make a call is gone: killed, shut down, or out of reach."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the worker or its executor is gone: {reason}")
        self.reason = reason


class FailedElsewhere(CacheError, RuntimeError):
    """Stands for an error in another process that cannot itself be sent here."""


class NotCalls(CacheError, TypeError):
    """The arguments of many calls were asked for, and something else was given."""

    def __init__(self, method: str, reason: str) -> None:
        super().__init__(f"{method} cannot tell the calls: {reason}")
        self.method, self.reason = method, reason


class OtherCode(CacheError, RuntimeError):
    """A worker would run other code than its caller."""

    def __init__(self, function: str, wanted: str, found: str) -> None:
        super().__init__(
            f"{function} is another version there, {found}, than here, {wanted}: a module was "
            "edited since it was loaded, or the packages differ. Restart the workers, or this "
            "process, so that all have the same"
        )
        self.function, self.wanted, self.found = function, wanted, found


class MissingDriver(CacheError, ImportError):
    """What reads and writes at a URL is not installed."""

    def __init__(self, url: str, package: str, reason: str = "") -> None:
        told = f" ({reason})" if reason else ""
        needed = f"'neurotools[remote]' {package}".rstrip()
        super().__init__(f"cannot keep a cache at {url} yet{told}: pip install {needed}")
        self.url, self.package, self.reason = url, package, reason


class Busy(CacheError, RuntimeError):
    """Somebody else computes what was asked for, and ``on_busy='raise'`` says not to wait.

    Attributes
    ----------
    function : str
        What is computed.
    holder : dict
        What is known of who computes: ``process``, ``host``, ``user``, ``job`` (of Slurm),
        ``started`` (seconds since the epoch, by the clock of that host).
    """

    def __init__(self, function: str, holder: Mapping[str, object], told: str) -> None:
        super().__init__(
            f"{function} is being computed with these arguments by {told}. Call again later; or "
            "wait for the result with on_busy='wait', which also takes over from a computer that "
            "has died; or compute it here as well with on_busy='compute'"
        )
        self.function, self.holder, self._told = function, dict(holder), told

    def __reduce__(self) -> tuple[type[Busy], tuple[object, ...]]:
        return type(self), (self.function, self.holder, self._told)  # out of a pool of processes


class WrongLayer(CacheError, TypeError, ValueError):
    """A layer, or a chain of them, is not put together as it has to be."""

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"{layer}: {reason}")
        self.layer, self.reason = layer, reason


class UnknownField(CacheError, AttributeError):
    """A layer has no such field, or needs one that the layers before it do not have."""

    def __init__(self, layer: str, field: str, known: Iterable[str], needed_by: str = "") -> None:
        names = sorted(known)
        what = f"{needed_by} needs {field!r}, but {layer}" if needed_by else layer
        there = f"the fields there are: {', '.join(names)}" if names else "there are no fields"
        super().__init__(f"{what} has no field {field!r}; {there}")
        self.layer, self.field, self.known, self.needed_by = layer, field, names, needed_by


class UnknownId(CacheError, KeyError):
    """A field could not be computed for an id that the data set does not have."""

    #: That of a KeyError would be in quotes.
    __str__ = Exception.__str__

    def __init__(self, layer: str, field: str, wanted: object, ids: Iterable[object]) -> None:
        known = list(ids)
        some = ", ".join(map(repr, known[:5])) + (", ..." if len(known) > 5 else "")
        super().__init__(
            f"{layer}.{field}: there is no id {wanted!r}; the {len(known)} ids are: {some}"
        )
        self.layer, self.field, self.wanted = layer, field, wanted


class ImpureField(CacheError, ValueError):
    """A field that may differ from call to call was to be kept."""

    def __init__(self, layer: str, field: str, source: str) -> None:
        super().__init__(
            f"{layer} cannot keep {field!r}: it depends on {source}, which is impure. Leave the "
            "field out of the cache, or keep it for each value of that with impure=True"
        )
        self.layer, self.field, self.source = layer, field, source


class WrongPipeline(CacheError, ValueError):
    """A definition list is no graph of stages that can run."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"this pipeline cannot run: {reason}")
        self.reason = reason


class StageFailed(CacheError, RuntimeError):
    """A stage of a pipeline raised an error, which is the cause of this one."""

    def __init__(
        self, stage: str, inputs: dict[str, object], skipped: list[str], error: BaseException
    ) -> None:
        told = ", ".join(f"{name}={_shortly(value)}" for name, value in inputs.items())
        rest = f"Not run: {', '.join(skipped)}. " if skipped else ""
        super().__init__(
            f"stage {stage!r} failed with {type(error).__name__}: {error}. Its inputs: "
            f"{told or 'none'}. {rest}What has run is remembered where a stage has hash_output; "
            "run again to go on here"
        )
        self.stage, self.inputs, self.skipped = stage, inputs, skipped
        self.error = error

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.stage, self.inputs, self.skipped, self.error)


def _shortly(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # the user's own class may fail in any way there is
        text = f"<{type(value).__name__}, which cannot be shown: {type(error).__name__}>"
    return text if len(text) <= 80 else f"{text[:77]}..."
