"""Evaluate any agent on any environment, or compare two results.

Everything is in the folder --out: results.json, trajectories.jsonl (for toolrl replay),
settings.json, failures.jsonl. The same command again goes on where it was stopped.
Exit status: 0 all is played, 1 something failed or is missing, 2 misuse.
"""

from __future__ import annotations

import re
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import gymnasium as gym
import tyro
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import toolrl_env  # noqa: F401  # registers the ids
from agents.chat.options import ChatOptions
from agents.env_kwargs import make_env, parse_env_kwargs
from agents.evaluating.agents import Chosen, Sampling, choose_agent
from agents.evaluating.compare import compare
from agents.evaluating.log import AttemptLog
from agents.evaluating.results import Results, add_up, read_results, write_results
from agents.evaluating.run import play_attempts
from agents.evaluating.settings import choose_tasks, gather
from agents.evaluating.table import show_comparison, show_results
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, ToolRLError, UnknownName
from toolrl_env.data import SampleDataWarning
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.vector import MAX_CONCURRENCY

__all__ = ["EvaluateConfig", "main", "run"]


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """What to evaluate, and how.

    Attributes:
        env: Registered environment id, or module:Id for one of your own.
        env_kwargs: Keyword arguments for gym.make, as a JSON object, e.g. '{"split": "test"}'.
        agent: gold, random, noisy:<rate>, hf:<path or id>, hf:smollm2, openai:<model>@<base url>,
            sb3:<zip>, or <module>:<class> for one of your own.
        episodes: Tasks to play, chosen by the seed; 0 for all.
        k: Largest k of pass@k and pass^k.
        attempts: Attempts at each task, at least k; 0 for k.
        seed: Seed of the choice of tasks and of every answer.
        batch_size: Episodes that run at the same time.
        max_concurrency: Environments that are stepped at the same time where their tools wait for
            something outside, e.g. a server; nothing that comes out depends on it.
        temperature: Of a model; 0 is greedy.
        max_new_tokens: Tokens after which a model's answer is cut.
        device: Of an hf agent: "auto" (a GPU if torch sees one, else the processor), "cpu", "cuda",
            "cuda:1" and so on.
        dtype: Of an hf agent: "float32", "bfloat16" or "auto" (bfloat16 where the device is fast at
            it). In bfloat16 an answer depends more on what else is in its batch.
        out: Folder for everything; by default one under runs/evaluate by environment and agent.
        openai: How to ask a hosted model.
        compare: Two results.json (or their folders) to compare, instead of an evaluation.

    Raises:
        ConfigurationError: A value is not allowed.
    """

    env: str = ""
    env_kwargs: str = "{}"
    agent: str = ""
    episodes: int = 100
    k: int = 1
    attempts: int = 0
    seed: int = 0
    batch_size: int = 32
    max_concurrency: int = MAX_CONCURRENCY
    temperature: float = 0.0
    max_new_tokens: int = 512
    device: str = "auto"
    dtype: str = "float32"
    out: Path | None = None
    openai: ChatOptions = field(default_factory=ChatOptions)
    compare: tuple[Path, Path] | None = None

    def __post_init__(self) -> None:
        """Refuse settings that cannot work."""
        if self.compare is None and not (self.env and self.agent):
            raise ConfigurationError("give --env and --agent, or --compare A.json B.json")
        whole_number("episodes", self.episodes)
        whole_number("seed", self.seed)
        whole_number("k", self.k, 1)
        for name in ("batch_size", "max_concurrency", "max_new_tokens"):
            whole_number(name, vars(self)[name], 1)
        if self.attempts and self.attempts < self.k:
            raise ConfigurationError(
                f"attempts={self.attempts}; allowed: 0, or at least k={self.k}"
            )
        if not 0 <= self.temperature < float("inf"):
            raise ConfigurationError(f"temperature={self.temperature!r}; allowed: 0 or more")
        parse_env_kwargs(self.env_kwargs)

    @property
    def folder(self) -> Path:
        """The folder for everything."""
        if self.out is not None:
            return self.out
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{self.env}-{self.agent}").strip("-.")
        return Path("runs/evaluate") / name


def run(config: EvaluateConfig, console: Console) -> Results:
    """Evaluate, or go on with an evaluation that was stopped.

    Raises:
        ConfigurationError: Something in ``config`` is not allowed, or its folder holds an
            evaluation with other settings, or one that is running.
    """
    # 1. Gather everything that can move a score.
    env = _make(config)
    chosen = _choose(config, env)
    if chosen.greedy and max(config.attempts, config.k) > 1:
        said = "at --temperature 0 all attempts at a task are the same"
        console.print(said, style="yellow", highlight=False)
    with chosen.closing:
        settings = gather(
            env,
            choose_tasks(env.tasks, config.episodes, config.seed),
            attempts=config.attempts or config.k,
            seed=config.seed,
            agent=config.agent,
            agent_settings=chosen.settings,
        )
        with AttemptLog(config.folder, settings) as log:
            # 2. Play the attempts that are not done yet, each written down as it ends.
            plan = [(task, n) for task in settings.tasks for n in range(settings.attempts)]
            with _progress(console) as progress:
                bar = progress.add_task(config.agent, total=len(plan), completed=len(log.done))
                stopped = play_attempts(
                    chosen.policy,
                    env,
                    plan,
                    log,
                    batch_size=config.batch_size,
                    max_concurrency=config.max_concurrency,
                    seed=config.seed,
                    on_end=lambda: progress.advance(bar),
                )
            if chosen.report():
                console.print(chosen.report(), highlight=False)
            # 3. Add them up.
            results = add_up(settings, log.done, config.k, log.failures, stopped)
            write_results(config.folder / "results.json", results)
    return results


def _choose(config: EvaluateConfig, env: ToolUseEnv) -> Chosen:
    sampling = Sampling(
        temperature=config.temperature,
        max_new_tokens=config.max_new_tokens,
        batch_size=config.batch_size,
        device=config.device,
        dtype=config.dtype,
    )
    return choose_agent(config.agent, env, sampling, config.openai)


def _make(config: EvaluateConfig) -> ToolUseEnv:
    name = config.env.rpartition(":")[2]
    if name == config.env and name not in gym.registry:
        known = [each for each in gym.registry if each.startswith("ToolRL-")]
        raise UnknownName("environment", name, known)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SampleDataWarning)  # the table says so
        env = make_env(config.env, parse_env_kwargs(config.env_kwargs)).unwrapped
    if not isinstance(env, ToolUseEnv):
        raise ConfigurationError(f"{config.env} is no tool-use environment of this package's kind")
    return env


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, quiet=console.quiet),
    )


def main() -> None:
    """Run from the command line."""
    console = Console()
    try:
        config = tyro.cli(EvaluateConfig, description=__doc__)
        if config.compare is not None:
            before, after = (
                read_results(path / "results.json" if path.is_dir() else path)
                for path in config.compare
            )
            show_comparison(compare(before, after), console)
            return
        results = run(config, console)
    except ToolRLError as error:
        sys.exit(_refuse(error))
    except KeyboardInterrupt:
        print("stopped; the same command again goes on", file=sys.stderr)
        sys.exit(130)
    show_results(results, console)
    console.print(f"results: {config.folder / 'results.json'}", highlight=False, soft_wrap=True)
    sys.exit(0 if results.complete else 1)


def _refuse(error: ToolRLError) -> int:
    print(f"agents.evaluate: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
