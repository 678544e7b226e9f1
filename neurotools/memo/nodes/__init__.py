"""Interfaces that run in folders of their own, and are not run again. Start with `calls`."""
