"""What a definition reads from outside itself: names, with the attributes taken from each.

``np.linalg.norm(x)`` reads the chain ``linalg.norm`` of the name ``np``. Types and names in hints
are not read. Not here: reading a definition (`reader`), and what the names are bound to (`chains`).
"""

from __future__ import annotations

from neurotools.memo.rows import Row

# How a name is used. Only what is READ can change a result; the others tell what the code itself
# changes as it runs, such as a counter or a table of earlier results.
READ, CHANGED, REBOUND = 1, 2, 4

#: Stands among the attributes mentioned for those whose names are computed.
COMPUTED = "*"


class Import(Row):
    """What a name is bound to by an import statement inside a body.

    Attributes
    ----------
    level : int
        Number of leading dots.
    module : str
        Module imported.
    name : str, optional
        Name taken from it.
    """

    level: int
    module: str
    name: str | None = None


class Read(Row):
    """A name and the attributes taken from what it is bound to.

    Attributes
    ----------
    root : str or Import
        The name, or what an import statement in the body bound it to.
    chain : tuple of str
        Attributes, from the root outwards.
    declared : bool
        Whether the name is a global one even where a closure has the same name.
    """

    root: str | Import
    chain: tuple[str, ...] = ()
    declared: bool = False


class Reads:
    """All that a definition reads.

    Attributes
    ----------
    uses : dict
        Read to how it is used.
    computed : dict
        Read of ``eval`` and its like to the constant arguments of its calls, None for others.
    imports : set of Import
        Modules that import statements in the body load.
    attributes : set of str
        Every attribute mentioned, of whatever.
    debug : bool
        Whether the code differs under ``-O``: it asserts, or reads ``__debug__``.
    """

    __slots__ = ("attributes", "computed", "debug", "imports", "uses")

    def __init__(
        self,
        uses: dict[Read, int] | None = None,
        computed: dict[Read, list[str | None]] | None = None,
        imports: set[Import] | None = None,
        attributes: set[str] | None = None,
        *,
        debug: bool = False,
    ) -> None:
        self.uses = {} if uses is None else uses
        self.computed = {} if computed is None else computed
        self.imports = set() if imports is None else imports
        self.attributes = set() if attributes is None else attributes
        self.debug = debug

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reads):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def use(self, read: Read, how: int) -> None:
        """Note one use of a name."""
        self.uses[read] = self.uses.get(read, 0) | how
