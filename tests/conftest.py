"""Fixtures and settings for all tests."""

import os

import pytest
from hypothesis import settings

# Deadlines measure the machine, not the code. On a server the examples are the same each time.
settings.register_profile("here", deadline=None)
settings.register_profile("server", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("server" if os.environ.get("CI") else "here")


@pytest.fixture
def cache_dir(tmp_path):
    """Return a folder for a cache that does not exist yet."""
    return tmp_path / "cache"
