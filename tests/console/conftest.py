"""A folder in which commands are run by real shells."""

import pytest

from tests.shells import Place


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)
