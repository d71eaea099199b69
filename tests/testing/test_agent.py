"""``check_agent`` finds what is wrong: for each promise an agent that breaks it, and only it."""

from __future__ import annotations

import random
from functools import partial

import pytest

import toolrl_env  # noqa: F401  # registers the ids
from agents.scripted import RandomPolicy
from toolrl_env.core.answers import NoAnswer
from toolrl_env.core.errors import ConfigurationError, ContractViolation
from toolrl_env.core.types import FailureKind
from toolrl_env.envs.workspace import WorkspaceEnv
from toolrl_env.testing import check_agent

ASK = (
    "<think> I need to see. </think>\n<tool_call>\n"
    '{"name": "list_contacts", "parameters": {}}\n</tool_call>'
)


class Good:
    """Calls a tool that is not there, every time: the episode goes on."""

    def act(self, observations, infos):
        return [self.answer(info) for info in infos]

    def answer(self, info):
        return f"{ASK}<!-- {random.Random(info['answer_seed']).random()} -->"


@pytest.mark.parametrize("env_id", ["ToolRL-Workspace-v0", "ToolRL-Toolbox-v0"])
@pytest.mark.parametrize("make", [Good, RandomPolicy])
def test_good_agents_pass(make, env_id):
    check_agent(make, env_id)
    check_agent(make, env_id, batch=3, turns=1, protocol="native")


def test_an_agent_may_fail_to_answer_now_and_then():
    class Unlucky(Good):
        def answer(self, info):
            lost = info["task_index"] % 2
            return NoAnswer(FailureKind.TIMEOUT, "late") if lost else super().answer(info)

    check_agent(Unlucky)


class Mute(Good):
    def answer(self, info):
        return NoAnswer(FailureKind.SERVER_DOWN, "nobody there")


class OneText(Good):
    def act(self, observations, infos):
        return "hello"


class Lazy(Good):
    def act(self, observations, infos):
        return (self.answer(info) for info in infos)


class TooFew(Good):
    def act(self, observations, infos):
        return super().act(observations, infos)[:-1]


class FixedSize(Good):
    """Pads to the size of the first batch."""

    size = 0

    def act(self, observations, infos):
        self.size = self.size or len(infos)
        return (super().act(observations, infos) * self.size)[: self.size]


class NoText(Good):
    def answer(self, info):
        return super().answer(info).encode()


class Meddler(Good):
    def act(self, observations, infos):
        answers = super().act(observations, infos)
        infos[0]["messages"].append({"role": "user", "content": "mine"})
        return answers


class Eater(Good):
    def act(self, observations, infos):
        observations.clear()
        return super().act(observations, infos)


class Crowd(Good):
    """Says how many others there are."""

    def act(self, observations, infos):
        return [f"{ASK} {len(infos)}" for _ in infos]


class OneArgument(Good):
    def act(self, observations):
        return [ASK for _ in observations]


class Widow(Good):
    """Cannot go on once others have left."""

    def act(self, observations, infos):
        assert len(infos) != 2 or not any(info.get("turn") for info in infos), "they are gone"
        return super().act(observations, infos)


class Finicky(Good):
    """Cannot begin the task anew that failed."""

    def __init__(self):
        self.seen = set()

    def act(self, observations, infos):
        indices = [info["task_index"] for info in infos]
        if indices == [1] and 1 in self.seen:
            raise KeyError("an old conversation")
        self.seen.update(indices)
        return super().act(observations, infos)


class Predictor:
    def predict(self, observations):
        return observations


class Crasher(Good):
    def act(self, observations, infos):
        raise KeyError("tools")


class Unseeded(Good):
    def answer(self, info):
        return f"{ASK} {random.SystemRandom().random()}"


class OwnGenerator(Good):
    """Draws one number after the other: the place in the batch decides."""

    def __init__(self):
        self.rng = random.Random(0)

    def answer(self, info):
        return f"{ASK} {self.rng.random()}"


class Counting(Good):
    """Says in which call of ``act`` it answers."""

    calls = 0

    def act(self, observations, infos):
        self.calls += 1
        return [f"{ASK} {self.calls}" for _ in infos]


