"""Writes the bundled sample files: ``python -m toolrl_env.data.bundled.generate [--out FOLDER]``.

Deterministic: the same catalogue and the same prompt wording give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from toolrl_env.data.bundled.catalogue import load_catalogue
from toolrl_env.data.bundled.dialogues import Dialogues
from toolrl_env.data.bundled.scenes import Ledger, Scene
from toolrl_env.data.bundled.writers import api_bank_row, rlla_row, toolace_row, xlam_row

__all__ = ["MIXES", "Produced", "compressed", "main", "produce", "write"]

SEED = 20_260_401
MIXES: Mapping[str, Mapping[str, int]] = {
    "toolace": {
        "single": 76,
        "parallel": 34,
        "parallel_multiple": 34,
        "irrelevant": 30,
        "missing": 26,
        "clarified": 20,
        "answered": 10,
        "followed_up": 24,
        "chained": 26,
    },
    "xlam": {"single": 112, "single_clause": 38, "parallel": 60, "parallel_multiple": 70},
    "xlam_irrelevance": {"irrelevant": 240},
    "rlla": {
        "single": 98,
        "single_clause": 14,
        "parallel": 34,
        "parallel_multiple": 34,
        "irrelevant": 26,
        "missing": 18,
        "clarified": 16,
        "answered": 16,
        "followed_up": 12,
        "chained": 12,
    },
    "api_bank_level1": {"introduced": 70, "clarified": 90, "followed_up": 44, "chained": 36},
    "api_bank_level2": {"introduced": 96, "clarified": 90, "followed_up": 30, "chained": 24},
    "api_bank_level3": {"clarified_later": 90, "followed_up_later": 80, "chained_later": 70},
}
"""How many scenes of each kind a file holds; see ``Dialogues.methods``."""

MOST_DISTRACTORS = {"api_bank_level1": 3, "api_bank_level2": 1, "api_bank_level3": 2}
"""Most tools that do not fit; elsewhere 5."""


class Produced:
    """One file's rows and the scenes they were made from, in the same order."""

    def __init__(self, scenes: Sequence[Scene], rows: Sequence[Mapping[str, Any]]) -> None:
        self.scenes, self.rows = tuple(scenes), tuple(rows)


def produce() -> dict[str, Produced]:
    """Return every file's content by dataset name."""
    catalogue = load_catalogue()
    ledger = Ledger(Random(SEED))
    produced: dict[str, Produced] = {}
    for index, (name, mix) in enumerate(MIXES.items()):
        rng = Random(SEED + 1 + index)
        director = Dialogues(catalogue, rng, ledger, MOST_DISTRACTORS.get(name, 5))
        scenes = _distinct(director, mix)
        rng.shuffle(scenes)
        rows = [_row(name, scene, director, rng, number) for number, scene in enumerate(scenes)]
        produced[name] = Produced(scenes, rows)
    return produced


def _distinct(director: Dialogues, mix: Mapping[str, int]) -> list[Scene]:
    """Return the scenes of a mix, no two of which open with the same words of the user."""
    scenes: list[Scene] = []
    seen: set[str] = set()
    for kind, count in mix.items():
        make = director.methods()[kind]
        for _ in range(count):
            scene = make()
            while (request := _request(scene)) in seen:
                scene = make()
            seen.add(request)
            scenes.append(scene)
    return scenes


def _request(scene: Scene) -> str:
    return " ".join(turn.text for turn in scene.turns if turn.role == "user")


def _row(name: str, scene: Scene, director: Dialogues, rng: Random, number: int) -> dict[str, Any]:
    if name == "toolace":
        return toolace_row(scene, rng)
    if name == "rlla":
        return rlla_row(scene, director, rng)
    if name.startswith("xlam"):
        return xlam_row(scene, number)
    return api_bank_row(scene, director, int(name[-1]), number)


def write(folder: Path) -> list[Path]:
    """Write one ``.jsonl.gz`` per dataset to ``folder`` and return the paths."""
    paths: list[Path] = []
    for name, content in produce().items():
        path = folder / f"{name}.jsonl.gz"
        path.write_bytes(compressed(content.rows))
        paths.append(path)
    return paths


def compressed(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return ``rows`` as JSON lines, compressed; no time or name enters the gzip header."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(text.encode("utf-8"))
    return buffer.getvalue()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Write the bundled sample files.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="target folder")
    write(parser.parse_args(arguments).out)


if __name__ == "__main__":
    main()
