"""``Scenario``: one finished task with its office, its user, its goal and its gold trajectory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from toolrl_env.core.types import ToolCall
from toolrl_env.data.procedural.workspace import phrases
from toolrl_env.data.procedural.workspace.compose import Composition, compose
from toolrl_env.data.procedural.workspace.goal import Goal
from toolrl_env.data.procedural.workspace.office import make_world
from toolrl_env.data.procedural.workspace.references import Index
from toolrl_env.data.procedural.workspace.render import Renderer, capital
from toolrl_env.data.procedural.workspace.solve import Plan, make_plan, solve
from toolrl_env.data.procedural.workspace.user import Fact, Phase
from toolrl_env.data.procedural.workspace.world import World, pick
from toolrl_env.tools.suites.workspace import FIELDS, LOCKED, Database, Image, WorkspaceSuite

__all__ = ["LEVELS", "Scenario", "make_scenario"]

LEVELS = tuple(range(1, 13))
"""Difficulty: how many calls the gold trajectory takes, repetitions after faults not counted."""

_TRIES = 40
_TOOLS = tuple(WorkspaceSuite().methods())
_TOOLS_OF = {field: tuple(cls().methods()) for field, cls in FIELDS.items()}
_FIELD_OF = {tool: field for field, tools in _TOOLS_OF.items() for tool in tools}


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything about one task. Shared by its sessions, which change none of it.

    Attributes:
        image: The office at the start.
        phases: The user's requests, in order.
        goal: What the office must be like at the end.
        offered: Names of all tools that are ever offered, in prompt order.
        faults: How often the first calls of a tool fail, by tool.
        turns: The gold trajectory.
        calls: Its number of calls, repetitions after faults not counted.
        depth: The longest chain of calls of which each needs the result of the one before.
        features: What is special: ``missing_information``, ``follow_up``, ``late_tools``,
            ``payment_code``, ``transient_faults``, ``irreversible``.
    """

    image: Image
    phases: tuple[Phase, ...]
    goal: Goal
    offered: tuple[str, ...]
    faults: tuple[tuple[str, int], ...]
    turns: tuple[tuple[ToolCall, ...] | str, ...]
    calls: int
    depth: int
    features: tuple[str, ...]

    def available(self, phase: int, unlocked: bool) -> tuple[str, ...]:
        """Return the names of the tools that are available.

        Args:
            phase: Index of the user's latest request.
            unlocked: Whether the payment code was given.
        """
        later = frozenset[str]().union(*(one.tools for one in self.phases[phase + 1 :]))
        return tuple(
            name for name in self.offered if name not in later and (unlocked or name not in LOCKED)
        )


IRREVERSIBLE = frozenset(
    (
        *LOCKED,
        "send_mail",
        "reply_to_mail",
        "forward_mail",
        "delete_mail",
        "delete_file",
        "cancel_event",
        "cancel_order",
        "place_order",
    )
)
"""Tools whose effects no other tool can take back."""


def make_scenario(rng: Random, split: str, calls: int) -> Scenario:
    """Draw offices and requests until one takes exactly ``calls`` calls, and solve it.

    Args:
        rng: The task's generator.
        split: ``train``, ``validation`` or ``test``: where its names come from.
        calls: 1 to 12.
    """
    while True:
        world = make_world(rng, split)
        database, index = world.database(), Index(world)
        for _ in range(_TRIES):
            composition = compose(world, index, rng, calls)
            if composition is None:
                continue
            plan = make_plan(composition, world.code)
            if len(plan.calls) != calls:
                continue
            scenario = _scenario(rng, world, database, composition, plan)
            if scenario is not None:
                return scenario


def _scenario(
    rng: Random, world: World, database: Database, composition: Composition, plan: Plan
) -> Scenario | None:
    count = 1 + max(call.phase for call in plan.calls)
    needed = [
        list(dict.fromkeys(call.tool for call in plan.calls if call.phase == number))
        for number in range(count)
    ]
    late = _late_tools(needed)
    offered = _offered(rng, needed, len(plan.calls))
    phases = _phases(rng, composition, world, late & frozenset(offered), count)
    faults = _faults(rng, plan)
    if _gives_away(phases) or not _mentions_names(phases[0].text, world):
        return None
    solved = solve(plan, database, dict(faults))
    if solved is None:
        return None
    batches, goal = solved
    tools = {call.tool for call in plan.calls}
    special = {
        "missing_information": any(phase.facts for phase in phases),
        "follow_up": len(phases) > 1,
        "late_tools": any(phase.tools for phase in phases),
        "payment_code": "authorise_payments" in tools,
        "transient_faults": bool(faults),
        "irreversible": not tools.isdisjoint(IRREVERSIBLE),
    }
    return Scenario(
        image=database.base,
        phases=phases,
        goal=goal,
        offered=offered,
        faults=faults,
        turns=tuple(_turns(rng, phases, batches)),
        calls=len(plan.calls),
        depth=plan.depth,
        features=tuple(name for name, there in special.items() if there),
    )


