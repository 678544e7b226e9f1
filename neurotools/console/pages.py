"""What ``neurotools-memo`` prints about itself: its page, its flags as a table, completion."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator

from neurotools import __version__
from neurotools.console.flags import FLAGS, Flag, Options, WrongFlags
from neurotools.console.out import put

_NAME = "neurotools-memo"

_HEAD = """\
NAME
    neurotools-memo - run a command, unless nothing that counts has changed

SYNOPSIS
    neurotools-memo [FLAGS] COMMAND [ARGUMENTS]
    neurotools-memo -p N [FLAGS] COMMAND --arg0 ARGUMENTS --arg1 ARGUMENTS ...

DESCRIPTION
    Runs COMMAND, and remembers in DIR that it ended well. The next time it is skipped, if

      - it stands there with the same words, in the same working directory;
      - its script, and those named with -c, are the same by SHA-256;
      - files among its arguments have the same content, also behind a =, as in --mask=FILE;
      - what it made is there, unchanged: what -o names, and files among its arguments that
        were not there before.

    With -o, files among the arguments count by content alone, whatever their names. A failed
    command is never remembered, nor is one whose files were changed while it ran.

    Flags end at the first word of the command; -- may stand before it. The command has the
    terminal as if it was started alone, and its exit code is returned. Of two that start the
    same command, one runs it, and the other waits.

FLAGS
"""

_TAIL = """\
EXIT CODES
    That of the command; 0 if it was skipped; 128 and more if a signal has ended it; 127 if
    there is no such command, 126 if it cannot be run, 2 if the flags are wrong.

FILES
    DIR/NAME.inputs, DIR/NAME.stage, DIR/NAME.outputs
                      the last run, for people; JSON
    DIR/commands      what is remembered; to remove it is to forget
    DIR/kept          copies of outputs, with --restore

EXAMPLES
    neurotools-memo -d cache -o brain.nii.gz bet head.nii.gz brain.nii.gz -f 0.5
    neurotools-memo -d cache -c helpers.sh -o out -k ./preprocess.sh sub-01
    neurotools-memo -d cache --replay --verbose md5sum scan.nii
    zcat table.gz | neurotools-memo -d cache --stdin -o sorted sh -c 'sort > sorted'
    neurotools-memo -p 4 -d cache ./recon.sh --arg0 sub-01 --arg1 sub-02 --arg2 sub-03
"""


def show(options: Options) -> int:
    """Print what was asked for; return the exit code.

    Raises
    ------
    WrongFlags
        If there is no completion for a shell.
    """
    if options.help:
        text = page()
    elif options.version:
        text = f"{_NAME} {__version__}\n"
    else:
        text = completion(options.completion)
    return put(_NAME, text)


def page() -> str:
    """Return the whole page of help."""
    return f"{_HEAD}{''.join(_entries())}{_TAIL}"


def _entries() -> Iterator[str]:
    for flag in FLAGS:
        spelled = ", ".join(f"{name} {flag.value}".rstrip() for name in flag.names)
        told = textwrap.fill(flag.told, 90, initial_indent=" " * 8, subsequent_indent=" " * 8)
        yield f"    {spelled}\n{told}\n\n"


def table() -> str:
    """Return the flags as a table for the documentation, in reStructuredText."""
    rows = [".. list-table::", "   :header-rows: 1", "   :widths: 30 70", ""]
    rows += ["   * - Flag", "     - What it does"]
    for flag in FLAGS:
        spelled = ", ".join(f"``{name}``" for name in flag.names)
        told = textwrap.wrap(flag.told.replace("--arg", "\\-\\-arg"), 90)
        rows += [f"   * - {spelled}{f' ``{flag.value}``' if flag.value else ''}"]
        rows += [f"     {'- ' if not number else '  '}{line}" for number, line in enumerate(told)]
    return "\n".join(rows) + "\n"


def completion(shell: str) -> str:
    """Return what makes a shell complete the flags, and behind them the command's own words.

    Raises
    ------
    WrongFlags
        If there is none for this shell.
    """
    known = {"bash": _bash, "zsh": _zsh, "fish": _fish}
    if shell not in known:
        raise WrongFlags(f"there is no completion for {shell!r}; choose {', '.join(known)}")
    return known[shell]()


def _bash() -> str:
    valued = "|".join(name for flag in FLAGS if flag.value for name in flag.names)
    cases = "".join(
        f"            {'|'.join(flag.names)}) {_offer(flag)} ;;\n" for flag in _offered()
    )
    names = " ".join(name for flag in FLAGS for name in flag.names)
    return f"""\
# eval "$(neurotools-memo --completion bash)"
_neurotools_memo() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} i=1
    while (( i < COMP_CWORD )); do
        case ${{COMP_WORDS[i]}} in
            {valued}) (( i += 2 )) ;;
            --) (( i++ )); break ;;
            -*) (( i++ )) ;;
            *) break ;;
        esac
    done
    if (( i > COMP_CWORD )); then
        case ${{COMP_WORDS[COMP_CWORD-1]}} in
{cases}        esac
    elif (( i == COMP_CWORD )) && [[ $word == -* ]]; then
        COMPREPLY=( $(compgen -W "{names}" -- "$word") )
    elif (( i == COMP_CWORD )); then
        COMPREPLY=( $(compgen -c -f -- "$word") )
    elif type _command_offset > /dev/null 2>&1; then
        _command_offset "$i"
    else
        COMPREPLY=( $(compgen -f -- "$word") )
    fi
}}
complete -o filenames -F _neurotools_memo neurotools-memo
"""


def _offered() -> list[Flag]:
    return [flag for flag in FLAGS if flag.completes]


def _offer(flag: Flag) -> str:
    offers = {"files": "-f", "folders": "-d", "variables": "-v"}
    offer = offers.get(flag.completes, f'-W "{flag.completes}"')
    return f'COMPREPLY=( $(compgen {offer} -- "$word") )'


def _zsh() -> str:
    return f"autoload -U +X bashcompinit && bashcompinit\n{_bash()}"


def _fish() -> str:
    lines = []
    for flag in FLAGS:
        names = [f"-s {n[1:]}" if len(n) == 2 else f"-l {n[2:]}" for n in flag.names]
        first = flag.told.partition(".")[0].replace("'", "\\'")
        needs = " -r" if flag.value else ""
        lines.append(f"complete -c neurotools-memo {' '.join(names)}{needs} -d '{first}'")
    return "# neurotools-memo --completion fish | source\n" + "\n".join(lines) + os.linesep
