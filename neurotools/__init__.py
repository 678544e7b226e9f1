"""A cache for research functions: results that are remembered, and never wrong."""

__version__ = "1.0.0.dev0"
