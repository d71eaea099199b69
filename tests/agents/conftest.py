"""A small environment with the interface of ours, to test agents apart from the real ones.

A task names a colour and a number; the gold answer repeats them in the paper's layout.
"""

from __future__ import annotations

import re

import gymnasium as gym
import pytest
import torch

from agents.models import load_folder
from agents.prompting import ChatEncoder
from agents.sft import SFTConfig, train
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import RewardBreakdown, StopReason, TermScore
from toolrl_env.spaces import UnicodeText

COLOURS = ("red", "green", "blue", "pink")
ANSWER = re.compile(r'<think> ok </think>\n<tool_call>\n\{"(\w+)": (\d)\}\n</tool_call>')


class StubEnv(gym.Env[str, str]):
    """40 tasks; ``fail`` says how ``step`` breaks at the tasks that ``every`` divides."""

    def __init__(self, split: str = "train", fail: str = "", every: int = 1) -> None:
        self.observation_space = UnicodeText(1000)
        self.action_space = UnicodeText(1000)
        self.split, self.fail, self.every = split, fail, every
        self.steps = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        options = options or {}
        self.training_step = options.get("training_step", 0)
        self.index = options.get("task_index")
        if self.index is None:
            self.index = int(self.np_random.integers(40))
        self.colour, self.number = COLOURS[self.index % 4], self.index // 4
        self.messages = [
            {"role": "system", "content": "Repeat."},
            {"role": "user", "content": f"{self.colour} {self.number}"},
        ]
        return f"{self.colour} {self.number}", self._info()

    def step(self, action):
        self.steps += 1
        if self.fail and self.index % self.every == 0:
            if self.fail == "raise":
                raise InfrastructureError("the tool server is gone")
            if self.fail == "bug":
                raise ZeroDivisionError
            return "", 0.0, False, True, self._info() | {"stop_reason": StopReason.INFRASTRUCTURE}
        match = ANSWER.fullmatch(action)
        right = 0.0 if match is None else (match[1] == self.colour) + (match[2] == str(self.number))
        terms = (
            TermScore("format", float(match is not None), 0.0, 1.0),
            TermScore("correctness", 3.0 * right - 3.0, -3.0, 3.0),
        )
        breakdown = RewardBreakdown(sum(term.score for term in terms), terms)
        info = self._info() | {
            "reward": breakdown.as_dict(),
            "breakdown": breakdown,
            "stop_reason": StopReason.ANSWERED,
        }
        return action, breakdown.total, True, False, info

    def gold_answer(self) -> str:
        return f'<think> ok </think>\n<tool_call>\n{{"{self.colour}": {self.number}}}\n</tool_call>'

    def _info(self):
        return {
            "messages": self.messages,
            "tools": [],
            "task_id": f"stub-{self.index}",
            "task_index": self.index,
        }


STUB = "ToolRLStub-v0"
gym.register(STUB, entry_point=StubEnv)


@pytest.fixture(scope="session")
def stub_id() -> str:
    """Id of the small environment."""
    return STUB


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Keep torch on one thread, to be considerate and reproducible."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory, stub_id, one_thread):
    """A tiny model that has learnt the layout of the stub's answers."""
    config = SFTConfig(
        env=stub_id,
        model="tiny",
        out=tmp_path_factory.mktemp("sft"),
        steps=40,
        batch_size=16,
        learning_rate=2e-3,
        warmup_steps=5,
    )
    return train(config)


@pytest.fixture(scope="session")
def tiny(tiny_folder):
    """The warm-started tiny model and its encoder."""
    model, tokenizer = load_folder(tiny_folder)
    return model, ChatEncoder(tokenizer)
