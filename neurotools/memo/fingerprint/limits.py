"""What cannot be followed, by name: what then widens, is refused, or is only doubted."""

from __future__ import annotations

#: They can see any name of the module that they are used in, so that all of it counts.
SEES_MODULE = frozenset(
    {
        *("builtins.eval", "builtins.exec", "builtins.globals", "sys._getframe"),
        *("inspect.currentframe", "inspect.stack", "inspect.getmodule", "sys.modules"),
    }
)

#: Attributes through which the globals of a function can be seen.
SEES_GLOBALS = {"__globals__", "f_globals", "f_back", "gi_frame", "__closure__"}

#: Set by the import system in each module; they say where it lies, not what it does.
OF_IMPORT = {
    *("__name__", "__spec__", "__loader__", "__builtins__", "__path__", "__cached__"),
    *("__package__", "__annotations__"),
}

#: Modules whose numbers belong to the machine or to the version of Python, and do not count.
OF_MACHINE = frozenset(
    {
        *("sys", "os", "posix", "nt", "errno", "signal", "socket", "select", "ssl", "stat", "time"),
        *("threading", "multiprocessing", "platform", "resource", "mmap", "fcntl", "ctypes", "io"),
    }
)

#: They load code by a name that is only known when they run.
COMPUTED_IMPORTS = frozenset(
    {
        *("builtins.__import__", "importlib.import_module", "importlib.__import__"),
        *("runpy.run_path", "runpy.run_module", "importlib.util.spec_from_file_location"),
        *("frozen_importlib_external.spec_from_file_location", "pkgutil.resolve_name"),
        *("importlib.util.module_from_spec", "frozen_importlib.module_from_spec", "pydoc.locate"),
        *("frozen_importlib_external.SourceFileLoader", "importlib.metadata.EntryPoint"),
    }
)

OF_FILES = "what a file holds does not count, unless its path is given as File(path)"
_PICKLED = "what it names by text does not count"
_ENVIRONMENT = "environment variables do not count; pass their values as arguments"
_PROGRAM = "what other programs do does not count"
_CONTEXT = "settings of the whole interpreter do not count"
_CLOCK = "what time it is does not count"
_CHANCE = "the state of a random generator of the whole interpreter does not count"
_FOLDER = "what a folder holds does not count; pass the files as arguments instead"
_THREADS = "what threads have done does not count"
_LOGGING = "settings of loggers do not count"
_INSTALLED = "what is installed beside it does not count"
_ELSEWHERE = "what others answer does not count"

_MACHINE = "what differs between machines and runs does not count; pass it as an argument"
_SEED = "without a seed it gives other numbers each time"
_BINARY = "what is in a shared library does not count"

