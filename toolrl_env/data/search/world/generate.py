"""Writes the corpus and its questions: ``python -m toolrl_env.data.search.world.generate``.

Deterministic: the same three ``.toml`` files give the same bytes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolrl_env.data.bundled.generate import compressed
from toolrl_env.data.search.world.build import build
from toolrl_env.data.search.world.files import PASSAGES, QUESTIONS
from toolrl_env.data.search.world.passages import write_passages
from toolrl_env.data.search.world.questions import PROVINCE_SPLITS, WorldQuestion, ask

__all__ = ["main", "write"]


def write(folder: Path) -> tuple[Path, Path]:
    """Write both files to ``folder`` and return their paths."""
    world = build()
    passages = write_passages(world)
    documents = [{"title": passage.title, "text": passage.text} for passage in passages]
    questions = [_row(n, question) for n, question in enumerate(ask(world, passages))]
    paths = (folder / PASSAGES.name, folder / QUESTIONS.name)
    for path, rows in zip(paths, (documents, questions), strict=True):
        path.write_bytes(compressed(rows))
    return paths


def _row(index: int, question: WorldQuestion) -> dict[str, Any]:
    return {
        "id": f"tamarel-{index}",
        "question": question.text,
        "answers": list(question.answers),
        "searches": list(question.searches),
        "evidence": list(question.evidence),
        "kind": question.kind.name,
        "split": PROVINCE_SPLITS[question.province],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Write the corpus and its questions.")
    parser.add_argument("--out", type=Path, default=PASSAGES.parent, help="target folder")
    write(parser.parse_args(arguments).out)


if __name__ == "__main__":
    main()
