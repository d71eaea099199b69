"""Recorded conversations as episodes: what is shown, what is scored, what ends them."""

from __future__ import annotations

import json
import warnings

import gymnasium as gym
import pytest

import toolrl_env  # noqa: F401  # registers the ids
from toolrl_env.core.errors import ConfigurationError, SnapshotError, UnknownName
from toolrl_env.core.types import StopReason
from toolrl_env.data import SampleDataWarning
from toolrl_env.envs.dialogue import DialogueEnv
from toolrl_env.envs.toolace import ToolACEDialogueEnv
from toolrl_env.rewards import RewardConfig
from toolrl_env.wrappers import RecordTrajectories, read_trajectories, replay_trajectory

OBS = '[{"name": "sky", "results": "blue"}, {"name": "inn", "results": "Ritz"}]'
FUNCTIONS = [
    {
        "name": name,
        "description": name,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
    for name in ("sky", "inn")
]
ROW = {
    "system": f"Functions: {json.dumps(FUNCTIONS)}",
    "conversations": [
        {"from": "user", "value": "Sky and inn of Porto?"},
        {"from": "assistant", "value": '[sky(city="Porto"), inn(city="Porto")]'},
        {"from": "tool", "value": OBS},
        {"from": "assistant", "value": "Blue, and the Ritz."},
        {"from": "user", "value": "And the sky of Rome?"},
        {"from": "assistant", "value": '[sky(city="Rome")]'},
    ],
}
THINK = "<think> x </think>\n"
WORDS = f"{THINK}<response> Blue. </response>"


def calls(*pairs):
    lines = [json.dumps({"name": name, "parameters": {"city": city}}) for name, city in pairs]
    return "\n".join([f"{THINK}<tool_call>", *lines, "</tool_call>"])


BOTH = calls(("sky", "Porto"), ("inn", "Porto"))


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)
        yield


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "toolace.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    return path


@pytest.fixture
def make(file):
    def _make(**kwargs):
        env = ToolACEDialogueEnv(data=file, split="all", **kwargs)
        env.reset(seed=0)
        return env

    return _make


def free(make, **kwargs):
    return make(continuation="free_running", **kwargs)


# ------------------------------------------------------------------ what is shown


def test_the_first_observation_is_that_of_the_first_step_in_single_turn_mode():
    for env_id, kwargs in (
        ("ToolRL-ToolACE-v0", {}),
        ("ToolRL-ToolACE-v0", {"protocol": "native"}),
        ("ToolRL-ToolACE-v0", {"protocol": "python"}),
    ):
        single = gym.make(env_id, **kwargs)
        multi = gym.make(env_id, mode="multi_turn", **kwargs)
        for index in range(multi.unwrapped.tasks.size):
            seen, info = multi.reset(options={"task_index": index})
            expected, known = single.reset(options={"task_id": info["task_id"]})
            assert seen == expected
            del info["task_index"], known["task_index"]
            assert info == known


