"""A field whose values are kept: a node that looks into a cache before it computes.

Its memory is a `Memoized`, so that all promises of remembered functions hold for it. Its arguments
are what the caller gives, and what impure functions return; its code is all that leads to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from neurotools.memo.entry import Key, Signature
from neurotools.memo.errors import UnstorableValue, WrongArguments
from neurotools.memo.explanation import Explanation
from neurotools.memo.formats.base import Payload, PayloadFormat
from neurotools.memo.function import Memoized
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.key import KeyMaker
from neurotools.memo.layers.graph import Call, Given, Node, State, shared_among, value_of
from neurotools.memo.layers.steps import Steps, arguments_of
from neurotools.memo.many.run import shared_tier
from neurotools.memo.naming import safe_part
from neurotools.memo.options import Options
from neurotools.memo.travel import by_value

#: Folder of all fields below a cache.
FOLDER = "layers"

#: What the computation that is about to begin may find computed, and for which field.
_AT_HAND: ContextVar[tuple[Any, State] | None] = ContextVar("neurotools_layers", default=None)


class KeptNode:
    """A field whose values are kept.

    Parameters
    ----------
    name : str
        The field's.
    node : Node
        What it is computed by.
    hierarchy : Hierarchy
        Where values are kept.
    options : Options
        How.
    forms : tuple of PayloadFormat
        How values become bytes; the first that can hold a value does.
    """

    passes_on = True

    def __init__(
        self,
        name: str,
        node: Node,
        hierarchy: Hierarchy,
        options: Options,
        forms: tuple[PayloadFormat, ...],
    ) -> None:
        self.name, self.inputs = name, (node,)
        self.arguments = arguments_of(node)
        #: Whether all arguments are given by the caller.
        self.is_plain = all(isinstance(one, Given) for one in self.arguments)
        self._computing = computing = Computing(name, node, self.arguments)
        self.memory = FieldMemory(computing, hierarchy, options, forms)

    def compute(self, state: State) -> Any:
        values = [value_of(one, state) for one in self.arguments]
        token = _AT_HAND.set((self._computing, state))
        try:
            return self.memory(*values)
        finally:
            _AT_HAND.reset(token)


def stacked(node: Node) -> Iterator[KeptNode]:
    """Yield the caches that a field's value passes one after the other, the last first."""
    while isinstance(node, KeptNode):
        yield node
        node = node.inputs[0]


class Computing:
    """Computes a field from its arguments: what is remembered.

    Parameters
    ----------
    name : str
        The field's.
    node : Node
        What it is computed by.
    arguments : mapping
        Nodes whose values are given, and their names.
    """

    def __init__(self, name: str, node: Node, arguments: Mapping[Node, str]) -> None:
        self.node, self.arguments = node, arguments
        self.shared = shared_among((node,))
        self.__name__ = name
        while node.passes_on:
            node = node.inputs[0]
        layer = node.field.layer if isinstance(node, Call) else FOLDER
        self.__qualname__ = f"{layer}.{name}"
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        names = (name.replace("#", "_").replace(".", "_") for name in arguments.values())
        self.__signature__ = inspect.Signature([inspect.Parameter(one, kind) for one in names])

    def __call__(self, /, *values: Any) -> Any:
        if len(values) != len(self.arguments):
            told = (
                f"given {len(values)}, it takes {', '.join(self.arguments.values()) or 'nothing'}"
            )
            raise WrongArguments(self.__qualname__, told)
        at_hand = _AT_HAND.get()
        given = dict(zip(self.arguments, values, strict=True))
        state = State(given, self.shared)
        if at_hand is not None and at_hand[0] is self:
            # Whoever asks within this computation asks for something else.
            token = _AT_HAND.set(None)
            try:
                if all(at_hand[1].values.get(one) is value for one, value in given.items()):
                    state = at_hand[1]
                return value_of(self.node, state)
            finally:
                _AT_HAND.reset(token)
        return value_of(self.node, state)


class FieldKeys(KeyMaker):
    """Makes keys of a field's values.

    Parameters
    ----------
    computing : Computing
        What computes it.
    strict : bool
        Whether to refuse what depends on something that cannot be followed.
    **tracking
        Options of `Tracker`.
    """

    def __init__(self, computing: Computing, *, strict: bool, **tracking: Any) -> None:
        steps = Steps(computing.__name__, computing.node, computing.arguments, tracking)
        super().__init__(
            computing,
            strict=strict,
            folder=f"{FOLDER}/{safe_part(computing.__name__)}",
            tracker=steps,
        )
        self.steps = steps


class FieldMemory(Memoized):
    """Remembers the values of a field.

    Parameters
    ----------
    computing : Computing
        What computes it.
    hierarchy : Hierarchy
        Where values are kept.
    options : Options
        How.
    forms : tuple of PayloadFormat
        How values become bytes.
    """

    keys: FieldKeys
    asked: Any
    """Whoever has asked for it: what is sent to another process in its place."""

    def __init__(
        self,
        computing: Computing,
        hierarchy: Hierarchy,
        options: Options,
        forms: tuple[PayloadFormat, ...],
    ) -> None:
        strict = not options.allow_mutable_bindings
        keys = FieldKeys(computing, strict=strict, shelf=hierarchy, **options.tracking)
        super().__init__(computing, hierarchy, options, keys)
        self.asked: Any = None
        self._forms = forms
        self._others = tuple(form.method for form in forms[1:] if form.method != forms[0].method)

    def _find(self, key: Key) -> tuple[Any] | None:
        found = super()._find(key)
        for method in () if found is not None else self._others:
            found = found or super()._find(key._replace(method=method))
        return found

    def _encoded(self, value: Any) -> tuple[PayloadFormat, Payload]:
        for form in self._forms[:-1]:
            try:
                return form, form.encode(value)
            except UnstorableValue:
                pass  # the next one may hold it
        return self._forms[-1], self._forms[-1].encode(value)

    def _key_of(self, signature: Signature) -> Key:
        first = super()._key_of(signature)
        keys = [first, *(first._replace(method=method) for method in self._others)]
        return next((key for key in keys if self._hierarchy.has(key)), first)

    def _seems_there(self, key: Key) -> bool:
        methods = (key.method, *self._others)
        return any(super(FieldMemory, self)._seems_there(key._replace(method=m)) for m in methods)

    def is_there(self, key: Key) -> bool:
        return self._seems_there(key)

    @property
    def is_shared(self) -> bool:
        """Whether values are kept where other processes find them."""
        return shared_tier(self._hierarchy) is not None

    def explain(self, /, *args: Any, **kwargs: Any) -> Explanation:
        """Return why a value is kept or not, and which step has made the difference."""
        from neurotools.memo.layers.told import with_steps, without_doubts_of_files

        explained = with_steps(super().explain(*args, **kwargs), self.keys.steps)
        return without_doubts_of_files(explained) if self._options.trace else explained

    def __reduce_ex__(self, protocol: Any) -> Any:
        arrived, (_, made_of, folder, texts) = by_value(self, self.asked)
        return arrived, (memory_of, made_of, folder, texts)


def memory_of(asked: Any) -> Any:
    """Return the memory of a field that was sent here."""
    return asked.memory
