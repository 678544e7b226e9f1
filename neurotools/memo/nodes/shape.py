"""An interface class -> what the cache asks of it: inputs, how each counts, version, program.

Any class will do that has the shape: inputs as attributes of ``inputs``, ``run(cwd=...)``, and a
result with ``outputs``. Not here: what real nipype classes tell besides (`nipyped`).
"""

from __future__ import annotations

import copy
import inspect
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from neurotools.memo.digest.files import File
from neurotools.memo.errors import WrongArguments
from neurotools.memo.nodes.alone import here

#: How an input counts: by its value; a path by the content there; a text by itself and, where it
#: names a file, by the content as well; or not at all.
VALUE, CONTENT, EITHER, NOT = "value", "content", "either", "not"


class Input(NamedTuple):
    """One input that has a value.

    Attributes
    ----------
    name : str
        Its name.
    value : object
        Plain Python: no traited containers.
    counts : str
        One of the constants above.
    """

    name: str
    value: Any
    counts: str


class Shape:
    """One interface class, with what its constructor takes.

    Parameters
    ----------
    interface : class
        The class.
    args, kwargs
        For its constructor.
    """

    #: Whether running changes the working directory of the process.
    changes_directory = False

    def __init__(
        self, interface: type, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> None:
        self.interface, self.args, self.kwargs = interface, args, dict(kwargs or {})
        self.name = f"{interface.__module__}.{interface.__qualname__}"

    def make(self, values: Mapping[str, Any]) -> Any:
        """Return an instance with these inputs.

        Raises
        ------
        WrongArguments
            If there is no such input.
        """
        made = self._made()
        for name, value in values.items():
            if name.startswith("_") or not hasattr(made.inputs, name):
                known = ", ".join(self._names(made)) or "none"
                raise WrongArguments(self.name, f"it has no input {name!r}; the inputs are {known}")
            setattr(made.inputs, name, self._absolute(made, name, value))
        return made

    def _made(self) -> Any:
        made = self.interface(*self.args, **self.kwargs)
        shared = inspect.getattr_static(type(made), "inputs", None)
        own = getattr(made, "__dict__", None)
        is_plain = shared is not None and not hasattr(shared, "__get__")
        if is_plain and own is not None and "inputs" not in own:
            # All instances have these: what one call is given must not be given to the next.
            made.inputs = shared() if inspect.isclass(shared) else copy.copy(shared)
        return made

    def settle(self) -> None:
        """Undo what merely looking at the class has left in it, and would count as its code."""

    def _names(self, made: Any) -> list[str]:
        inner = made.inputs
        names = {name: None for kind in reversed(type(inner).__mro__) for name in _declared(kind)}
        names.update(dict.fromkeys(getattr(inner, "__dict__", ())))
        return [name for name in names if not name.startswith("_") and hasattr(inner, name)]

    def _absolute(self, made: Any, name: str, value: Any) -> Any:
        """Return a value in which what names a file here does so in another folder, too."""
        return absolute(value, folders=self._counts(made, name) == CONTENT)

    def _counts(self, made: Any, name: str) -> str:
        for kind in type(made.inputs).__mro__:
            annotation = inspect.get_annotations(kind).get(name)
            if annotation is not None:
                return CONTENT if _means_file(annotation) else EITHER
        return EITHER

    def inputs(self, made: Any) -> list[Input]:
        """Return the inputs that have values, by name."""
        found = ((name, getattr(made.inputs, name)) for name in sorted(self._names(made)))
        return [Input(name, value, self._counts(made, name)) for name, value in found]

    def runs_always(self, made: Any) -> bool:
        """Tell whether an instance says that what it gives depends on more than its inputs."""
        return bool(getattr(made, "always_run", False))

    def check(self, made: Any) -> None:
        """Raise the interface's own error if its inputs cannot be run with."""

    def parameters(self) -> Iterator[inspect.Parameter]:
        """Yield the inputs as parameters, for ``help`` and completion."""
        made = self._made()
        for name in self._names(made):
            default = getattr(made.inputs, name)
            yield keyword(name, inspect.Parameter.empty if default is None else default)

    def help(self) -> str:
        """Return what the class says of itself, and its inputs."""
        lines = [inspect.getdoc(self.interface) or self.name, "", "Inputs", "------"]
        for parameter in self.parameters():
            given = parameter.default
            lines.append(parameter.name if given is parameter.empty else f"{parameter}")
        return "\n".join(lines)

    def version(self, made: Any) -> str | None:
        """Return the version of what an instance would run, where it can tell."""
        try:
            found = made.version
        except Exception:  # it may be told in any way, and it may fail in any
            return None
        found = found() if callable(found) else found
        return None if found is None else str(found)

    def program(self, made: Any) -> tuple[str, str] | None:
        """Return the name of the program that an instance runs, and where it is looked for."""
        command = getattr(made, "cmd", None)
        if not isinstance(command, str) or not (words := _words(command)):
            return None
        environ = getattr(made.inputs, "environ", None)
        path = environ.get("PATH") if isinstance(environ, Mapping) else None
        return words[0], path or os.environ.get("PATH", os.defpath)

    def command_line(self, made: Any) -> str:
        """Return what is said to run, asked in the folder in which it does."""
        command = getattr(made, "cmdline", None)
        return command if isinstance(command, str) else self.name

    def bring_inputs(self, made: Any, folder: str) -> None:
        """Copy the files into a folder that an instance would change."""

    def run(self, made: Any, folder: str, watch: dict[str, Any]) -> Any:
        """Run an instance in a folder.

        Parameters
        ----------
        made : object
            The instance.
        folder : str
            Where.
        watch : dict
            Gets what is known of the run, also where that fails.
        """
        result = made.run(cwd=folder)
        watch.update(facts(getattr(result, "runtime", None)))
        if watch.get("returncode") not in (0, None):
            watch.setdefault("traceback", f"exit code {watch['returncode']}")
        return result

    def outputs(self, result: Any) -> tuple[dict[str, Any], list[str]]:
        """Return the outputs of a result, and the names of those that have no value."""
        return facts(getattr(result, "outputs", None)), []


def keyword(name: str, default: Any) -> inspect.Parameter:
    """Return a parameter that is given by name."""
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)


