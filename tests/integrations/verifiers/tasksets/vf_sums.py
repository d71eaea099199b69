"""Tasksets in verifiers' own words, as its users write them, to be imported."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import verifiers.v1 as vf

from agents.integrations.verifiers.harness import ChatHarness

__all__ = ["ChatHarness", "SumEnv", "SumTaskset"]


JUDGED = threading.Event()
"""Lets the slow judge go on."""


class SumData(vf.TaskData):
    a: int
    b: int
    trouble: str = ""


class SumToolset(vf.Toolset[vf.ToolsetConfig]):
    TOOL_PREFIX = "sums"

    @vf.tool
    def add(self, a: int, b: int) -> str:
        """Add two numbers."""
        return str(a + b)


class SumConfig(vf.TasksetConfig):
    trouble: str = ""
    tools: bool = False


class SumTask(vf.Task[SumData]):
    @vf.reward(weight=0.75)
    async def right(self, trace: vf.Trace) -> float:
        if self.data.trouble == "reward":
            raise OSError("the judge is down")
        if self.data.trouble == "slow":
            JUDGED.wait(30)  # in the event loop, as a judge that blocks does
        return float(trace.last_reply.endswith(str(self.data.a + self.data.b)))

    @vf.reward(weight=0.25)
    async def short(self, trace: vf.Trace) -> float:
        return 1.0 if len(trace.last_reply) < 20 else 0.0

    @vf.metric
    async def letters(self, trace: vf.Trace) -> float:
        return float(len(trace.last_reply))

    async def setup(self, trace: vf.Trace, runtime: vf.Runtime) -> None:
        if self.data.trouble == "setup":
            raise OSError("no room")


class SumTaskset(vf.Taskset[SumTask, SumConfig]):
    def load(self) -> list[SumTask]:
        return [
            SumTask(
                SumData(
                    name=f"sum-{n}",
                    a=n,
                    b=n + 1,
                    trouble=self.config.trouble,
                    system_prompt="Answer with a number.",
                    prompt=f"What is {n} + {n + 1}?",
                )
            )
            for n in range(4)
        ]


class ToolSumTask(SumTask):
    @classmethod
    def toolsets(cls, config) -> list[vf.Toolset]:
        return [SumToolset(vf.ToolsetConfig())]


class ToolSumTaskset(vf.Taskset[ToolSumTask, SumConfig]):
    def load(self) -> list[ToolSumTask]:
        return [ToolSumTask(task.data) for task in SumTaskset(self.config).load()]


class SharedToolSumTaskset(SumTaskset):
    @classmethod
    def toolsets(cls, config) -> list[vf.Toolset]:
        return [SumToolset(vf.ToolsetConfig())]


class BrokenToolTask(SumTask):
    @classmethod
    def toolsets(cls, config) -> list[vf.Toolset]:
        return [SumToolset(vf.ToolsetConfig(url="http://127.0.0.1:9/mcp"))] * 2


class BrokenToolTaskset(vf.Taskset[BrokenToolTask, SumConfig]):
    def load(self) -> list[BrokenToolTask]:
        return [BrokenToolTask(task.data) for task in SumTaskset(self.config).load()]


class Endless(vf.Taskset[SumTask, SumConfig]):
    INFINITE = True

    def load(self) -> Iterator[SumTask]:
        while True:
            yield SumTask(SumData(a=1, b=1, prompt="1 + 1?"))


class SumEnvConfig(vf.EnvConfig):
    player: vf.AgentConfig = vf.AgentConfig(runtime={"type": "subprocess"})


class SumEnv(vf.Env[SumEnvConfig]):
    """Asks again until the answer is right, three times at most."""

    async def run(self, task, agents):
        async with agents.player.interaction(task) as interaction:
            segment = await interaction.turn()
            for _ in range(2):
                if segment.terminated or segment.last_reply == str(task.data.a + task.data.b):
                    break
                segment = await interaction.turn("Wrong. Try again.")


if __name__ == "__main__":
    SumToolset.run()
