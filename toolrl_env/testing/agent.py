"""``check_agent``: the promises of an agent."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any, Protocol, cast, runtime_checkable

import gymnasium as gym

from toolrl_env.core.answers import NoAnswer
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ContractViolation
from toolrl_env.data import SampleDataWarning
from toolrl_env.testing.requirement import require

__all__ = ["Agent", "check_agent"]

Answers = list[str | NoAnswer]
_SEED_OF_ANSWER = "draw random numbers from Random(info['answer_seed'])"


@runtime_checkable
class Agent(Protocol):
    """Anything that answers a batch of observations."""

    def act(
        self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]
    ) -> Sequence[str | NoAnswer]:
        """Return one answer per observation, in order."""
        ...


def check_agent(
    make: Callable[[], Agent],
    env_id: str = "ToolRL-Workspace-v0",
    *,
    batch: int = 4,
    turns: int = 3,
    **kwargs: Any,
) -> None:
    """Check that an agent can be evaluated and trusted.

    It answers a batch of any size with as many texts, in order, and leaves what it was given as it
    was; two fresh agents give the same answers, which depend on their own observation and
    ``answer_seed`` alone, not on their place in the batch or on what else is in it; episodes that
    are cut or fail and leave the batch, and an answer that could not be read, do not disturb it.

    Args:
        make: Makes a fresh agent: its class, or a function without arguments.
        env_id: A registered id. An environment of several turns checks more.
        batch: Episodes at the same time, at least 3.
        turns: Answers asked for in each.
        kwargs: Arguments for ``gym.make``.

    Raises:
        ContractViolation: A promise is not kept; says in words what is wrong.
    """
    whole_number("batch", batch, 3)
    whole_number("turns", turns, 1)
    who = type(make).__name__
    require(callable(make), who, "give its class, or a function that makes one, not an agent")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        rows = [_Row(gym.make(env_id, **kwargs), index) for index in range(batch)]
    try:
        answers = _check_batches(make, rows)
        _check_repeats(make, rows, answers)
        _check_departures(make, rows, turns)
        _check_unreadable(make, rows)
    finally:
        for row in rows:
            row.env.close()


class _Row:
    """One environment of the batch, and what it shows."""

    def __init__(self, env: gym.Env[str, str], index: int) -> None:
        self.env, self.index = env, index
        self.observation = ""
        self.info: dict[str, Any] = {}
        self.turn, self.over = 0, True
        self.reset()

    def reset(self) -> None:
        self.observation, info = self.env.reset(seed=0, options={"task_index": self.index})
        self.turn, self.over = 0, False
        self._tell(info)

    def step(self, answer: str | NoAnswer) -> None:
        if isinstance(answer, NoAnswer):
            self.over = True
            return
        self.turn += 1
        self.observation, _, terminated, truncated, info = self.env.step(answer)
        self.over = terminated or truncated
        self._tell(info)

    def _tell(self, info: dict[str, Any]) -> None:
        self.info = {**info, "answer_seed": 1009 * self.index + self.turn}


def _name(make: Callable[[], Agent]) -> str:
    """Return what a class or function is called; for another callable, its class."""
    return make.__name__ if isinstance(make, type | FunctionType) else type(make).__name__


def _fresh(make: Callable[[], Agent]) -> Agent:
    """Make an agent."""
    try:
        agent = make()
    except Exception as error:
        raise ContractViolation(
            f"{_name(make)}: made without arguments, it raised {type(error).__name__}: {error}"
        ) from error
    has_act = isinstance(agent, Agent)  # pyright: ignore[reportUnnecessaryIsInstance]
    require(has_act, type(agent).__name__, "it has no act(observations, infos) -> answers")
    return agent


def _ask(agent: Agent, rows: Sequence[_Row], when: str = "") -> Answers:
    """Ask for answers and check their form; ``when`` is said if it raises."""
    who = type(agent).__name__
    observations, infos = [row.observation for row in rows], [row.info for row in rows]
    given = list(observations)
    before = copy.deepcopy(infos)
    try:
        answers: Any = agent.act(given, infos)
    except Exception as error:
        raise ContractViolation(
            f"{who}: act raised {type(error).__name__} on a batch of {len(rows)}{when}: {error}"
        ) from error
    is_list = isinstance(answers, Sequence) and not isinstance(answers, str)
    require(is_list, who, f"act must return a list of answers, not {answers!r:.80}")
    found = list(cast("Sequence[str | NoAnswer]", answers))
    counts = f"{len(found)} answers to {len(rows)} observations"
    require(len(found) == len(rows), who, f"act must return one answer each; it gave {counts}")
    for answer in found:
        good = isinstance(answer, str | NoAnswer)  # pyright: ignore[reportUnnecessaryIsInstance]
        require(good, who, f"an answer must be a str (or a NoAnswer), not {answer!r:.80}")
    require(infos == before, who, "act must leave the infos as they are; it changed them")
    untouched = given == observations
    require(untouched, who, "act must leave the observations as they are; it changed them")
    return found


def _check_batches(make: Callable[[], Agent], rows: Sequence[_Row]) -> Answers:
    agent = _fresh(make)
    answers = _ask(agent, rows)
    lost = [answer for answer in answers if isinstance(answer, NoAnswer)]
    said = lost[0].reason if lost else ""
    require(len(lost) < len(answers), type(agent).__name__, f"it gave no answer at all: {said}")
    for size in (1, len(rows) - 1):
        _ask(agent, rows[:size])
    return answers


def _check_repeats(make: Callable[[], Agent], rows: Sequence[_Row], answers: Answers) -> None:
    agent = _fresh(make)
    who = type(agent).__name__
    same = _ask(agent, rows) == answers
    promise = "two fresh agents must give the same answers to the same observations"
    require(same, who, f"{promise}: {_SEED_OF_ANSWER}")
    turned = _ask(_fresh(make), rows[::-1])[::-1] == answers
    promise = "an answer must not depend on its place in the batch"
    require(turned, who, f"{promise}: {_SEED_OF_ANSWER}, and keep nothing by position")
    alone = _ask(_fresh(make), rows[1:2]) == answers[1:2]
    promise = "an answer must not depend on what else is in the batch"
    require(alone, who, f"{promise}: the same observation was answered otherwise alone")
    again = _ask(agent, rows) == answers
    promise = "the same agent must give the same answers again"
    require(again, who, f"{promise}: {_SEED_OF_ANSWER}, and keep nothing from earlier episodes")


def _check_departures(make: Callable[[], Agent], rows: Sequence[_Row], turns: int) -> None:
    """Let the first episode be cut and the second fail, after an answer each; others go on."""
    disturbed, quiet = _fresh(make), _fresh(make)
    who = type(disturbed).__name__
    fresh = _ask(quiet, rows[1:2])
    answers = _ask(disturbed, rows)
    alone = _ask(quiet, rows[2:])
    for turn in range(turns):
        promise = "an answer must not change because another episode was cut or failed"
        require(answers[-len(alone) :] == alone, who, f"{promise} (answer {turn + 1})")
        going = [row for row in rows[2:] if not row.over]
        given = dict(zip((row.index for row in going), alone, strict=True))
        for row in going:
            row.step(given[row.index])
        going = [row for row in going if not row.over]
        if not going:
            break
        left = " after other episodes were cut or failed"
        answers, alone = _ask(disturbed, going, left), _ask(quiet, going)
    for row in rows:
        row.reset()
    again = _ask(disturbed, rows[1:2], " of a failed episode that is played again") == fresh
    promise = "an episode that failed and is played again must be answered as if it were new"
    require(again, who, f"{promise}: forget what was kept for its task")


def _check_unreadable(make: Callable[[], Agent], rows: Sequence[_Row]) -> None:
    """Show what an environment says to an answer that it could not read."""
    for row in rows:
        row.step("")
    told = [row for row in rows if not row.over]
    if told:
        _ask(_fresh(make), told, " after an answer that could not be read")
