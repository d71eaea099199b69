"""``BFCLMultiTurnSource``: BFCL's multi-turn categories as tasks that can be played."""

from __future__ import annotations

import functools
import hashlib

from toolrl_env.core.errors import UnknownName
from toolrl_env.core.types import Message, Task, ToolCall
from toolrl_env.data.bfcl.plan import Plan
from toolrl_env.data.bfcl.scenario import CATEGORIES, Scenario, read_scenarios
from toolrl_env.data.bfcl.session import BFCLSession
from toolrl_env.data.bfcl.split import scenario_split
from toolrl_env.data.gold import make_gold, thought_for
from toolrl_env.data.source import FiniteSource, TaskSet
from toolrl_env.data.split import check_split
from toolrl_env.tools.suites.bfcl import load_library

__all__ = ["BFCLMultiTurnSource"]

_DONE = "All of that is done."
_CANNOT = {
    "miss_func": "None of the functions that I have at present can do this.",
    "miss_param": "Something that I need for this is missing; please tell me the details.",
}
_CANNOT_OTHERWISE = "There is nothing that I can do about this with the functions that I have."


class BFCLMultiTurnSource(FiniteSource):
    """The scenarios of one category, or of all four.

    Tasks keep their official ids (``"multi_turn_base_17"``). A task shows the user's first message
    and the functions available then; its gold answer is the first turn's.

    Args:
        category: ``"base"``, ``"miss_func"`` (functions are held out until a later turn),
            ``"miss_param"`` (a detail is held back), ``"long_context"`` (the state is filled up
            with distractions) or ``"all"``.
        split: ``"train"``, ``"validation"``, ``"test"`` or ``"all"``: 80, 20, 100 and 200 scenarios
            a category. See ``toolrl_env.data.bfcl.split`` on contamination.

    Raises:
        UnknownName: No such category or split.
        ConfigurationError: The official library is not installed.
    """

    name = "bfcl_multi_turn"

    def __init__(self, category: str = "base", split: str = "train") -> None:
        if category not in (*CATEGORIES, "all"):
            raise UnknownName("BFCL multi-turn category", category, (*CATEGORIES, "all"))
        check_split(split)
        self.category, self.split = category, split
        self._scenarios = {
            scenario.id: scenario
            for name in (CATEGORIES if category == "all" else (category,))
            for scenario in read_scenarios(name)
            if split in ("all", scenario_split(scenario.number))
        }
        digests = "".join(scenario.digest for scenario in self._scenarios.values())
        options = {
            "category": category,
            "version": load_library().version,
            "content": hashlib.sha256(digests.encode()).hexdigest(),
        }
        tasks = tuple(map(_task, self._scenarios.values()))
        self.tasks = TaskSet(self.name, split, tasks, licence="Apache-2.0", options=options)

    def open(self, task: Task) -> BFCLSession:
        """Return a fresh conversation, with instances of its own.

        Raises:
            UnknownTask: The task is not of this source.
        """
        return BFCLSession(_plan(self._scenario(task)))

    def gold_turns(self, task: Task) -> tuple[tuple[ToolCall, ...] | str, ...]:
        """Return, for each of the user's turns, its gold calls if any, and then a response.

        The calls are the official gold; the responses are ours, and nothing depends on them.

        Raises:
            UnknownTask: The task is not of this source.
        """
        scenario = self._scenario(task)
        turns: list[tuple[ToolCall, ...] | str] = []
        for calls in scenario.gold:
            turns += (calls, _DONE) if calls else (_cannot(scenario),)
        return tuple(turns)

    def _scenario(self, task: Task) -> Scenario:
        self.index_of(task.id)
        return self._scenarios[task.id]


@functools.lru_cache(maxsize=1_024)
def _plan(scenario: Scenario) -> Plan:
    return Plan(scenario)


def _cannot(scenario: Scenario) -> str:
    return _CANNOT.get(scenario.category, _CANNOT_OTHERWISE)


def _task(scenario: Scenario) -> Task:
    first = scenario.gold[0]
    response = None if first else _cannot(scenario)
    plan = _plan(scenario)
    metadata = {"scenario": scenario.number, "turns": plan.turns, "flaws": plan.flaws}
    return Task(
        id=scenario.id,
        source=BFCLMultiTurnSource.name,
        tools=plan.tools(0),
        messages=(Message("user", scenario.users[0]),),
        gold=make_gold(first, response, thought_for(len(first))),
        category=scenario.category,
        metadata=metadata,
    )
