"""Rollouts of verifiers' own runner, and the same answers in ``gym.make``."""

from __future__ import annotations

import asyncio
import json

import gymnasium as gym
import verifiers.v1 as vf
from verifiers.v1.utils.loaders import resolve_env_config

import toolrl_env  # noqa: F401
from agents.integrations.verifiers.messages import assistant_message
from tests.agents.chat.server import good

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"


def load(env, env_kwargs=None, num_tasks=3, agent=None, **config):
    """Return an environment of verifiers' as its command line loads it."""
    taskset = {"id": "toolrl", "env": env, "num_tasks": num_tasks}
    taskset["env_kwargs"] = json.dumps(env_kwargs or {})
    config |= {"taskset": taskset, "agent": agent or {}}
    return vf.load_environment(resolve_env_config(config))


def roll_out(env, url, *, model="m", rollouts=1, meanwhile=None, **sampling):
    """Play every task; return the episodes, in the order of the tasks."""

    async def run():
        client = vf.EvalClientConfig(base_url=url, api_key_var="TOOLRL_NO_KEY")
        context = vf.ModelContext(model, client, vf.SamplingConfig(**sampling))
        async with env.serving():
            slots = [slot for task in env.taskset for slot in env.slots(task, rollouts)]
            waiting = [asyncio.create_task(meanwhile())] if meanwhile else []
            played = await asyncio.gather(*(env.run_slot(slot, context) for slot in slots))
            await asyncio.gather(*waiting)
        return played

    return asyncio.run(run())


def play(env, env_kwargs, index, answers):
    """Return rewards and summed terms of a task in ``gym.make``; ``answers(env, turn)``."""
    made = gym.make(env, **env_kwargs)
    made.reset(seed=0, options={"task_index": index})
    rewards, terms, said, over = [], {}, [], False
    while not over:
        said.append(answers(made.unwrapped, len(said)))
        _, reward, terminated, truncated, info = made.step(said[-1])
        rewards.append(reward)
        for name, value in info["reward"].items():
            terms[name] = terms.get(name, 0.0) + value
        over = terminated or truncated
    made.close()
    return rewards, terms, said


def scripted(env, env_kwargs, count, answers):
    """Return a server's plan that answers each of ``count`` tasks, and what ``gym.make`` gives."""
    made = gym.make(env, **env_kwargs)
    expected, script = [], {}
    for index in range(count):
        _, info = made.reset(seed=0, options={"task_index": index})
        result = play(env, env_kwargs, index, answers)
        script[info["messages"][-1]["content"]] = result[2]
        expected.append(result)
    made.close()
    assert len(script) == count

    def plan(number, body):
        said = sum(message["role"] == "assistant" for message in body["messages"])
        text = script[body["messages"][1]["content"]][said]
        return spoken(text) if "tools" in body else good(text)

    return plan, expected


def spoken(text):
    """Return a completion as servers make one that parse calls."""
    message = assistant_message(text, 0, offered=True)
    calls = [call["function"] for call in message.get("tool_calls", ())]
    return good(message["content"], [(call["name"], call["arguments"]) for call in calls])


def gold(env, turn):
    return env.gold_answer()


def mixed(env, turn):
    """Gold, but for a first answer that cannot be read in every other task."""
    odd = env._current.index % 2
    return "<think> broken" if odd and turn == 0 else _gold_or_end(env)


def _gold_or_end(env):
    try:
        return env.gold_answer()
    except ValueError:
        return env.protocol.render([], think="Done.", response="That is all.")
