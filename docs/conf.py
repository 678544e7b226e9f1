"""How the documentation is built: `sphinx-build -W docs docs/_build/html`."""

import neurotools

project = "neurotools"
author = "neurotools developers"
copyright = "2026, neurotools developers"
version = release = neurotools.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.viewcode", "numpydoc"]
exclude_patterns = ["_build"]
default_role = "autolink"

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings give the types, in words
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_validation_checks: set[str] = set()

html_theme = "furo"
html_title = f"neurotools {release}"
