"""PPO on tool use: a plain loop over ``gym.make_vec``, with TorchRL's loss and advantages.

    python -m agents.integrations.torchrl_ppo --env-kwargs '{"difficulty": 1}'

In CleanRL's style, without a trainer class: ``train`` is the whole algorithm. ``ClipPPOLoss``,
``GAE`` and the masked distribution are TorchRL's, the vector is Gymnasium's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
import tyro
from gymnasium.vector import AutoresetMode, VectorEnv
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
from agents.integrations.vector_rollout import Act, Rollout, collect, start
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import InfrastructureError, UnknownName
from toolrl_env.wrappers import CandidateActions, VectorCandidateActions
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout

__all__ = [
    "VectorPPOConfig",
    "as_tensordict",
    "build",
    "greedy_reward",
    "make_envs",
    "sampler",
    "train",
]

_MODES = ("sync", "async", "vector_entry_point")
_RESETS = {"same_step": AutoresetMode.SAME_STEP, "next_step": AutoresetMode.NEXT_STEP}


@dataclass(frozen=True)
class VectorPPOConfig:
    """Settings of a run.

    Attributes:
        env: Registered environment id.
        env_kwargs: Keyword arguments for gym.make, as a JSON object.
        candidates: Actions of CandidateActions.
        mode: How make_vec makes the vector: "sync", "async" or "vector_entry_point" (our own).
        autoreset: "same_step" or "next_step"; the latter spends a step on each reset.
        num_envs: Environments in the vector.
        steps: Steps of the vector between updates.
        updates: How often to collect and update.
        epochs: Passes over what was collected.
        minibatch: Transitions in a gradient step.
        learning_rate: Of Adam.
        gamma: Discount.
        lam: Lambda of the advantages.
        clip: Clipping of the probability ratio.
        entropy: Weight of the entropy.
        seed: Of every random choice.
        eval_tasks: Tasks of the test split that are played greedily at the end; 0 for none.
        out: File for the network's weights; empty for none.

    Raises:
        ConfigurationError: A value is out of range.
    """

    env: str = "ToolRL-Toolbox-v0"
    env_kwargs: str = "{}"
    candidates: int = 32
    mode: str = "sync"
    autoreset: str = "same_step"
    num_envs: int = 16
    steps: int = 32
    updates: int = 20
    epochs: int = 8
    minibatch: int = 256
    learning_rate: float = 1e-3
    gamma: float = 0.99
    lam: float = 0.95
    clip: float = 0.2
    entropy: float = 0.01
    seed: int = 0
    eval_tasks: int = 200
    out: str = ""

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.mode not in _MODES:
            raise UnknownName("mode", self.mode, _MODES)
        if self.autoreset not in _RESETS:
            raise UnknownName("autoreset", self.autoreset, _RESETS)
        for name in ("num_envs", "steps", "updates", "epochs"):
            whole_number(name, getattr(self, name), 1)
        whole_number("minibatch", self.minibatch, 2)  # advantages are normalised in each


def make_envs(config: VectorPPOConfig) -> tuple[VectorEnv, CandidateLayout]:
    """Return the vector and how its observations are laid out."""
    kwargs, mode = parse_env_kwargs(config.env_kwargs), _RESETS[config.autoreset]
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
    kwargs = parse_env_kwargs(config.env_kwargs) | {"split": "test"}
    env = CandidateActions(make_env(config.env, kwargs), config.candidates)
    total = 0.0
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


def main() -> None:
    """Train as the command line says, and play the test split."""
    torch.set_num_threads(1)
    config = tyro.cli(VectorPPOConfig, description=__doc__)
    actor = train(config, lambda number, reward: print(f"update {number}: reward {reward:.3f}"))
    if config.out:
        path = Path(config.out)
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(actor[0].module.state_dict(), path)
    if config.eval_tasks:
        reward = greedy_reward(actor, config, range(config.eval_tasks))
        print(f"test reward {reward:.3f} on {config.eval_tasks} tasks")


if __name__ == "__main__":
    main()
