"""``ComposedActions``: choose a tool, and for each of its parameters where the value comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, MultiDiscrete
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.wrappers.numeric.actions import REPLY, Mask, NumericActions, flat, write_answer
from toolrl_env.wrappers.numeric.encoding import LIMIT, FloatVector, TextEncoder, checked_encoder
from toolrl_env.wrappers.numeric.fitting import Filler, Fitter
from toolrl_env.wrappers.numeric.found_values import find_values
from toolrl_env.wrappers.numeric.proposals import similarity
from toolrl_env.wrappers.numeric.visible import OfferedTool, Slot, Visible, look

__all__ = ["ComposedActions", "ComposedLayout", "ComposedView", "view_composed"]

_TOOL_NUMBERS = 5
_OPTIONS = 8
_WORST = -2.0


@dataclass(frozen=True, slots=True)
class ComposedLayout:
    """The sizes of ``ComposedActions``.

    Attributes:
        tools: Most tools.
        slots: Most parameters of a tool.
        sources: Values found in the conversation that can be referred to.
        context: Size of an encoded text.
    """

    tools: int
    slots: int
    sources: int
    context: int

    @property
    def choices(self) -> int:
        """Choices per parameter: leave it out, 8 options of the schema, the values found."""
        return 1 + _OPTIONS + self.sources

    @property
    def row(self) -> int:
        """Numbers per tool in the observation."""
        return _TOOL_NUMBERS + self.context + self.slots * self.choices

    @property
    def size(self) -> int:
        """Numbers in the observation."""
        return self.tools * self.row + self.context


@dataclass(frozen=True, slots=True, eq=False)
class ComposedView:
    """What can be composed in a state.

    Attributes:
        tools: The tools by choice, from 1 (0 answers without a tool).
        values: For each tool and parameter, the values by choice; ``None`` where there is none.
        mask: Which choices mean something: bool, all parts of the action one after the other.
        observation: float32, shape ``(layout.size,)``.
    """

    tools: tuple[OfferedTool, ...]
    values: tuple[tuple[tuple[Filler | None, ...], ...], ...]
    mask: Mask
    observation: FloatVector

    def call(self, action: Sequence[int]) -> ToolCall | None:
        """Return the call that an action means; ``None`` for the answer without a tool.

        A choice without a value leaves the argument out.

        Raises:
            LookupError: No tool has that number.
        """
        if action[0] == 0:
            return None
        tool, values = self.tools[action[0] - 1], self.values[action[0] - 1]
        arguments: dict[str, Any] = {}
        for slot, choices, choice in zip(tool.slots, values, action[1:], strict=False):
            filler = choices[choice]
            if filler is not None:
                arguments[slot.name] = filler.value
        return ToolCall(tool.name, arguments)


def view_composed(
    info: Mapping[str, Any], layout: ComposedLayout, encoder: TextEncoder
) -> ComposedView:
    """Return what can be composed, from ``info["messages"]`` and ``info["tools"]`` alone.

    Args:
        info: What an environment returned.
        layout: Sizes.
        encoder: Encodes the request and the tools, to ``layout.context`` numbers.
    """
    shown = look(info)
    kept = sorted(shown.tools, key=lambda tool: -similarity(shown, tool))[: layout.tools]
    Random(shown.seed).shuffle(kept)
    found = sorted(find_values(shown.said)[: layout.sources], key=lambda value: value.start)
    fitter = Fitter(found, shown.said)
    values = tuple(
        tuple(_choices(slot, fitter.fillers(slot), layout) for slot in tool.slots[: layout.slots])
        for tool in kept
    )
    request = np.asarray(encoder(shown.request), np.float32)
    rows = [
        _row(shown, tool, choices, layout, encoder, request)
        for tool, choices in zip(kept, values, strict=True)
    ]
    observation = flat(rows, layout.tools, layout.row, request)
    return ComposedView(tuple(kept), values, _mask(values, layout), observation)


def _choices(
    slot: Slot, fillers: Sequence[Filler], layout: ComposedLayout
) -> tuple[Filler | None, ...]:
    """Put the fillers of a parameter in their places: left out, the schema's options, found."""
    choices: list[Filler | None] = [None] * layout.choices
    declared = cast("Sequence[Any]", slot.schema.get("enum", (True, False)))
    order = {repr(option): index for index, option in enumerate(declared)}
    options = [filler for filler in fillers if filler.source < 0]
    options.sort(key=lambda filler: order.get(repr(filler.value), 0))
    for place, filler in enumerate(options[:_OPTIONS], 1):
        choices[place] = filler
    for filler in fillers:
        if filler.source >= 0:
            choices[1 + _OPTIONS + filler.source] = filler
    return tuple(choices)


