"""What the tests of the bundled samples share: the committed rows and the generator's scenes."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import toolrl_env.data.bundled
from toolrl_env.data.bundled.generate import Produced, produce
from toolrl_env.prompts.toolrl_reader import read_dialogue

FOLDER = Path(toolrl_env.data.bundled.__file__).parent
NAMES = (
    "toolace",
    "xlam",
    "xlam_irrelevance",
    "rlla",
    "api_bank_level1",
    "api_bank_level2",
    "api_bank_level3",
)


@cache
def rows_of(name: str) -> list[dict[str, Any]]:
    """Return the rows of a committed file."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@cache
def produced() -> dict[str, Produced]:
    """Return what the generator makes, once per test session."""
    return produce()


def user_texts(name: str, row: dict[str, Any]) -> list[str]:
    """Return what the user says in a raw row, in order."""
    if name.startswith("xlam"):
        return [row["query"]]
    if name == "toolace":
        return [turn["value"] for turn in row["conversations"] if turn["from"] == "user"]
    text = row["input"] if name == "rlla" else row["user"]
    said = [m.content for m in read_dialogue(text).messages if m.role == "user"]
    return said[:-1] if name.startswith("api_bank") else said
