"""The reward written plainly: what ``benchmarks.speed.scoring`` measures the product against.

One pass of regular expressions over the answer, the gold answer split and decoded anew on every
call, no caches and no explanation of the result. The product's tests hold it to the same scores.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

__all__ = ["plain_reward"]


def plain_reward(answer: str, gold: str, step: int, flags: set[str]) -> float:
    """Return the total reward.

    Raises:
        json.JSONDecodeError: The gold calls are not JSON.
    """
    total = _format(answer, gold, step, flags) + _correctness(answer, gold, step, flags)
    return total + _length(answer, step, flags) if "WITHLENGTH" in flags else total


def _format(answer: str, gold: str, step: int, flags: set[str]) -> float:
    low, high = 0.0, 1.0
    if "MAX1STEP30MAX3" in flags and step >= 30:
        high /= 2
    if "SCHEDULEREWARD" in flags:
        high = max(1.0, 2 - (2 - high) * step / 150)
        low = min(-1.0, -2 + (2 + low) * step / 150)
    pattern, tags = "^<think>.*?</think>", []
    if "<tool_call>" in gold:
        pattern, tags = pattern + "\n<tool_call>\n.*?\n</tool_call>", ["tool_call>"]
    if "<response>" in gold:
        pattern, tags = pattern + "\n<response>.*?</response>", [*tags, "response>"]
    matches = re.search(pattern + "$", answer, re.DOTALL)
    once = all(answer.count(start + tag) == 1 for tag in tags for start in ("<", "</"))
    return high if matches and once else low


def _correctness(answer: str, gold: str, step: int, flags: set[str]) -> float:
    high = 1.0 if "CORRECTMAX1" in flags else 3.0
    low = -high
    if "MAX1STEP30MAX3" in flags and step < 30:
        low, high = low / 3, high / 3
    if "SCHEDULEREWARD" in flags:
        high = min(3.0, (high - 2) * step / 150 + 2)
        low = max(-3.0, (low + 2) * step / 150 - 2)
    if "<tool_call>" not in gold:
        return 0.0
    wanted = _calls(gold)
    try:
        if "<tool_call>" not in answer or "</tool_call>" not in answer:
            return low
        return _points(wanted, _calls(answer), flags, low, high)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return low


def _calls(text: str) -> list[Any]:
    block = text.split("<tool_call>")[1].split("</tool_call>", maxsplit=1)[0]
    return [json.loads(line) for line in block.strip().split("\n")]


def _points(wanted: list[Any], given: list[Any], flags: set[str], low: float, high: float) -> float:
    if wanted == given:
        return high
    if "COARSEREWARD" in flags:
        return low
    earned = _overlap([c["name"] for c in wanted], [c["name"] for c in given], flags)
    possible, used = 1.0, set[int]()
    for call in wanted:
        arguments = call["parameters"]
        whole = "INTERMEDIATEREWARD" in flags
        possible += 1.0 if whole else 1.0 + len(arguments)
        best, best_index = 0.0, -1
        for index, other in enumerate(given):
            if index in used or other["name"] != call["name"]:
                continue
            if whole:
                score = float(call == other)
            else:
                theirs = other["parameters"]
                score = _overlap(list(arguments.keys()), list(theirs.keys()), flags)
                score += sum(k in theirs and theirs[k] == v for k, v in arguments.items())
            if score > best:
                best, best_index = score, index
        used.add(best_index)
        earned += best
    return (high - low) * earned / possible + low


def _overlap(wanted: list[Any], given: list[Any], flags: set[str]) -> float:
    if wanted == given:
        return 1.0
    if "REFINEDREWARD" in flags or not wanted or not given:
        return 0.0
    mine, theirs = Counter(wanted), Counter(given)
    return (mine & theirs).total() / (mine | theirs).total()


def _length(answer: str, step: int, flags: set[str]) -> float:
    words = (640 - 384) * step / 105 + 384 if "SCHEDULELENGTH" in flags else 512
    if "<think>" not in answer or "</think>" not in answer:
        return 0.0
    thought = answer.rsplit("<think>", maxsplit=1)[-1].split("</think>", maxsplit=1)[0]
    return min(round(len(thought.split()) / words, 2), 1.0)
