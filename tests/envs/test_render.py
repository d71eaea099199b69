"""Pictures of episodes: complete, readable, and safe to print."""

from __future__ import annotations

import re

import pytest

from tests.envs.conftest import CALL
from toolrl_env.core.types import TermScore
from toolrl_env.envs.single_turn import SingleTurnEnv
from toolrl_env.rewards import RewardConfig

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


def test_text_of_every_script_is_shown_as_it_is(tasks):
    env = SingleTurnEnv(tasks, render_mode="ansi")
    env.reset(options={"task_index": 0})
    text = "日本\u3000語 می\u200cخواهم 👨\u200d👩\u200d👧 a\u00a0b"
    env.step(text + "\u202egnp.exe")
    shown = picture(env)
    assert text in shown
    assert "\u202e" not in shown


def test_terms_of_others_may_say_anything(tasks):
    def term(context):
        return TermScore("[/]", 0.0, 0.0, 1.0, reason="[/bold] [red] \x1b[2J")

    env = SingleTurnEnv(tasks, render_mode="ansi", reward=RewardConfig(extra_terms=(term,)))
    env.reset(options={"task_index": 0})
    env.step(CALL)
    assert "[/bold] [red] �[2J" in picture(env)
    assert "[/] " in picture(env)


def test_human_mode_prints_by_itself(tasks, capsys):
    env = SingleTurnEnv(tasks, render_mode="human")
    env.reset(options={"task_index": 0})
    assert "How is Porto" in capsys.readouterr().out
    env.step(CALL)
    assert "reward +4.000" in capsys.readouterr().out


def test_without_a_mode_it_warns(tasks):
    with pytest.warns(UserWarning, match="render_mode"):
        assert SingleTurnEnv(tasks).render() is None
