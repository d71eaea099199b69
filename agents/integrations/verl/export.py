"""Write tasks of an environment as a parquet file with the columns that verl reads.

The gold answers stay in the environment: a row says which task it is, and what the model sees of
it. verl itself is not needed here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import pyarrow as pa
import pyarrow.parquet as pq
import tyro

from agents.env_kwargs import make_env, parse_env_kwargs
from agents.evaluating.settings import choose_tasks
from agents.files import replacing
from agents.integrations.tasks import TaskRow, task_rows
from agents.turn_outcome import REPLACES_ANSWERS
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, ToolRLError, UnknownName
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.multi_turn import MultiTurnEnv

__all__ = ["AGENTS", "SOURCE", "ExportConfig", "export", "main", "write_rows"]

AGENTS = ("toolrl", "single_turn_agent")
"""Agent loops that a row may ask for: ours, or verl's own for episodes of one answer."""
SOURCE = "toolrl/"
"""Before the dataset's name in ``data_source``. verl has no reward of its own for such names, so
that it stops if ours is not configured."""
_TEXT = pa.string()
_SCHEMA = pa.schema(
    {
        "data_source": _TEXT,
        "prompt": pa.list_(pa.struct({"role": _TEXT, "content": _TEXT})),
        "ability": _TEXT,
        "reward_model": pa.struct({"style": _TEXT, "ground_truth": _TEXT}),
        "extra_info": pa.struct(
            {
                "index": pa.int64(),
                "split": _TEXT,
                "category": _TEXT,
                "env": _TEXT,
                "env_kwargs": _TEXT,
                "task_index": pa.int64(),
            }
        ),
        "agent_name": _TEXT,
    }
)


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Which tasks to write, and where.

    Attributes:
        env: Registered environment id.
        env_kwargs: Keyword arguments for gym.make, as a JSON object.
        split: Split of the data, put into env_kwargs; empty for what is there.
        tasks: How many, chosen by the seed; 0 for all.
        seed: Of the choice.
        agent: The agent loop that plays the rows: "toolrl", or "single_turn_agent", verl's own, for
            environments whose episodes are one answer.
        out: The parquet file.

    Raises:
        ConfigurationError: A value is not allowed.
    """

    env: str
    out: Path
    env_kwargs: str = "{}"
    split: str = ""
    tasks: int = 0
    seed: int = 0
    agent: str = "toolrl"

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        whole_number("tasks", self.tasks)
        whole_number("seed", self.seed)
        if self.agent not in AGENTS:
            raise UnknownName("agent", self.agent, AGENTS)
        if self.out.suffix != ".parquet":  # verl looks at the name
            raise ConfigurationError(f"out={str(self.out)!r}; it must end in .parquet")
        if self.split and parse_env_kwargs(self.env_kwargs).get("split", self.split) != self.split:
            raise ConfigurationError(f"split={self.split!r}, but env_kwargs={self.env_kwargs}")

    def kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments for ``gym.make``."""
        return parse_env_kwargs(self.env_kwargs) | ({"split": self.split} if self.split else {})


def export(config: ExportConfig) -> int:
    """Write the file, in the place of one that is there; return the number of rows.

    Raises:
        ConfigurationError: There is no such environment, argument or task, the agent loop cannot
            play its episodes, the conversation does not fit into verl's columns, or the file cannot
            be written.
        InfrastructureError: A task's world cannot be opened.
    """
    kwargs = config.kwargs()
    env = make_env(config.env, kwargs).unwrapped
    try:
        _refuse(env, config)
        if config.tasks == 0 and env.tasks.size is None:
            raise ConfigurationError(
                f"tasks=0 means all, but {env.tasks.name} has no end of tasks: say how many"
            )
        indices, split = choose_tasks(env.tasks, config.tasks, config.seed), env.tasks.split
    finally:
        env.close()
    rows = task_rows(config.env, kwargs, indices)
    write_rows(rows, config.out, split=split, agent=config.agent)
    return len(rows)


def _refuse(env: gym.Env[str, str], config: ExportConfig) -> None:
    """Refuse an environment whose rows no training could use."""
    if not isinstance(env, ToolUseEnv):
        raise ConfigurationError(f"{config.env} is a {type(env).__name__}, not a ToolUseEnv")
    if isinstance(env, MultiTurnEnv) and env.teacher_forced:
        raise ConfigurationError(f"{config.env} {REPLACES_ANSWERS}")
    if config.agent != "single_turn_agent":
        return
    if isinstance(env, MultiTurnEnv) and env.max_turns > 1:
        raise ConfigurationError(
            f"verl's single_turn_agent gives one answer, and an episode of {config.env} goes on "
            f"for up to max_turns={env.max_turns}: use agent='toolrl'"
        )
    if env.protocol.name == "native":
        raise ConfigurationError(
            "verl's single_turn_agent does not show the tools, which the protocol 'native' "
            "leaves to the chat template: use agent='toolrl', or another protocol"
        )


def write_rows(rows: Iterable[TaskRow], out: Path, *, split: str, agent: str = "toolrl") -> None:
    """Write tasks as a parquet file for verl's ``RLHFDataset``.

    Args:
        rows: The tasks.
        out: The file; missing folders are made. A file that is there is replaced, once the new one
            is whole.
        split: Noted in ``extra_info``.
        agent: Becomes ``agent_name``.

    Raises:
        ConfigurationError: A message has more than a role and a content, or the file cannot be
            written.
    """
    table = pa.Table.from_pylist([_columns(row, split, agent) for row in rows], schema=_SCHEMA)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with replacing(out) as scratch:
            pq.write_table(table, scratch)
    except OSError as error:
        raise ConfigurationError(f"out={str(out)!r} cannot be written: {error}") from error


def _columns(row: TaskRow, split: str, agent: str) -> dict[str, Any]:
    for message in row.messages:
        if message.keys() != {"role", "content"}:
            raise ConfigurationError(
                f"task {row.task_id!r} has a message with the fields {', '.join(message)}; verl's "
                "column 'prompt' holds role and content. Use protocol='toolrl', whose history is "
                "text"
            )
    about = {"index": row.ref.index, "split": split, "category": row.category}
    return {
        "data_source": SOURCE + row.source,
        "prompt": [dict(message) for message in row.messages],
        "ability": "tool_use",
        "reward_model": {"style": "rule", "ground_truth": row.task_id},
        "extra_info": about | row.ref.as_dict(),
        "agent_name": agent,
    }


def main() -> None:
    """Run from the command line."""
    try:
        config = tyro.cli(ExportConfig, description=__doc__)
        count = export(config)
    except ToolRLError as error:
        print(f"export: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"{count} tasks: {config.out}")


if __name__ == "__main__":
    main()
