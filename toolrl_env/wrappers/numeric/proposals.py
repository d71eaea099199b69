"""Candidate calls: the offered tools with the values that the conversation mentions."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from toolrl_env.core.types import ToolCall
from toolrl_env.wrappers.numeric.fitting import Filler, Fitter
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


class _Partial(NamedTuple):
    total: float
    fillers: tuple[Filler | None, ...]
    used: tuple[int, ...]


def propose(shown: Visible, most: int) -> tuple[list[Proposal], tuple[FoundValue, ...]]:
    """Return at most ``most`` different candidate calls, shuffled, and the values found.

    Which calls there are, and their order, depends on what is visible alone: the order is a
    permutation drawn from ``shown.seed``. If there are too many, each tool keeps its best, those of
    tools that resemble the request more than others.
    """
    found = find_values(shown.said)
    fitter = Fitter(found, shown.said)
    ranked: list[tuple[float, int, Proposal]] = []
    for index, tool in enumerate(shown.tools):
        alike = similarity(shown, tool)
        for proposal in _calls(index, tool, fitter, most):
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


def _calls(index: int, tool: OfferedTool, fitter: Fitter, most: int) -> list[Proposal]:
    """Fill a tool's parameters one after the other, keeping the best partial calls."""
    slots = tool.slots[:_MAX_SLOTS]
    beam = [_Partial(0.0, (), ())]
    for slot in slots:
        fillers = fitter.fillers(slot)[:_PER_SLOT]
        grown = [longer for partial in beam for longer in _extend(partial, slot, fillers)]
        grown.sort(key=lambda partial: -partial.total)
        beam = grown[:_BEAM]
    proposals: list[Proposal] = []
    for rank, partial in enumerate(beam[:most]):
        chosen = tuple(filler for filler in partial.fillers if filler is not None)
        arguments = {
            slot.name: filler.value
            for slot, filler in zip(slots, partial.fillers, strict=True)
            if filler is not None
        }
        score = sum(filler.score for filler in chosen) / max(1, len(chosen))
        proposals.append(Proposal(ToolCall(tool.name, arguments), index, chosen, score, rank))
    return proposals


def _extend(partial: _Partial, slot: Slot, fillers: Sequence[Filler]) -> list[_Partial]:
    """Add one parameter to a partial call in every way; without one that it needs, not at all."""
    total, chosen, used = partial
    grown = [] if slot.required else [_Partial(total, (*chosen, None), used)]
    charge = 0.0 if slot.required else _OPTIONAL
    last = max(used, default=-1)
    for filler in fillers:
        gain, start = filler.score - charge, filler.start
        if start in used:
            gain -= 1.0
        elif 0 <= start < last:
            gain -= 0.3  # arguments are usually said in the order of the parameters
        places = (*used, start) if start >= 0 else used
        grown.append(_Partial(total + gain, (*chosen, filler), places))
    return grown
