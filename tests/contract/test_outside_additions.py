"""The table "What an addition may touch" of the design: everything here is added from outside.

A dataset in a raw format of its own, a tool suite, an environment that runs it, a multi-turn one, a
reward term and an agent. Nothing in the package knows of them; the conformance kit accepts them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from agents.policy import Policy
from toolrl_env.core.types import Message, Task, TermScore, ToolCall
from toolrl_env.data import Dataset, Row, load_tasks
from toolrl_env.data.own import Goal, OwnTask
from toolrl_env.envs.own import OwnToolsEnv
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.envs.vector import ToolVectorEnv
from toolrl_env.parsing import get_protocol, parse_ground_truth
from toolrl_env.rewards import RewardConfig, TermContext, score_response, weighted
from toolrl_env.testing import check_dataset, check_environment, check_tools
from toolrl_env.tools import ToolError, ToolSuite, execute_calls, read, write

ENV_ID = "Outside/Lockers-v0"


# ------------------------------------------------------------------ a tool suite


class Lockers(ToolSuite):
    """A row of lockers, each of which holds one thing."""

    def __init__(self) -> None:
        self.held: dict[int, str] = dict.fromkeys(range(1, 20, 2), "umbrella")

    @read
    def look(self, locker: int) -> str:
        """Tell what a locker holds.

        Args:
            locker: Number of the locker.
        """
        if locker not in self.held:
            raise ToolError(f"locker {locker} is empty")
        return self.held[locker]

    @write
    def store(self, locker: int, thing: str) -> int:
        """Put something into a locker.

        Args:
            locker: Number of the locker.
            thing: What to put in.
        """
        self.held[locker] = thing
        return len(self.held)


# ------------------------------------------------------------------ a dataset


@dataclass(frozen=True)
class LockerRequests(Dataset):
    """Rows ``{"ask": …, "locker": …, "thing": … or null}``."""

    name: ClassVar[str] = "lockers"
    columns: ClassVar[tuple[str, ...]] = ("ask", "locker", "thing")
    licence: ClassVar[str] = "CC0-1.0"

    def tasks(self, row: Row, task_id: str) -> Sequence[Task]:
        arguments = {"locker": row["locker"]}
        if row["thing"] is not None:
            arguments["thing"] = row["thing"]
        call = ToolCall("store" if "thing" in arguments else "look", arguments)
        gold = get_protocol("toolrl").render([call], think="One call does it.")
        return [
            Task(
                id=task_id,
                source=self.name,
                tools=tuple(tool.spec for tool in Lockers().tools()),
                messages=(Message("user", row["ask"]),),
                gold=parse_ground_truth(gold),
            )
        ]


# ------------------------------------------------------------------ an environment


class LockersEnv(SingleTurnEnv):
    """Requests about lockers; every call is run on fresh ones."""

    def __init__(self, data: str, split: str = "all", **kwargs: Any) -> None:
        super().__init__(load_tasks(LockerRequests(), data, split), **kwargs)

    def run_calls(self, current, action):
        return execute_calls(Lockers().tools(), action.calls, current.validator)


class LockersVectorEnv(ToolVectorEnv):
    env_class = LockersEnv


# ------------------------------------------------------------------ a multi-turn environment


def umbrella_gone(lockers: Lockers) -> bool:
    """Return whether no locker below 4 holds an umbrella."""
    return "umbrella" not in (lockers.held[1], lockers.held[3])


TIDY = OwnTask(
    id="tidy",
    messages=(Message("user", "Put the scarf into both lockers that hold an umbrella, 1 and 3."),),
    goals=(Goal(umbrella_gone),),
    gold=(
        tuple(ToolCall("store", {"locker": n, "thing": "scarf"}) for n in (1, 3)),
        "Both hold the scarf.",
    ),
)
LOOK = {
    "id": "look",
    "question": "What is in locker 5?",
    "answer": "umbrella",
    "gold": [{"name": "look", "parameters": {"locker": 5}}, "An umbrella."],
}


class TidyEnv(OwnToolsEnv):
    """Requests that take several steps."""

    def __init__(self, split: str = "all", **kwargs: Any) -> None:
        super().__init__(Lockers, [TIDY, LOOK], split, **kwargs)


class TidyVectorEnv(ToolVectorEnv):
    env_class = TidyEnv


# ------------------------------------------------------------------ a reward term


def brevity(context: TermContext) -> TermScore:
    """Return 1 for an answer of at most 200 characters, else 0."""
    score = float(len(context.action.text) <= 200)
    return TermScore("brevity", score, 0.0, 1.0, reason="" if score else "too long")


# ------------------------------------------------------------------ an agent


class FirstToolAgent:
    """Calls the first tool on offer with the first number of the conversation."""

    def act(self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]) -> list[str]:
        return [self.answer(info) for _, info in zip(observations, infos, strict=True)]

    def answer(self, info: Mapping[str, Any]) -> str:
        tool = info["tools"][0]["function"]["name"]
        ask = info["messages"][-1]["content"]
        number = int("".join(char for char in ask if char.isdigit()) or 0)
        call = {"name": tool, "parameters": {"locker": number}}
        return get_protocol("toolrl").render([call], think="The first one.")


# ------------------------------------------------------------------ and all of it works


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("outside") / "lockers.jsonl"
    rows = [
        {"ask": f"What is in locker {n}?", "locker": n, "thing": None}
        if n % 2
        else {"ask": f"Put my scarf into locker {n}.", "locker": n, "thing": "scarf"}
        for n in range(20)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest.fixture
def env_id():
    gym.register(ENV_ID, entry_point=LockersEnv, vector_entry_point=LockersVectorEnv)
    yield ENV_ID
    del gym.registry[ENV_ID]


def test_the_suite_conforms_and_its_state_comes_back():
    lockers = Lockers()
    store = ToolCall("store", {"locker": 4, "thing": "scarf"})
    check_tools(lockers, [ToolCall("look", {"locker": 3}), store, ToolCall("look", {"locker": 4})])
    assert 4 not in lockers.held


def test_the_dataset_conforms(data):
    report = check_dataset(load_tasks(LockerRequests(), data, split="all"))
    assert (report.tasks, report.invalid_gold) == (20, ())


def test_the_environment_conforms_in_every_vector_form(env_id, data):
    check_environment(env_id, data=data)
    check_environment(env_id, data=data, protocol="native", strict=True, vector=False)


def test_its_tools_really_run(env_id, data):
    env = gym.make(env_id, data=data)
    env.reset(options={"task_index": 3})
    *_, info = env.step(env.unwrapped.gold_answer())
    assert [result.value for result in info["results"]] == ["umbrella"]
    env.reset(options={"task_index": 4})
    *_, info = env.step(FirstToolAgent().act([""], [info])[0].replace("3", "4"))
    assert info["results"][0].errors[0].message == "call 0 ('look'): locker 4 is empty."


@pytest.mark.parametrize("isolation", [None, "process"])
def test_the_multi_turn_environment_conforms_in_every_vector_form(isolation):
    gym.register("Outside/Tidy-v0", entry_point=TidyEnv, vector_entry_point=TidyVectorEnv)
    try:
        check_environment("Outside/Tidy-v0", isolation=isolation, episodes=4)
    finally:
        del gym.registry["Outside/Tidy-v0"]


def test_the_term_adds_to_the_reward(env_id, data):
    config = RewardConfig(extra_terms=(weighted(brevity, 0.5),))
    gold = FirstToolAgent().answer(
        {"tools": [{"function": {"name": "look"}}], "messages": [{"content": "1"}]}
    )
    assert score_response(gold, gold, config).total == 4.5
    assert score_response(gold + " " * 200, gold, config)["brevity"] == 0
    check_environment(gym.make(env_id, data=data, reward=config))


def test_the_agent_plays_the_environment_in_a_vector(env_id, data):
    agent = FirstToolAgent()
    assert isinstance(agent, Policy)
    envs = gym.make_vec(env_id, num_envs=4, data=data)
    observations, infos = envs.reset(options={"task_index": [0, 1, 2, 3]})
    each = [{key: values[i] for key, values in infos.items()} for i in range(4)]
    _, rewards, *_ = envs.step(agent.act(observations, each))
    assert rewards.tolist()[1::2] == [4, 4]
    assert max(rewards[::2]) < 4
    envs.close()


@pytest.mark.parametrize("isolation", [None, "process"])
def test_a_recorded_multi_turn_episode_replays(tmp_path, isolation):
    from toolrl_env.wrappers import RecordTrajectories, read_trajectories, replay_trajectory

    gym.register("Outside/Tidy-v0", entry_point=TidyEnv)
    try:
        env = RecordTrajectories(
            gym.make("Outside/Tidy-v0", isolation=isolation), tmp_path / "t.jsonl"
        )
        env.reset(options={"task_id": "tidy"})
        env.step(env.unwrapped.gold_answer())
        env.step(env.unwrapped.gold_answer())
        (trajectory,) = read_trajectories(env.path)
        assert [transition.reward for transition in trajectory.transitions] == [0.0, 1.0]
        replay_trajectory(trajectory)
        env.close()
    finally:
        del gym.registry["Outside/Tidy-v0"]


def test_a_recorded_episode_of_it_replays(env_id, data, tmp_path):
    from toolrl_env.wrappers import RecordTrajectories, read_trajectories, replay_trajectory

    env = RecordTrajectories(gym.make(env_id, data=data), tmp_path / "t.jsonl")
    env.reset(seed=0)
    env.step("x")
    (trajectory,) = read_trajectories(env.path)
    replay_trajectory(trajectory)
