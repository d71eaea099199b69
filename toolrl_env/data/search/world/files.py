"""Where the corpus and its questions are: plain files in the format of a user's own."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PASSAGES", "QUESTIONS"]

PASSAGES = Path(__file__).parent / "passages.jsonl.gz"
"""520 passages about an invented republic."""
QUESTIONS = Path(__file__).parent / "questions.jsonl.gz"
"""375 two-hop questions on them."""