class Slots(Good):
    """Says what it said first at the same place of the batch, but for a new first turn."""

    def __init__(self):
        self.last = {}

    def act(self, observations, infos):
        found = []
        for slot, info in enumerate(infos):
            if not info.get("turn"):
                self.last[slot] = info["task_id"]
            found.append(f"{ASK} {self.last.get(slot)}")
        return found


class Grudge(Good):
    """Remembers the tasks that it has seen only once and answers them otherwise from then on."""

    def __init__(self):
        self.seen = {}

    def act(self, observations, infos):
        found = []
        for info in infos:
            count = self.seen[info["task_id"]] = self.seen.get(info["task_id"], 0) + 1
            found.append(f"{ASK} {count > 1 and len(infos) == 1}")
        return found


class Impatient(Good):
    """Cannot bear to be told that an answer could not be read."""

    def answer(self, info):
        assert "could not be read" not in info["messages"][-1]["content"]
        return super().answer(info)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Mute, "no answer at all: nobody there"),
        (OneText, "must return a list of answers, not 'hello'"),
        (Lazy, "must return a list of answers, not <generator"),
        (TooFew, "3 answers to 4 observations"),
        (FixedSize, "4 answers to 1 observations"),
        (NoText, "must be a str"),
        (Meddler, "must leave the infos as they are"),
        (Eater, "must leave the observations as they are"),
        (Predictor, r"it has no act\(observations, infos\)"),
        (OneArgument, "act raised TypeError on a batch of 4: .*positional argument"),
        (Crowd, "must not depend on what else is in the batch"),
        (Widow, "batch of 2 after other episodes were cut or failed: they are gone"),
        (Crasher, "act raised KeyError on a batch of 4"),
        (Unseeded, r"two fresh agents must give the same answers.*Random\(info\['answer_seed'\]\)"),
        (OwnGenerator, "must not depend on its place in the batch"),
        (Counting, "the same agent must give the same answers again"),
        (Slots, r"because another episode was cut or failed \(answer 2\)"),
        (Grudge, "played again must be answered as if it were new"),
        (Impatient, "act raised AssertionError on a batch of 4 after an answer that could not be"),
    ],
)
def test_each_broken_promise_is_named(make, said):
    with pytest.raises(ContractViolation, match=f"(?s){make.__name__}: .*{said}"):
        check_agent(make)


class Needy(Good):
    """Is made with an argument."""

    def __init__(self, model):
        self.model = model


def _without_weights():
    raise OSError("no weights here")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Needy, "Needy: made without arguments, it raised TypeError: .*'model'"),
        (_without_weights, "_without_weights: made without arguments, it raised OSError: no weigh"),
        (partial(Needy, model=1, size=2), "partial: made without arguments, it raised TypeError"),
    ],
)
def test_an_agent_that_cannot_be_made_is_said(make, said):
    with pytest.raises(ContractViolation, match=said):
        check_agent(make)


@pytest.mark.parametrize("make", [Good, TooFew])
def test_its_environments_are_closed_whatever_is_found(make, monkeypatch):
    closed = []

    def close(env):
        closed.append(env)

    monkeypatch.setattr(WorkspaceEnv, "close", close)
    if make is Good:
        check_agent(make, batch=3)
    else:
        with pytest.raises(ContractViolation):
            check_agent(make, batch=3)
    assert len(set(map(id, closed))) == 3


def test_what_fails_when_a_failed_episode_comes_again_is_said():
    with pytest.raises(ContractViolation, match="batch of 1 of a failed episode that is played"):
        check_agent(Finicky, turns=1)


def test_an_agent_in_the_place_of_its_class_is_pointed_out():
    with pytest.raises(ContractViolation, match="Good: give its class"):
        check_agent(Good())


@pytest.mark.parametrize(
    ("options", "said"), [({"batch": 2}, "batch=2"), ({"turns": 0}, "turns=0")]
)
def test_options_that_check_nothing_are_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        check_agent(Good, **options)
