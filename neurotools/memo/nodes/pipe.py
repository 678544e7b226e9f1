"""An interface class as a function. Not here: what a call does (`calls`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from neurotools.memo.nodes.calls import Nodes
from neurotools.memo.nodes.result import Result
from neurotools.memo.nodes.shape import shape_of

Callback = Callable[[str, str], object]


class PipeFunc:
    """An interface class as a function: its inputs are keyword arguments.

    Parameters
    ----------
    interface : class
        The interface class, of nipype or of one's own: inputs as attributes of ``inputs``,
        ``run(cwd=...)``, and a result with ``outputs``.
    base_dir : str or path
        A folder that is there; each call runs in a folder of its own below it.
    callback : callable, optional
        Called after each call that gave a result, with the names of the class's folder and of the
        node's folder in it.
    args, kwargs
        What the constructor of the class takes.
    copy_to, link_to : str or path, optional
        Folder into which the files among the outputs are copied, or linked, after each call.
    allow_mutable_bindings : bool
        Whether to accept a class that depends on something that cannot be followed.

    Raises
    ------
    ValueError
        If it is no interface class, or there is no such folder.

    Examples
    --------
    >>> merge = PipeFunc(fsl.Merge, base_dir=".")  # doctest: +SKIP
    >>> out = merge(in_files=files, dimension="t")  # doctest: +SKIP
    """

    def __init__(
        self,
        interface: type,
        base_dir: str | os.PathLike[str],
        callback: Callback | None = None,
        *,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        copy_to: str | os.PathLike[str] | None = None,
        link_to: str | os.PathLike[str] | None = None,
        allow_mutable_bindings: bool = False,
        nodes: Nodes | None = None,
    ) -> None:
        shape = shape_of(interface, args, kwargs)
        self.interface, self.base_dir = interface, os.path.abspath(os.fspath(base_dir))
        if not os.path.isdir(self.base_dir):
            raise ValueError(f"base_dir should be an existing directory, not {self.base_dir}")
        self.callback, self._copy_to, self._link_to = callback, copy_to, link_to
        self._options = {
            "args": args,
            "kwargs": kwargs,
            "copy_to": copy_to,
            "link_to": link_to,
            "allow_mutable_bindings": allow_mutable_bindings,
        }
        self._nodes = nodes
        nodes = Nodes(self.base_dir) if nodes is None else nodes
        self._calls = nodes.calls(shape, strict=not allow_mutable_bindings)
        self.__name__ = self.__qualname__ = interface.__name__
        self.__module__ = interface.__module__
        self.__doc__, self.__signature__ = self._calls.help, self._calls.signature

    def __call__(self, /, **kwargs: Any) -> Result:
        """Return the result of the interface with these inputs.

        ``copy_to`` and ``link_to`` may be given with them, where they are no inputs themselves.
        """
        places = {"copy_to": self._copy_to, "link_to": self._link_to}
        for option in places.keys() & kwargs.keys() - self._calls.signature.parameters.keys():
            places[option] = kwargs.pop(option)
        result, name = self._calls(kwargs)
        if places["copy_to"] is not None:
            result.copy_to(places["copy_to"])
        if places["link_to"] is not None:
            result.link_to(places["link_to"])
        if self.callback is not None:
            self.callback(self._calls.folder, name)
        return result

    def __reduce__(self) -> Any:
        options = {**self._options, "nodes": self._nodes}
        return _pipe_func, (self.interface, self.base_dir, self.callback, options)

    def __repr__(self) -> str:
        return f"PipeFunc({self._calls.shape.name}, base_dir={self.base_dir})"


def _pipe_func(
    interface: type, base_dir: str, callback: Callback | None, options: dict[str, Any]
) -> PipeFunc:
    return PipeFunc(interface, base_dir, callback, **options)
