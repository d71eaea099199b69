"""Training with TRL's ``GRPOTrainer``, in three ways; see ``docs/trainers/trl.md``.

- ``trl_dataset`` with ``TaskReward`` as reward function: tasks of one answer.
- ``trl_dataset`` with ``EpisodeRollout`` as ``rollout_func`` and ``episode_reward``: any task, any
  model whose chat template appends.
- ``trl_environments`` as ``environment_factory`` with ``environment_reward``: tasks whose tools are
  run, for models whose chat template has tools.
"""

from agents.integrations.trl_dataset import trl_dataset
from agents.integrations.trl_environment import (
    ToolEnvironment,
    ToolEnvironments,
    environment_reward,
    trl_environments,
)
from agents.integrations.trl_reward import TaskReward
from agents.integrations.trl_rollout import EpisodeRollout, episode_reward

__all__ = [
    "EpisodeRollout",
    "TaskReward",
    "ToolEnvironment",
    "ToolEnvironments",
    "environment_reward",
    "episode_reward",
    "trl_dataset",
    "trl_environments",
]