def _faults(rng: Random, plan: Plan) -> tuple[tuple[str, int], ...]:
    """Draw which tools fail at first, and how often."""
    if len(plan.calls) < 3 or rng.random() > 0.3:
        return ()
    tools = sorted({call.tool for call in plan.calls} - {"authorise_payments"})
    chosen = rng.sample(tools, min(len(tools), 2 if len(plan.calls) >= 7 else 1))
    return tuple((tool, 2 if rng.random() < 0.2 else 1) for tool in chosen)


def _late_tools(needed: list[list[str]]) -> frozenset[str]:
    """Return the tools that are held back until the second request: its field's, if unused."""
    if len(needed) < 2:
        return frozenset()
    fields = {_FIELD_OF[tool] for tool in needed[1] if tool not in needed[0]}
    fields -= {_FIELD_OF[tool] for tool in needed[0]} | {"desk"}
    return frozenset(tool for field in fields for tool in _TOOLS_OF[field])


def _offered(rng: Random, needed: list[list[str]], calls: int) -> tuple[str, ...]:
    """Return what is needed and some that is not: half of it from the same fields."""
    names = dict.fromkeys(tool for tools in needed for tool in tools)
    if not set(names).isdisjoint(LOCKED):
        names.update(dict.fromkeys(LOCKED))
    size = len(names) + 3 + calls + int(rng.random() * (2 + calls))
    fields = {_FIELD_OF[tool] for tool in names}
    near = [tool for tool in _TOOLS if _FIELD_OF[tool] in fields and tool not in LOCKED]
    names.update(dict.fromkeys(rng.sample(near, min(len(near), (size - len(names)) // 2))))
    others = rng.sample(_TOOLS, len(_TOOLS))
    for tool in others:
        if len(names) >= size:
            break
        if tool not in LOCKED:
            names[tool] = None
    offered = list(names)
    rng.shuffle(offered)
    return tuple(offered)


def _phases(
    rng: Random, composition: Composition, world: World, late: frozenset[str], count: int
) -> tuple[Phase, ...]:
    renderer = Renderer(composition, world, rng)
    text, facts = renderer.request(0)
    phases = [Phase(capital(pick(rng, phrases.FRAMES).format(text)), facts)]
    for number in range(1, count):
        text, facts = renderer.request(number)
        fields = sorted({_FIELD_OF[tool] for tool in late})
        access = "".join(f" {phrases.ACCESS[field]}" for field in fields)
        phases.append(Phase(pick(rng, phrases.FOLLOW_UPS).format(text) + access, facts, late))
    return tuple(phases)


def _turns(
    rng: Random, phases: Sequence[Phase], batches: Sequence[Sequence[Sequence[ToolCall]]]
) -> Iterator[tuple[ToolCall, ...] | str]:
    """Yield the gold trajectory: ask for what is missing, make the calls, report."""
    for phase, calls in zip(phases, batches, strict=True):
        if phase.facts:
            yield _question(rng, phase.facts)
        yield from map(tuple, calls)
        yield pick(rng, phrases.DONE)


def _question(rng: Random, facts: Sequence[Fact]) -> str:
    """Return a question that asks for every fact."""
    return " ".join(pick(rng, phrases.QUESTIONS[fact.kind]) for fact in facts)


def _gives_away(phases: Sequence[Phase]) -> bool:
    """Return whether a request says what it, or a later one, is meant to leave out."""
    said = " ".join(phase.text for phase in phases)
    return any(_occurs(fact.words, said) for phase in phases for fact in phase.facts)


def _occurs(words: str, text: str) -> bool:
    """Return whether ``text`` holds these words, not as a part of longer ones."""
    start = text.find(words)
    while start >= 0:
        around = text[:start][-1:] + text[start + len(words) :][:1]
        if not any(character.isalnum() for character in around):
            return True
        start = text.find(words, start + 1)
    return False


def _mentions_names(text: str, world: World) -> bool:
    """Return whether a request holds a name that belongs to the split."""
    names = [contact.name for contact in world.contacts]
    names += [contact.email for contact in world.contacts]
    names += [order.project for order in world.orders]
    names += [event.title for event in world.events] + [mail.subject for mail in world.mails]
    names += [task.title for task in world.tasks] + [invoice.supplier for invoice in world.invoices]
    names += [file.path.rsplit("/", 1)[1] for file in world.files]
    return any(name in text for name in names)
