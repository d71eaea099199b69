"""Fixtures for every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")  # a busy machine must not fail a test

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the repository.

    Without it the test is skipped with the reason, or, with ``CI=true``, fails: there it must run.
    """
    if not SHARED.is_dir():
        reason = f"{SHARED} is not there: the real data is no part of the project"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return SHARED
