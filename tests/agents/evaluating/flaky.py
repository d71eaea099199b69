"""Environments that fail or wait, and agents that fail or die."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import gymnasium as gym

from agents.policy import NoAnswer
from agents.scripted import RandomPolicy
from toolrl_env.core.errors import InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.envs.toolbox import ToolboxEnv
from toolrl_env.envs.workspace import WorkspaceEnv

FLAKY = "ToolRLFlaky-v0"
WAITING = "ToolRLWaiting-v0"


class FlakyEnv(ToolboxEnv):
    """While the file ``broken`` is there, tasks with an even index fail in ``step``."""

    def __init__(self, broken="", **kwargs):
        super().__init__(**kwargs)
        self.broken = Path(broken)

    def step(self, action):
        if self.tasks.index_of(self.task.id) % 2 == 0 and self.broken.is_file():
            raise InfrastructureError("the tool server is gone", FailureKind.SERVER_DOWN)
        return super().step(action)


class WaitingEnv(WorkspaceEnv):
    """Its tools wait: ``during`` is called before each step."""

    waits = True
    during = staticmethod(lambda env: None)
    open = 0

    def step(self, action):
        self.during(self)
        return super().step(action)

    def fork(self, count):
        type(self).open += count
        return super().fork(count)

    def close(self):
        type(self).open -= 1
        super().close()


for name, kind in ((FLAKY, FlakyEnv), (WAITING, WaitingEnv)):
    if name not in gym.registry:
        gym.register(name, entry_point=kind)


class Dying(RandomPolicy):
    """Kills its own process without warning after ``KILL_AFTER`` calls of act.

    Every answer's task and turn goes into the file ``ASKED``.
    """

    def __init__(self):
        super().__init__()
        self.left = int(os.environ["KILL_AFTER"])
        self.asked = Path(os.environ["ASKED"])

    def act(self, observations, infos):
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self.left -= 1
        with self.asked.open("a") as file:
            file.writelines(f"{info['task_id']} {info.get('turn', 0)}\n" for info in infos)
        return super().act(observations, infos)


class Unreachable(RandomPolicy):
    """Answers every third observation alone."""

    def act(self, observations, infos):
        answers = super().act(observations, infos)
        lost = NoAnswer(FailureKind.TIMEOUT, "no answer in time")
        return [
            a if i["task_index"] % 3 == 0 else lost for a, i in zip(answers, infos, strict=True)
        ]


class Broke(RandomPolicy):
    """Has a budget of five answers."""

    def __init__(self):
        super().__init__()
        self.left = 5

    def act(self, observations, infos):
        answers = super().act(observations, infos)
        found = []
        for answer in answers:
            spent = NoAnswer(FailureKind.REFUSED, "the budget is spent", stop=True)
            found.append(answer if self.left > 0 else spent)
            self.left -= 1
        return found


class Down(RandomPolicy):
    """Raises instead of answering."""

    def act(self, observations, infos):
        raise InfrastructureError("the model server is gone", FailureKind.SERVER_DOWN)


class Short(RandomPolicy):
    """Gives too few answers."""

    def act(self, observations, infos):
        return super().act(observations, infos)[1:]


class Numbers:
    """Gives no text."""

    def act(self, observations, infos):
        return [3] * len(infos)


class NoActor:
    """Is no agent."""
