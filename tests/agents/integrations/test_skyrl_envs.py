"""SkyRL-Gym's own environments as Gymnasium environments: the checker, rewards, ends."""

from __future__ import annotations

import gymnasium as gym
import pytest
import skyrl_gym
from gymnasium.utils.env_checker import check_env
from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

from agents.integrations.skyrl_envs import SkyRLEnv
from toolrl_env.core.errors import ConfigurationError, UnknownName, WrongActionType

ROWS = [
    {
        "prompt": [{"role": "user", "content": f"What is {number} + {number}?"}],
        "env_class": "gsm8k",
        "reward_spec": {"method": "rule", "ground_truth": str(2 * number)},
        "reward_model": {"ground_truth": str(2 * number)},
        "extra_info": {},
    }
    for number in range(3, 8)
]


class Shout(BaseTextEnv):
    """Rewrites the answer in capitals; over after two."""

    closed = 0

    def __init__(self, env_config=None, extras=None):
        super().__init__()
        self.env_config = env_config

    def step(self, action):
        self.turns += 1
        return BaseTextEnvStepOutput(
            observations=[{"role": "user", "content": "again"}],
            reward=1,
            done=self.turns == 2,
            metadata={"config": self.env_config},
            postprocessed_action=action.upper(),
        )

    def close(self):
        type(self).closed += 1


@pytest.fixture
def shout():
    skyrl_gym.register(id="shout", entry_point=Shout)
    yield "shout"
    skyrl_gym.envs.deregister("shout")


@pytest.mark.filterwarnings("error", "ignore:.*different from the unwrapped version")
@pytest.mark.parametrize("env_class", ["gsm8k", "gsm8k_multi_turn", "aime"])
def test_gymnasium_finds_nothing_wrong(env_class):
    env_id = f"SkyRL/{env_class}-v0"
    gym.register(env_id, entry_point=lambda: SkyRLEnv(env_class, ROWS))
    check_env(gym.make(env_id).unwrapped)
    del gym.registry[env_id]


def test_a_right_answer_earns_what_skyrl_gives():
    env = SkyRLEnv("gsm8k", ROWS)
    for index, row in enumerate(ROWS):
        observation, info = env.reset(options={"task_index": index})
        assert info["task_index"] == index
        assert row["prompt"][0]["content"] in observation
        answer = f"#### {row['reward_spec']['ground_truth']}"
        observation, reward, terminated, truncated, info = env.step(answer)
        assert (reward, terminated, truncated) == (1.0, True, False)
        assert isinstance(reward, float)
        assert info["messages"][-1] == {"role": "assistant", "content": answer}
    _, info = env.reset(options={"task_index": 0})
    assert env.step("six")[1] == 0.0


def test_many_turns_as_skyrl_plays_them():
    env = SkyRLEnv("gsm8k_multi_turn", ROWS, max_turns=3)
    extras = {key: value for key, value in ROWS[1].items() if key != "prompt"} | {"max_turns": 3}
    theirs = skyrl_gym.make("gsm8k_multi_turn", extras=extras)
    theirs.init(ROWS[1]["prompt"])
    env.reset(options={"task_index": 1})
    for answer in ("hm", "#### 7", "hm"):
        said = theirs.step(answer)
        observation, reward, terminated, _, info = env.step(answer)
        assert (reward, terminated) == (said["reward"], said["done"])
        for message in said["observations"]:
            assert message in info["messages"]
            assert message["content"] in observation
    assert terminated
    assert reward == 0.0


def test_the_choice_of_the_row_is_seeded():
    env, other = SkyRLEnv("gsm8k", ROWS), SkyRLEnv("gsm8k", ROWS)
    picks = [env.reset(seed=5 if turn == 0 else None)[1]["task_index"] for turn in range(20)]
    again = [other.reset(seed=5 if turn == 0 else None)[1]["task_index"] for turn in range(20)]
    assert picks == again
    assert set(picks) == set(range(len(ROWS)))


def test_a_rewritten_answer_is_what_the_conversation_keeps_and_worlds_are_closed(shout):
    env = SkyRLEnv(shout, ROWS, env_config={"loud": True}, max_chars=40)
    before = Shout.closed
    env.reset()
    observation, reward, terminated, _, info = env.step("hi")
    assert (reward, terminated) == (1.0, False)
    assert info["messages"][-2:] == [
        {"role": "assistant", "content": "HI"},
        {"role": "user", "content": "again"},
    ]
    assert info["metadata"] == {"config": {"loud": True}}
    assert len(observation) == 40
    env.reset()
    assert Shout.closed == before + 1
    env.close()
    env.close()
    assert Shout.closed == before + 2
    with pytest.raises(gym.error.ResetNeeded):
        env.step("late")


def test_steps_need_an_episode_and_a_string():
    env = SkyRLEnv("gsm8k", ROWS)
    with pytest.raises(gym.error.ResetNeeded):
        env.step("")
    env.reset()
    with pytest.raises(WrongActionType):
        env.step(3)
    env.step("")
    with pytest.raises(gym.error.ResetNeeded):
        env.step("")


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(UnknownName, match="gsm8k"):
        SkyRLEnv("gsm8", ROWS)
    with pytest.raises(ConfigurationError, match="at least one"):
        SkyRLEnv("gsm8k", [])
    with pytest.raises(ConfigurationError, match="'prompt'"):
        SkyRLEnv("gsm8k", [{}])
    with pytest.raises(ConfigurationError, match="max_turns=0"):
        SkyRLEnv("gsm8k", ROWS, max_turns=0)
    env = SkyRLEnv("gsm8k", ROWS)
    with pytest.raises(ConfigurationError, match="task_index=5"):
        env.reset(options={"task_index": 5})
    with pytest.raises(UnknownName, match="task_indx"):
        env.reset(options={"task_indx": 1})
