"""``gzip`` as an interface of nipype, which is loaded here."""

from __future__ import annotations

from nipype.interfaces.base import CommandLine, CommandLineInputSpec, File, TraitedSpec


class GzipInput(CommandLineInputSpec):  # type: ignore[misc,unused-ignore]
    in_file = File(exists=True, mandatory=True, argstr="-1 -c %s", position=0)
    out_file = File(argstr="> %s", position=-1, name_source="in_file", name_template="%s.gz")


class GzipOutput(TraitedSpec):  # type: ignore[misc,unused-ignore]
    out_file = File(exists=True)


class Gzip(CommandLine):  # type: ignore[misc,unused-ignore]
    _cmd = "gzip"
    input_spec, output_spec = GzipInput, GzipOutput
