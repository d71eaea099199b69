"""What a reward configuration comes to at one training step, worked out once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from toolrl_env.core.types import TermScore
from toolrl_env.rewards.matching import MatchRules
from toolrl_env.rewards.scale import correctness_scale, format_scale, length_words

if TYPE_CHECKING:
    from toolrl_env.rewards.config import RewardConfig

__all__ = ["Plan", "Verdict", "Verdicts", "forget", "keep_verdict"]

_PARTS = {
    (True, False): "tool calls",
    (False, True): "a response",
    (True, True): "tool calls and a response",
    (False, False): "a thought alone",
}

_UNEQUAL = "the calls are not exactly the gold calls"
_UNDECODABLE = "there are no calls that can be decoded and scored"
_PARTLY = "some calls, arguments or values are not the gold ones; breakdown.losses says which"
_MAX_TERMS = 4_096
_MAX_VERDICTS, _MAX_BLOCK_CHARS = 16_384, 2_000

Verdict = tuple[float, float] | Literal["equal", "unequal", "undecodable"]
"""What calls are worth against the gold calls: ``(S, S_max)`` or a word."""


class Plan:
    """Scales, and the scores that do not depend on the answer's calls.

    Attributes:
        rules: How calls are compared.
        verdicts: What call blocks met lately were worth under these rules, by gold text and block:
            the answers of a group, and of later epochs, repeat each other.
        worst: Correctness of an answer without any merit.
        best: Correctness of a perfect answer. Below ``worst`` where the dynamic scale has turned.
        format_right: The format term of a right layout.
        format_wrong: That of a wrong one, by ``(has_call, has_response)`` of the gold answer.
        correctness: The correctness term by verdict; grows with the points met.
        no_gold_calls: That of any answer where the gold answer has no calls.
        length_words: Words of thought that earn the full length reward.
        length_low: The length term of an answer without a thought.
        length_reason: Why a thought does not earn it all.
    """

    __slots__ = (
        "best",
        "correctness",
        "format_right",
        "format_wrong",
        "length_low",
        "length_reason",
        "length_words",
        "no_gold_calls",
        "rules",
        "verdicts",
        "worst",
    )

    def __init__(self, config: RewardConfig, step: int) -> None:
        """Work out ``config`` at ``step``."""
        self.rules = MatchRules(
            config.granularity, config.strict_names, config.matching, config.values
        )
        self.verdicts = _VERDICTS.setdefault(self.rules, {})
        low, high = format_scale(step, two_stage=config.two_stage, dynamic=config.dynamic_scale)
        self.format_right = TermScore("format", high, low, high, config.format_weight)
        self.format_wrong = {
            parts: replace(
                self.format_right,
                score=low,
                reason=f"the answer must be {words}, in the protocol's layout, and nothing else",
            )
            for parts, words in _PARTS.items()
        }
        self.worst, self.best = 0.0, 1.0
        if config.correctness == "structured":
            self.worst, self.best = correctness_scale(
                step,
                config.correctness_max,
                two_stage=config.two_stage,
                dynamic=config.dynamic_scale,
            )
        low, high = sorted((self.worst, self.best))
        weight = config.correctness_weight
        equal = TermScore("correctness", self.best, low, high, weight)
        self.correctness: dict[Verdict, TermScore] = {
            "equal": equal,
            "unequal": replace(equal, score=self.worst, reason=_UNEQUAL),
            "undecodable": replace(equal, score=self.worst, reason=_UNDECODABLE),
        }
        self.no_gold_calls = TermScore("correctness", 0.0, 0.0, 0.0, weight)
        self.length_words = length_words(step, dynamic=config.dynamic_length)
        self.length_low = TermScore(
            "length", 0.0, 0.0, 1.0, config.length_weight, "there is no thought to measure"
        )
        self.length_reason = f"the thought has fewer than {self.length_words:g} words"

    def remember(self, verdict: Verdict, score: float) -> TermScore:
        """Return the correctness term of ``score``, kept for the next answer with this verdict."""
        best = self.correctness["equal"]
        term = best if score == self.best else replace(best, score=score, reason=_PARTLY)
        if len(self.correctness) < _MAX_TERMS:
            self.correctness[verdict] = term
        return term


Verdicts = dict[tuple[str, str | None], Verdict]
_VERDICTS: dict[MatchRules, Verdicts] = {}


def keep_verdict(verdicts: Verdicts, gold: str, block: str | None, verdict: Verdict) -> None:
    """Remember what a call block was worth, unless it is long."""
    if block is None or len(block) <= _MAX_BLOCK_CHARS:
        if len(verdicts) >= _MAX_VERDICTS:
            verdicts.clear()
        verdicts[gold, block] = verdict


def forget() -> None:
    """Drop what scoring remembers of earlier answers, to free its memory (some tens of MB)."""
    for verdicts in _VERDICTS.values():
        verdicts.clear()
