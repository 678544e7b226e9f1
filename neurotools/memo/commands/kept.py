"""What a command keeps besides its record, where that is asked for; whatever fails is told.

Loads what keeps it (`keeping`) only then: a skipped command does without.
"""

from __future__ import annotations

from typing import Any

from neurotools.memo.commands.call import Call
from neurotools.memo.commands.contents import Contents, File
from neurotools.memo.commands.records import Run
from neurotools.memo.commands.teller import Teller
from neurotools.memo.errors import CacheError


class Kept:
    """Copies of a command's outputs, and of its record in other places.

    Parameters
    ----------
    call : Call
        The command.
    folder : str
        Where it is remembered.
    contents : Contents
        Looks at files.
    tell : Teller
        Is told what fails.
    """

    def __init__(self, call: Call, folder: str, contents: Contents, tell: Teller) -> None:
        self._call, self._folder, self._contents, self._tell = call, folder, contents, tell
        self._made: Any = None
        self._was_tried = False

    def _keeper(self) -> Any:
        """Return what keeps outputs, or None where that cannot be."""
        if not self._was_tried:
            self._was_tried = True
            from neurotools.memo.commands.keeping import Keeper  # with numpy, 0.1 s

            try:
                self._made = Keeper([self._folder, *self._call.tiers])
            except (CacheError, ValueError, OSError) as error:
                self._tell.warn(f"outputs cannot be kept: {error}")
        return self._made

    def shared_runs(self) -> list[Run]:
        """Return the runs that other computers remember.

        Raises
        ------
        CorruptEntry
            If their record is damaged.
        """
        if not self._call.tiers or (keeper := self._keeper()) is None:
            return []
        runs: list[Run] = keeper.shared(self._call.slot)
        return runs

    def share(self, runs: list[Run]) -> None:
        """Keep a record for other computers."""
        if self._call.tiers and (keeper := self._keeper()) is not None:
            keeper.share(self._call.slot, self._call.cwd, runs)

    def keeps(self, makes: dict[str, File]) -> bool:
        """Keep copies of outputs; tell whether they are kept now."""
        if not self._call.restore or not makes or (keeper := self._keeper()) is None:
            return False
        kept = all(keeper.keep(file) for file in makes.values())
        if not kept:
            self._tell.warn("not all outputs could be kept; they cannot be restored")
        return kept

    def restored(self, run: Run, why: str) -> str:
        """Put outputs back.

        Parameters
        ----------
        run : Run
            The run that has made them.
        why : str
            What is missing or changed.

        Returns
        -------
        str
            Why that does not do, or nothing.
        """
        if not run.kept or (keeper := self._keeper()) is None:
            return why
        try:
            if not all(keeper.restore(file, self._contents) for file in run.makes.values()):
                return f"{why}, and is not kept"
        except (OSError, CacheError) as error:
            return f"{why}, and cannot be put back: {error}"
        self._tell.note(f"restored: {why}")
        return ""
