"""Stable-Baselines3 on wrapped environments: its checker, vectors, algorithms; and the errors."""

from __future__ import annotations

import json
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor

import toolrl_env  # noqa: F401  # registers the ids
from agents import sb3
from agents.sb3_policies import CandidateScorer, SB3Policy
from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.wrappers import CandidateActions, ComposedActions, TextFeatures
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout

pytestmark = pytest.mark.filterwarnings(
    "ignore::toolrl_env.data.SampleDataWarning",
    "ignore:.*is not in the possible render_modes",
    "ignore:.*are not of the same type",
    "ignore:You have specified a mini-batch size",
)

ID = "ToolRL-Toolbox-v0"
EASY = '{"difficulty": 1}'
ALGORITHMS = ["ppo", "maskable_ppo", "a2c", "dqn"]


def wrapped(wrapper=CandidateActions, env_id=ID, **kwargs):
    return wrapper(gym.make(env_id, **kwargs))


def config(tmp_path, **changes):
    settings = {
        "env_kwargs": EASY,
        "wrapper_kwargs": '{"n": 12}',
        "out": tmp_path / "run",
        "steps": 256,
        "envs": 2,
        "eval_episodes": 4,
    }
    return sb3.SB3Config(**(settings | changes))


# ------------------------------------------------------------------ the library's own checks


@pytest.mark.filterwarnings("error")
@pytest.mark.filterwarnings("ignore::toolrl_env.data.SampleDataWarning")
@pytest.mark.parametrize("wrapper", [CandidateActions, ComposedActions])
@pytest.mark.parametrize(
    ("env_id", "kwargs"),
    [
        *((name, {}) for name in sorted(gym.registry) if name.startswith("ToolRL-")),
        ("ToolRL-ToolACE-v0", {"mode": "multi_turn"}),
    ],
)
def test_check_env_finds_nothing(wrapper, env_id, kwargs):
    check_env(wrapped(wrapper, env_id, **kwargs))


@pytest.mark.parametrize("algorithm", [PPO, A2C, DQN, MaskablePPO])
def test_a_forgotten_wrapper_is_named(algorithm):
    with pytest.raises(ConfigurationError, match=r"toolrl_env\.wrappers\.CandidateActions"):
        algorithm("MlpPolicy", gym.make("ToolRL-XLAM-v0"))


def test_a_forgotten_wrapper_is_named_by_make_vec_env_too():
    with pytest.raises(ConfigurationError, match=r"toolrl_env\.wrappers\.CandidateActions"):
        make_vec_env(ID, n_envs=2)


def test_make_vec_env_takes_an_id_and_the_wrapper():
    envs = make_vec_env(ID, 2, seed=0, wrapper_class=CandidateActions, env_kwargs={"difficulty": 1})
    assert envs.reset().shape == (2, *envs.observation_space.shape)


def test_text_features_alone_still_need_numeric_actions():
    with pytest.raises(AssertionError, match="UnicodeText"):
        PPO("MlpPolicy", TextFeatures(gym.make(ID)))


def test_masks_reach_the_library():
    env = wrapped(difficulty=1)
    assert is_masking_supported(env)
    vector = make_vec_env(lambda: wrapped(difficulty=1), n_envs=2, seed=0)
    assert is_masking_supported(vector)
    vector.reset()
    masks = get_action_masks(vector)
    assert masks.shape == (2, 32)
    assert masks[:, 0].all()


# ------------------------------------------------------------------ with the library's own parts


@pytest.mark.parametrize("vector", [DummyVecEnv, SubprocVecEnv])
def test_plain_library_code_works(vector, tmp_path):
    envs = VecMonitor(vector([lambda: wrapped(difficulty=1)]))
    judge = Monitor(wrapped(difficulty=1, split="test"))
    model = PPO("MlpPolicy", envs, n_steps=32, batch_size=32, n_epochs=1, device="cpu")
    callback = EvalCallback(judge, n_eval_episodes=2, eval_freq=32, verbose=0)
    model.learn(64, callback)
    model.save(tmp_path / "m")
    mean, _ = evaluate_policy(PPO.load(tmp_path / "m"), judge, 5)
    assert -3 <= mean <= 4
    envs.close()


@pytest.mark.parametrize("algorithm", [PPO, A2C, MaskablePPO])
def test_composed_actions_train(algorithm):
    env = wrapped(ComposedActions, difficulty=1)
    steps = {"n_steps": 16} if algorithm is A2C else {"n_steps": 16, "batch_size": 16}
    algorithm("MlpPolicy", env, device="cpu", **steps).learn(32)


# ------------------------------------------------------------------ ours


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_every_algorithm_trains_saves_and_is_evaluated(algo, tmp_path):
    settings = config(tmp_path, algo=algo, steps=640, save_every=320)
    path = sb3.train(settings)
    assert path.is_file()
    assert list((settings.out / "checkpoints").glob("*.zip"))
    assert (settings.out / "progress.csv").is_file()
    assert list(settings.out.glob("events.out.tfevents*"))
    result = json.loads((settings.out / "evaluation.json").read_text())
    assert -3 <= result["reward"] <= 4
    assert result["settings"]["algo"] == algo
    policy = SB3Policy.load(path)
    env = gym.make(ID, difficulty=1, split="test")
    observation, info = env.reset(seed=0)
    (answer,) = policy.act([observation], [info])
    assert answer.startswith("<think>")
    assert policy.act([observation] * 2, [info] * 2) == [answer, answer]


