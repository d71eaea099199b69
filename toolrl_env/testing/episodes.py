"""What ``check_environment`` asks of environments whose episodes go on over several answers."""

from __future__ import annotations

from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.testing.requirement import require

__all__ = ["check_gold_episodes", "check_unreadable_answers"]


def check_gold_episodes(subject: str, env: MultiTurnEnv, episodes: int) -> None:
    """Play the gold trajectory of ``episodes`` tasks: each must end with its goal reached.

    Raises:
        ContractViolation: One does not, or something of ours failed on the way.
    """
    for seed in range(episodes):
        env.reset(seed=seed)
        over, masked = False, False
        info = {"is_success": False, "stop_reason": None}
        while not over:
            observation, _, terminated, truncated, info = env.step(env.gold_answer())
            over = terminated or truncated
            masked = masked or bool(info["mask_sample"])
            fits = observation in env.observation_space
            require(fits, subject, f"task {env.task.id}: no text of the space")
        said = f"task {env.task.id}: the gold trajectory ends with {info['stop_reason']}"
        require(bool(info["is_success"]) and not masked, subject, said)


def check_unreadable_answers(subject: str, env: MultiTurnEnv) -> None:
    """Give answers that cannot be read: each must be told what is wrong, and change nothing.

    Where a recorded answer takes their place (``teacher_forced``), the record moves on instead.

    Raises:
        ContractViolation: An answer goes without an error, or the world changed.
    """
    for seed, junk in enumerate(("", " \n", "x" * (env.max_chars + 1))):
        env.reset(seed=seed)
        before = env.state_hash()
        observation, _, _, _, info = env.step(junk)
        label = f"answer {junk[:20]!r}"
        require(observation in env.observation_space, subject, f"{label}: no text of the space")
        require(bool(info["errors"]), subject, f"{label}: no error says what is wrong")
        stays = env.state_hash() == before
        if env.teacher_forced:
            require(not stays, subject, f"{label}: the record does not go on")
        else:
            require(stays, subject, f"{label}: the world has changed")
