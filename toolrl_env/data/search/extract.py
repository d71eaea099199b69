"""Finding the short answer in a model's response, and the scorers that are built on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.data.search.answers import contains, exact_match, f1

__all__ = ["ANSWER_SCORES", "Judge", "extract_answer", "get_judge"]

Judge = Callable[[str, str, Sequence[str]], float]
"""``judge(question, response, answers)`` returns how good the whole response is, in ``[0, 1]``."""

_TAG = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.IGNORECASE | re.DOTALL)
_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_SAID = re.compile(r"\banswer(?:\s+is)?\s*:\s*(?=\S)|\banswer\s+is\s+(?=\S)", re.IGNORECASE)
_WRAPPING = " \t\r\n*_`\"'“”‘’"


def extract_answer(response: str) -> str:
    r"""Return the part of a response that is its answer. The first rule that fits counts.

    1. The last ``<answer>…</answer>``.
    2. The last ``\boxed{…}``.
    3. What follows the last ``answer:`` or ``answer is``, up to the end of its line.
    4. The whole response.

    Quotation marks, markup and a full stop around it go. Naming several answers in several places
    does not help: only the last of the first rule that fits is looked at.

    >>> extract_answer("It was Pellstad. <answer>Pellstad</answer>")
    'Pellstad'
    >>> extract_answer("So **the answer is: Pellstad.**"), extract_answer(" Pellstad ")
    ('Pellstad', 'Pellstad')
    """
    for pattern in (_TAG, _BOXED):
        found = pattern.findall(response)
        if found:
            return _bare(found[-1])
    start = max((match.end() for match in _SAID.finditer(response)), default=None)
    if start is None:
        return _bare(response)
    return _bare(response[start:].split("\n", 1)[0])


def _bare(text: str) -> str:
    stripped = text.strip(_WRAPPING)
    return stripped.removesuffix(".").strip(_WRAPPING)


def _extracted(
    score: Callable[[str, Sequence[str]], float],
    question: str,
    response: str,
    answers: Sequence[str],
) -> float:
    del question
    return score(extract_answer(response), answers)


ANSWER_SCORES: Mapping[str, Judge] = {
    "exact_match": partial(_extracted, exact_match),
    "f1": partial(_extracted, f1),
    "contains": partial(_extracted, contains),
}
"""The scorers by name; each looks at what ``extract_answer`` returns."""


def get_judge(answer_score: str | Judge) -> Judge:
    """Return the scorer of that name, or the callable itself.

    Raises:
        UnknownName: There is no scorer of this name.
        ConfigurationError: It is neither a name nor callable.
    """
    if isinstance(answer_score, str):
        if answer_score not in ANSWER_SCORES:
            raise UnknownName("answer_score", answer_score, ANSWER_SCORES)
        return ANSWER_SCORES[answer_score]
    if not callable(answer_score):
        allowed = ", ".join(ANSWER_SCORES)
        raise ConfigurationError(
            f"answer_score={answer_score!r:.80}; allowed: {allowed}, a callable"
        )
    return answer_score
