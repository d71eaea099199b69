"""How often the gold call is among the candidates of ``CandidateActions``, per environment.

    python -m benchmarks.quality.candidate_coverage --tasks 200

In multi-turn environments the gold trajectory is played and every turn is looked at. Counted are

- ``calls``: gold calls that are a candidate in the state in which they are due;
- ``answers``: states in which one candidate is the whole gold answer, that is, its only call or no
  call at all. A gold answer of several calls at once is none; in a multi-turn environment its calls
  can be made one after the other, in a single-turn one they cannot.

Gold is read here, to count; ``CandidateActions`` does not see it. Data sets without ``data=`` are
the samples bundled with the package.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import tyro
from rich.console import Console
from rich.table import Table

import toolrl_env  # noqa: F401  # registers the ids
from agents.session import parse_env_kwargs
from toolrl_env.data import SampleDataWarning
from toolrl_env.wrappers import CandidateActions

__all__ = ["Count", "cover"]

_MULTI = '{"mode": "multi_turn"}'
_ENVIRONMENTS = (
    *(("ToolRL-Toolbox-v0", f'{{"difficulty": {level}}}') for level in range(1, 6)),
    ("ToolRL-XLAM-v0", "{}"),
    ("ToolRL-Hammer-v0", "{}"),
    ("ToolRL-ToolACE-v0", "{}"),
    ("ToolRL-ToolACE-v0", _MULTI),
    ("ToolRL-RLLA-v0", "{}"),
    *(("ToolRL-APIBank-v0", f'{{"level": {level}}}') for level in (1, 2, 3)),
    ("ToolRL-BFCL-v0", "{}"),
    ("ToolRL-BFCLMultiTurn-v0", "{}"),
    *(("ToolRL-Workspace-v0", f'{{"difficulty": {level}}}') for level in (1, 4)),
    ("ToolRL-Search-v0", "{}"),
    ("ToolRL-MCP-v0", "{}"),
)


@dataclass(frozen=True)
class Config:
    """What to look at.

    Attributes:
        tasks: Tasks per environment.
        n: Actions of ``CandidateActions``.
        env: One environment instead of all.
        env_kwargs: Its arguments, as a JSON object.
        detail: Also a line per category and number of gold calls.
    """

    tasks: int = 200
    n: int = 32
    env: str = ""
    env_kwargs: str = "{}"
    detail: bool = False


@dataclass(frozen=True)
class Count:
    """What was found, by group; the group ``""`` is all.

    Attributes:
        calls: Gold calls.
        found: Those that are a candidate.
        states: States.
        whole: Those in which a candidate is the whole gold answer.
    """

    calls: Counter[str]
    found: Counter[str]
    states: Counter[str]
    whole: Counter[str]


def cover(env_id: str, kwargs: Mapping[str, Any], tasks: int, n: int = 32) -> Count:
    """Play the gold answers of the tasks that seeds 0, 1, … draw, and count."""
    env = gym.make(env_id, disable_env_checker=True, **kwargs)
    wrapper = CandidateActions(env, n)
    base = env.unwrapped
    count = Count(Counter(), Counter(), Counter(), Counter())
    for seed in range(tasks):
        _, info = wrapper.reset(seed=seed)
        over = False
        while not over:
            answer = base.gold_answer()
            gold = base.protocol.parse(answer).values or ()
            offered = [(c.name, dict(c.arguments)) for c in wrapper.candidates if c is not None]
            hits = [(call["name"], call["parameters"]) in offered for call in gold]
            groups = ("", info["category"], f"{len(gold)} call" + "s" * (len(gold) != 1))
            for group in groups:
                count.calls[group] += len(hits)
                count.found[group] += sum(hits)
                count.states[group] += 1
                count.whole[group] += not hits or hits == [True]
            _, _, terminated, truncated, info = wrapper.play(answer)
            over = terminated or truncated
    env.close()
    return count


def main() -> None:
    """Print the table."""
    config = tyro.cli(Config, description=__doc__)
    rows = ((config.env, config.env_kwargs),) if config.env else _ENVIRONMENTS
    table = Table("environment", "arguments", "group", "states", "calls", "covered", "answers")
    warnings.simplefilter("ignore", SampleDataWarning)
    for env_id, kwargs in rows:
        count = cover(env_id, parse_env_kwargs(kwargs), config.tasks, config.n)
        groups = sorted(count.states) if config.detail else [""]
        for group in groups:
            calls, states = count.calls[group], count.states[group]
            table.add_row(
                env_id,
                kwargs,
                group or "all",
                str(states),
                str(calls),
                f"{count.found[group] / calls:.3f}" if calls else "-",
                f"{count.whole[group] / states:.3f}",
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
