"""Code objects: compared, and followed where there is no source.

Bytecode differs between Pythons, so a digest of it holds for one version only; it is what is left
where source is missing, or is not the source of the code that runs.
"""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

from neurotools.memo.digest.sha import sha224
from neurotools.memo.fingerprint.reads import READ, REBOUND, Import, Read, Reads

_NAMES = {
    *("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF"),
    *("LOAD_FROM_DICT_OR_GLOBALS", "LOAD_FROM_DICT_OR_DEREF"),
}
_ATTRIBUTES = {"LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "STORE_ATTR", "DELETE_ATTR"}
_REBINDING = {"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF", "DELETE_DEREF"}


def content(code: CodeType) -> tuple[Any, ...]:
    """Return what a code object does, without where it stands: equal for code that runs alike."""
    return (
        code.co_name,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags),
        code.co_code,
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        getattr(code, "co_exceptiontable", b""),
        tuple(map(_constant, code.co_consts)),
    )


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return content(value)
    if isinstance(value, (tuple, frozenset)):
        items = [repr(_constant(item)) for item in value]
        # The order of a set differs between processes.
        return type(value).__name__, tuple(sorted(items) if isinstance(value, frozenset) else items)
    return type(value).__name__, ascii(value)


def code_digest(code: CodeType) -> str:
    """Return a digest of a code object that holds for this version of Python."""
    version = "{}-{}.{}".format(sys.implementation.name, *sys.version_info)
    return f"{version}:{sha224(repr(content(code)).encode()).hex()[:32]}"


def nested(code: CodeType) -> list[CodeType]:
    """Return a code object and all those inside it, outermost first."""
    found = [code]
    for outer in found:  # which grows on the way
        found.extend(constant for constant in outer.co_consts if isinstance(constant, CodeType))
    return found


def reads_of_code(code: CodeType) -> Reads:
    """Return what a code object reads; coarser than `reads_of`, never narrower."""
    found = Reads(debug=True)
    for inner in nested(code):
        outer = {*code.co_freevars, *inner.co_names}
        _read_instructions(inner, outer, found)
    return found


def _read_instructions(code: CodeType, outer: set[str], found: Reads) -> None:
    """Note names with the attributes that follow each directly, and imports."""
    import dis

    root, module = "", Import(0, "")
    chain: tuple[str, ...] = ()
    constants: list[Any] = [None, None]
    for instruction in dis.get_instructions(code):
        operation, value = instruction.opname, instruction.argval
        if operation in _ATTRIBUTES:
            found.attributes.add(value)
            chain = (*chain, value)
            continue
        if root:
            found.use(Read(root, chain), READ)
        root, chain = (value if operation in _NAMES and value in outer else ""), ()
        if operation == "IMPORT_NAME":
            module = Import(constants[-2] or 0, value)
            found.imports.add(module)
            _import(module, constants[-1], found)
        elif operation in _REBINDING and value in outer:
            found.use(Read(value), REBOUND)
        elif operation == "LOAD_CONST":
            constants.append(value)
    if root:
        found.use(Read(root, chain), READ)


def _import(module: Import, names: Any, found: Reads) -> None:
    """Note what an import binds: the names taken, or else the whole modules."""
    first = module.module.partition(".")[0]
    whole = [module, *([] if module.level else [Import(0, first)])]
    targets = [Import(module.level, module.module, name) for name in names] if names else whole
    for target in targets:
        found.use(Read(target), READ)
