"""A cache for research functions: results that are remembered, and never wrong."""

__version__ = "1.0.0.dev0"


def load_ipython_extension(shell: object) -> None:
    """Add ``%%cached`` to a notebook; what ``%load_ext neurotools`` calls.

    Parameters
    ----------
    shell : InteractiveShell
        The notebook's.
    """
    # Not imported by name: the package must load quickly, and nothing below may depend on it.
    __import__("neurotools.jobs.notebook", fromlist=["load"]).load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Take ``%%cached`` away again; what ``%unload_ext neurotools`` calls.

    Parameters
    ----------
    shell : InteractiveShell
        The notebook's.
    """
    shell.magics_manager.magics["cell"].pop("cached", None)  # type: ignore[attr-defined]
