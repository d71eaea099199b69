"""Steps per second of the multi-turn environments, alone and in vectors, against an empty one.

Run ``python -m benchmarks.speed.multi_turn``. Every episode plays the gold answers of its task, all
worked out before; the tasks are made ready before, too. The empty environment is a plain Gymnasium
one that does nothing for the same number of steps. Alone, CPU time counts, in rounds that take
turns; of vectors, whose work may be in other processes, the time on the clock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import gymnasium as gym
from rich.console import Console
from rich.table import Table

import toolrl_env  # noqa: F401  # registers the ids
from benchmarks.speed.timing import compare

STEPS = 8
POOL = 20
NUM_ENVS = 8
VECTOR_EPISODES = 240
ENVS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ToolRL-Workspace-v0", {}),
    ("ToolRL-BFCLMultiTurn-v0", {"category": "base"}),
    ("ToolRL-BFCLMultiTurn-v0", {"category": "long_context"}),
)
PROTOCOLS = ("toolrl", "native", "python")


class EmptyEnv(gym.Env[str, str]):
    """Does nothing for some steps."""

    observation_space = gym.spaces.Text(65_536)
    action_space = gym.spaces.Text(65_536)

    def __init__(self, steps: int = STEPS) -> None:
        self._steps, self._left = steps, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Return a constant observation."""
        super().reset(seed=seed, options=options)
        self._left = self._steps
        return "prompt", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Count down."""
        del action
        self._left -= 1
        return "observation", 0.0, self._left <= 0, False, {}


@dataclass(frozen=True)
class Episode:
    """An episode to play: the seed that draws its task, and its gold answers."""

    seed: int
    answers: tuple[str, ...]


def main() -> None:
    """Measure, and print two tables."""
    gym.register("Empty-v0", entry_point=EmptyEnv, disable_env_checker=True)
    alone = Table(title=f"episodes of {STEPS} steps, reset included, CPU time a step, one process")
    for column in ("environment", "protocol", "empty, µs", "ours, µs", "steps/s", "of empty"):
        alone.add_column(column)
    vectors = Table(title=f"{NUM_ENVS} environments, on the clock, protocol toolrl")
    for column in ("environment", "vector", "steps/s", "of one environment"):
        vectors.add_column(column)
    for env_id, kwargs in ENVS:
        name = " ".join((env_id, *kwargs.values()))
        for protocol in PROTOCOLS:
            empty, ours = measure_alone(env_id, {**kwargs, "protocol": protocol})
            cells = f"{empty * 1e6:.1f} {ours * 1e6:.1f} {1 / ours:,.0f} {empty / ours:.3f}"
            alone.add_row(name, protocol, *cells.split())
        for mode, rate, ratio in measure_vectors(env_id, kwargs):
            vectors.add_row(name, mode, f"{rate:,.0f}", f"{ratio:.2f}")
    Console(width=110).print(alone)
    Console(width=110).print(vectors)


def find_episodes(env: gym.Env[str, str], number: int) -> list[Episode]:
    """Return episodes of exactly ``STEPS`` gold answers."""
    base: Any = env.unwrapped
    found: list[Episode] = []
    seed = 0
    while len(found) < number:
        env.reset(seed=seed)
        if len(base.tasks.gold_turns(base.task)) == STEPS:
            answers: list[str] = []
            for _ in range(STEPS):
                answers.append(base.gold_answer())
                env.step(answers[-1])
            found.append(Episode(seed, tuple(answers)))
        seed += 1
    return found


def play(env: gym.Env[str, str], episode: Episode) -> None:
    """Play one episode."""
    env.reset(seed=episode.seed)
    for answer in episode.answers:
        env.step(answer)


def measure_alone(env_id: str, kwargs: dict[str, Any]) -> tuple[float, float]:
    """Return CPU seconds a step of the empty environment and of ours."""
    env, empty = gym.make(env_id, **kwargs), gym.make("Empty-v0")
    pool = find_episodes(env, POOL)
    ours, same = cycle(pool), cycle(pool)
    result = compare(
        {"empty": lambda: play(empty, next(same)), "ours": lambda: play(env, next(ours))},
        POOL,
        rounds=5,
    )
    return result.seconds("empty") / STEPS, result.seconds("ours") / STEPS


def measure_vectors(env_id: str, kwargs: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Return steps per second of each kind of vector, and as a multiple of one environment's."""
    env = gym.make(env_id, **kwargs)
    pool = find_episodes(env, NUM_ENVS)
    start = time.perf_counter()
    for _ in range(VECTOR_EPISODES // NUM_ENVS):
        for episode in pool:
            play(env, episode)
    single = VECTOR_EPISODES * STEPS / (time.perf_counter() - start)
    found = [("none", single, 1.0)]
    for mode in ("vector_entry_point", "sync", "async"):
        envs = gym.make_vec(env_id, num_envs=NUM_ENVS, vectorization_mode=mode, **kwargs)
        play_vector(envs, pool)
        start = time.perf_counter()
        for _ in range(VECTOR_EPISODES // NUM_ENVS):
            play_vector(envs, pool)
        rate = VECTOR_EPISODES * STEPS / (time.perf_counter() - start)
        found.append(("native" if mode == "vector_entry_point" else mode, rate, rate / single))
        envs.close()
    return found


def play_vector(envs: gym.vector.VectorEnv[Any, Any, Any], pool: list[Episode]) -> None:
    """Play one episode in every environment."""
    envs.reset(seed=[episode.seed for episode in pool])
    for number in range(STEPS):
        envs.step([episode.answers[number] for episode in pool])


if __name__ == "__main__":
    main()
