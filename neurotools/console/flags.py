"""The flags of ``neurotools-memo``: one table, from which they are read, helped with and completed.

Not `argparse`: flags end at the first word of the command, and a skipped command is to cost little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Flag(NamedTuple):
    """One flag."""

    names: tuple[str, ...]
    value: str
    """What its value is called; nothing for a flag without one."""
    many: bool
    """Whether it may be given several times."""
    told: str
    completes: str = ""
    """What a shell offers for its value: files, folders, variables, or words."""

    @property
    def key(self) -> str:
        """By which name its value is known."""
        return self.names[-1].lstrip("-")


FLAGS = (
    Flag(
        ("-d", "--hash_output"),
        "DIR",
        False,
        "Remember the command in this folder; it is made where it is missing. Without it, the "
        "command runs each time.",
        "folders",
    ),
    Flag(
        ("-c", "--dependents"),
        "FILE",
        True,
        "Another script or command that the command depends on: it runs again when this one "
        "changes. Once for each.",
        "files",
    ),
    Flag(
        ("-o", "--outputs"),
        "PATH",
        True,
        "A file or folder that the command makes: it runs again when this one is missing or "
        "changed. Once for each.",
        "files",
    ),
    Flag(
        ("-i", "--inputs"),
        "PATH",
        True,
        "A file or folder that the command reads: it runs again when its content changes. "
        "Arguments that are files need none; folders do. Once for each.",
        "files",
    ),
    Flag(
        ("-e", "--env"),
        "NAME",
        True,
        "A variable of the environment whose value counts. Once for each.",
        "variables",
    ),
    Flag(
        ("--stdin",),
        "",
        False,
        "What comes from the standard input counts. It is read to its end, and then given to the "
        "command.",
    ),
    Flag(
        ("-k", "--kill"),
        "",
        False,
        "If the command fails, end the parent process, too: the script that called us. It gets "
        "SIGTERM.",
    ),
    Flag(
        ("--replay",),
        "",
        False,
        "Keep what the command prints, and print it when the command is skipped.",
    ),
    Flag(
        ("--restore",),
        "",
        False,
        "Keep a copy of the outputs, and put them back where they are missing or changed.",
    ),
    Flag(
        ("--tier",),
        "PLACE",
        True,
        "One more place where runs and outputs are kept, such as a folder that computers share. "
        "Once for each, fast to slow.",
        "folders",
    ),
    Flag(("-f", "--force"), "", False, "Run the command in any case, and remember the new run."),
    Flag(
        ("-n", "--name"),
        "NAME",
        False,
        "Name of the files for people, NAME.inputs, NAME.stage and NAME.outputs; by default that "
        "of the command, up to its first dot.",
    ),
    Flag(
        ("-p", "--parallel"),
        "N",
        False,
        "Run the command several times, N at once: behind the command, --arg0 WORDS --arg1 WORDS "
        "... give the arguments of each run, --arg_output0 PATHS ... its outputs. Each is "
        "remembered in a folder of its own, DIR/parallel0, DIR/parallel1, ...",
    ),
    Flag(
        ("--verbose",),
        "",
        False,
        "Say on standard error what is run or skipped, and for what reason.",
    ),
    Flag(
        ("--log_file",),
        "FILE",
        False,
        "Write the same, with the time, at the end of this file.",
        "files",
    ),
    Flag(
        ("--completion",),
        "SHELL",
        False,
        "Print what makes a shell complete these flags: bash, zsh or fish.",
        "bash zsh fish",
    ),
    Flag(("--version",), "", False, "Print the version."),
    Flag(("-h", "--help"), "", False, "Print this page."),
)

_BY_NAME = {name: flag for flag in FLAGS for name in flag.names}
#: Flags whose original took several values: whoever gives two means both.
_TOOK_SEVERAL = ("dependents", "outputs")


class WrongFlags(Exception):
    """What was typed is no use of the command."""


class Options(dict[str, Any]):
    """What the flags say, by key."""

    def __getattr__(self, key: str) -> Any:
        return self[key]


def read(typed: Sequence[str]) -> tuple[Options, list[str]]:
    """Return what the flags say, and the words of the command.

    Raises
    ------
    WrongFlags
        If one is unknown, or has no value or a wrong one.
    """
    options = Options()
    for flag in FLAGS:
        options[flag.key] = [] if flag.many else None if flag.value else False
    left, last = list(typed), ""
    while left:
        word = left.pop(0)
        if word == "--":
            break
        if options.parallel and _is_group(word):
            # The words behind it are its own, up to the command, which -- announces.
            end = left.index("--") if "--" in left else len(left)
            groups, command = [word, *left[:end]], left[end + 1 :]
            return _checked(options, [*command, *groups])
        if not word.startswith("-") or word == "-":
            left.insert(0, word)
            _require_one_value_each(options, last, left)
            break
        last = _take(options, word, left)
    return _checked(options, left)


def _is_group(word: str) -> bool:
    return word.startswith("--arg") and word.partition("=")[0][-1:].isdecimal()


def _checked(options: Options, words: list[str]) -> tuple[Options, list[str]]:
    if not words and not (options.help or options.version or options.completion):
        raise WrongFlags("there is no command")
    if "://" in (options.hash_output or ""):
        raise WrongFlags("-d takes a folder of this computer; a URL is given with --tier, besides")
    if (number := options.parallel) is not None:
        if not number.isdecimal() or not int(number):
            raise WrongFlags(f"-p takes a number from 1 on, not {number!r}")
        options["parallel"] = int(number)
    return options, words


def _take(options: Options, word: str, left: list[str]) -> str:
    """Take in one word of flags, and what belongs to it; return the key of the last of them."""
    name, equals, value = word.partition("=")
    if word.startswith("--"):
        flag = _BY_NAME.get(name) or _BY_NAME.get(f"--{name[2:].replace('-', '_')}")
        attached = value if equals else None
    else:
        # Short ones may be joined, and their value attached: -kd DIR, -dDIR, -d=DIR.
        flag, attached = _BY_NAME.get(word[:2]), word[2:] or None
        if flag is not None and flag.value and attached is not None:
            attached = attached.removeprefix("=")
    if flag is None:
        raise WrongFlags(f"unknown flag {name}; flags of the command stand behind the command")
    if not flag.value:
        if attached is not None and word.startswith("--"):
            raise WrongFlags(f"{name} takes no value")
        options[flag.key] = True
        return flag.key if attached is None else _take(options, f"-{attached}", left)
    if attached is None and not left:
        raise WrongFlags(f"{word} needs a value: {flag.value}")
    given = left.pop(0) if attached is None else attached
    if not given:
        raise WrongFlags(f"the value of {name} is empty")
    if flag.many:
        options[flag.key].append(given)
    else:
        options[flag.key] = given
    return flag.key


def _require_one_value_each(options: Options, last: str, command: list[str]) -> None:
    """Refuse ``-o one two -d DIR command``, which would run `two`."""
    folder = _BY_NAME["-d"].names
    behind = any(word.partition("=")[0] in folder for word in command[1:])
    if last in _TOOK_SEVERAL and options.hash_output is None and behind:
        name = next(flag.names[0] for flag in FLAGS if flag.key == last)
        raise WrongFlags(
            f"{command[0]!r} would be run as the command. If it belongs to {name}, write {name} "
            f"before it, too; if it is the command, write -- before it"
        )


def groups(words: Sequence[str]) -> tuple[list[str], dict[int, list[str]], dict[int, list[str]]]:
    """Return the command of ``-p``, and the arguments and the outputs of each run.

    Raises
    ------
    WrongFlags
        If there are no arguments, or outputs without arguments.
    """
    command: list[str] = []
    arguments: dict[int, list[str]] = {}
    outputs: dict[int, list[str]] = {}
    into = command
    for word in words:
        name, equals, value = word.partition("=")
        kind = name.rstrip("0123456789")
        if kind in {"--arg", "--arg_output"} and kind != name:
            found = arguments if kind == "--arg" else outputs
            into = found.setdefault(int(name[len(kind) :]), [])
            if equals:
                into.append(value)
        else:
            into.append(word)
    if not command:
        raise WrongFlags("there is no command")
    if not arguments:
        raise WrongFlags("-p needs the arguments of each run: --arg0 ... --arg1 ...")
    if unknown := outputs.keys() - arguments.keys():
        raise WrongFlags(f"--arg_output{min(unknown)} has no --arg{min(unknown)}")
    return command, dict(sorted(arguments.items())), outputs
