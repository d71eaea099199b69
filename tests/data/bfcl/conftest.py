"""These tests need the official library: skipped with the command to install it, failed in CI."""

from __future__ import annotations

import pytest

from tests.conftest import unavailable
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.tools.suites.bfcl import Library, load_library


@pytest.fixture(autouse=True)
def library() -> Library:
    try:
        return load_library()
    except ConfigurationError as error:
        unavailable(str(error))
