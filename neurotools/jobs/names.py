"""Functions and their calls to names, and back; executes nothing.

Not here: where a cache keeps what has such a name (`entries`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from neurotools.memo import naming
from neurotools.memo.entry import Signature
from neurotools.memo.function import Memoized
from neurotools.memo.key import KeyMaker, code_name, key_maker
from neurotools.memo.signature import canonical
from neurotools.memo.supported import check_supported

__all__ = [
    "file_string_to_signature",
    "function_hash_no_subroutines",
    "function_hash_with_subroutines",
    "function_signature",
    "get_source",
    "signature_to_file_string",
]


def keys_of(f: Callable[..., Any]) -> KeyMaker:
    """Return the key maker of a memoized function, or one for a plain function."""
    inner = getattr(f, "__func__", f)
    if isinstance(inner, Memoized):
        return inner.keys
    check_supported(f)
    return key_maker(f)


def bound_to(f: Callable[..., Any]) -> tuple[Any, ...]:
    """Return the instance or class that a memoized method is bound to, its first argument."""
    memoized_method = isinstance(getattr(f, "__func__", None), Memoized)
    return (f.__self__,) if memoized_method else ()  # type: ignore[attr-defined]


def plain_function(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return what a memoized function computes with, or the function itself."""
    inner: Callable[..., Any] = getattr(f, "__func__", f)
    return inner.__wrapped__ if isinstance(inner, Memoized) else f  # type: ignore[attr-defined]


def get_source(f: Callable[..., Any]) -> str:
    """Return the source code of a function.

    Parameters
    ----------
    f : callable
        The function; decorators are looked through.

    Returns
    -------
    str
        The text of its definition.

    Raises
    ------
    UnsupportedFunction
        If there is no source, as for builtins.
    """
    from neurotools.memo.fingerprint import documented  # loads the parser, 20 ms

    return documented.get_source(plain_function(f))


def function_hash_no_subroutines(f: Callable[..., Any]) -> str:
    """Return a hash of a function's own definition.

    It depends on the undecorated source code, the docstring, the function's name, its module's
    name, and its parameters; not on functions that it calls, global variables or closures. It is
    the same in every process, on every supported Python.

    Parameters
    ----------
    f : callable
        The function.

    Returns
    -------
    str
        The hash, URL-safe base64.

    See Also
    --------
    function_hash_with_subroutines : depends on all code that the function reaches, too.
    """
    from neurotools.memo.fingerprint import documented  # loads the parser, 20 ms

    return documented.own_hash(plain_function(f))


def function_hash_with_subroutines(f: Callable[..., Any], force: bool = False) -> str:
    """Return a hash of a function's definition and of all that it reaches.

    Parameters
    ----------
    f : callable
        The function.
    force : bool
        Accepted for callers of earlier versions, which asked for it; it changes nothing.

    Returns
    -------
    str
        The hash, URL-safe base64.
    """
    from neurotools.memo.fingerprint import documented  # loads the parser, 20 ms

    del force
    return documented.deep_hash(plain_function(f))


def function_signature(f: Callable[..., Any]) -> str:
    """Return the text that names a function's cache folder: ``name + '.' + code``.

    The code is the function's fingerprint: it changes with the function's module, name, parameters
    and source, with the file's name, and with all code and constants that the function reaches. It
    does not change with comments, layout, type hints or docstrings.

    Parameters
    ----------
    f : callable
        The function.

    Returns
    -------
    str
        Module and name with dots, then 14 characters.
    """
    keys = keys_of(f)
    return f"{keys.folder.replace('/', '.')}.{keys.fingerprint.code}"


def signature_to_file_string(
    f: Callable[..., Any] | str,
    sig: Signature,
    mode: str = "repr",
    compressed: bool = True,
    base64encode: bool = True,
    truncate: bool = True,
) -> str:
    """Return a file name, without suffix, that holds an argument signature.

    Parameters
    ----------
    f : callable or str
        The function, or what `function_signature` returned for it.
    sig : Signature
        As `neurotools.jobs.ndecorator.argument_signature` returns it.
    mode : {'repr', 'json', 'pickle', 'human'}
        How the signature is written: as a Python literal, exact and safe; as JSON, which does not
        tell tuples from lists; as a pickle of literals; or as a Python call, for people.
    compressed : bool
        Whether to compress the text with zlib.
    base64encode : bool
        Whether to write it in URL-safe base64. Without it, characters that file systems refuse are
        written as ``%xx``.
    truncate : bool
        Whether a name that would be too long holds a digest instead of the signature.

    Returns
    -------
    str
        ``name.code.hash.key``.

    Raises
    ------
    UnknownChoice
        If there is no such mode.
    ValueError
        If compressed bytes are to be written without base64, or a name that is too long must not
        be truncated.
    """
    name = f if isinstance(f, str) else function_signature(f)
    stem = naming.stem(
        canonical(sig, code_name),
        mode=mode,
        compressed=compressed,
        base64encode=base64encode,
        truncate=truncate,
        room=naming.room_beside(len(name)),
    )
    return naming.file_string(name, stem)


def file_string_to_signature(
    filename: str, mode: str = "repr", compressed: bool = True, base64encode: bool = True
) -> Signature:
    """Return the argument signature that a file name holds; executes nothing.

    Parameters
    ----------
    filename : str
        As `signature_to_file_string` returned it, without suffix; only its last part counts.
    mode, compressed, base64encode
        As they were given to `signature_to_file_string`.

    Returns
    -------
    named : tuple of (str, object) pairs
        The arguments. What was too large to be written out is a `Digested`.
    extra : tuple or None
        Extra positional arguments, if any.

    Raises
    ------
    UnreadableName
        If there is none in it, as when it was truncated.
    """
    return naming.signature_of(
        filename, mode=mode, compressed=compressed, base64encode=base64encode
    )
