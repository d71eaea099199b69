"""Fixtures for every test."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")  # a busy machine must not fail a test

# Asking settles it: TorchRL, once imported, would make it "spawn" for all tests that follow.
multiprocessing.get_start_method()

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def unavailable(reason: str) -> NoReturn:
    """Skip the test with the reason, or, with ``CI=true``, fail it: there it must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the repository; without it the test cannot run."""
    if not SHARED.is_dir():
        unavailable(f"{SHARED} is not there: the real data is no part of the project")
    return SHARED