def facts(holder: Any) -> dict[str, Any]:
    """Return the public attributes of an object, or the items of a dictionary."""
    if isinstance(holder, Mapping):
        return dict(holder)
    if holder is None:
        return {}
    if hasattr(holder, "_asdict"):
        return dict(holder._asdict())
    names = list(getattr(holder, "__dict__", ())) or list(getattr(holder, "__slots__", ()))
    return {name: getattr(holder, name) for name in names if not name.startswith("_")}


def absolute(value: Any, *, folders: bool) -> Any:
    """Return a value in which relative paths of files that exist are absolute.

    Parameters
    ----------
    value : object
        A path, or containers of paths; all else stays.
    folders : bool
        Whether those of folders are made absolute, too; only where it is known to be a path, as a
        word may be the name of a folder by chance.
    """
    if isinstance(value, (str, os.PathLike)):
        exists = os.path.exists if folders or isinstance(value, os.PathLike) else os.path.isfile
        try:
            if (
                not value
                or os.path.isabs(value)
                or not exists(place := os.path.join(here(), value))
            ):
                return value
        except (ValueError, TypeError):
            return value
        return type(value)(os.path.abspath(place))  # type: ignore[call-arg]
    if type(value) in (list, tuple):
        return type(value)(absolute(item, folders=folders) for item in value)
    if type(value) is dict:
        return {key: absolute(item, folders=folders) for key, item in value.items()}
    return value


def is_path(value: Any) -> bool:
    """Tell whether a value says itself that it is a path."""
    return isinstance(value, (File, os.PathLike))


def shape_of(interface: type, args: tuple[Any, ...] = (), kwargs: Any = None) -> Shape:
    """Return the shape of a class.

    Raises
    ------
    ValueError
        If it has no ``run``: it is no interface.
    """
    if not inspect.isclass(interface):
        kind = f"{type(interface).__module__}.{type(interface).__qualname__}"
        if callable(getattr(interface, "run", None)):
            remedy = f"give the class itself, {type(interface).__name__}, and inputs when calling"
            raise ValueError(f"an interface class is needed, not an instance of {kind}: {remedy}")
        raise ValueError(f"an interface class is needed, not {interface!r} (type {kind})")
    if not callable(getattr(interface, "run", None)):
        raise ValueError(
            f"{interface.__qualname__} is no interface class: it has no method run(cwd=...). "
            "Functions are remembered as they are; of a class, give a function that makes it"
        )
    # Whoever has a class of nipype's has loaded it.
    base = sys.modules.get("nipype.interfaces.base")
    if base is not None and issubclass(interface, base.BaseInterface):
        from neurotools.memo.nodes.nipyped import NipypeShape

        return NipypeShape(interface, args, kwargs)
    return Shape(interface, args, kwargs)


def _means_file(annotation: Any) -> bool:
    # Annotations are text under `from __future__ import annotations`.
    told = annotation if isinstance(annotation, str) else repr(annotation)
    return re.search(r"\b(File|Path)\b", told) is not None


def _declared(kind: type) -> list[str]:
    plain = [name for name, value in vars(kind).items() if not callable(value)]
    return [*inspect.get_annotations(kind), *plain]


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
