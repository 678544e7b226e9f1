"""What cannot be followed, by name: what then widens, is refused, or is only doubted."""

from __future__ import annotations

#: They can see any name of the module that they are used in, so that all of it counts.
SEES_MODULE = frozenset(
    {
        *("builtins.eval", "builtins.exec", "builtins.globals", "sys._getframe"),
        *("inspect.currentframe", "inspect.stack", "sys.modules"),
    }
)

#: Attributes through which the globals of a function can be seen.
SEES_GLOBALS = {"__globals__", "f_globals", "f_back", "gi_frame", "__closure__"}

#: They load code by a name that is only known when they run.
COMPUTED_IMPORTS = frozenset(
    {
        *("builtins.__import__", "importlib.import_module", "importlib.__import__"),
        *("runpy.run_path", "runpy.run_module", "importlib.util.spec_from_file_location"),
    }
)

_FILE = "what a file holds does not count; pass File(path) as an argument instead"
_PICKLED = "what it names by text does not count"
_ENVIRONMENT = "environment variables do not count; pass their values as arguments"
_PROGRAM = "what other programs do does not count"
_CONTEXT = "settings of the whole interpreter do not count"

#: Name -> why a result may depend on something that does not count.
DOUBTFUL: dict[str, str] = {
    **dict.fromkeys(("builtins.open", "io.open", "_io.open", "os.open"), _FILE),
    **dict.fromkeys(("numpy.load", "numpy.loadtxt", "numpy.genfromtxt", "numpy.fromfile"), _FILE),
    **dict.fromkeys(("pandas.read_csv", "pandas.read_pickle"), _FILE),
    **dict.fromkeys(("pickle.load", "pickle.loads", "marshal.loads"), _PICKLED),
    **dict.fromkeys(("os.environ", "os.getenv", "os.environb"), _ENVIRONMENT),
    **dict.fromkeys(("subprocess.run", "subprocess.Popen", "subprocess.call"), _PROGRAM),
    **dict.fromkeys(("subprocess.check_output", "subprocess.check_call", "os.system"), _PROGRAM),
    **dict.fromkeys(("decimal.getcontext", "locale.getlocale", "numpy.geterr"), _CONTEXT),
}
