"""The kit finds what is wrong: for each promise something that breaks it, and only it."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import Message, Task, ToolCall, ToolSpec
from toolrl_env.data import TaskSet
from toolrl_env.data.procedural import ToolboxSource
from toolrl_env.envs.toolace import ToolACEDialogueEnv
from toolrl_env.envs.toolbox import ToolboxEnv
from toolrl_env.parsing import parse_ground_truth
from toolrl_env.testing import (
    ContractViolation,
    check_dataset,
    check_environment,
    check_tools,
)
from toolrl_env.testing.vector import check_vectors
from toolrl_env.tools import Tool, ToolError, ToolSuite, read, tool_from_function, write
from toolrl_env.tools.suites.toolbox import TOOLBOX

IDS = sorted(name for name in gym.registry if name.startswith("ToolRL-"))

# ------------------------------------------------------------------ environments


@pytest.mark.parametrize("env_id", IDS)
def test_our_environments_conform(env_id):
    check_environment(env_id, episodes=5, vector=env_id == "ToolRL-XLAM-v0")


@pytest.mark.parametrize("continuation", ["teacher_forced", "free_running"])
@pytest.mark.parametrize("env_id", ["ToolRL-ToolACE-v0", "ToolRL-RLLA-v0", "ToolRL-APIBank-v0"])
def test_our_recorded_dialogues_conform(env_id, continuation):
    kwargs = {"mode": "multi_turn", "continuation": continuation}
    check_environment(env_id, episodes=5, vector=env_id == "ToolRL-RLLA-v0", **kwargs)


class Unmoved(ToolACEDialogueEnv):
    """Says that the record goes on, whatever is answered, although it does not."""

    def __init__(self, **kwargs):
        super().__init__(continuation="free_running", **kwargs)
        self.teacher_forced = True


def test_a_record_that_does_not_go_on_is_named():
    with pytest.raises(ContractViolation, match="the record does not go on"):
        check_environment(Unmoved(), episodes=2)


def test_real_dialogues_conform(shared_data):
    data = str(shared_data / "rlla_sft.json")
    check_environment(
        "ToolRL-RLLA-v0", mode="multi_turn", data=data, split="all", episodes=40, vector=False
    )


def test_real_rows_conform_though_some_gold_breaks_its_schema(shared_data):
    data = str(shared_data / "rlla_sft.json")
    check_environment("ToolRL-RLLA-v0", data=data, episodes=40, vector=False)


class Wrong(ToolboxEnv):
    """A sound environment, to be spoilt by overriding one method."""

    def __init__(self, **kwargs):
        super().__init__(difficulty=1, **kwargs)


class ListSpace(Wrong):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.observation_space = gym.spaces.Text(262_144)


class SilentInfo(Wrong):
    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        del info["source"]
        return observation, info


class HiddenMessage(Wrong):
    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        info["messages"].append({"role": "user", "content": "secret"})
        return observation, info


class ObjectInfo(Wrong):
    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        info["messages"].append({"role": "user", "content": object()})
        return observation, info


class NestedReward(Wrong):
    def step(self, action):
        *rest, info = super().step(action)
        info["reward"]["more"] = {}
        return *rest, info


class OtherTotal(Wrong):
    def step(self, action):
        observation, reward, *rest = super().step(action)
        return observation, reward + 1, *rest


class NoStopReason(Wrong):
    def step(self, action):
        *rest, info = super().step(action)
        del info["stop_reason"]
        return *rest, info


class GlobalState(Wrong):
    count = 0

    def step(self, action):
        *rest, info = super().step(action)
        GlobalState.count += 1
        info["count"] = GlobalState.count
        return *rest, info


class DeafToOptions(Wrong):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)


class PoorGold(Wrong):
    def gold_answer(self):
        return "who knows"


class NoReason(Wrong):
    def step(self, action):
        *rest, info = super().step(action)
        info["errors"] = ()
        return *rest, info


class Lenient(Wrong):
    def _begin_step(self, action):
        return super()._begin_step(str(action))


class Endless(Wrong):
    def step(self, action):
        result = super().step(action)
        self._done = False
        return result


class NeverOver(Wrong):
    def step(self, action):
        observation, reward, _, _, info = super().step(action)
        self._done = False
        return observation, reward, False, False, info


class SharedForks(Wrong):
    def fork(self, n):
        return [self] * n


@pytest.mark.parametrize(
    ("env", "said"),
    [
        (ListSpace, "observation space"),
        (SilentInfo, "lacks source"),
        (HiddenMessage, "lacks the user message"),
        (ObjectInfo, "must be JSON"),
        (NestedReward, "flat floats"),
        (OtherTotal, "totals must be one number"),
        (NoStopReason, "lacks 'stop_reason'"),
        (GlobalState, "check_env does not pass"),
        (DeafToOptions, "task_index"),
        (PoorGold, "gold answer earns"),
        (NoReason, "no error says what is wrong"),
        (Lenient, r"step\(3\) must raise WrongActionType"),
        (Endless, "step after the end must raise ResetNeeded"),
        (NeverOver, "must end within 1000 steps"),
        (SharedForks, "after fork the future is another"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_broken_promise_of_an_environment_is_named(env, said):
    with pytest.raises(ContractViolation, match=said):
        check_environment(env(), episodes=3)


def test_the_sound_one_they_are_made_from_conforms():
    check_environment(Wrong(), episodes=3)


def test_vectors_that_differ(monkeypatch):
    gym.register("Wrong-v0", entry_point=GlobalState)
    try:
        with pytest.raises(ContractViolation, match="'async' differs"):
            check_vectors("Wrong-v0", {})
    finally:
        del gym.registry["Wrong-v0"]


def test_an_instance_takes_no_arguments_and_must_be_ours():
    with pytest.raises(ConfigurationError, match="need an id"):
        check_environment(Wrong(), split="test")
    with pytest.raises(ConfigurationError, match="not built on ToolUseEnv"):
        check_environment("CartPole-v1")


# ------------------------------------------------------------------ datasets

ADD = ToolSpec("add", "Add.", {"type": "object", "properties": {"x": {"type": "integer"}}})
GOLD = '<think> a </think>\n<tool_call>\n{"name": "add", "parameters": {"x": 1}}\n</tool_call>'


def task(number, **changes):
    sound = Task(f"t{number}", "own", (ADD,), (Message("user", "1?"),), parse_ground_truth(GOLD))
    return dataclasses.replace(sound, **changes)


def source(**changes):
    return TaskSet("own", "all", tuple(task(i, **(changes if i == 2 else {})) for i in range(5)))


def test_sound_sources_conform():
    assert check_dataset(source()).tasks == 5
    assert check_dataset(source(), limit=2).tasks == 2
    assert check_dataset(ToolboxSource(difficulty=1), limit=30).invalid_gold == ()


def test_gold_that_breaks_its_schema_is_reported_and_no_violation():
    broken = parse_ground_truth(GOLD.replace("1", '"one"'))
    (found,) = check_dataset(source(gold=broken)).invalid_gold
    assert found.task_id == "t2"
    assert found.errors[0].code == "wrong_type"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"messages": ()}, "must end with what the model has to answer"),
        ({"messages": (Message("assistant", "1"),)}, "must end with"),
        ({"system": "s"}, "system and user go together"),
        ({"tools": (ADD, ADD)}, "two tools share a name"),
        ({"tools": (ToolSpec("f", "", {"type": "objct"}),)}, "schema is not valid"),
        ({"tools": (ToolSpec("f", "", {"type": "array"}),)}, "must be of type object"),
        ({"tools": (ToolSpec("f", "", {"type": {1, 2}}),)}, "schema is not JSON"),
        ({"gold": parse_ground_truth("hm")}, "gold answer earns 0.0 of 1.0"),
    ],
)
def test_a_broken_task_is_named(changes, said):
    with pytest.raises(ContractViolation, match=rf"own/all, task 't2'.*{said}"):
        check_dataset(source(**changes))


class NegativeIndex(TaskSet):
    def __getitem__(self, index):
        return self.tasks[index]


class FirstOnly(TaskSet):
    def draw(self, rng):
        return 0


class OutOfRange(TaskSet):
    def draw(self, rng):
        return 5 + int(rng.integers(3))


class OwnRandomness(TaskSet):
    count = 0

    def draw(self, rng):
        OwnRandomness.count += 1
        return OwnRandomness.count % 3


class Forgetful(TaskSet):
    def index_of(self, task_id):
        return 0


class ShortFingerprint(TaskSet):
    fingerprint = "abc"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (NegativeIndex, "index -1 must raise UnknownTask; it raised nothing"),
        (FirstOnly, "always returns the same"),
        (OutOfRange, "which is no index"),
        (OwnRandomness, "draw must obey its rng"),
        (Forgetful, "index_of"),
        (ShortFingerprint, "64 hexadecimal digits"),
    ],
)
def test_a_broken_promise_of_a_source_is_named(kind, said):
    with pytest.raises(ContractViolation, match=said):
        check_dataset(kind("own", "all", source().tasks))


# ------------------------------------------------------------------ tools


class Counter(ToolSuite):
    """Counts, soundly."""

    def __init__(self):
        self.value = 0

    @read
    def look(self) -> int:
        """Tell the count."""
        return self.value

    @write
    def add(self, amount: int) -> int:
        """Add to the count.

        Args:
            amount: How much.
        """
        self.value += amount
        return self.value


class Sly(Counter):
    """Writes while it says that it reads."""

    @read
    def look(self) -> int:
        """Tell the count."""
        self.value += 1
        return 0


class Leaky(Counter):
    """Counts in a global, which no snapshot brings back."""

    total = 0

    @write
    def add(self, amount: int) -> int:
        """Add to the count.

        Args:
            amount: How much.
        """
        Leaky.total += amount
        return Leaky.total


class Fragile(Counter):
    """Raises what it does not declare."""

    @write
    def add(self, amount: int) -> int:
        """Add to the count.

        Args:
            amount: How much.
        """
        return 1 // (amount + 1)


ONE = [ToolCall("add", {"amount": 1}), ToolCall("look", {})]


def test_sound_tools_conform():
    check_tools(Counter(), ONE)
    check_tools(tuple(TOOLBOX.values()))


class Forgetful(Counter):
    def restore(self, snapshot):
        super().restore(snapshot)
        self.value += 1


class Restless(Counter):
    hashes = 0

    def state_hash(self):
        type(self).hashes += 1
        return f"{self.hashes:064d}"


class Blind(Counter):
    __hash__ = None

    def __eq__(self, other):
        return True


class Shared(Counter):
    """Keeps its state in the class, where a fork finds it too."""

    kept: ClassVar[list[int]] = [0]

    def snapshot(self):
        self.copy = list(self.kept)
        return super().snapshot()

    def restore(self, snapshot):
        super().restore(snapshot)
        self.kept[:] = self.copy

    def state_hash(self):
        return f"{self.kept[0]:064d}"

    @write
    def add(self, amount: int) -> int:
        """Add.

        Args:
            amount: How much.
        """
        self.kept[0] += amount
        return self.kept[0]


@pytest.mark.parametrize(
    ("suite", "examples", "said"),
    [
        (Forgetful, [], "restore must bring a snapshot back"),
        (Restless, [], "restore must bring a snapshot back"),
        (Blind, ONE, "equality and state_hash must agree"),
        (Shared, [ToolCall("add", {"amount": 1})], "calls on a fork must not change"),
        (Sly, ONE, "'look': it is marked read but changes the state"),
        (Leaky, ONE, "a second run returns something else"),
        (Fragile, [], "fail with ToolError alone.*ZeroDivisionError"),
        (Counter, [ToolCall("add", {"amount": "x"})], "example .* fails.*amount"),
        (Counter, [ToolCall("sub", {})], "'sub'"),
    ],
)
def test_a_broken_promise_of_a_suite_is_named(suite, examples, said):
    with pytest.raises(ContractViolation, match=said):
        check_tools(suite(), examples)


def _refuse(**_):
    raise ToolError("no")


def _tool(name="f", description="Does it.", **schema):
    return Tool(ToolSpec(name, description, {"type": "object", **schema}), _refuse)


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        ([], "there must be a tool"),
        ([_tool(), _tool()], "share a name"),
        ([_tool(description=" ")], "needs a description"),
        ([_tool(properties={"x": {"type": "string"}})], "parameter 'x' needs a description"),
        ([_tool(type="strin")], "schema is not valid"),
        ([_tool(type="string")], "must be of type object"),
    ],
)
def test_a_broken_promise_of_a_tool_is_named(tools, said):
    with pytest.raises(ContractViolation, match=said):
        check_tools(tools)


def test_a_tool_that_returns_what_json_cannot_hold():
    def secret(x: int) -> float:
        """Give a number.

        Args:
            x: Any.
        """
        return x * float("nan")

    with pytest.raises(ContractViolation, match="JSON cannot hold"):
        check_tools([tool_from_function(secret)])
