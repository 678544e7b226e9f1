"""Cells of a notebook that are remembered: read `cell` first."""
