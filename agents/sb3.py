"""Stable-Baselines3 on tool use: PPO, A2C, DQN and sb3-contrib's MaskablePPO.

    python -m agents.sb3 --env ToolRL-Toolbox-v0 --env-kwargs '{"difficulty": 1}' --algo ppo

The environment is wrapped in ``CandidateActions`` (or ``ComposedActions``), so everything else is
the library's own: vectorised environments, logger, callbacks, checkpoints, ``evaluate_policy``. On
candidates the policies score every candidate by one small network (``agents.sb3_policies``),
whatever its place; with composed actions they are the library's ``MlpPolicy``.
"""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
import tyro
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.evaluation import evaluate_policy as evaluate_maskable
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, CallbackList, CheckpointCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.logger import configure
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

from agents.env_kwargs import make_env, parse_env_kwargs
from agents.refusals import short_refusals
from agents.sb3_policies import (
    CandidatePolicy,
    CandidateQPolicy,
    CandidateScorer,
    MaskableCandidatePolicy,
)
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, UnknownName
from toolrl_env.wrappers import CandidateActions, ComposedActions

__all__ = ["SB3Config", "build", "make_envs", "train"]

WRAPPERS: dict[str, Callable[..., gym.Env]] = {
    "candidates": CandidateActions,
    "composed": ComposedActions,
}


@dataclass(frozen=True)
class _Algorithm:
    kind: type[BaseAlgorithm]
    policy: type[BasePolicy]
    settings: Mapping[str, Any]
    absent: float = -1e8


ALGORITHMS: dict[str, _Algorithm] = {
    "ppo": _Algorithm(
        PPO, CandidatePolicy, {"n_steps": 32, "batch_size": 128, "n_epochs": 4, "ent_coef": 0.01}
    ),
    "maskable_ppo": _Algorithm(
        MaskablePPO,
        MaskableCandidatePolicy,
        {"n_steps": 32, "batch_size": 128, "n_epochs": 4, "ent_coef": 0.01},
    ),
    "a2c": _Algorithm(A2C, CandidatePolicy, {"n_steps": 8, "ent_coef": 0.01}),
    "dqn": _Algorithm(
        DQN,
        CandidateQPolicy,
        {
            "buffer_size": 10_000,
            "learning_starts": 500,
            "train_freq": 4,
            "gradient_steps": 4,
            "target_update_interval": 1000,
            "exploration_fraction": 0.3,
        },
        absent=-5.0,  # below every reward, and of a size that a loss can bear
    ),
}


@dataclass(frozen=True)
class SB3Config:
    """Settings of a run.

    Attributes:
        env: Registered environment id.
        env_kwargs: Keyword arguments for gym.make, as a JSON object.
        algo: "ppo", "maskable_ppo", "a2c" or "dqn".
        actions: "candidates" (CandidateActions) or "composed" (ComposedActions; not for dqn).
        wrapper_kwargs: Further arguments of the wrapper, as a JSON object, e.g. {"n": 64}.
        out: Folder for model.zip, checkpoints, progress.csv and TensorBoard events.
        steps: Environment steps in all.
        cpu_seconds: Stop earlier, after this much CPU time of this process; 0 for no limit.
        envs: Environments in the vector.
        subprocesses: Run each in a process of its own.
        learning_rate: Of the optimiser.
        seed: Seed of every random choice.
        threads: Threads of torch; 0 leaves them as they are.
        save_every: Environment steps between checkpoints; 0 writes model.zip at the end alone.
        eval_episodes: Episodes of the evaluation at the end, on the test split; 0 for none.
        resume: A model.zip or checkpoint to go on from.

    Raises:
        ConfigurationError: A value is out of range, or two do not go together.
    """

    env: str = "ToolRL-Toolbox-v0"
    env_kwargs: str = "{}"
    algo: str = "ppo"
    actions: str = "candidates"
    wrapper_kwargs: str = "{}"
    out: Path = Path("runs/sb3")
    steps: int = 50_000
    cpu_seconds: float = 0.0
    envs: int = 16
    subprocesses: bool = False
    learning_rate: float = 1e-3
    seed: int = 0
    threads: int = 1
    save_every: int = 0
    eval_episodes: int = 200
    resume: Path | None = None

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.algo not in ALGORITHMS:
            raise UnknownName("algo", self.algo, ALGORITHMS)
        if self.actions not in WRAPPERS:
            raise UnknownName("actions", self.actions, WRAPPERS)
        if self.algo == "dqn" and self.actions == "composed":
            raise ConfigurationError("algo='dqn' takes one Discrete action: use actions=candidates")
        for name in ("steps", "envs"):
            whole_number(name, getattr(self, name), 1)
        for name in ("seed", "threads", "save_every", "eval_episodes"):
            whole_number(name, getattr(self, name), 0)
        if not self.learning_rate > 0 or not self.cpu_seconds >= 0:
            raise ConfigurationError("learning_rate must be above 0 and cpu_seconds at least 0")
        parse_env_kwargs(self.env_kwargs)
        taken = set(inspect.signature(WRAPPERS[self.actions]).parameters) - {"env"}
        for name in parse_env_kwargs(self.wrapper_kwargs):
            if name not in taken:
                raise UnknownName(f"argument of actions={self.actions!r}", name, taken)


