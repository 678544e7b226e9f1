"""A real kernel of Jupyter, in which cells are run as a notebook runs them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple


class Ran(NamedTuple):
    """What came of a cell: what it printed, what it displayed, and its error's name and text."""

    text: str
    html: str
    error: str
    outputs: list[Any]


class Kernel:
    """A kernel that runs."""

    def __init__(self, client: Any, nbformat: Any) -> None:
        self._client, self._nbformat = client, nbformat
        self._client.nb = nbformat.new_notebook()

    def run(self, source: str) -> Ran:
        """Run a cell."""
        cell = self._nbformat.new_code_cell(source)
        self._client.nb.cells.append(cell)
        number = len(self._client.nb.cells) - 1
        self._client.execute_cell(cell, number, store_history=True)
        text = "".join(out.text for out in cell.outputs if out.output_type == "stream")
        shown = [out.data for out in cell.outputs if "data" in out]
        error = "".join(
            f"{out.ename}: {out.evalue}" for out in cell.outputs if out.output_type == "error"
        )
        html = "".join(data.get("text/html", "") for data in shown)
        plain = "".join(data.get("text/plain", "") for data in shown)
        return Ran(text + plain, html, error, cell.outputs)

    def restart(self) -> None:
        """Begin anew, with nothing in memory."""
        manager, loop = self._client.km, self._client
        from jupyter_core.utils import run_sync

        loop.kc.stop_channels()
        run_sync(manager.restart_kernel)(now=True)
        loop.kc = manager.client()
        loop.kc.start_channels()
        run_sync(loop.kc.wait_for_ready)(timeout=60)
        loop.kc.allow_stdin = False


@contextlib.contextmanager
def kernel(folder: str) -> Iterator[Kernel]:
    """Have a kernel that runs in a folder."""
    import nbclient
    from nbformat import v4

    client = nbclient.NotebookClient(
        v4.new_notebook(),
        allow_errors=True,
        timeout=60,
        resources={"metadata": {"path": folder}},
        kernel_name="python3",
    )
    with client.setup_kernel():
        yield Kernel(client, v4)
