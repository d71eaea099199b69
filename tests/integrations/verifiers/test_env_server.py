"""Verifiers' environment server, through which its trainers get episodes, on our environments."""

from __future__ import annotations

import asyncio

import verifiers.v1 as vf
from verifiers.v1.serve import EnvClient, EnvServer
from verifiers.v1.utils.loaders import resolve_env_config

from tests.agents.chat.server import refuse, serving
from tests.integrations.verifiers.rollouts import WORKSPACE, mixed, scripted

CONFIG = {"taskset": {"id": "toolrl", "env": WORKSPACE, "num_tasks": 3}}


def served(url):
    async def run():
        server = EnvServer(resolve_env_config(CONFIG), "tcp://127.0.0.1:0")
        running = asyncio.create_task(server.run())
        client = EnvClient(server.address)
        model = vf.EvalClientConfig(base_url=url, api_key_var="TOOLRL_NO_KEY")
        tasks = [task.data.model_dump() for task in server.env.taskset]
        try:
            return await asyncio.gather(
                *(client.run(model, "m", vf.SamplingConfig(), data) for data in tasks)
            )
        finally:
            await client.close()
            running.cancel()
            await running

    return asyncio.run(run())


def test_rewards_terms_and_turns_cross_the_wire():
    plan, expected = scripted(WORKSPACE, {}, 3, mixed)
    with serving(plan) as server:
        episodes = served(server.url)
    for episode, (rewards, terms, said) in zip(episodes, expected, strict=True):
        (trace,) = episode.traces
        assert episode.ok
        assert trace.reward == sum(rewards)
        assert list(trace.info["toolrl"]["rewards"]) == rewards
        assert trace.metrics["outcome"] == terms["outcome"]
        assert [message.content for message in trace.assistant_messages] == said


def test_failures_cross_it_as_errors_without_rewards():
    with serving(refuse(400)) as server:
        episodes = served(server.url)
    for episode in episodes:
        (trace,) = episode.traces
        assert (episode.ok, trace.ok, trace.rewards) == (False, False, {})
        assert [error.type for error in trace.errors] == ["ProviderError"]