def test_forced_the_recorded_answer_stands_in_for_the_models(make):
    env = make()
    observation, *_, info = env.step(calls(("sky", "Rome")))
    assert [message["role"] for message in info["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]
    assert '"inn", "parameters": {"city": "Porto"}' in info["messages"][2]["content"]
    assert info["messages"][3]["content"] == f"<obs> {OBS} </obs>"
    assert "Rome" not in observation
    assert env.teacher_forced


@pytest.mark.parametrize("protocol", ["toolrl", "native", "python"])
def test_forced_any_answer_leads_to_the_same_conversation(make, protocol):
    env, other = make(protocol=protocol), make(protocol=protocol)
    for _ in range(2):
        seen, *_ = env.step(env.gold_answer())
        junk, *_ = other.step("\x00 junk")
        assert seen == junk


def test_the_last_observation_ends_with_the_models_answer(make):
    env = make()
    for _ in range(3):
        observation, _, terminated, truncated, info = env.step(WORDS)
    assert (terminated, truncated) == (True, False)
    assert observation.endswith(WORDS)
    assert info["messages"][-1] == {"role": "assistant", "content": WORDS}
    assert info["stop_reason"] == StopReason.ANSWERED


def test_user_words_and_results_have_the_protocols_form(make):
    for protocol, role, obs, user in (
        ("toolrl", "user", f"<obs> {OBS} </obs>", "<user> And the sky of Rome? </user>"),
        ("native", "tool", OBS, "And the sky of Rome?"),
        ("python", "tool", OBS, "And the sky of Rome?"),
    ):
        env = make(protocol=protocol)
        *_, info = env.step(env.gold_answer())
        assert info["messages"][-1] == {"role": role, "content": obs}
        *_, info = env.step(env.gold_answer())
        assert info["messages"][-1] == {"role": "user", "content": user}


def test_free_the_models_answer_stays(make):
    env = free(make)
    observation, *_, info = env.step(calls(("inn", "Porto"), ("sky", "Porto")))
    assert info["messages"][2]["content"].index("inn") < info["messages"][2]["content"].index("sky")
    assert info["messages"][3]["content"] == f"<obs> {OBS} </obs>"
    assert not env.teacher_forced
    assert observation in env.observation_space


def test_free_a_call_that_was_never_recorded_gets_an_error_and_no_invention(make):
    env = free(make)
    *_, info = env.step(calls(("sky", "Oslo"), ("inn", "Porto")))
    shown = json.loads(info["messages"][-1]["content"][6:-7])
    assert shown == [
        {"name": "sky", "results": {"error": "No result of this call was recorded."}},
        {"name": "inn", "results": "Ritz"},
    ]
    assert [error.code for error in info["errors"]] == ["execution"]
    assert info["stop_reason"] is None


def test_free_a_step_finished_in_two_answers_goes_on_with_what_the_user_said_next(make, tmp_path):
    row = {**ROW, "conversations": [*ROW["conversations"]]}
    row["conversations"][3] = {"from": "user", "value": "Quick!"}
    row["conversations"][4] = {"from": "assistant", "value": "Blue."}
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps({**row, "conversations": row["conversations"][:5]}))
    env = ToolACEDialogueEnv(data=path, split="all", continuation="free_running")
    env.reset(seed=0)
    env.step(calls(("sky", "Porto")))
    *_, info = env.step(calls(("inn", "Porto")))
    result, words = info["messages"][-2:]
    assert result["content"] == '<obs> [{"name": "inn", "results": "Ritz"}] </obs>'
    assert words["content"] == "<user> Quick! </user>"


def test_free_an_unreadable_answer_is_told_what_is_wrong(make):
    env = free(make)
    state = env.state_hash()
    observation, *_, info = env.step("<tool_call>\n{\n</tool_call>")
    assert "could not be read" in observation
    assert info["errors"]
    assert env.state_hash() == state


# ------------------------------------------------------------------ what is scored


def test_each_step_is_scored_once(make):
    env = free(make)
    first = env.step(calls(("sky", "Porto")))
    assert first[1] > 0
    for _ in range(5):
        again = env.step(calls(("sky", "Porto")))
        assert again[1] == 0.0
        assert again[4]["breakdown"].terms[0].high == 0.0
    assert env.step(env.gold_answer())[1] == 0.0
    assert env.step(WORDS)[1] == 1.0
    *_, reward, terminated, _, info = env.step(env.gold_answer())
    assert (reward, terminated) == (4.0, True)
    assert not info["is_success"]
    assert info["stop_reason"] == StopReason.ANSWERED
    assert info["progress"] == pytest.approx(2 / 3)


def test_free_words_where_calls_were_recorded_end_the_episode(make):
    env = free(make)
    _, reward, terminated, truncated, info = env.step(WORDS)
    assert reward == -3.0
    assert (terminated, truncated) == (True, False)
    assert info["stop_reason"] == StopReason.ANSWERED


def test_success_is_every_first_answer_right(make):
    for continuation in ("teacher_forced", "free_running"):
        env = make(continuation=continuation)
        env.step(calls(("inn", "Porto"), ("sky", "Porto")))
        env.step(WORDS)
        *_, info = env.step(calls(("sky", "Rome")))
        assert info["is_success"]
        assert info["progress"] == 1.0


def test_forced_one_wrong_answer_is_no_success_and_spoils_no_other_turn(make):
    env = make()
    rewards = [env.step(text)[1] for text in (WORDS, WORDS)]
    _, last, *_, info = env.step(calls(("sky", "Rome")))
    assert [*rewards, last] == [-3.0, 1.0, 4.0]
    assert not info["is_success"]
    assert info["progress"] == pytest.approx(2 / 3)


def test_other_rewards_see_the_whole_dialogue(make):
    env = make(episode_reward="answer_quality")
    rewards = [env.step(text)[1] for text in (WORDS, WORDS, calls(("sky", "Rome")))]
    assert rewards == [0.0, 0.0, pytest.approx(2 / 3)]
    env = make(episode_reward="outcome")
    assert [env.step(env.gold_answer())[1] for _ in range(3)] == [0.0, 0.0, 1.0]
    env = make(episode_reward="trajectory")
    assert [env.step(env.gold_answer())[1] for _ in range(3)] == [0.0, 0.0, 1.0]


def test_the_reward_of_single_turn_mode_is_that_of_every_turn(make):
    config = RewardConfig.preset("length")
    env = make(reward=config, strict=True)
    *_, info = env.step(calls(("sky", "Porto"), ("fly", "Porto")))
    assert set(info["reward"]) == {"total", "format", "correctness", "length", "validation"}
    assert info["reward"]["validation"] == -0.5
    assert env.episode_reward.turn == env.reward_config


def test_credits_point_into_the_models_own_answer(make):
    env = make()
    text = calls(("sky", "Oslo"), ("inn", "Porto"))
    _, reward, *_ = env.step(text)
    earned = env.credits()
    assert sum(credit.amount for credit in earned) == pytest.approx(reward)
    spans = {credit.call: text[slice(*credit.span)] for credit in earned}
    assert json.loads(spans[0])["parameters"] == {"city": "Oslo"}
    assert json.loads(spans[1])["name"] == "inn"
    assert spans[None] == text


# ------------------------------------------------------------------ what ends it, and its state


def test_the_turn_limit_cuts_the_record(make):
    env = make(max_turns=2)
    env.step(WORDS)
    *_, terminated, truncated, info = env.step(WORDS)
    assert (terminated, truncated) == (False, True)
    assert info["stop_reason"] == StopReason.TURN_LIMIT


def test_the_gold_answers_run_out(make):
    env = make()
    for _ in range(3):
        env.step(env.gold_answer())
    with pytest.raises(ConfigurationError, match="gold has 3 answers; 3 were given"):
        env.gold_answer()


def test_a_snapshot_of_the_other_continuation_is_refused(make):
    env, other = make(), free(make)
    env.step(WORDS)
    with pytest.raises(SnapshotError, match="task set"):
        other.restore(env.snapshot())


@pytest.mark.parametrize("continuation", ["teacher_forced", "free_running"])
def test_a_recorded_episode_replays(file, tmp_path, continuation):
    path = tmp_path / "episodes.jsonl"
    env = RecordTrajectories(
        gym.make(
            "ToolRL-ToolACE-v0",
            mode="multi_turn",
            data=str(file),
            split="all",
            continuation=continuation,
        ),
        path,
    )
    env.reset(seed=1)
    for text in (calls(("sky", "Oslo")), BOTH, WORDS, WORDS):
        if env.step(text)[2]:
            break
    (trajectory,) = read_trajectories(path)
    assert trajectory.env_kwargs["mode"] == "multi_turn"
    replay_trajectory(trajectory)


def test_the_picture_shows_the_answer_that_was_scored(make):
    env = make(render_mode="ansi")
    env.step(calls(("sky", "Oslo")))
    assert "Oslo" in env.render()
    assert "Porto" in env.render()


@pytest.mark.parametrize(
    ("kwargs", "error", "said"),
    [
        ({"continuation": "forced"}, UnknownName, "teacher_forced"),
        ({"episode_reward": "toolrl_turn"}, UnknownName, "Did you mean 'toolrl_turns'"),
        ({"max_turns": 0}, ConfigurationError, "max_turns=0"),
        ({"data_options": {"level": 2}}, ConfigurationError, "no option 'level'"),
    ],
)
def test_bad_arguments_are_named(make, kwargs, error, said):
    with pytest.raises(error, match=said):
        make(**kwargs)


def test_a_dataset_of_ones_own_is_played(file):
    from toolrl_env.data.toolace import ToolACEConversations

    class OwnEnv(DialogueEnv):
        dataset = ToolACEConversations()

    env = OwnEnv(data=file, split="all")
    env.reset(seed=0)
    assert env.step(BOTH)[1] == 4.0