def test_equal_seeds_give_equal_models(tmp_path):
    one, two, other = (
        SB3Policy.load(sb3.train(config(tmp_path, out=tmp_path / name, seed=seed)))
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    states = [policy._policy.state_dict() for policy in (one, two, other)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not all(torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_a_run_goes_on_from_a_saved_model(tmp_path):
    first = sb3.train(config(tmp_path))
    second = sb3.train(config(tmp_path, out=tmp_path / "more", resume=first))
    assert PPO.load(first).num_timesteps < PPO.load(second).num_timesteps


def test_training_stops_after_its_cpu_time(tmp_path):
    path = sb3.train(config(tmp_path, steps=10**8, cpu_seconds=1.0, eval_episodes=0))
    assert PPO.load(path).num_timesteps < 10**6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"algo": "ppoo"}, "Did you mean 'ppo'"),
        ({"actions": "candidate"}, "Did you mean 'candidates'"),
        ({"algo": "dqn", "actions": "composed"}, "one Discrete action"),
        ({"steps": 0}, "steps=0"),
        ({"envs": 1.5}, "envs=1.5"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"cpu_seconds": float("nan")}, "cpu_seconds"),
        ({"env_kwargs": "[1]"}, "JSON object"),
        ({"wrapper_kwargs": "{"}, "not JSON"),
        ({"wrapper_kwargs": '{"encodr": 1}'}, "Did you mean 'encoder'"),
    ],
)
def test_settings_that_cannot_work(tmp_path, changes, message):
    with pytest.raises((ConfigurationError, UnknownName), match=message):
        config(tmp_path, **changes)


def test_other_policies_are_refused():
    model = PPO("MlpPolicy", wrapped(difficulty=1), device="cpu")
    with pytest.raises(ConfigurationError, match=r"agents\.sb3 trained"):
        SB3Policy(model.policy)


def test_a_wrong_name_on_the_command_line_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sb3", "--env", "ToolRL-Toolbocks-v0"])
    with pytest.raises(SystemExit) as stopped:
        sb3.main()
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("Stable-Baselines3: ToolRL-Toolbocks-v0 cannot be")


def test_the_command_line(tmp_path):
    command = [sys.executable, "-m", "agents.sb3", "--env", ID, "--env-kwargs", EASY]
    command += ["--algo", "a2c", "--steps", "64", "--envs", "2", "--eval-episodes", "2"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("test reward ")
    SB3Policy.load(tmp_path / "model.zip")


# ------------------------------------------------------------------ the scorer


def scorer_and_batch(batch=3):
    env = wrapped(difficulty=1)
    torch.manual_seed(0)
    scorer = CandidateScorer(env.observation_space, env.layout)
    states = [env.reset(seed=seed)[0] for seed in range(batch)]
    return scorer, env.layout, torch.as_tensor(np.stack(states))


def permuted(observations, layout, order):
    table, request = observations.split([layout.places * layout.row, layout.context], dim=1)
    rows = table.reshape(-1, layout.places, layout.row)[:, order]
    return torch.cat((rows.reshape(len(rows), -1), request), dim=1)


def test_permuting_the_candidates_permutes_the_scores_and_leaves_the_summary():
    scorer, layout, batch = scorer_and_batch()
    order = torch.randperm(layout.places, generator=torch.Generator().manual_seed(1))
    plain, moved = scorer(batch), scorer(permuted(batch, layout, order))
    torch.testing.assert_close(moved[:, : layout.places], plain[:, : layout.places][:, order])
    torch.testing.assert_close(moved[:, layout.places :], plain[:, layout.places :])


def test_empty_places_are_never_chosen():
    scorer, layout, batch = scorer_and_batch(8)
    present = batch[:, : layout.places * layout.row].reshape(8, layout.places, -1)[:, :, 0] > 0
    scores = scorer(batch)[:, : layout.places]
    assert (scores[~present] == -1e8).all()
    assert present[torch.arange(8), scores.argmax(dim=1)].all()


def test_a_state_without_any_candidate_is_finite():
    scorer, layout, _ = scorer_and_batch(1)
    assert torch.isfinite(scorer(torch.zeros(2, layout.size))).all()


def test_the_first_policy_is_nearly_uniform(tmp_path):
    settings = config(tmp_path)
    envs = sb3.make_envs(settings)
    model = sb3.build(settings, envs)
    observation = torch.as_tensor(envs.reset())
    with torch.no_grad():
        logits = model.policy.get_distribution(observation).distribution.logits
    kept = [row[row > -1e6].exp() for row in logits]
    assert all(float(row.max() / row.min()) < 1.3 for row in kept)


def test_the_layout_says_its_size():
    assert CandidateLayout(places=4, row=10, context=3).size == 43
