"""How the documentation is built: `sphinx-build -W docs docs/_build/html`."""

import pkgutil
import re
from importlib import import_module

from sphinx.util import logging

import neurotools
import neurotools.jobs

project = "neurotools"
author = "neurotools developers"
copyright = "2026, neurotools developers"
version = release = neurotools.__version__

extensions = [
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_argparse_cli",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "sg_execution_times.rst"]
suppress_warnings = ["config.cache"]  # the gallery's settings hold functions, and cannot be kept
default_role = "autolink"
# On pages, a name in backticks is one of these unless it says where it is from.
rst_prolog = ".. py:currentmodule:: neurotools.jobs.cache\n"

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings give the types, in words
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_validation_checks: set[str] = set()


# What is copied are the lines to type: no prompts, and nothing that was printed.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

# The scripts of examples/ are run at each build, and a build fails with one of them.
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 3600,
    "plot_gallery": True,
    "doc_module": ("neurotools",),
    "reference_url": {"neurotools": None},
    "thumbnail_size": (480, 200),
    "capture_repr": (),
    "within_subsection_order": "FileNameSortKey",
}

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_title = "neurotools"


def setup(app):
    """Have a build warn, and so fail, where a public name is not in the reference."""
    app.connect("env-check-consistency", _all_is_documented)
    app.connect("html-page-context", _lead_back)


def _all_is_documented(_app, env):
    doors = [
        f"neurotools.jobs.{door.name}" for door in pkgutil.iter_modules(neurotools.jobs.__path__)
    ]
    known = env.get_domain("py").objects
    for door in doors:
        for name in getattr(import_module(door), "__all__", ()):
            if not any(f"{other}.{name}" in known for other in doors):
                logging.getLogger(__name__).warning("%s.%s is not in the reference", door, name)


#: What a page of source code begins the source of a name with: the name, and a link back.
_BACK = re.compile(r'(?<=<div class="viewcode-block" id=")([^"]+)(">\n<a [^>]*href=")([^"]+)')


def _lead_back(app, page, _template, context, _doctree):
    """Have pages of source code lead back to where a name is in the reference.

    Sphinx takes it that all names of a module are documented under the same module.
    """
    if not page.startswith("_modules/") or "body" not in context:
        return
    places = {}
    for whole, place in app.env.get_domain("py").objects.items():
        to = app.builder.get_relative_uri(page, place.docname)
        places.setdefault(to, {})[whole] = f"{to}#{place.node_id}"

    def mended(found):
        name, between, link = found.groups()
        to, _, anchor = link.partition("#")
        there = places.get(to, {})
        if anchor not in there:
            same = (link for whole, link in there.items() if whole.endswith(f".{name}"))
            link = next(same, link)
        return f"{name}{between}{link}"

    context["body"] = _BACK.sub(mended, context["body"])
