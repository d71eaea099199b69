"""verl's own rollout on this machine: its Ray actors, load balancer, queue and replay buffer.

What its trainer does around an update, with a server on the processor in the place of vLLM.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import uuid
from pathlib import Path
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
import ray
import transfer_queue as tq
import verl_world
from omegaconf import DictConfig
from verl.experimental.reward_loop.reward_loop import RewardLoopManager
from verl.trainer.ppo.v1 import AgentLoopManagerTQ
from verl.trainer.ppo.v1.replay_buffer import ReplayBuffer
from verl.utils import tensordict_utils as tu
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn
from verl.workers.rollout.llm_server import LLMServerClient
from verl.workers.rollout.router import get_router_handle
from verl_server import ModelServer

from agents.integrations.tasks import TaskRef, task_rows
from agents.integrations.verl.export import write_rows
from agents.integrations.verl.scoring import process_pool

TOOLBOX, WORKSPACE = "ToolRL-Toolbox-v0", "ToolRL-Workspace-v0"
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SAMPLES = 2
BREAKS = '<think> so </think>\n<tool_call>\n{"name": "breaks", "parameters": {}}\n</tool_call>'
YES = "<think> so </think>\n<response> yes </response>"
FIELDS = (
    "prompts",
    "responses",
    "response_mask",
    "rollout_log_probs",
    "rm_scores",
    "num_turns",
    "reward_model",
    "extra_fields",
)
SETTINGS = (
    f"actor_rollout_ref.rollout.n={SAMPLES}",
    "data.max_response_length=600",
    "reward.custom_reward_function.path=pkg://agents.integrations.verl.reward",
    "transfer_queue.enable=True",
    "transfer_queue.backend.SimpleStorage.num_data_storage_units=1",
)


@pytest.fixture(scope="module")
def cluster(make_config, folder):
    """Return verl's configuration, with everything that it starts before a trainer's first step."""
    config = make_config(*SETTINGS)
    with pytest.MonkeyPatch.context() as env:  # which Ray's workers inherit
        env.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(HERE)]))
        env.setenv("OMP_NUM_THREADS", "1")
        env.setenv("TRANSFER_QUEUE_ENABLE", "1")
        env.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # Of its own, whatever cluster runs here. With less in /dev/shm, Ray takes a file in /tmp.
        ray.init(address="local", num_cpus=6, include_dashboard=False, object_store_memory=80 << 20)
        try:
            tq.init(config.transfer_queue)
            yield config
            tq.close()
        finally:
            ray.shutdown()


class Stage(NamedTuple):
    """What verl has running when a step begins."""

    config: DictConfig
    server: ray.actor.ActorHandle
    manager: AgentLoopManagerTQ


@pytest.fixture(scope="module")
def stage(cluster, folder):
    """Start a server, verl's load balancer and client, its reward workers, its agent loops."""
    server = ray.remote(num_cpus=0)(ModelServer).remote(folder)
    manager = AgentLoopManagerTQ.create(
        config=cluster,
        llm_client=LLMServerClient(cluster, get_router_handle(servers={"cpu": server})),
        reward_loop_worker_handles=RewardLoopManager(cluster).reward_loop_worker_handles,
    )
    return Stage(cluster, server, manager)


@pytest.fixture
def rollout(stage, tokenizer, tmp_path):
    """Return what plays rows as ``PPOTrainerSync`` does, and gives what it would train on."""
    path = tmp_path / "rows.parquet"

    def rollout(rows, *answers, agent="toolrl"):
        # 1. A batch out of verl's dataset, registered and handed to verl's agent loop manager.
        ray.get(stage.server.say.remote(answers))
        write_rows(rows, path, split="train", agent=agent)
        dataset = RLHFDataset(str(path), tokenizer, stage.config.data)
        columns = collate_fn([dataset[i] for i in range(len(dataset))])
        uids = [uuid.uuid4().hex for _ in rows]
        batch = tu.get_tensordict({**columns, "uid": np.array(uids, dtype=object)})
        tu.assign_non_tensor_data(batch, "global_steps", 1)
        tags = [{"is_prompt": True, "status": "pending", "global_steps": 1} for _ in uids]
        tq.kv_batch_put(keys=uids, partition_id="train", tags=tags)
        stage.manager.generate_sequences(batch)
        # 2. What verl's replay buffer gives to be trained on.
        sampler = stage.config.trainer.v1.sampler
        buffer = ReplayBuffer(
            trainer_mode="sync",
            trainer_config=stage.config.trainer.v1.sync,
            max_off_policy_threshold=None,
            max_off_policy_strategy=sampler.max_off_policy_strategy,
            sampler_kwargs=sampler.sampler_kwargs,
            poll_interval=0.2,
        )
        sampled, _ = buffer.sample(global_steps=1, partition_id="train", batch_size=len(rows))
        fields = tq.kv_batch_get(keys=sampled.keys, partition_id="train")
        return [{name: fields[name][i] for name in FIELDS} for i in range(len(sampled.keys))]

    yield rollout
    left = tq.kv_list("train")["train"]
    tq.kv_clear(partition_id="train", keys=list(left))


