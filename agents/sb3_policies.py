"""Policies for Stable-Baselines3 that score each candidate of ``CandidateActions`` by one network.

``CandidatePolicy`` is for PPO and A2C, ``MaskableCandidatePolicy`` for sb3-contrib's MaskablePPO,
``CandidateQPolicy`` for DQN. Give each ``features_extractor_class=CandidateScorer`` and
``features_extractor_kwargs={"layout": env.get_wrapper_attr("layout")}`` as ``policy_kwargs``.
``SB3Policy`` plays what was trained as an agent like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import gymnasium as gym
import torch
from sb3_contrib.common.maskable.policies import MaskableActorCriticPolicy
from stable_baselines3.common.policies import ActorCriticPolicy, BasePolicy
from stable_baselines3.common.save_util import load_from_zip_file
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.dqn.policies import DQNPolicy, QNetwork
from torch import nn

from agents.candidate_network import CandidateNetwork
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.parsing import AnswerProtocol, get_protocol
from toolrl_env.wrappers.numeric.actions import REPLY, write_answer
from toolrl_env.wrappers.numeric.candidate_actions import CandidateLayout, view_candidates
from toolrl_env.wrappers.numeric.encoding import HashedNgrams

__all__ = [
    "CandidatePolicy",
    "CandidateQPolicy",
    "CandidateScorer",
    "MaskableCandidatePolicy",
    "SB3Policy",
]


class CandidateScorer(BaseFeaturesExtractor):
    """``CandidateNetwork`` as a features extractor: scores, then the summary, [B, n + 2h].

    Args:
        observation_space: That of ``CandidateActions``.
        layout: That of ``CandidateActions``.
        hidden: Width, h.
        absent: Score of an empty place.
    """

    def __init__(
        self,
        observation_space: gym.Space,
        layout: CandidateLayout,
        hidden: int = 64,
        absent: float = -1e8,
    ) -> None:
        super().__init__(observation_space, layout.places + 2 * hidden)
        self.network = CandidateNetwork(layout, hidden, absent)

    def forward(self, observations: torch.Tensor) -> torch.Tensor:
        """Return the scores [B, n] and, after them, what all candidates have in common [B, 2h]."""
        return torch.cat(self.network(observations), dim=1)


class _Split(nn.Module):
    """Hands the scores to the actor and the summary to the critic."""

    def __init__(self, places: int, hidden: int) -> None:
        super().__init__()
        self.latent_dim_pi, self.latent_dim_vf = places, hidden

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.forward_actor(features), self.forward_critic(features)

    def forward_actor(self, features: torch.Tensor) -> torch.Tensor:
        return features[:, : self.latent_dim_pi]

    def forward_critic(self, features: torch.Tensor) -> torch.Tensor:
        return features[:, self.latent_dim_pi :]


class _ScoresAreLogits:
    """Takes the scorer's scores for the action's logits; for both kinds of actor-critic policy."""

    def _build_mlp_extractor(self) -> None:
        places = int(self.action_space.n)
        self.mlp_extractor = _Split(places, self.features_dim - places)

    def _build(self, lr_schedule: Callable[[float], float]) -> None:
        super()._build(lr_schedule)
        self.action_net = nn.Identity()
        with torch.no_grad():
            self.features_extractor.network.head.weight.mul_(0.01)  # begin near the uniform policy
        self.optimizer = self.optimizer_class(
            self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs
        )


class CandidatePolicy(_ScoresAreLogits, ActorCriticPolicy):
    """For PPO and A2C."""


class MaskableCandidatePolicy(_ScoresAreLogits, MaskableActorCriticPolicy):
    """For MaskablePPO."""


class _ScoresAreValues(QNetwork):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.q_net = nn.Identity()

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        return super().forward(obs)[:, : int(self.action_space.n)]


class CandidateQPolicy(DQNPolicy):
    """For DQN: the scores are the action values."""

    def make_q_net(self) -> QNetwork:
        """Return a network whose values are the scorer's scores."""
        kwargs = self._update_features_extractor(self.net_args, features_extractor=None)
        return _ScoresAreValues(**kwargs).to(self.device)


class SB3Policy:
    """A saved model as an agent like any other: observations and infos in, answers out.

    Args:
        policy: A policy trained on ``CandidateActions`` with its default encoder.
        protocol: The environment's protocol.

    Raises:
        ConfigurationError: The policy was trained on other spaces.
    """

    def __init__(self, policy: BasePolicy, protocol: AnswerProtocol | str = "toolrl") -> None:
        self.protocol = get_protocol(protocol) if isinstance(protocol, str) else protocol
        self._policy, self._encoder = policy, HashedNgrams()
        scorer = policy.features_extractor_kwargs.get("layout")
        if not isinstance(scorer, CandidateLayout) or scorer.context != self._encoder.dim:
            raise ConfigurationError(
                "SB3Policy takes what agents.sb3 trained on CandidateActions and its encoder; "
                f"this policy acts on {policy.action_space}"
            )
        self._layout = scorer

    @classmethod
    def load(cls, path: str | Path, protocol: AnswerProtocol | str = "toolrl") -> Self:
        """Return the agent in a ``model.zip`` that ``train`` wrote, whatever its algorithm."""
        data, parameters, _ = load_from_zip_file(path, device="cpu")
        policy = data["policy_class"](
            data["observation_space"],
            data["action_space"],
            lambda _: 0.0,
            **data["policy_kwargs"],
        )
        policy.load_state_dict(parameters["policy"])
        return cls(policy, protocol)

    def act(self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the best candidate for each, as text."""
        del observations
        answers: list[str] = []
        for info in infos:
            view = view_candidates(info, self._layout, self._encoder)
            action, _ = self._policy.predict(view.observation, deterministic=True)
            call = view.calls[int(action)]
            answers.append(write_answer(self.protocol, call, REPLY))
        return answers