#: Name -> why a result may depend on something that does not count.
DOUBTFUL: dict[str, str] = {
    **dict.fromkeys(("builtins.open", "io.open", "_io.open", "os.open"), OF_FILES),
    **dict.fromkeys(
        ("numpy.load", "numpy.loadtxt", "numpy.genfromtxt", "numpy.fromfile"), OF_FILES
    ),
    **dict.fromkeys(("pandas.read_csv", "pandas.read_pickle"), OF_FILES),
    **dict.fromkeys(("pickle.load", "pickle.loads", "marshal.loads"), _PICKLED),
    **dict.fromkeys(("os.environ", "os.getenv", "os.environb"), _ENVIRONMENT),
    **dict.fromkeys(("subprocess.run", "subprocess.Popen", "subprocess.call"), _PROGRAM),
    **dict.fromkeys(("subprocess.check_output", "subprocess.check_call", "os.system"), _PROGRAM),
    **dict.fromkeys(("decimal.getcontext", "locale.getlocale", "numpy.geterr"), _CONTEXT),
    **dict.fromkeys(("decimal.Decimal", "decimal.setcontext", "decimal.localcontext"), _CONTEXT),
    **dict.fromkeys(("numpy.seterr", "numpy.get_printoptions"), _CONTEXT),
    **dict.fromkeys(("numpy.set_printoptions", "numpy.array2string"), _CONTEXT),
    **dict.fromkeys(("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns"), _CLOCK),
    **dict.fromkeys(("time.perf_counter", "time.perf_counter_ns", "time.process_time"), _CLOCK),
    **dict.fromkeys(("time.localtime", "time.gmtime", "time.strftime", "time.ctime"), _CLOCK),
    **dict.fromkeys(("datetime.datetime.now", "datetime.datetime.today"), _CLOCK),
    **dict.fromkeys(("datetime.datetime.utcnow", "datetime.date.today"), _CLOCK),
    **dict.fromkeys(("uuid.uuid1", "uuid.uuid4", "os.urandom"), _CHANCE),
    **dict.fromkeys(("os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob"), _FOLDER),
    **dict.fromkeys(("os.path.exists", "os.path.isfile", "os.path.isdir", "os.stat"), _FOLDER),
    **dict.fromkeys(("pkgutil.get_data", "linecache.getline", "linecache.getlines"), OF_FILES),
    **dict.fromkeys(("fileinput.input", "fileinput.FileInput"), OF_FILES),
    "importlib.util.find_spec": _INSTALLED,
    **dict.fromkeys(("codecs.lookup_error", "codecs.register_error"), _CONTEXT),
    **dict.fromkeys(
        ("sys.argv", "sys.stdin", "sys.flags", "sys.orig_argv", "builtins.input"), _MACHINE
    ),
    **dict.fromkeys(
        ("os.getcwd", "os.cpu_count", "os.getpid", "os.getlogin", "os.uname"), _MACHINE
    ),
    **dict.fromkeys(("pathlib.Path.cwd", "pathlib.Path.home", "os.path.expanduser"), _MACHINE),
    **dict.fromkeys(("platform.node", "platform.platform", "getpass.getuser"), _MACHINE),
    **dict.fromkeys(("os.path.expandvars", "tempfile.gettempdir", "shutil.which"), _MACHINE),
    "sys.getrecursionlimit": _MACHINE,
    **dict.fromkeys(("os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), _PROGRAM),
    **dict.fromkeys(("asyncio.create_subprocess_exec", "os.spawnv", "os.execv"), _PROGRAM),
    **dict.fromkeys(("pandas.Timestamp.now", "pandas.Timestamp.today"), _CLOCK),
    **dict.fromkeys(("os.path.getsize", "os.path.getmtime", "os.path.islink"), _FOLDER),
    **dict.fromkeys(("h5py.File", "zipfile.ZipFile", "pandas.HDFStore", "io.FileIO"), OF_FILES),
    **dict.fromkeys(("mmap.mmap", "numpy.memmap", "tarfile.open", "shelve.open"), OF_FILES),
    **dict.fromkeys(("xml.etree.ElementTree.parse", "PIL.Image.open"), OF_FILES),
    **dict.fromkeys(("ctypes.CDLL", "ctypes.cdll", "numpy.ctypeslib.load_library"), _BINARY),
    **dict.fromkeys(("matplotlib.rcParams", "matplotlib.pyplot.rcParams"), _CONTEXT),
    **dict.fromkeys(("pandas.get_option", "pandas.options"), _CONTEXT),
}

#: Functions of any library that read a file when they have one of these names.
_READING = frozenset(
    {
        *("load", "loadmat", "loadtxt", "load_npz", "genfromtxt", "imread", "mmread", "open"),
        *("open_memmap", "fromregex", "fromfile", "open_dataset"),
    }
)

#: Module -> why a result may depend on any function in it. Classes in it are no reason.
DOUBTFUL_MODULES: dict[str, str] = {
    **dict.fromkeys(("random", "secrets", "numpy.random"), _CHANCE),
    **dict.fromkeys(("sqlite3", "socket", "requests", "urllib.request", "http.client"), _ELSEWHERE),
    **dict.fromkeys(("importlib.metadata", "pkg_resources"), _INSTALLED),
    "importlib.resources": OF_FILES,
}

#: They are given what decides, or have nothing to do with it.
_CERTAIN = frozenset(("numpy.random.default_rng", "secrets.compare_digest"))

#: Method -> why a result may depend on what it finds.
DOUBTFUL_METHODS: dict[str, str] = {
    **dict.fromkeys(("read_text", "read_bytes", "open"), OF_FILES),
    **dict.fromkeys(("iterdir", "rglob", "glob", "exists", "is_file", "is_dir", "stat"), _FOLDER),
    **dict.fromkeys(("is_set", "locked"), _THREADS),
    **dict.fromkeys(("isEnabledFor", "getEffectiveLevel", "getChild"), _LOGGING),
    **dict.fromkeys(("default_rng()", "RandomState()", "SeedSequence()", "Random()"), _SEED),
}


def doubtful(name: str) -> str | None:
    """Return why a result may depend on something that does not count, if it uses a name."""
    if (reason := DOUBTFUL.get(name)) is not None:
        return reason
    module, _, last = name.rpartition(".")
    if module and (last in _READING or last.startswith("read_")):
        return OF_FILES
    return None if last[:1].isupper() or name in _CERTAIN else DOUBTFUL_MODULES.get(module)
