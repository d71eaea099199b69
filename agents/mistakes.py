"""The mistakes that ``NoisyGoldPolicy`` makes: what models really get wrong, one at a time.

Each is a function ``(rng, protocol, answer, calls) -> str | None`` from a gold answer and its
decoded calls to a spoilt answer, or ``None`` where the kind does not apply.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from typing import Any

from toolrl_env.parsing import AnswerProtocol

__all__ = ["MISTAKES", "Mistake"]

Mistake = Callable[[random.Random, AnswerProtocol, str, Sequence[Any]], str | None]
_Edit = Callable[[random.Random, list[dict[str, Any]]], bool]


def _cut_short(rng: random.Random, _: AnswerProtocol, answer: str, __: Sequence[Any]) -> str:
    """Stop in mid-answer, as at a token limit."""
    return answer[: rng.randrange(len(answer))]


def _talk_first(rng: random.Random, _: AnswerProtocol, answer: str, __: Sequence[Any]) -> str:
    """Say something before the answer proper."""
    return rng.choice(("Sure! ", "Here is what I will do:\n", "Okay. ")) + answer


def _break_syntax(
    rng: random.Random, protocol: AnswerProtocol, answer: str, calls: Sequence[Any]
) -> str | None:
    """Lose one bracket or quotation mark, where the calls then read differently."""
    places = [index for index, char in enumerate(answer) if char in '{}[]()"']
    if not calls or not places:
        return None
    place = rng.choice(places)
    spoilt = answer[:place] + answer[place + 1 :]
    return None if protocol.parse(spoilt).values == tuple(calls) else spoilt


def _edited(edit: _Edit) -> Mistake:
    """Make a mistake out of a function that edits the decoded calls in place."""

    def mistake(
        rng: random.Random, protocol: AnswerProtocol, answer: str, calls: Sequence[Any]
    ) -> str | None:
        changed = copy.deepcopy(list(calls))
        usual = all(
            isinstance(call, dict) and {"name", "parameters"} <= set(call) for call in changed
        )
        if not changed or not usual or not edit(rng, changed):
            return None
        parsed = protocol.parse(answer, max(1, len(answer)))
        return protocol.render(changed, think=parsed.think, response=parsed.response)

    return mistake


def _wrong_name(rng: random.Random, calls: list[dict[str, Any]]) -> bool:
    call = rng.choice(calls)
    call["name"] = rng.choice(("get_", "do_", "my_")) + call["name"]
    return True


def _with_arguments(rng: random.Random, calls: list[dict[str, Any]]) -> dict[str, Any] | None:
    filled = [call for call in calls if call["parameters"]]
    return rng.choice(filled)["parameters"] if filled else None


def _missing_argument(rng: random.Random, calls: list[dict[str, Any]]) -> bool:
    arguments = _with_arguments(rng, calls)
    if arguments is not None:
        del arguments[rng.choice(list(arguments))]
    return arguments is not None


def _extra_argument(rng: random.Random, calls: list[dict[str, Any]]) -> bool:
    rng.choice(calls)["parameters"][rng.choice(("verbose", "limit", "note"))] = rng.randrange(10)
    return True


def _wrong_value(rng: random.Random, calls: list[dict[str, Any]]) -> bool:
    arguments = _with_arguments(rng, calls)
    if arguments is None:
        return False
    key = rng.choice(list(arguments))
    value = arguments[key]
    if isinstance(value, bool):
        arguments[key] = not value
    elif isinstance(value, int | float):
        arguments[key] = value + rng.randint(1, 9)
    else:
        arguments[key] = f"{value} or so"
    return True


def _wrong_type(rng: random.Random, calls: list[dict[str, Any]]) -> bool:
    arguments = _with_arguments(rng, calls)
    if arguments is None:
        return False
    key = rng.choice(list(arguments))
    value = arguments[key]
    arguments[key] = [value] if isinstance(value, str) else str(value)
    return True


def _missing_call(rng: random.Random, calls: list[dict[str, Any]]) -> bool:
    if len(calls) < 2:
        return False
    del calls[rng.randrange(len(calls))]
    return True


def _extra_call(rng: random.Random, calls: list[dict[str, Any]]) -> bool:
    calls.append(copy.deepcopy(rng.choice(calls)))
    return True


MISTAKES: dict[str, Mistake] = {
    "cut_short": _cut_short,
    "talk_first": _talk_first,
    "break_syntax": _break_syntax,
    "wrong_name": _edited(_wrong_name),
    "missing_argument": _edited(_missing_argument),
    "extra_argument": _edited(_extra_argument),
    "wrong_value": _edited(_wrong_value),
    "wrong_type": _edited(_wrong_type),
    "missing_call": _edited(_missing_call),
    "extra_call": _edited(_extra_call),
}
"""Every kind, by name."""