class StopAfterCPU(BaseCallback):
    """Ends the training when this process has used so many seconds of CPU time in it."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self._start = seconds, 0.0

    def _on_training_start(self) -> None:
        self._start = time.process_time()

    def _on_step(self) -> bool:
        return time.process_time() - self._start < self.seconds


def make_envs(config: SB3Config, split: str | None = None, envs: int | None = None) -> VecEnv:
    """Return wrapped environments in the library's vector, each in its ``Monitor``.

    Args:
        config: The settings.
        split: Instead of the split that ``env_kwargs`` say.
        envs: Instead of ``config.envs``.
    """
    kwargs = parse_env_kwargs(config.env_kwargs) | ({} if split is None else {"split": split})
    more = parse_env_kwargs(config.wrapper_kwargs)
    return make_vec_env(
        lambda: WRAPPERS[config.actions](make_env(config.env, kwargs), **more),
        n_envs=envs or config.envs,
        seed=config.seed,
        vec_env_cls=SubprocVecEnv if config.subprocesses else DummyVecEnv,
    )


def build(config: SB3Config, envs: VecEnv) -> BaseAlgorithm:
    """Return the algorithm, new or as it was saved."""
    algorithm = ALGORITHMS[config.algo]
    if config.resume is not None:
        return algorithm.kind.load(config.resume, envs, device="cpu")
    policy: type[BasePolicy] | str = "MlpPolicy"
    policy_kwargs = None
    if config.actions == "candidates":
        policy = algorithm.policy
        extra = {"layout": envs.get_attr("layout")[0], "absent": algorithm.absent}
        policy_kwargs = {
            "features_extractor_class": CandidateScorer,
            "features_extractor_kwargs": extra,
        }
    return algorithm.kind(
        policy,
        envs,
        learning_rate=config.learning_rate,
        policy_kwargs=policy_kwargs,
        seed=config.seed,
        device="cpu",
        **algorithm.settings,
    )


def train(config: SB3Config, callbacks: Sequence[BaseCallback] = ()) -> Path:
    """Train, save and evaluate.

    Args:
        config: The settings.
        callbacks: The library's, in addition to checkpoints and the limit on CPU time.

    Returns:
        The saved model, ``out/model.zip``; ``evaluation.json`` is beside it.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    # 1. Environments and algorithm.
    envs = make_envs(config)
    model = build(config, envs)
    model.set_logger(configure(str(config.out), ["csv", "tensorboard"]))
    # 2. Learn.
    hooks = list(callbacks)
    if config.cpu_seconds:
        hooks.append(StopAfterCPU(config.cpu_seconds))
    if config.save_every:
        every = max(1, config.save_every // config.envs)
        hooks.append(CheckpointCallback(every, str(config.out / "checkpoints")))
    fresh = config.resume is None
    model.learn(config.steps, CallbackList(hooks), reset_num_timesteps=fresh, log_interval=10)
    # 3. Save, and evaluate on tasks that were not trained on.
    path = config.out / "model.zip"
    model.save(path)
    if config.eval_episodes:
        held_out = make_envs(config, "test", 1)
        judge = evaluate_maskable if config.algo == "maskable_ppo" else evaluate_policy
        mean, spread = judge(model, held_out, config.eval_episodes, deterministic=True)
        held_out.close()
        settings = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(config).items()}
        result = {"reward": float(mean), "std": float(spread), "settings": settings}
        (config.out / "evaluation.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
        print(f"test reward {mean:.3f} (standard deviation {spread:.3f})")
    envs.close()
    return path


def main() -> None:
    """Train as the command line says."""
    with short_refusals("Stable-Baselines3"):
        train(tyro.cli(SB3Config, description=__doc__))


if __name__ == "__main__":
    from agents.sb3 import main as imported_main  # so that saved classes are found on loading

    imported_main()
