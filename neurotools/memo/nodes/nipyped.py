"""What classes of real nipype tell of themselves. nipype is loaded by whoever has such a class."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from typing import Any

from neurotools.memo.nodes.shape import (
    CONTENT,
    EITHER,
    NOT,
    VALUE,
    Input,
    Shape,
    absolute,
    facts,
    keyword,
)

#: Of what is known of a run, what may hold secrets, or says nothing afterwards.
_NOT_KEPT = frozenset(["environ", "redirect_x", "resmon", "prevcwd", "dependencies"])


class NipypeShape(Shape):
    """A class derived from nipype's ``BaseInterface``."""

    changes_directory = True

    def settle(self) -> None:
        from traits.api import Disallow

        # traits keeps each name that somebody asks for, a misspelled one, say, as one that is
        # declared to be refused.
        specs = (getattr(self.interface, name, None) for name in ("input_spec", "output_spec"))
        for kind in dict.fromkeys(kind for spec in specs if spec for kind in spec.__mro__):
            declared = vars(kind).get("__class_traits__", {})
            unknown = vars(kind).get("__prefix_traits__", {}).get("")
            if unknown is not None and unknown.trait_type is Disallow:
                for name in [one for one, trait in list(declared.items()) if trait is unknown]:
                    declared.pop(name, None)

    def make(self, values: Mapping[str, Any]) -> Any:
        made = self._made()
        given = {name: self._absolute(made, name, value) for name, value in values.items()}
        made.inputs.trait_set(**given)
        return made

    def _absolute(self, made: Any, name: str, value: Any) -> Any:
        counts = self._counts(made, name)
        return absolute(value, folders=counts == CONTENT) if counts in (CONTENT, EITHER) else value

    def _counts(self, made: Any, name: str) -> str:
        trait = made.inputs.trait(name)
        if trait is None:
            return VALUE
        # What is in the environment is not hashed by nipype; here it counts.
        if trait.nohash and name != "environ":
            return NOT
        if trait.hash_files is False or trait.name_source:
            return VALUE
        kinds = list(_kinds(trait.trait_type))
        # A trait has whatever attribute one asks for: None, if nobody has set it.
        paths = [kind for kind in kinds if getattr(kind, "_is_dir", None) is not None]
        if any(kind.exists for kind in paths):
            # A folder to write to has to exist, and has other content after each run.
            is_target = name.startswith("out") and all(kind._is_dir for kind in paths)
            return VALUE if is_target else CONTENT
        if paths:  # to be read, or to be written: then it has other content after each run
            return VALUE if self._is_written(name, trait) else EITHER
        return EITHER if any(map(_is_any, kinds)) else VALUE

    def _is_written(self, name: str, trait: Any) -> bool:
        spec = getattr(self.interface, "output_spec", None)
        outputs = () if spec is None else spec.class_trait_names()
        return bool(name.startswith("out") or name in outputs or trait.genfile or trait.output_name)

    def inputs(self, made: Any) -> list[Input]:
        from nipype.interfaces.base import isdefined

        found = []
        for name, value in sorted(made.inputs.trait_get().items()):
            if isdefined(value) and (counts := self._counts(made, name)) != NOT:
                if counts == CONTENT and value == made.inputs.trait(name).default:
                    counts = VALUE  # "." or so, of the folder in which it will run
                found.append(Input(name, value, counts))
        return found

    def check(self, made: Any) -> None:
        made._check_mandatory_inputs()
        made._check_version_requirements(made.inputs)

    def parameters(self) -> Iterator[inspect.Parameter]:
        from nipype.interfaces.base import isdefined

        spec = self._made().inputs
        names = sorted(spec.copyable_trait_names(), key=lambda name: not spec.trait(name).mandatory)
        for name in names:
            value = getattr(spec, name)
            given = None if not isdefined(value) else value
            yield keyword(name, inspect.Parameter.empty if spec.trait(name).mandatory else given)

    def help(self) -> str:
        return str(self.interface.help(returnhelp=True))  # type: ignore[attr-defined]

    def bring_inputs(self, made: Any, folder: str) -> None:
        from nipype.interfaces.base import isdefined
        from nipype.interfaces.base.specs import get_filecopy_info
        from nipype.utils.filemanip import copyfiles, ensure_list

        for asked in get_filecopy_info(made) or ():
            files = getattr(made.inputs, asked["key"])
            if not isdefined(files) or not files:
                continue
            paths = [os.fspath(path) for path in ensure_list(files)]
            brought = copyfiles(paths, [folder], copy=bool(asked["copy"]), create_new=True)
            setattr(made.inputs, asked["key"], brought if isinstance(files, list) else brought[0])

    def run(self, made: Any, folder: str, watch: dict[str, Any]) -> Any:
        seen: list[Any] = []
        before = made._pre_run_hook

        def hook(runtime: Any) -> Any:
            seen.append(runtime)
            return before(runtime)

        # Where running raises, what it had come to, such as a command's output, is lost otherwise.
        made._pre_run_hook = hook
        try:
            result = made.run(cwd=folder)
            seen.append(result.runtime)
            return result
        finally:
            del made._pre_run_hook
            if seen:
                kept = facts(seen[-1])
                watch.update((name, kept[name]) for name in kept if name not in _NOT_KEPT)

    def outputs(self, result: Any) -> tuple[dict[str, Any], list[str]]:
        from nipype.interfaces.base import isdefined

        if result.outputs is None:
            return {}, []
        found = result.outputs.trait_get()
        defined = {name: value for name, value in found.items() if isdefined(value)}
        return defined, sorted(found.keys() - defined.keys())


def _kinds(kind: Any) -> Iterator[Any]:
    """Yield a trait's type and those of what it may hold."""
    yield kind
    for inner in kind.inner_traits() if hasattr(kind, "inner_traits") else ():
        yield from _kinds(getattr(inner, "trait_type", inner) or inner)
    for inner in getattr(kind, "handlers", None) or ():
        yield from _kinds(getattr(inner, "trait_type", inner) or inner)


def _is_any(kind: Any) -> bool:
    return type(kind).__name__ == "Any"
