from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """Folder with five rows per dataset, in its raw format and our words."""
    return FIXTURES


@pytest.fixture
def xlam_rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / "xlam.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
def toolace_rows() -> list[dict[str, Any]]:
    text = (FIXTURES / "toolace.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def rlla_rows() -> list[dict[str, Any]]:
    return json.loads((FIXTURES / "rlla.json").read_text("utf-8"))


@pytest.fixture
def api_bank_rows() -> list[dict[str, Any]]:
    return json.loads((FIXTURES / "api_bank.json").read_text("utf-8"))
