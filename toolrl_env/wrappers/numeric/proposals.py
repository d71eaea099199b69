"""Candidate calls: the offered tools with the values that the conversation mentions."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from toolrl_env.core.types import ToolCall
from toolrl_env.wrappers.numeric.fitting import Filler, fillers_of
from toolrl_env.wrappers.numeric.found_values import FoundValue, find_values
from toolrl_env.wrappers.numeric.visible import OfferedTool, Slot, Visible
from toolrl_env.wrappers.numeric.words import stems

__all__ = ["Proposal", "propose", "similarity"]

_BEAM = 24
_PER_SLOT = 8
_OPTIONAL = 1.0
_MAX_SLOTS = 16


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate call and how it was put together.

    Attributes:
        call: The call.
        tool: Index of its tool among those on offer.
        fillers: What fills each argument, in the arguments' order.
        score: Mean fit of the fillers; 0 without arguments.
        rank: Its place among the tool's candidates, from 0.
    """

    call: ToolCall
    tool: int
    fillers: tuple[Filler, ...]
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class _Partial:
    total: float
    chosen: tuple[tuple[str, Filler], ...]


def propose(shown: Visible, most: int) -> tuple[list[Proposal], tuple[FoundValue, ...]]:
    """Return at most ``most`` different candidate calls, shuffled, and the values found.

    Which calls there are, and their order, depends on what is visible alone: the order is a
    permutation drawn from ``shown.seed``. If there are too many, each tool keeps its best, those of
    tools that resemble the request more than others.
    """
    found = find_values(shown.said)
    ranked: list[tuple[float, int, Proposal]] = []
    for index, tool in enumerate(shown.tools):
        alike = similarity(shown, tool)
        for proposal in _calls(index, tool, found, shown.said, most):
            key = proposal.rank - 6.0 * alike
            ranked.append((key if proposal.rank else key - 1e3, index, proposal))
    best = heapq.nsmallest(most, ranked, key=lambda entry: entry[:2])
    proposals = [proposal for _, _, proposal in best]
    Random(shown.seed).shuffle(proposals)
    return proposals, found


def similarity(shown: Visible, tool: OfferedTool) -> float:
    """Return how many of a tool's words the request has, in [0, 1].

    The words of the name count twice.
    """
    asked = stems(shown.request)
    hits = 2 * len(tool.name_words & asked) + len(tool.words & asked)
    return hits / max(1, 2 * len(tool.name_words) + len(tool.words))


def _calls(
    index: int, tool: OfferedTool, found: Sequence[FoundValue], said: str, most: int
) -> list[Proposal]:
    """Fill a tool's parameters one after the other, keeping the best partial calls."""
    beam = [_Partial(0.0, ())]
    for slot in tool.slots[:_MAX_SLOTS]:
        fillers = fillers_of(slot, found, said)[:_PER_SLOT]
        grown = [longer for partial in beam for longer in _extend(partial, slot, fillers)]
        beam = heapq.nsmallest(_BEAM, grown, key=lambda partial: -partial.total)
    proposals: dict[str, Proposal] = {}
    for partial in beam[:most]:
        arguments = {name: filler.value for name, filler in partial.chosen}
        fillers = tuple(filler for _, filler in partial.chosen)
        score = sum(filler.score for filler in fillers) / max(1, len(fillers))
        call = ToolCall(tool.name, arguments)
        proposals.setdefault(repr(arguments), Proposal(call, index, fillers, score, len(proposals)))
    return list(proposals.values())


def _extend(partial: _Partial, slot: Slot, fillers: Sequence[Filler]) -> list[_Partial]:
    """Add one parameter to a partial call in every way; without one that it needs, not at all."""
    grown = [] if slot.required else [partial]
    charge = 0.0 if slot.required else _OPTIONAL
    used = {filler.start for _, filler in partial.chosen if filler.start >= 0}
    last = max(used, default=-1)
    for filler in fillers:
        gain = filler.score - charge
        if filler.start in used:
            gain -= 1.0
        elif 0 <= filler.start < last:
            gain -= 0.3  # arguments are usually said in the order of the parameters
        grown.append(_Partial(partial.total + gain, (*partial.chosen, (slot.name, filler))))
    return grown
