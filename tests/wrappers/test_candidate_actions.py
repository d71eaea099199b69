"""CandidateActions: spaces, candidates, masks, answers, many turns, vectors."""

from __future__ import annotations

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wrappers.numeric_support import TOOLBOX, info_of, tool, toolbox
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.parsing import get_protocol
from toolrl_env.wrappers import (
    CandidateActions,
    RecordTrajectories,
    TextFeatures,
    read_trajectories,
)
from toolrl_env.wrappers.numeric.actions import write_answer
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout, view_candidates
from toolrl_env.wrappers.numeric.candidate_features import FEATURES
from toolrl_env.wrappers.numeric.encoding import HashedNgrams
from toolrl_env.wrappers.numeric.proposals import propose
from toolrl_env.wrappers.numeric.visible import look

pytestmark = pytest.mark.filterwarnings(
    "ignore::toolrl_env.data.SampleDataWarning", "ignore:.*different from the unwrapped version"
)
MILES = tool(
    "convert",
    "Convert a length.",
    value={"type": "number"},
    unit={"type": "string", "enum": ["miles", "feet"]},
)
NOTE = tool("note", "Write a note.", ["text"], text={"type": "string"}, urgent={"type": "boolean"})


@pytest.mark.parametrize("n", [2, 32])
def test_gymnasium_finds_nothing_wrong(n):
    check_env(CandidateActions(toolbox(), n), skip_render_check=True)


def test_gold_calls_of_easy_tasks_are_candidates_and_earn_the_most():
    env = CandidateActions(toolbox())
    for seed in range(25):
        _, info = env.reset(seed=seed)
        (gold,) = env.unwrapped.task.gold.values
        action = env.candidates.index(ToolCall(gold["name"], gold["parameters"]))
        assert info["action_mask"][action]
        observation, reward, terminated, truncated, info = env.step(np.int64(action))
        assert (reward, terminated, truncated) == (4.0, True, False)
        assert not observation.any()
        assert info["answer"].startswith("<think>")


def test_action_zero_answers_in_words_and_an_empty_place_earns_the_least():
    env = CandidateActions(toolbox(), n=200, reply="No tool for that.")
    env.reset(seed=0)
    _, reward, _, _, info = env.step(0)
    assert "<response> No tool for that. </response>" in info["answer"]
    assert reward == -3.0
    _, info = env.reset(seed=0)
    empty = np.flatnonzero(~info["action_mask"])
    _, reward, terminated, _, info = env.step(int(empty[0]))
    assert (reward, terminated, info["answer"]) == (-3.0, True, "")


@pytest.mark.parametrize("action", [-1, 32, 1.5, "1", None, True])
def test_what_is_no_action_is_refused_and_the_episode_goes_on(action):
    env = CandidateActions(toolbox())
    env.reset(seed=0)
    with pytest.raises(ConfigurationError, match="integer from 0 to 31"):
        env.step(action)
    env.step(0)


def test_a_step_needs_a_reset():
    env = CandidateActions(toolbox())
    with pytest.raises(gym.error.ResetNeeded):
        env.step(0)


def test_masks_are_of_the_candidates_and_cannot_be_spoilt():
    env = CandidateActions(toolbox())
    _, info = env.reset(seed=5)
    mask = env.action_masks()
    np.testing.assert_array_equal(mask, info["action_mask"])
    assert mask.dtype == np.bool_
    assert mask.sum() == len(env.candidates)
    mask[:] = False
    assert env.action_masks().any()


def test_candidates_differ_fit_their_schemas_and_respect_n():
    for n in (2, 5, 40):
        env = CandidateActions(toolbox(), n)
        for seed in range(10):
            env.reset(seed=seed)
            calls = env.candidates
            assert calls[0] is None
            assert len(calls) <= n
            assert len({repr(call) for call in calls}) == len(calls)
            known = {spec.name: spec.parameters for spec in env.unwrapped.task.tools}
            for call in calls[1:]:
                assert set(known[call.name].get("required", ())) <= set(call.arguments)
                assert set(call.arguments) <= set(known[call.name]["properties"])


def candidates(text, *tools, n=32):
    layout = CandidateLayout.of(n, 64)
    view = view_candidates(info_of(text, *tools), layout, HashedNgrams())
    return [call for call in view.calls if call is not None]


def test_values_come_from_the_conversation_enumerations_and_booleans():
    calls = candidates('How much is 60 miles? Note "buy milk".', MILES, NOTE)
    assert ToolCall("convert", {"value": 60, "unit": "miles"}) in calls
    assert ToolCall("convert", {"value": 60, "unit": "feet"}) in calls
    assert ToolCall("note", {"text": "buy milk"}) in calls
    assert ToolCall("note", {"text": "buy milk", "urgent": True}) in calls


def test_without_a_value_that_fits_there_is_no_call_and_without_tools_only_the_reply():
    assert candidates("How long is it?", MILES) == []
    assert candidates("Hello") == []
    assert candidates("Hello", tool("now")) == [ToolCall("now", {})]


def test_every_tool_has_its_best_call_among_few_places():
    tools = [tool(f"tool{n}", x={"type": "integer"}) for n in range(6)]
    calls = candidates("Use 1, 2, 3 and 4", *tools, n=7)
    assert {call.name for call in calls} == {f"tool{n}" for n in range(6)}


def test_many_turns():
    env = CandidateActions(gym.make("ToolRL-Workspace-v0", difficulty=2, max_turns=4))
    observation, info = env.reset(seed=3)
    for _ in range(4):
        before = observation
        place = int(np.flatnonzero(info["action_mask"])[-1])
        observation, reward, terminated, truncated, info = env.step(place)
        assert isinstance(reward, float)
        if terminated or truncated:
            break
        assert not np.array_equal(before, observation)
    assert truncated
    assert observation.any(), "a state that was cut off still has a value"


