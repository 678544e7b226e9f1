"""Arguments -> Signature: binding, defaults, canonical values. Not here: its text (naming).

A canonical signature holds only small plain values, numpy scalars, paths, and a `Digested` for
everything else, so that it can be written into a file name and read back. Equal calls, however
spelled, have equal signatures; unequal values never do.
"""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

import numpy as np

from neurotools.memo.digest.files import File
from neurotools.memo.digest.values import digest
from neurotools.memo.entry import Digested, Signature
from neurotools.memo.errors import UndigestableValue, WrongArguments
from neurotools.memo.pathlike import is_path, is_plain_path

#: Longer text, bytes and integers are digested; so are containers with more leaves in all.
LITERAL_LENGTH = 128
LITERAL_LEAVES = 64

_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_BY_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

CodeName = Callable[[Any], str]


class Binder:
    """Binds the arguments of one function.

    Parameters
    ----------
    function : callable
        Whose parameters count.
    ignore : iterable of str
        Parameters that are left out of signatures, such as ``n_jobs``.

    Attributes
    ----------
    reads_files : bool
        Whether some parameter stands for a file's content.

    Raises
    ------
    ValueError
        If the function has no parameter of an ignored name.
    """

    def __init__(self, function: Callable[..., Any], ignore: Iterable[str] = ()) -> None:
        self.name = str(getattr(function, "__qualname__", function))
        self.signature = inspect.signature(function)
        self.ignore = frozenset([ignore] if isinstance(ignore, str) else ignore)
        parameters = self.signature.parameters.values()
        self._extra = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), None)
        self._keywords = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
        self._places = [p.name for p in parameters if p.kind in _BY_PLACE]
        self._by_keyword = frozenset(p.name for p in parameters if p.kind in _BY_KEYWORD)
        self._defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
        self._files = frozenset(p.name for p in parameters if _means_file(p.annotation))
        self.reads_files = bool(self._files)
        self._sorted = sorted(self.signature.parameters)
        #: Whether arguments have only to be sorted by name once they are bound shortly.
        self._is_usual = not (self._extra or self._keywords or self._files or self.ignore)
        if self._keywords is None and (unknown := self.ignore - set(self.signature.parameters)):
            names = ", ".join(self.signature.parameters) or "none"
            raise ValueError(f"ignore= names {sorted(unknown)}; the parameters are: {names}")

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Signature:
        """Return the arguments by name, defaults filled in, values untouched.

        Raises
        ------
        WrongArguments
            If the function does not take these arguments.
        """
        arguments = self._bound_shortly(args, kwargs)
        if arguments is None:
            arguments = self._bound(args, kwargs)
        if self._is_usual:
            return tuple([(name, arguments[name]) for name in self._sorted]), None
        named = {
            name: _as_files(value) if name in self._files else value
            for name, value in arguments.items()
            if name not in self.ignore
        }
        extra = named.pop(self._extra, ()) if self._extra else ()
        keywords = named.pop(self._keywords, {}) if self._keywords else {}
        pairs = [*named.items(), *keywords.items()]
        kept = ((name, value) for name, value in pairs if name not in self.ignore)
        return tuple(sorted(kept, key=lambda pair: pair[0])), tuple(extra) or None

    def _bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise WrongArguments(self.name, str(error)) from None
        bound.apply_defaults()
        return bound.arguments

    def _bound_shortly(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return what `_bound` does, or None where the call is wrong, or special in any way.

        It takes a tenth of the time.
        """
        if self._extra or self._keywords or len(args) > len(self._places):
            return None
        arguments = dict(zip(self._places, args))  # noqa: B905 - defaults stand for the rest
        if kwargs:
            if not self._by_keyword.issuperset(kwargs) or not arguments.keys().isdisjoint(kwargs):
                return None
            arguments.update(kwargs)
        if len(arguments) < len(self._sorted):
            arguments = {**self._defaults, **arguments}
        return arguments if len(arguments) == len(self._sorted) else None


def _means_file(annotation: Any) -> bool:
    """Return whether an annotation speaks of files, be it of one, of none or one, or of many."""
    # Annotations are text under `from __future__ import annotations`.
    if isinstance(annotation, str):
        return re.search(r"\bFile\b", annotation) is not None
    if annotation is File or File in getattr(annotation, "__metadata__", ()):
        return True
    return any(map(_means_file, get_args(annotation)))


def _as_files(value: Any) -> Any:
    """Return a value in which paths stand for the content of their files."""
    if isinstance(value, str) or is_path(value):
        return File(value)
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(map(_as_files, value))
    if type(value) is dict:
        return {key: _as_files(item) for key, item in value.items()}
    return value


def canonical(signature: Signature, code: CodeName) -> Signature:
    """Return the signature with its values in canonical form.

    Parameters
    ----------
    signature : Signature
        Any values.
    code : callable
        Stands for functions and classes among the values, see `digest`.

    Raises
    ------
    UndigestableValue
        Naming the argument that has no reliable digest.
    """
    named, extra = signature
    pairs = tuple([(name, _argument(value, code, name)) for name, value in named])
    if extra is None:
        return pairs, None
    return pairs, tuple(_argument(value, code, f"*args[{i}]") for i, value in enumerate(extra))


def canonical_value(value: Any, code: CodeName) -> Any:
    """Return one value in canonical form; canonical values stay as they are."""
    literal = _literal(value, [LITERAL_LEAVES])
    return _digested(value, code) if literal is NotImplemented else literal


def _argument(value: Any, code: CodeName, name: str) -> Any:
    # The commonest kinds first: each call on the way takes as long as the rule itself.
    rule = _PLAIN.get(type(value))
    if rule is not None and (literal := rule(value, [])) is not NotImplemented:
        return literal
    try:
        return canonical_value(value, code)
    except UndigestableValue as error:
        raise error.at(f"argument {name!r}") from None


def _literal(value: Any, leaves: list[int]) -> Any:
    """Return a value that can stand as it is, or NotImplemented."""
    leaves[0] -= 1
    if leaves[0] < 0:
        return NotImplemented
    rule = _LITERAL.get(type(value))
    if rule is None:
        return _path(value) if is_plain_path(type(value)) else NotImplemented
    return rule(value, leaves)


def _always(value: Any, leaves: list[int]) -> Any:  # noqa: ARG001 - one shape for all rules
    return value


def _short(value: Any, leaves: list[int]) -> Any:  # noqa: ARG001
    return value if len(value) <= LITERAL_LENGTH else NotImplemented


def _path(value: Any) -> Any:
    return value if len(str(value)) <= LITERAL_LENGTH else NotImplemented


def _small(value: int, leaves: list[int]) -> Any:  # noqa: ARG001
    return value if value.bit_length() <= 256 else NotImplemented


def _no_nan(value: Any, leaves: list[int]) -> Any:  # noqa: ARG001
    # The bits of a NaN do not survive being written as text; a digest keeps them.
    return NotImplemented if value != value else value


def _complex(value: complex, leaves: list[int]) -> Any:  # noqa: ARG001
    return NotImplemented if math.isnan(value.real) or math.isnan(value.imag) else value


def _sequence(value: Any, leaves: list[int]) -> Any:
    items = (
        [_literal(item, leaves) for item in value] if len(value) <= leaves[0] else [NotImplemented]
    )
    return NotImplemented if any(item is NotImplemented for item in items) else type(value)(items)


def _mapping(value: dict[Any, Any], leaves: list[int]) -> Any:
    # Keys stand as they are: what a dictionary takes for one key, a rule may not change.
    keys = _sequence(list(value), leaves)
    values = NotImplemented if keys is NotImplemented else _sequence(list(value.values()), leaves)
    return NotImplemented if values is NotImplemented else dict(zip(keys, values, strict=True))


_LITERAL: dict[type, Callable[[Any, list[int]], Any]] = {
    Digested: _always,
    type(None): _always,
    type(...): _always,
    bool: _always,
    int: _small,
    float: _no_nan,
    complex: _complex,
    str: _short,
    bytes: _short,
    tuple: _sequence,
    list: _sequence,
    set: _sequence,
    frozenset: _sequence,
    dict: _mapping,
    **dict.fromkeys([np.bool_, *(np.dtype(kind).type for kind in "bhilqBHILQ")], _always),
    **dict.fromkeys([np.float16, np.float32, np.float64], _no_nan),
}


#: Rules that need not know how many leaves there are.
_PLAIN = {kind: _LITERAL[kind] for kind in (type(None), bool, int, float, str, bytes)}


def _digested(value: Any, code: CodeName) -> Digested:
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else _qualified(kind)
    return Digested(name, _detail(value), digest(value, code))


def _qualified(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


@functools.lru_cache(maxsize=1024)
def _plain_array_detail(shape: tuple[int, ...], dtype: str) -> str:
    # numpy takes longer to spell a dtype than all else here.
    return f"{shape} {np.dtype(dtype)}"[:60]


def _detail(value: Any) -> str:
    """Return what a reader of the file name wants to know; never counted on to be unique."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biufcSU":
            return _plain_array_detail(value.shape, value.dtype.str)
        return f"{value.shape} {value.dtype}"[:60]
    if isinstance(value, File):
        return ""  # the content counts, not the path: here it would make a moved file another call
    if isinstance(value, str) or is_path(value):
        return str(value)[:60].encode("utf-8", "replace").decode()
    if inspect.isroutine(value) or inspect.isclass(value):
        return str(getattr(value, "__qualname__", ""))[:60]
    shape = getattr(value, "shape", None)
    if type(shape) is tuple:
        return str(shape)[:60]
    return (
        f"len {len(value)}" if isinstance(value, (list, tuple, dict, set, frozenset, bytes)) else ""
    )
