"""What a call gives back: outputs, inputs, and how it ran, as nipype's results have them."""

from __future__ import annotations

import copy
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neurotools.memo.digest.files import content
from neurotools.memo.errors import UndigestableValue
from neurotools.memo.nodes import spelled


class Bunch:
    """Named values as attributes.

    Parameters
    ----------
    values : dict
        The values.
    undefined : iterable of str
        Names that have none: nipype's ``Undefined`` where nipype is loaded, otherwise None.
    """

    def __init__(self, values: dict[str, Any], undefined: Iterable[str] = ()) -> None:
        self.__dict__.update(values)
        for name in undefined:
            self.__dict__.setdefault(name, _undefined())

    def get(self, name: str | None = None, default: Any = None) -> Any:
        """Return one value, or all of them as a dictionary."""
        return dict(self.__dict__) if name is None else self.__dict__.get(name, default)

    trait_get = dictcopy = get

    def get_traitsfree(self) -> dict[str, Any]:
        """Return those that are defined."""
        nothing = _undefined()
        return {name: value for name, value in self.__dict__.items() if value is not nothing}

    def items(self) -> list[tuple[str, Any]]:
        """Return names and values."""
        return list(self.__dict__.items())

    def copyable_trait_names(self) -> list[str]:
        """Return the names."""
        return list(self.__dict__)

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if isinstance(other, Bunch) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return "\n" + "".join(f"{name} = {value!r}\n" for name, value in sorted(self.items()))


def _undefined() -> Any:
    import sys

    base = sys.modules.get("nipype.interfaces.base")
    return None if base is None else base.Undefined


def brought(made: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a call that its record does not hold, such as arrays."""
    trees = record["inputs"].items()
    return {name: getattr(made.inputs, name) for name, tree in trees if spelled.is_shown(tree)}


class Result:
    """The result of one call.

    Attributes
    ----------
    outputs : Bunch
        What the interface gives.
    inputs : dict
        What it was given.
    runtime : Bunch
        How it ran: command line, what it printed, exit code, duration in seconds, folder.
    interface : class
        What ran.
    folder : str
        Where.
    files : list of str
        All files that it made there.
    placed : list of str
        Where ``copy_to`` or ``link_to`` have put its files.
    """

    provenance = None
    version = 2.0

    def __init__(
        self,
        interface: type,
        folder: str,
        record: dict[str, Any],
        inputs: Sequence[str],
        kept: Sequence[Any] = (),
        brought: Mapping[str, Any] | None = None,
    ) -> None:
        self.interface, self.folder = interface, folder
        self._record, self._inputs, self._kept = record, inputs, kept
        self._brought = brought or {}
        self.placed: list[str] = []
        # Now: whoever has changed what a call gave must not change what the next one gives.
        self.outputs = Bunch(self._read("outputs"), record.get("undefined", ()))

    @property
    def inputs(self) -> dict[str, Any]:
        return {**self._read("inputs"), **self._brought}

    @property
    def runtime(self) -> Bunch:
        known = {"cwd": self.folder, **self._read("runtime")}
        return Bunch(copy.deepcopy(known))

    @property
    def files(self) -> list[str]:
        return [os.path.join(self.folder, *name.split("/")) for name in self._record["files"]]

    def _read(self, part: str) -> dict[str, Any]:
        return {
            name: spelled.read(tree, self.folder, self._inputs, self._kept)
            for name, tree in self._record.get(part, {}).items()
        }

    def copy_to(self, place: str | os.PathLike[str]) -> list[str]:
        """Copy the files among the outputs into a folder; return where they are now.

        A copy that is there already, and is the same, stays. The copies are the user's: to change
        them does not change what is remembered.
        """
        return self._put(place, _copied)

    def link_to(self, place: str | os.PathLike[str]) -> list[str]:
        """Put symbolic links to the files among the outputs into a folder; return the links."""
        return self._put(place, _linked)

    def _put(self, place: str | os.PathLike[str], put: Any) -> list[str]:
        target = os.path.abspath(os.fspath(place))
        os.makedirs(target, exist_ok=True)
        done = []
        for name in self._record["named"]:
            source = os.path.join(self.folder, *name.split("/"))
            there = os.path.join(target, *name.split("/"))
            os.makedirs(os.path.dirname(there), exist_ok=True)
            put(source, there)
            done.append(there)
        self.placed += done
        return done

    def __repr__(self) -> str:
        name = f"{self.interface.__module__}.{self.interface.__qualname__}"
        return f"<result of {name} in {self.folder}>"


def _copied(source: str, there: str) -> None:
    if _is_same(source, there):
        return
    if os.path.isdir(source):
        shutil.copytree(source, there, dirs_exist_ok=True)
        return
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(there), prefix=".copy-")
    os.close(descriptor)
    try:
        shutil.copy2(source, temporary)
        os.replace(temporary, there)
    except BaseException:
        os.unlink(temporary)
        raise


def _is_same(source: str, there: str) -> bool:
    try:
        return not os.path.islink(there) and content(there) == content(source)
    except UndigestableValue:
        return False


def _linked(source: str, there: str) -> None:
    if os.path.lexists(there):
        if os.path.islink(there) and os.readlink(there) == source:
            return
        if not os.path.islink(there):
            raise FileExistsError(17, "there is something else where a link is to be", there)
    temporary = f"{there}.{os.getpid()}"
    os.symlink(source, temporary)
    os.replace(temporary, there)