def test_values_that_a_tool_returned_are_offered_in_the_next_turn():
    env = CandidateActions(gym.make("ToolRL-Workspace-v0", difficulty=4), n=64)
    later = 0
    for seed in range(12):
        _, info = env.reset(seed=seed)
        over = False
        while not over:
            said = " ".join(m["content"] for m in info["messages"] if m["role"] == "user")
            first = info["messages"][1]["content"]
            for call in env.candidates[1:]:
                later += any(
                    isinstance(value, str) and value in said and value not in first
                    for value in call.arguments.values()
                )
            _, _, terminated, truncated, info = env.play(env.unwrapped.gold_answer())
            over = terminated or truncated
    assert later > 0


def test_equal_seeds_give_equal_episodes_and_copies_go_on_alike():
    one, two = CandidateActions(toolbox()), CandidateActions(toolbox())
    for env in (one, two):
        env.reset(seed=9)
    three = copy.deepcopy(one)
    for action in (1, 2, 3):
        results = [env.step(action) + env.reset() for env in (one, two, three)]
        for other in results[1:]:
            np.testing.assert_array_equal(results[0][5], other[5])
            assert results[0][1] == other[1]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vectors(mode):
    envs = gym.make_vec(
        TOOLBOX, 2, mode, wrappers=[CandidateActions], difficulty=1, vector_kwargs={}
    )
    observations, infos = envs.reset(seed=0)
    assert observations.shape == (2, envs.single_observation_space.shape[0])
    assert infos["action_mask"].shape == (2, 32)
    _, rewards, terminated, _, _ = envs.step(np.array([0, 1]))
    assert terminated.all()
    assert rewards.shape == (2,)
    envs.close()


def test_wraps_a_recorder_and_is_made_again_from_its_spec(tmp_path):
    env = CandidateActions(RecordTrajectories(toolbox(), tmp_path / "t.jsonl"), n=16)
    env.reset(seed=0)
    env.step(1)
    (trajectory,) = read_trajectories(tmp_path / "t.jsonl")
    assert trajectory.transitions[0].action.startswith("<think>")
    again = gym.make(CandidateActions(toolbox(), n=16).spec)
    assert again.action_space.n == 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 1}, "n=1"),
        ({"n": 2000}, "n=2000"),
        ({"n": "many"}, "n='many'"),
        ({"encoder": lambda text: np.zeros(len(text))}, "of one size"),
        ({"encoder": lambda text: 1.0}, "one-dimensional"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ConfigurationError, match=message):
        CandidateActions(toolbox(), **arguments)


def test_what_it_cannot_wrap_is_refused():
    with pytest.raises(ConfigurationError, match="takes a ToolUseEnv, not CartPoleEnv"):
        CandidateActions(gym.make("CartPole-v1"))
    with pytest.raises(ConfigurationError, match="put CandidateActions directly around it"):
        CandidateActions(TextFeatures(toolbox()))


def test_an_encoder_of_ones_own():
    def encoder(text):
        return [len(text) / 100, 1000.0]

    env = CandidateActions(toolbox(), encoder=encoder)
    observation, _ = env.reset(seed=0)
    assert env.layout.context == 2
    assert observation[-1] == 10.0, "cut to the limit of the space"
    assert observation in env.observation_space


def test_the_layout_is_that_of_the_observation():
    env = CandidateActions(toolbox())
    observation, _ = env.reset(seed=0)
    layout = env.layout
    table = observation[: layout.places * layout.row].reshape(layout.places, layout.row)
    present = table[:, FEATURES.index("present")]
    np.testing.assert_array_equal(present > 0, env.action_masks())
    assert table[0, FEATURES.index("reply")] == 1
    assert observation.shape == (layout.size,)
    assert np.linalg.norm(observation[-layout.context :]) == pytest.approx(1, abs=1e-5)


def test_an_answer_that_the_protocol_cannot_write_is_empty():
    call = ToolCall("a)(b", {"x": 1})
    assert write_answer(get_protocol("python"), call, "") == ""
    assert "a)(b" in write_answer(get_protocol("toolrl"), call, "")


def test_a_view_is_picklable():
    view = view_candidates(info_of("5 miles", MILES), CandidateLayout.of(8, 64), HashedNgrams())
    again = pickle.loads(pickle.dumps(view))
    assert again.calls == view.calls


JSON_SCHEMAS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", "boolean", "array", "object"])
        | st.just(["string", "null"]),
        "description": st.text(max_size=20),
        "enum": st.lists(st.integers() | st.text(max_size=5), min_size=1, max_size=3),
        "default": st.none() | st.integers() | st.text(max_size=5),
        "minimum": st.integers(-5, 5),
        "maxLength": st.integers(0, 10),
        "pattern": st.sampled_from(["^a", "[", "(a+)+$"]),
        "items": st.sampled_from([True, {}, {"type": "integer"}]),
    },
)


@settings(max_examples=60)
@given(
    st.text(max_size=120),
    st.lists(
        st.dictionaries(st.text(min_size=1, max_size=8), JSON_SCHEMAS, max_size=4), max_size=4
    ),
    st.integers(1, 20),
)
def test_any_text_and_any_tools(text, schemas, most):
    tools = [tool(f"t{n}", "d", **schema) for n, schema in enumerate(schemas)]
    shown = look(info_of(text, *tools))
    proposals, _ = propose(shown, most)
    assert len(proposals) <= most
    assert proposals == propose(shown, most)[0]
    layout = CandidateLayout.of(most + 1, 64)
    view = view_candidates(info_of(text, *tools), layout, HashedNgrams())
    assert np.isfinite(view.observation).all()
    assert len(view.calls) == view.mask.sum()
