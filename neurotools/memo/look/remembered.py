"""Functions that remember, and what makes them, as notebooks show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from neurotools.memo import spoken
from neurotools.memo.look.glance import Glance, Kept, by_function, glance, total
from neurotools.memo.pages import parts
from neurotools.memo.pages.parts import Html

#: So many rows are shown, the largest.
_ROWS = 15
_COLUMNS = ("entries", "size", "last use", "loaded", "saved")


def function_html(memoized: Any) -> str:
    """Return what a function is and what is kept of it; never raises.

    Parameters
    ----------
    memoized : Memoized
        The function.
    """
    return _guarded(memoized, _function)


def cacher_html(cacher: Any) -> str:
    """Return where a decorator keeps results, and what is there; never raises.

    Parameters
    ----------
    cacher : Cacher
        The decorator.
    """
    return _guarded(cacher, _cacher)


def folders_html(name: str, roots: Iterable[tuple[str, str]]) -> str:
    """Return what some folders hold; never raises.

    Parameters
    ----------
    name : str
        What they are called.
    roots : iterable of (root, part)
        Caches, and which part of each.
    """
    return _guarded(name, lambda _: [parts.head(name, "cache"), *_folders(list(roots))])


def _guarded(shown: Any, work: Callable[[Any], Iterable[str]]) -> str:
    try:
        return parts.fragment(*work(shown))
    except Exception as error:  # a boundary: to show something never fails
        plain = parts.escape(f"{object.__repr__(shown)}: {type(error).__name__}: {error}")
        return parts.fragment(Html(f"<pre>{plain}</pre>"))


# ---------------------------------------------------------------- functions


def _function(memoized: Any) -> list[str]:
    info, hierarchy = memoized.cache_info(), memoized.hierarchy
    present, doubts = _present(memoized)
    here = f"{info.hits:,} loaded, {info.misses:,} computed"
    if info.uncached:
        here += f", {info.uncached:,} without the cache"
    shown: list[str] = [
        parts.head(f"{memoized.__module__}.{memoized.__qualname__}", "remembers", "good"),
        parts.facts(
            [
                ("kept as", _format(memoized)),
                ("kept in", ", ".join(tier.name for tier in info.tiers)),
                ("in this process", here),
                ("not used now", "; ".join(hierarchy.left_alone)),
            ]
        ),
    ]
    roots = [(tier.name, tier.root) for tier in hierarchy.tiers if isinstance(_root(tier), str)]
    for name, root in roots:
        if len(roots) > 1:
            shown.append(Html(f"<div>{parts.escape(name)}</div>"))
        shown += _versions(_glance(root, memoized.keys.folder), present)
    if doubts:
        shown.append(parts.fold("not followed", *map(_paragraph, doubts[:_ROWS])))
    return shown


def _root(tier: Any) -> Any:
    return getattr(tier, "root", None)


def _present(memoized: Any) -> tuple[str, Sequence[str]]:
    """Return the code of the present version, and what it depends on that is not followed."""
    try:
        fingerprint = memoized.keys.fingerprint
    except Exception as error:  # a boundary: what cannot be followed is told
        return "", [str(error)]
    return fingerprint.code, fingerprint.manifest.doubts


def _format(memoized: Any) -> str:
    told = [memoized.method]
    options = memoized._options
    if options.ignore:
        told.append(f"whatever {', '.join(options.ignore)}")
    if options.trace:
        told.append("as long as the files that it opens stay as they are")
    if not options.store:
        told.append("new results are not")
    return ", ".join(told)


def _versions(seen: Glance | str, present: str) -> list[str]:
    if isinstance(seen, str):
        return [_paragraph(seen)]
    if not seen.kept:
        return [_paragraph("nothing is kept of it yet")]
    newest_first = sorted(seen.kept, key=lambda one: (one.code != present, -one.last))
    rows = [
        [_version(one.code, is_present=one.code == present), *_figures(one)]
        for one in newest_first[:_ROWS]
    ]
    return _table("version", rows, seen, "version", seen.kept)


def _version(code: str, *, is_present: bool) -> Html:
    word = " <span class=dim>present</span>" if is_present else ""
    return Html(f"{parts.code(code)}{word}")


# ---------------------------------------------------------------- caches


def _cacher(cacher: Any) -> list[str]:
    options = cacher.options
    made = [f"as {options.form.method}"]
    if not options.store:
        made.append("new results are not kept")
    tiers = [tier.name for tier in cacher.tiers]
    facts = [
        ("keeps results", ", ".join(made)),
        ("in", " > ".join(tiers)),
        ("within", ", ".join(filter(None, map(_budget, cacher.tiers)))),
    ]
    roots = [(tier.root, "") for tier in cacher.tiers if isinstance(_root(tier), str)]
    return [parts.head("a decorator that makes functions remember"), parts.facts(facts),
            *_folders(roots)]  # fmt: skip


def _budget(tier: Any) -> str:
    budget = getattr(tier, "budget", None)
    if budget is None:
        return ""
    limits = [
        f"{spoken.size(budget.max_bytes)} at most" if budget.max_bytes else "",
        f"{budget.max_entries:,} entries at most" if budget.max_entries else "",
        f"{spoken.size(budget.min_free)} free" if budget.min_free else "",
    ]
    return ", ".join(filter(None, limits))


def _folders(roots: Sequence[tuple[str, str]]) -> list[str]:
    shown: list[str] = []
    for root, under in roots:
        if len(roots) > 1:
            shown.append(Html(f"<div>{parts.escape(root)}</div>"))
        seen = _glance(root, under)
        if isinstance(seen, str) or not seen.kept:
            shown.append(_paragraph(seen if isinstance(seen, str) else "nothing is kept there yet"))
            continue
        functions = by_function(seen.kept)
        rows = [
            [parts.code(one.function.replace("/", ".")), f"{one.versions:,}", *_figures(one)]
            for one in functions[:_ROWS]
        ]
        shown += _table("function", rows, seen, "function", functions, ("versions",))
    return shown


# ---------------------------------------------------------------- both


def _glance(root: str, under: str) -> Glance | str:
    """Return what is in a folder, or why that cannot be told."""
    try:
        return glance(root, under)
    except OSError as error:
        return f"cannot be looked at: {error}"


def _figures(kept: Kept) -> list[str]:
    return [
        f"{kept.entries:,}",
        spoken.size(kept.size),
        spoken.ago(kept.last),
        f"{kept.use.times:,}" if kept.use.times else "-",
        spoken.span(kept.use.seconds) if kept.use.seconds else "-",
    ]


def _table(
    first: str,
    rows: list[list[Any]],
    seen: Glance,
    what: str,
    every: Sequence[Kept],
    more: tuple[str, ...] = (),
) -> list[str]:
    header = (first, *more, *_COLUMNS)
    whole = total(seen.kept)
    told = [
        spoken.count(len(every), what),
        spoken.count(whole.entries, "entry", "entries"),
        spoken.size(whole.size),
    ]
    if whole.use.seconds:
        told.append(f"{spoken.span(whole.use.seconds)} saved")
    line = ", ".join(told)
    if not seen.is_whole:
        line = f"at least {line}: there was no time to count the rest (neurotools ls counts it)"
    elif len(every) > len(rows):
        line += f"; the {len(rows)} {'largest' if more else 'latest'} are shown"
    return [parts.table(header, rows, range(1, len(header))), _paragraph(line)]


def _paragraph(text: object) -> Html:
    return Html(f'<div class="dim">{parts.escape(text)}</div>')
