"""PPO on tool use: a plain loop over ``gym.make_vec``, with TorchRL's loss and advantages.

    python -m agents.integrations.torchrl_ppo --env-kwargs '{"difficulty": 1}'

In CleanRL's style, without a trainer class: ``train`` is the whole algorithm. ``ClipPPOLoss``,
``GAE`` and the masked distribution are TorchRL's, the vector is Gymnasium's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
import tyro
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from tensordict import TensorDict
from tensordict.nn import (
    InteractionType,
    ProbabilisticTensorDictModule,
    ProbabilisticTensorDictSequential,
    TensorDictModule,
    TensorDictSequential,
)
from torch import nn
from torchrl.modules import MaskedCategorical
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

import toolrl_env  # noqa: F401  # registers the ids
from agents.candidate_network import CandidateNetwork
from agents.env_kwargs import make_env, parse_env_kwargs
from agents.integrations.torchrl_config import RESETS, VectorPPOConfig
from agents.integrations.vector_rollout import Act, Rollout, collect, start
from agents.refusals import short_refusals
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import DataError, InfrastructureError
from toolrl_env.wrappers import CandidateActions, VectorCandidateActions
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout

__all__ = [
    "as_tensordict",
    "build",
    "greedy_reward",
    "make_envs",
    "sampler",
    "train",
]


def make_envs(config: VectorPPOConfig) -> tuple[VectorEnv, CandidateLayout]:
    """Return the vector and how its observations are laid out.

    Raises:
        ConfigurationError: There is no such environment or argument, or it is no tool use.
    """
    kwargs, mode = parse_env_kwargs(config.env_kwargs), RESETS[config.autoreset]
    CandidateActions(make_env(config.env, kwargs)).close()  # says what is wrong; make_vec does not
    if config.mode == "vector_entry_point":
        envs = VectorCandidateActions(
            gym.make_vec(config.env, config.num_envs, config.mode, autoreset_mode=mode, **kwargs),
            config.candidates,
        )
        return envs, envs.layout
    envs = gym.make_vec(
        config.env,
        num_envs=config.num_envs,
        vectorization_mode=config.mode,
        vector_kwargs={"autoreset_mode": mode},
        wrappers=[partial(CandidateActions, n=config.candidates)],
        **kwargs,
    )
    return envs, envs.get_attr("layout")[0]


def build(
    layout: CandidateLayout,
) -> tuple[ProbabilisticTensorDictSequential, TensorDictSequential]:
    """Return actor and critic, which share a network: scores of candidates, value of all."""
    network = CandidateNetwork(layout)
    with torch.no_grad():
        network.head.weight.mul_(0.01)  # begin near the uniform policy
    body = TensorDictModule(network, ["observation"], ["logits", "summary"])
    choice = ProbabilisticTensorDictModule(
        in_keys=["logits", "mask"],
        out_keys=["action"],
        distribution_class=MaskedCategorical,
        default_interaction_type=InteractionType.RANDOM,  # the library's own default is the mode
        return_log_prob=True,
    )
    value = TensorDictModule(nn.Linear(network.summary_size, 1), ["summary"], ["state_value"])
    return ProbabilisticTensorDictSequential(body, choice), TensorDictSequential(body, value)


def sampler(actor: ProbabilisticTensorDictSequential) -> Act:
    """Return the actor as what chooses in ``collect``: it draws from torch's global generator."""

    def act(
        observation: NDArray[np.float32], mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        seen = {"observation": torch.as_tensor(observation), "mask": torch.as_tensor(mask)}
        with torch.no_grad():
            row = actor(TensorDict(seen, [len(mask)]))
        return row["action"].numpy(), row["action_log_prob"].numpy()

    return act


def as_tensordict(rollout: Rollout) -> TensorDict:
    """Return a rollout under TorchRL's names, [N, T]."""
    after = {
        "observation": rollout.following,
        "reward": rollout.reward[..., None],
        "terminated": rollout.terminated[..., None],
        "done": rollout.done[..., None],
    }
    now = {
        "observation": rollout.observation,
        "mask": rollout.mask,
        "action": rollout.action,
        "action_log_prob": rollout.log_prob,
        "valid": rollout.valid,
    }
    data = {key: torch.as_tensor(value) for key, value in now.items()}
    data["next"] = {key: torch.as_tensor(value) for key, value in after.items()}
    return TensorDict(data, list(rollout.valid.shape))


def greedy_reward(
    actor: ProbabilisticTensorDictSequential, config: VectorPPOConfig, tasks: Sequence[int]
) -> float:
    """Return the mean reward of the best-scored candidates on tasks of the test split."""
    env, total = _held_out(config), 0.0
    for index in tasks:
        observation, _ = env.reset(seed=0, options={"task_index": index})
        over = False
        while not over:
            with torch.no_grad():
                scores, _ = actor[0].module(torch.as_tensor(observation))
            observation, reward, terminated, truncated, info = env.step(int(scores.argmax()))
            if info["mask_sample"]:
                raise InfrastructureError(info["failure"] or "a step of the evaluation failed")
            total, over = total + reward, terminated or truncated
    env.close()
    return total / len(tasks)


def train(
    config: VectorPPOConfig, report: Callable[[int, float], None] = lambda *_: None
) -> ProbabilisticTensorDictSequential:
    """Train and return the actor; torch's global generator is as it was before.

    Args:
        config: The settings.
        report: Called after each update with its number and the mean reward of a transition.

    Raises:
        InfrastructureError: Not one step of a rollout can be learnt from.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        # 1. The vector, the networks, and TorchRL's loss and advantages.
        envs, layout = make_envs(config)
        actor, critic = build(layout)
        advantages = GAE(gamma=config.gamma, lmbda=config.lam, value_network=critic)
        loss = ClipPPOLoss(
            actor,
            critic,
            clip_epsilon=config.clip,
            entropy_coeff=config.entropy,
            critic_coeff=0.5,
            loss_critic_type="l2",
            normalize_advantage=True,
        )
        optimiser = torch.optim.Adam(loss.parameters(), lr=config.learning_rate)
        moment = start(envs, config.seed)
        for number in range(1, config.updates + 1):
            # 2. Step the vector; leave out what is no transition.
            rollout, moment = collect(envs, sampler(actor), moment, config.steps)
            with torch.no_grad():
                data = advantages(as_tensordict(rollout))
            batch = data[data["valid"]]
            if not len(batch):
                raise InfrastructureError("something of ours failed in every step of a rollout")
            # 3. Learn from the rest.
            for _ in range(config.epochs):
                _learn(loss, optimiser, batch, config.minibatch)
            report(number, float(batch["next", "reward"].mean()))
        envs.close()
    return actor


def _learn(
    loss: ClipPPOLoss, optimiser: torch.optim.Optimizer, batch: TensorDict, size: int
) -> None:
    """Go through a batch once, in random parts of at most ``size``."""
    for rows in torch.randperm(len(batch)).tensor_split(-(-len(batch) // size)):
        terms = loss(batch[rows])
        optimiser.zero_grad()
        (terms["loss_objective"] + terms["loss_critic"] + terms["loss_entropy"]).backward()
        nn.utils.clip_grad_norm_(loss.parameters(), 0.5)
        optimiser.step()


def _held_out(config: VectorPPOConfig) -> CandidateActions:
    kwargs = parse_env_kwargs(config.env_kwargs) | {"split": "test"}
    return CandidateActions(make_env(config.env, kwargs), config.candidates)


def _prepare(config: VectorPPOConfig) -> None:
    """Refuse before the training what would fail after it."""
    if config.eval_tasks:
        env = _held_out(config)
        size = env.unwrapped.tasks.size
        env.close()
        whole_number("eval_tasks", config.eval_tasks, 0, size)
    if config.out:
        try:
            Path(config.out).parent.mkdir(parents=True, exist_ok=True)
            Path(config.out).open("ab").close()
        except OSError as error:
            raise DataError(f"out={config.out!r} cannot be written: {error.strerror}") from error


def main() -> None:
    """Train as the command line says, and play the test split."""
    torch.set_num_threads(1)
    with short_refusals("vector PPO"):
        config = tyro.cli(VectorPPOConfig, description=__doc__)
        _prepare(config)
        actor = train(config, lambda number, reward: print(f"update {number}: reward {reward:.3f}"))
        if config.out:
            torch.save(actor[0].module.state_dict(), config.out)
        if config.eval_tasks:
            reward = greedy_reward(actor, config, range(config.eval_tasks))
            print(f"test reward {reward:.3f} on {config.eval_tasks} tasks")


if __name__ == "__main__":
    main()
