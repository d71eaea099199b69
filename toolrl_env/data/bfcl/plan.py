"""``Plan``: everything about a scenario that all its sessions share and none changes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from toolrl_env.core.types import ToolCall, ToolSpec
from toolrl_env.data.bfcl.scenario import Scenario
from toolrl_env.tools import CallValidator, as_parsed
from toolrl_env.tools.suites.bfcl import World, WorldState, specs_of

__all__ = ["Checkpoint", "Plan"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the gold trajectory has come to at the end of a turn.

    Attributes:
        world: The instances; nothing is ever called on them.
        results: The official wording of the results of this turn's gold calls.
    """

    world: World
    results: Counter[str]


class Plan:
    """A scenario made ready: its tools and their validators by turn, its beginning, its gold."""

    def __init__(self, scenario: Scenario) -> None:
        """Plan a scenario; the parts are worked out when they are first needed."""
        self.scenario = scenario
        self._tools: dict[frozenset[str], tuple[ToolSpec, ...]] = {}
        self._validators: dict[int, CallValidator] = {}

    @property
    def turns(self) -> int:
        """Number of the user's turns."""
        return len(self.scenario.users)

    @cached_property
    def checked(self) -> tuple[int, ...]:
        """The turns that the official checker checks: those with gold calls."""
        return tuple(turn for turn, calls in enumerate(self.scenario.gold) if calls)

    @cached_property
    def start(self) -> WorldState:
        """The state at the beginning."""
        scenario = self.scenario
        long = scenario.category == "long_context"
        return World.load(scenario.classes, scenario.config, long=long).save()

    @cached_property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The gold trajectory, executed once: one checkpoint per turn."""
        world = World(self.start)
        found: list[Checkpoint] = []
        for calls in self.scenario.gold:
            results = Counter(world.call(call.name, call.arguments).text for call in calls)
            found.append(Checkpoint(World(world.save()), results))
        return tuple(found)

    def tools(self, turn: int) -> tuple[ToolSpec, ...]:
        """Return the tools on offer in a turn; those held out until now stand last."""
        held = self._held(turn)
        if held not in self._tools:
            late = {name for names in self.scenario.late.values() for name in names}
            specs = {spec.name: spec for spec in specs_of(self.scenario.classes)}
            arrived = [specs[name] for name in specs if name in late and name not in held]
            first = [spec for name, spec in specs.items() if name not in late]
            self._tools[held] = (*first, *arrived)
        return self._tools[held]

    def validator(self, turn: int) -> CallValidator:
        """Return the validator of a turn's calls: of the tools on offer, and of gold's flaws.

        Five official trajectories break the rules that hold for a model: scenario 173 closes a
        ticket whose id is text although an integer is documented, and ``miss_func_49`` calls a
        function before it arrives. There such calls are not refused, but nothing shows that they
        are possible.
        """
        if turn not in self._validators:
            offered = list(self.tools(turn))
            early = [spec for spec in self._early() if spec not in offered]
            specs = [self._admitting_gold(spec) for spec in (*offered, *early)]
            self._validators[turn] = CallValidator(specs)
        return self._validators[turn]

    @cached_property
    def flaws(self) -> tuple[str, ...]:
        """What is wrong with the official gold, in words; normally ``()``."""
        specs = specs_of(self.scenario.classes)
        broken = [spec.name for spec in specs if self._broken_by_gold(spec)]
        found = [f"gold calls {name} against its documentation" for name in broken]
        return (*found, *(f"gold calls {spec.name} before it is offered" for spec in self._early()))

    def _held(self, turn: int) -> frozenset[str]:
        late = self.scenario.late.items()
        return frozenset(name for arrival, names in late if arrival > turn for name in names)

    def _early(self) -> list[ToolSpec]:
        """Return the tools that gold calls in a turn before they are offered."""
        gold = enumerate(self.scenario.gold)
        called = {
            call.name for turn, calls in gold for call in calls if call.name in self._held(turn)
        }
        return [spec for spec in specs_of(self.scenario.classes) if spec.name in called]

    def _broken_by_gold(self, spec: ToolSpec) -> list[ToolCall]:
        """Return the gold calls of a tool that its documentation does not admit."""
        strict = CallValidator([spec])
        calls = (call for turn in self.scenario.gold for call in turn if call.name == spec.name)
        return [call for call in calls if not strict.check([as_parsed(call)])[0].ok]

    def _admitting_gold(self, spec: ToolSpec) -> ToolSpec:
        """Return the tool with any value allowed for the arguments with which gold breaks it."""
        broken = self._broken_by_gold(spec)
        if not broken:
            return spec
        properties = dict(spec.parameters["properties"])
        for call in broken:
            for name, value in call.arguments.items():
                part = {"type": "object", "properties": {name: properties.get(name, {})}}
                alone = CallValidator([ToolSpec(spec.name, parameters=part)])
                if not alone.check([as_parsed(ToolCall(spec.name, {name: value}))])[0].ok:
                    properties[name] = {}
        return ToolSpec(spec.name, parameters={**spec.parameters, "properties": properties})
