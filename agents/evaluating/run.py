"""Playing every attempt of an evaluation that is not done yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from agents.evaluating.log import AttemptLog
from agents.game import Game, ask
from agents.policy import NoAnswer, Policy
from toolrl_env.envs.base import ToolUseEnv
from toolrl_env.envs.workers import Workers, for_each

__all__ = ["play_attempts"]

_Running = tuple[Game, ToolUseEnv]


def play_attempts(
    policy: Policy,
    env: ToolUseEnv,
    attempts: Sequence[tuple[int, int]],
    log: AttemptLog,
    *,
    batch_size: int,
    max_concurrency: int,
    seed: int,
    on_end: Callable[[], None],
) -> str:
    """Play attempts, ``batch_size`` at a time; whenever one ends, the next takes its place.

    Args:
        policy: Answers all that go on in one call.
        env: Forked, so that each running attempt has one of its own.
        attempts: Task index and number of the attempt; those done before are left out.
        log: Takes down each attempt as it ends.
        batch_size: Attempts that run at the same time.
        max_concurrency: Environments that are reset or stepped at the same time, in threads, where
            their tools wait (``env.waits``); nothing that comes out depends on it.
        seed: Seed of the run.
        on_end: Called after each attempt that has ended.

    Returns:
        Why it stopped early, in words; empty if every attempt was played. Attempts that were
        running then are neither done nor failed.
    """
    waiting = deque(key for key in attempts if key not in log.done)
    forks = env.fork(min(batch_size, len(waiting)))
    idle, running = list(forks), list[_Running]()
    workers = Workers(max_concurrency) if env.waits and max_concurrency > 1 else None
    try:
        while waiting or running:
            # 1. Start attempts in the environments that are idle.
            room = min(len(idle), len(waiting))
            starts = [(idle.pop(), *waiting.popleft(), seed) for _ in range(room)]
            running += for_each(_begin, starts, workers)
            # 2. Ask for an answer to each attempt that goes on, and step with it.
            live = [game for game, _ in running if not game.over]
            answers = ask(policy, live) if live else ()
            stop = next((a.reason for a in answers if isinstance(a, NoAnswer) and a.stop), "")
            for_each(_step, list(zip(live, answers, strict=True)), workers)
            # 3. Write down the attempts that are over.
            for game, own in running:
                if game.over:
                    log.finish(game)
                    idle.append(own)
                    on_end()
            running = [pair for pair in running if not pair[0].over]
            if stop:
                return stop
    finally:
        if workers is not None:
            workers.close()
        for own in forks:
            own.close()
    return ""


def _begin(start: tuple[ToolUseEnv, int, int, int]) -> _Running:
    env, index, attempt, seed = start
    return Game(env, index, attempt=attempt, seed=seed), env


def _step(given: tuple[Game, str | NoAnswer]) -> None:
    game, answer = given
    if not (isinstance(answer, NoAnswer) and answer.stop):
        game.step(answer)
