"""Pictures of episodes: complete, readable, and safe to print."""

from __future__ import annotations

import re

import pytest

from tests.envs.conftest import CALL
from toolrl_env.envs.single_turn import SingleTurnEnv

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def picture(env):
    return ANSI.sub("", env.render())


def test_before_reset_it_says_so(tasks):
    assert "reset()" in picture(SingleTurnEnv(tasks, render_mode="ansi"))


def test_conversation_answer_terms_and_losses_are_shown(tasks):
    env = SingleTurnEnv(tasks, render_mode="ansi")
    env.reset(options={"task_index": 0})
    shown = picture(env)
    assert "How is Porto" in shown
    assert "get_weather" in shown
    assert "reward" not in shown
    env.step(CALL.replace("Porto", "Lisbon"))
    shown = picture(env)
    for part in ("Lisbon", "reward +2.500", "correctness", "[-3, 3]", "value", "█"):
        assert part in shown


def test_control_characters_and_markup_are_harmless(tasks):
    env = SingleTurnEnv(tasks, render_mode="ansi")
    env.reset(options={"task_index": 0})
    env.step("\x1b[2J\x07[bold red]not markup[/] \ud800")
    raw = env.render()
    assert "\x1b[2J" not in raw
    assert "\x07" not in raw
    assert "[bold red]not markup[/]" in ANSI.sub("", raw)
    raw.encode("utf-8")


def test_human_mode_prints_by_itself(tasks, capsys):
    env = SingleTurnEnv(tasks, render_mode="human")
    env.reset(options={"task_index": 0})
    assert "How is Porto" in capsys.readouterr().out
    env.step(CALL)
    assert "reward +4.000" in capsys.readouterr().out


def test_without_a_mode_it_warns(tasks):
    with pytest.warns(UserWarning, match="render_mode"):
        assert SingleTurnEnv(tasks).render() is None