def _row(
    shown: Visible,
    tool: OfferedTool,
    values: Sequence[Sequence[Filler | None]],
    layout: ComposedLayout,
    encoder: TextEncoder,
    request: FloatVector,
) -> FloatVector:
    encoded = np.asarray(encoder(tool.text), np.float32)
    required = sum(slot.required for slot in tool.slots)
    alike = similarity(shown, tool)
    numbers = [1.0, alike, float(encoded @ request), len(tool.slots) / 8, required / 8]
    fits = np.full((layout.slots, layout.choices), _WORST, np.float32)
    for place, choices in enumerate(values):
        fits[place, 0] = -1.0 if tool.slots[place].required else 0.0
        for choice, filler in enumerate(choices):
            if filler is not None:
                fits[place, choice] = filler.score
    fits /= 2
    return np.concatenate((np.array(numbers, np.float32), encoded, fits.ravel()))


def _mask(values: Sequence[Sequence[Sequence[Filler | None]]], layout: ComposedLayout) -> Mask:
    tools = np.arange(1 + layout.tools) <= len(values)
    slots = np.zeros((layout.slots, layout.choices), np.bool_)
    slots[:, 0] = True
    for tool in values:
        for place, choices in enumerate(tool):
            slots[place] |= [filler is not None for filler in choices]
    slots[:, 0] = True
    return np.concatenate((tools, slots.ravel()))


class ComposedActions(NumericActions[NDArray[np.int64]], RecordConstructorArgs):
    """Compose a call: ``MultiDiscrete([1 + tools, choices, choices, …])``.

    The first number is 0 to answer without a tool, or the number of a tool. Each further number is
    for one parameter of that tool, in the schema's order: 0 leaves it out; 1 to 8 are the options
    of its schema (an enumeration's values, true and false, a default); those above are the values
    found in the conversation, in the order in which they were said. Numbers for parameters that
    the tool does not have mean nothing. Tools stand in an order drawn from a hash of what is
    visible; nothing depends on the gold answer.

    The observation is flat: one row per tool (present, similarity to the request, similarity of the
    encoded texts, number of parameters and of required ones, the encoded tool, and for each
    parameter how well each choice fits), then the encoded request.

    A number without a tool sends an empty answer. The mask is for each part of the action by itself
    (as MaskablePPO has it): a choice is allowed if it means something for one of the tools.

    Args:
        env: A text environment of this package, or your own on top of ``ToolUseEnv``.
        tools: Most tools; of more, those most like the request are on offer.
        slots: Most parameters; further ones are left out.
        sources: Values found in the conversation that can be referred to.
        encoder: A callable from text to a vector; ``None`` for 64 hashed n-grams.
        reply: What the answer without a tool says.

    Raises:
        ConfigurationError: A size is out of range, the environment is no text environment of ours,
            or the encoder does not make vectors.
    """

    def __init__(
        self,
        env: gym.Env[str, str],
        tools: int = 12,
        slots: int = 6,
        sources: int = 24,
        encoder: TextEncoder | None = None,
        reply: str = REPLY,
    ) -> None:
        RecordConstructorArgs.__init__(
            self, tools=tools, slots=slots, sources=sources, encoder=encoder, reply=reply
        )
        super().__init__(env, reply)
        self._encoder, size = checked_encoder(encoder, 64)
        self.layout = ComposedLayout(
            whole_number("tools", tools, 1, 256),
            whole_number("slots", slots, 1, 64),
            whole_number("sources", sources, 1, 160),
            size,
        )
        parts = [1 + self.layout.tools, *[self.layout.choices] * self.layout.slots]
        self.action_space = MultiDiscrete(parts)
        self.observation_space = Box(-LIMIT, LIMIT, (self.layout.size,), np.float32)
        self._view: ComposedView | None = None

    def _look(self, info: Mapping[str, Any]) -> tuple[FloatVector, Mask]:
        self._view = view_composed(info, self.layout, self._encoder)
        return self._view.observation, self._view.mask

    def _answer(self, action: NDArray[np.int64]) -> str:
        if self._view is None:
            raise gym.error.ResetNeeded("call reset() before step(): no episode is running")
        parts = np.asarray(action)
        if not self.action_space.contains(parts.astype(np.int64)):
            raise ConfigurationError(f"action={action!r:.80}; allowed: {self.action_space}")
        numbers = [int(part) for part in parts]
        if numbers[0] > len(self._view.tools):
            return ""
        return write_answer(self._protocol, self._view.call(numbers), self._reply)