def replay(ref, answers):
    env = gym.make(ref.env, **ref.kwargs())
    env.reset(seed=0, options={"task_index": ref.index})
    return [env.step(answer)[1] for answer in answers]


def sampled_answers(trajectory, encoder):
    """Return the stretches of the response that were sampled, as text."""
    mask = trajectory["response_mask"].tolist()
    tokens = zip(trajectory["responses"].tolist(), mask, strict=True)
    runs = itertools.groupby(tokens, key=lambda pair: pair[1])
    return [encoder.decode([token for token, _ in run]) for kept, run in runs if kept]


def gold_of(row):
    with process_pool().open(row.ref) as episode:
        return episode.gold_answer()


def test_episodes_of_several_turns_arrive_with_their_rewards(rollout, encoder):
    rows = task_rows(WORKSPACE, {"difficulty": 1, "max_turns": 4}, range(2))
    known = {row.task_id: row for row in rows}
    trajectories = rollout(rows)
    assert len(trajectories) == SAMPLES * len(rows)
    turns = []
    for each in trajectories:
        row = known[each["reward_model"]["ground_truth"]]
        shown = {"messages": row.messages, "tools": row.tools}
        assert tuple(each["prompts"].tolist()) == encoder.prompt(shown)
        answers = sampled_answers(each, encoder)
        rewards = replay(row.ref, answers)
        assert each["extra_fields"]["turn_scores"] == rewards
        assert each["rm_scores"].tolist() == [0.0] * (len(each["responses"]) - 1) + [sum(rewards)]
        assert len(each["rollout_log_probs"]) == len(each["responses"])
        assert each["num_turns"] == 2 * len(answers)
        turns.append(len(answers))
    assert max(turns) > 2
    assert len({tuple(each["responses"].tolist()) for each in trajectories}) == len(trajectories)


def test_verls_own_loop_is_scored_by_our_function_in_verls_worker(rollout, encoder):
    [row] = task_rows(TOOLBOX, {"difficulty": 2}, [0])
    gold = gold_of(row)
    answers = (gold, "<think> no", gold.replace("</tool_call>", ""), gold)
    trajectories = rollout([row, row], *answers, agent="single_turn_agent")
    assert sorted(sampled_answers(each, encoder)[0] for each in trajectories) == sorted(answers)
    for each in trajectories:
        [answer] = sampled_answers(each, encoder)
        [reward] = replay(row.ref, [answer])
        info = each["extra_fields"]["reward_extra_info"]
        assert each["rm_scores"].sum().item() == info["score"] == reward
        assert info["success"] == float(answer == gold)
    assert {each["rm_scores"].sum().item() for each in trajectories} >= {-3.0, 4.0}


@pytest.mark.parametrize("agent", ["toolrl", "single_turn_agent"])
def test_a_failure_of_ours_leaves_its_sample_out_and_is_no_zero(rollout, encoder, agent):
    rows = task_rows(verl_world.ID, {"max_turns": 1}, [0])
    trajectories = rollout(rows, BREAKS, "<response> no </response>", agent=agent)
    assert [sampled_answers(each, encoder) for each in trajectories] == [
        ["<response> no </response>"]
    ]
    with pytest.raises(RuntimeError, match="no materializable trajectories"):
        rollout(rows, BREAKS, BREAKS, agent=agent)


def test_what_cannot_be_played_is_left_out_and_the_others_are_played(rollout, encoder):
    [row] = task_rows(verl_world.ID, {"max_turns": 1}, [0])
    gone = dataclasses.replace(row, ref=TaskRef.of(verl_world.ID, {"broken": True}, 0))
    stale = dataclasses.replace(row, task_id="another")
    trajectories = rollout([gone, stale, row], YES, YES)
    assert [sampled_answers(each, encoder) for each in trajectories] == [[YES], [YES]]
    assert [each["rm_scores"].sum().item() for each in trajectories] == [1.0, 1.0]
