"""``toolrl show ENV``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import tyro
from rich.text import Text

from toolrl_env.cli.environment import EnvironmentChoice, make_environment
from toolrl_env.cli.text import new_console, print_block, print_line, print_tools
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.envs.render import printable

__all__ = ["Show", "TaskChoice", "main", "reset_arguments"]


@dataclass(frozen=True, kw_only=True)
class TaskChoice(EnvironmentChoice):
    """Which task of which environment.

    Attributes:
        task_index: The task at this index.
        task_id: The task with this id.
        seed: Draw the task with this seed.
        step: The training step, for scheduled rewards.
    """

    task_index: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    task_id: Annotated[str | None, tyro.conf.arg(metavar="ID")] = None
    seed: int = 0
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class Show(TaskChoice):
    """Show one task: its tools, the prompt exactly as a model sees it, and the gold answer."""


def main(arguments: Sequence[str]) -> int:
    """Show a task."""
    config = tyro.cli(Show, args=list(arguments), prog="toolrl show")
    env = make_environment(config)
    observation, info = env.reset(**reset_arguments(config))
    base = env.unwrapped
    assert isinstance(base, ToolUseEnv)
    task = base.task
    size = base.tasks.size
    origin = "our sample, not the dataset" if info["is_sample"] else "as loaded"
    console = new_console()
    title = printable(f"{config.env} · {task.id} · {task.category}")
    console.rule(Text(title, "bold"))
    of = "" if size is None else f" of {size}"
    line = f"task {info['task_index']}{of} · split {base.tasks.split} · {origin}"
    print_line(console, f"{line} · {_rewards(base)}")
    console.rule(Text(f"tools ({len(task.tools)})", "bold"))
    print_tools(console, task.tools)
    print_block(console, f"prompt ({len(observation)} characters)", observation)
    print_block(console, "gold answer", base.gold_answer(), style="green")
    return 0


def _rewards(env: ToolUseEnv) -> str:
    """Return what an answer can earn, in words."""
    if isinstance(env, MultiTurnEnv):
        return f"an episode of up to {env.max_turns} answers; the gold answer is the first one"
    low, high = env.reward_config.bounds(env.task.gold, env.training_step)
    return f"reward from {low:g} to {high:g}"


def reset_arguments(choice: TaskChoice) -> dict[str, Any]:
    """Return the arguments of ``env.reset`` for a choice of task.

    Raises:
        ConfigurationError: Both an index and an id are given.
    """
    if choice.task_index is not None and choice.task_id is not None:
        raise ConfigurationError("give --task-index or --task-id, not both")
    picked = {"task_index": choice.task_index, "task_id": choice.task_id}
    options = {"training_step": choice.step} | {k: v for k, v in picked.items() if v is not None}
    return {"seed": choice.seed, "options": options}
