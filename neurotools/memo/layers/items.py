"""A data set as a list of its entries, for PyTorch and others who ask for items by number."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from neurotools.memo.errors import UnknownField
from neurotools.memo.layers.asked import Asked
from neurotools.memo.layers.layer import Askable


class Items:
    """Entries of a data set by number, as ``torch.utils.data.DataLoader`` asks for them.

    Parameters
    ----------
    dataset : Chain or Source
        The data set.
    *fields : str
        The fields of an item; several are given as a tuple.
    ids : iterable, optional
        The ids, in order; by default, those of the data set.
    transform : callable, optional
        Called with what an item consists of, after all caches: for augmentation, or to make
        tensors of arrays. It has to be picklable where workers are started afresh.

    Raises
    ------
    UnknownField
        If there is no such field, or none is named.

    Notes
    -----
    It is picklable where the data set is: each worker has a memory cache of its own, and all share
    those on disk.

    Examples
    --------
    >>> from neurotools.jobs.layers import Source, meta
    >>> class Squares(Source):
    ...     @meta
    ...     def ids():
    ...         return (1, 2, 3)
    ...
    ...     def square(i):
    ...         return i * i
    >>> list(Items(Squares(), "square"))
    [1, 4, 9]
    """

    def __init__(
        self,
        dataset: Askable,
        *fields: str,
        ids: Iterable[Any] | None = None,
        transform: Callable[..., Any] | None = None,
    ) -> None:
        if not fields:
            raise UnknownField(dataset._layer_names()[-1], "", dataset._view.names, "Items")
        self.dataset, self.fields, self.transform = dataset, fields, transform
        self.ids = tuple(dataset.ids if ids is None else ids)
        self._load = self._loader()

    def _loader(self) -> Asked:
        fields = self.fields
        return self.dataset._compile(fields[0] if len(fields) == 1 else fields)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: Any) -> Any:
        loaded = self._load(self.ids[operator.index(index)])
        if self.transform is None:
            return loaded
        return self.transform(loaded) if len(self.fields) == 1 else self.transform(*loaded)

    def __iter__(self) -> Iterator[Any]:
        return (self[number] for number in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_load"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._load = self._loader()

    def __repr__(self) -> str:
        return f"<{len(self)} items ({', '.join(self.fields)}) of {self.dataset!r}>"
