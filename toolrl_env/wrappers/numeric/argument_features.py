"""What there is to see of a candidate's arguments: where its values come from, what it leaves."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from toolrl_env.wrappers.numeric.fitting import Filler
from toolrl_env.wrappers.numeric.found_values import FoundValue
from toolrl_env.wrappers.numeric.passages import Passages
from toolrl_env.wrappers.numeric.proposals import Proposal
from toolrl_env.wrappers.numeric.visible import OfferedTool, Visible
from toolrl_env.wrappers.numeric.words import share, stems

__all__ = ["ARGUMENT_FEATURES", "ArgumentReader"]

ARGUMENT_FEATURES = (
    "arguments",
    "optional_used",
    "optional_said",
    "optional_unsaid",
    "fit_mean",
    "fit_least",
    "first_of_tool",
    "rank",
    "mentioned",
    "in_order",
    "repeated",
    "from_results",
    "quoted",
    "numbers",
    "dates",
    "names",
    "plain_words",
    "starts_at",
    "ends_at",
    "first_passage",
    "similarity_near",
    "evidence_used",
    "evidence_left",
    "evidence_passed_over",
    "numbers_used",
)
"""Names of the numbers that ``ArgumentReader.read`` returns."""

_EVIDENCE = frozenset({"quoted", "date", "time", "code", "number", "count", "name", "list"})
_KINDS = (
    frozenset({"quoted"}),
    frozenset({"number", "count", "fraction"}),
    frozenset({"date", "time"}),
    frozenset({"code", "name", "list", "currency"}),
    frozenset({"word", "phrase", "complement"}),
)


class ArgumentReader:
    """Reads the arguments of the candidates of one state.

    Args:
        shown: What is visible.
        found: The values that the candidates were made from.
        passages: The passages of what was said.

    Attributes:
        evidence: The values found that look like somebody's argument: quoted strings, numbers,
            dates, times, codes, names and lists, in the order in which they were said.
    """

    def __init__(self, shown: Visible, found: Sequence[FoundValue], passages: Passages) -> None:
        self._shown, self._found, self._passages = shown, found, passages
        self.evidence = sorted(
            (value for value in found if value.kind in _EVIDENCE), key=lambda value: value.start
        )
        self._starts = [value.start for value in self.evidence]
        self._numbers = sum(
            1 << place for place, value in enumerate(self.evidence) if value.kind == "number"
        )
        self._asked = stems(shown.request)
        self._words = [stems(text) for text in passages.texts]
        self._covers = [self._between(value.start, value.end - 1) for value in found]
        self._near: dict[tuple[int, tuple[int, ...]], float] = {}

    def _between(self, first: int, last: int) -> int:
        """Return the evidence that begins in a stretch, as bits."""
        low, high = bisect_left(self._starts, first), bisect_right(self._starts, last)
        return (1 << max(high, low)) - (1 << low)

    def where(self, proposal: Proposal) -> tuple[int, ...]:
        """Return the passages that a candidate's values come from, ascending."""
        at = self._passages.at
        return tuple(sorted({at(filler.start) for filler in proposal.fillers if filler.start >= 0}))

    def read(self, proposal: Proposal, where: tuple[int, ...]) -> list[float]:
        """Return the numbers that ``ARGUMENT_FEATURES`` names.

        Args:
            proposal: The candidate.
            where: The passages that its values come from.
        """
        fillers, tool = proposal.fillers, self._shown.tools[proposal.tool]
        starts = [filler.start for filler in fillers if filler.start >= 0]
        count = max(1, len(fillers))
        return [
            len(fillers) / 8,
            *self._optional(proposal, tool),
            proposal.score / 2,
            min((filler.score for filler in fillers), default=0.0) / 2,
            float(proposal.rank == 0),
            1 / (1 + proposal.rank),
            len(starts) / count if fillers else 1.0,
            *self._order(fillers, starts),
            *self._kinds(fillers, count),
            min(starts, default=0) / (len(self._shown.said) + 1),
            max(starts, default=0) / (len(self._shown.said) + 1),
            min(where, default=0) / 8,
            self._similarity_near(proposal.tool, tool, where),
            *self._use(fillers, starts),
        ]

    def _optional(self, proposal: Proposal, tool: OfferedTool) -> tuple[float, float, float]:
        optional = [slot for slot in tool.slots if not slot.required]
        if not optional:
            return 0.0, 0.0, 0.0
        given = [slot.name in proposal.call.arguments for slot in optional]
        said = [share(slot.words, self._asked) for slot in optional]
        pairs = list(zip(given, said, strict=True))
        used = max((words for there, words in pairs if there), default=0.0)
        unused = max((words for there, words in pairs if not there), default=0.0)
        return sum(given) / len(given), used, unused

    def _order(self, fillers: Sequence[Filler], starts: Sequence[int]) -> tuple[float, ...]:
        asked = [start for start in starts if start < self._shown.results_at]
        pairs = list(itertools.pairwise(asked))
        ordered = sum(one <= two for one, two in pairs) / len(pairs) if pairs else 1.0
        values = {repr(filler.value) for filler in fillers}
        repeated = len(values) < len(fillers) or len(set(starts)) < len(starts)
        returned = (len(starts) - len(asked)) / max(1, len(fillers))
        return ordered, float(repeated), returned

    def _kinds(self, fillers: Sequence[Filler], count: int) -> list[float]:
        kinds = [self._found[filler.source].kind for filler in fillers if filler.source >= 0]
        return [sum(kind in group for kind in kinds) / count for group in _KINDS]

    def _similarity_near(self, index: int, tool: OfferedTool, where: tuple[int, ...]) -> float:
        key = (index, where)
        if key not in self._near:
            around = frozenset[str]().union(*(self._words[place] for place in where))
            self._near[key] = share(tool.name_words | tool.words, around)
        return self._near[key]

    def _use(self, fillers: Sequence[Filler], starts: Sequence[int]) -> tuple[float, ...]:
        used = 0
        for filler in fillers:
            if filler.source >= 0:
                used |= self._covers[filler.source]
        over = self._between(min(starts), max(starts)) & ~used if starts else 0
        hits, total = used.bit_count(), len(self.evidence)
        numbers = self._numbers.bit_count()
        return (
            hits / total if total else 0.0,
            (total - hits) / 8,
            over.bit_count() / 4,
            (used & self._numbers).bit_count() / numbers if numbers else 0.0,
        )
