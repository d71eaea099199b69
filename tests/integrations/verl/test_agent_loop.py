"""Our agent loop in verl's own worker, with a real model or written answers behind it."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import json
import threading
from pathlib import Path

import gymnasium as gym
import pyarrow.parquet as pq
import pytest
import torch
import verl_world
from hydra.errors import InstantiationException
from verl import DataProto
from verl.experimental.agent_loop.agent_loop import AgentLoopWorker
from verl.experimental.agent_loop.tool_agent_loop import SPEC_DECODE_EXTRA_KEYS
from verl.utils.dataset.rl_dataset import RLHFDataset, collate_fn
from verl.workers.rollout.replica import TokenOutput
from verl_server import ModelServer

from agents.integrations.pool import PooledEpisode
from agents.integrations.tasks import TaskRef, task_rows
from agents.integrations.verl.export import write_rows
from agents.integrations.verl.scoring import process_pool
from toolrl_env.core.errors import ConfigurationError, DataError, InfrastructureError
from toolrl_env.core.types import FailureKind

WORKSPACE, TOOLBOX = "ToolRL-Workspace-v0", "ToolRL-Toolbox-v0"
ROLLOUT = "actor_rollout_ref.rollout"
LOOP_CONFIG = Path(__file__).parents[3] / "agents/integrations/verl/agent_loop.yaml"
LONG = ("data.max_prompt_length=2048", "data.max_response_length=4096")
YES = "<think> so </think>\n<response> yes </response>"
OFFICE = {"difficulty": 1, "max_turns": 4}


@pytest.fixture
def play(make_config, tokenizer, tmp_path):
    """Return what plays rows as verl's trainer does: file, dataset, batch, worker."""

    def play(rows, server, *overrides, template=None, without=()):
        config, path = make_config(*overrides), tmp_path / "rows.parquet"
        config.actor_rollout_ref.model.custom_chat_template = template
        write_rows(rows, path, split="train")
        pq.write_table(pq.read_table(path).drop_columns(list(without)), path)
        dataset = RLHFDataset(str(path), tokenizer, config.data)
        batch = DataProto.from_single_dict(collate_fn([dataset[i] for i in range(len(dataset))]))
        return asyncio.run(AgentLoopWorker(config, server).generate_sequences(batch))

    return play


@pytest.fixture
def world():
    """Return a world with a tool that breaks and one that waits."""
    verl_world.CALLED.clear()
    verl_world.GO.clear()
    return verl_world


def call(name, **parameters):
    body = json.dumps({"name": name, "parameters": parameters})
    return f"<think> so </think>\n<tool_call>\n{body}\n</tool_call>"


def replay(ref, answers):
    """Return the rewards of these answers in the environment as ``gym.make`` makes it."""
    env = gym.make(ref.env, **ref.kwargs())
    env.reset(seed=0, options={"task_index": ref.index})
    return [env.step(answer)[1] for answer in answers]


def unpadded(out, row):
    """Return prompt, response, mask and log-probabilities of a row, as lists."""
    width = out.batch["prompts"].shape[1]
    seen = out.batch["attention_mask"][row].bool()
    return (
        out.batch["prompts"][row][seen[:width]].tolist(),
        *(
            out.batch[name][row][seen[width:]].tolist()
            for name in ("responses", "response_mask", "rollout_log_probs")
        ),
    )


def gold_answers(ref):
    with process_pool().open(ref) as episode:
        answers = []
        while not episode.over:
            answers.append(episode.gold_answer())
            episode.answer(answers[-1])
    return answers


def asked_by(model):
    """Return the requests of each conversation, in the order in which they began."""
    groups = {}
    for request in model.asked:
        groups.setdefault(request[0], []).append(request)
    return list(groups.values())


def test_a_real_model_plays_and_what_it_sampled_is_what_is_trained(play, server, encoder):
    rows = task_rows(WORKSPACE, OFFICE, range(6))
    model = server()
    out = play(rows, model, "data.max_response_length=900")
    by_prompt = {requests[0][1]: requests for requests in asked_by(model)}
    several = 0
    for i, row in enumerate(rows):
        prompt, response, mask, logprobs = unpadded(out, i)
        shown = {"messages": row.messages, "tools": row.tools}
        assert tuple(prompt) == encoder.prompt(shown)
        requests = by_prompt[tuple(prompt)]
        several += len(requests) > 1
        # 1. Every context is the one before, the sampled ids as they are, and more.
        for (_, before, ids, *_), (_, after, *_) in itertools.pairwise(requests):
            assert after[: len(before) + len(ids)] == before + ids
        _, context, ids, *_ = requests[-1]
        assert tuple(prompt + response) == context + ids
        # 2. The mask and the log-probabilities are those of the sampled ids.
        sampled = [token for _, _, ids, *_ in requests for token in ids]
        assert [t for t, kept in zip(response, mask, strict=True) if kept] == sampled
        expected = torch.tensor([p for *_, found, _ in requests for p in found])
        kept = torch.tensor(logprobs)[torch.tensor(mask).bool()]
        assert expected.isfinite().all()
        assert torch.equal(kept, expected)
        assert not any(p for p, kept in zip(logprobs, mask, strict=True) if not kept)
        # 3. The rewards are those of the environment.
        answers = [encoder.decode(ids) for _, _, ids, *_ in requests]
        rewards = replay(row.ref, answers)
        assert out.non_tensor_batch["turn_scores"][i] == rewards
        assert out.batch["rm_scores"][i].sum().item() == sum(rewards)
        assert out.non_tensor_batch["__num_turns__"][i] == 2 * len(requests)
    assert several >= 3, "the model's answers leave no room for several turns"


def written(encoder, ref, answers):
    """Return the conversation as the template writes it, up to the last answer."""
    with process_pool().open(ref) as episode:
        for answer in answers[:-1]:
            episode.answer(answer)
        return encoder.render(episode.messages, (), answer_next=True) + answers[-1]


@pytest.mark.parametrize("index", range(3))
def test_a_solved_episode_has_its_reward_and_is_what_the_template_writes(
    play, server, encoder, index
):
    ref = TaskRef.of(WORKSPACE, {"difficulty": 3, "episode_reward": "shaped"}, index)
    answers = gold_answers(ref)
    out = play([*task_rows(ref.env, ref.kwargs(), [index])], server(answers=answers), *LONG)
    prompt, response, mask, _ = unpadded(out, 0)
    assert encoder.decode(prompt + response) == written(encoder, ref, answers)
    assert mask[-1] == 1
    rewards = replay(ref, answers)
    assert out.non_tensor_batch["turn_scores"][0] == rewards
    assert out.batch["rm_scores"][0].sum().item() == pytest.approx(sum(rewards))
    assert out.non_tensor_batch["success"][0] == 1.0
    assert out.non_tensor_batch["stop_reason"][0] == "goal_reached"
    assert len(rewards) > 1


def test_episodes_of_one_answer(play, server):
    rows = task_rows(TOOLBOX, {"difficulty": 1}, range(3))
    gold = gold_answers(rows[1].ref)[0]
    out = play(rows[1:2], server(answers=[gold]))
    assert out.non_tensor_batch["turn_scores"][0] == replay(rows[1].ref, [gold]) == [4.0]
    assert out.meta_info["reward_extra_keys"] == [
        "score",
        "success",
        "reward/format",
        "reward/correctness",
    ]
    assert out.non_tensor_batch["reward/format"][0] == 1.0
    assert out.non_tensor_batch["__num_turns__"][0] == 2
    out = play(rows[:1], server(answers=["<think> no"]))
    assert out.batch["rm_scores"].sum().item() == -3.0


def test_what_the_server_says_besides_is_passed_on(play, folder):
    class Server(ModelServer):
        async def generate(self, *args, **kwargs):
            output = await super().generate(*args, **kwargs)
            output.num_preempted = 3
            output.extra_fields |= dict.fromkeys(SPEC_DECODE_EXTRA_KEYS, 5) | {"only": "first"}
            return output

    ref = TaskRef.of(WORKSPACE, {"difficulty": 3}, 0)
    answers = gold_answers(ref)
    out = play(task_rows(ref.env, ref.kwargs(), [0]), Server(folder, answers=answers), *LONG)
    [metrics] = out.meta_info["metrics"]
    assert metrics["num_preempted"] == 3 * len(answers)
    assert metrics["generate_sequences"] > 0
    assert metrics["tool_calls"] > 0
    said = {name: values[0] for name, values in out.non_tensor_batch.items()}
    assert [said[key] for key in SPEC_DECODE_EXTRA_KEYS] == [5 * len(answers)] * len(
        SPEC_DECODE_EXTRA_KEYS
    )
    assert (said["min_global_steps"], said["max_global_steps"]) == (0, len(answers) - 1)
    assert said["only"] == "first"


def test_a_server_without_log_probabilities(play, server):
    rows = task_rows(TOOLBOX, {"difficulty": 1}, [0])
    out = play(rows, server(answers=["no"]), f"{ROLLOUT}.calculate_log_probs=False")
    assert "rollout_log_probs" not in out.batch


def test_the_turns_of_an_episode_go_to_one_server(play, server):
    rows = task_rows(WORKSPACE, {"difficulty": 3}, [0, 1])
    model = server(answers=["no"] * 6)
    play(rows, model, *LONG, f"{ROLLOUT}.multi_turn.max_assistant_turns=3")
    assert sorted(map(len, asked_by(model))) == [3, 3]
    model = server(answers=["no"])
    play(rows[:1], model, f"{ROLLOUT}.full_determinism=True", LONG[0])
    assert {request for request, *_ in model.asked} == {"det-0"}


# ---------------------------------------------------------------- templates


LOOSE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_NEWLINE = LOOSE.replace("<|im_end|>\n", "<|im_end|>")
FORGETS = LOOSE.replace(
    "{{ m.content }}",
    "{{ m.content if loop.last or m.role != 'assistant' else m.content.split('</think>')[-1] }}",
)


@pytest.mark.parametrize("template", [LOOSE, NO_NEWLINE], ids=["newline", "no newline"])
def test_what_stands_between_turns_is_what_the_template_writes(
    play, server, encoder, template, monkeypatch
):
    monkeypatch.setattr(encoder.tokenizer, "chat_template", template)
    ref = TaskRef.of(WORKSPACE, {"difficulty": 2}, 0)
    answers = gold_answers(ref)
    rows = task_rows(ref.env, ref.kwargs(), [0])
    out = play(rows, server(answers=answers), *LONG, template=template)
    prompt, response, *_ = unpadded(out, 0)
    assert encoder.decode(prompt + response) == written(encoder, ref, answers)


def test_the_protocol_native_shows_its_tools_by_the_template(play, server, encoder):
    tools = "{% if tools %}<|im_start|>tools\n{{ tools | tojson }}<|im_end|>\n{% endif %}"
    [row] = task_rows(TOOLBOX, {"difficulty": 1, "protocol": "native"}, [0])
    out = play([row], server(answers=["no"]), *LONG, template=tools + LOOSE)
    shown = encoder.decode(unpadded(out, 0)[0])
    assert row.tools
    assert shown.startswith("<|im_start|>tools\n")
    assert json.loads(shown.split("\n")[1].removesuffix("<|im_end|>")) == list(row.tools)


def test_a_template_that_rewrites_history_is_refused(play, server):
    ref = TaskRef.of(WORKSPACE, {"difficulty": 2}, 0)
    rows = task_rows(ref.env, ref.kwargs(), [0])
    with pytest.raises(ConfigurationError, match="rewrites history"):
        play(rows, server(answers=gold_answers(ref)), *LONG, template=FORGETS)


def test_arguments_for_the_template_are_refused(play, server):
    rows = task_rows(TOOLBOX, {"difficulty": 1}, [0])
    with pytest.raises(InstantiationException, match="enable_thinking"):
        play(rows, server(), "+data.apply_chat_template_kwargs.enable_thinking=False")


# ---------------------------------------------------------------- limits


def test_the_response_never_passes_its_limit_and_ends_with_what_was_sampled(play, server):
    ref = TaskRef.of(WORKSPACE, {"difficulty": 3}, 1)
    answers = gold_answers(ref)
    rows = task_rows(ref.env, ref.kwargs(), [1])
    whole = unpadded(play(rows, server(answers=answers), *LONG), 0)
    for limit in (1, 2, 7, 90, 150):
        out = play(rows, server(answers=answers), LONG[0], f"data.max_response_length={limit}")
        _, response, mask, _ = unpadded(out, 0)
        assert response == whole[1][: len(response)]
        assert len(response) <= limit
        assert mask[-1] == 1
        assert out.batch["responses"].shape[1] == limit
        assert out.non_tensor_batch["success"][0] == 0.0
        assert out.non_tensor_batch["stop_reason"][0] == "response_length"


def test_a_limit_of_answers_stops_the_episode(play, server):
    ref = TaskRef.of(WORKSPACE, {"difficulty": 3}, 1)
    limit = f"{ROLLOUT}.multi_turn.max_assistant_turns=2"
    model = server(answers=gold_answers(ref))
    out = play(task_rows(ref.env, ref.kwargs(), [1]), model, *LONG, limit)
    assert len(model.asked) == 2
    assert out.non_tensor_batch["__num_turns__"][0] == 4
    assert out.non_tensor_batch["stop_reason"][0] == "max_assistant_turns"


def test_a_prompt_that_is_too_long_is_refused_and_not_cut(play, server):
    rows = task_rows(WORKSPACE, OFFICE, [0])
    with pytest.raises(ConfigurationError, match="filter_overlong_prompts"):
        play(rows, server(), "data.max_prompt_length=100")


# ---------------------------------------------------------------- event loop and failures


def test_the_environment_does_not_hold_up_the_event_loop(play, folder, world):
    class Server(ModelServer):
        async def generate(self, *args, **kwargs):
            asyncio.get_running_loop().create_task(let_go())
            return await super().generate(*args, **kwargs)

    async def let_go():
        while not world.CALLED.is_set():
            await asyncio.sleep(0.01)
        world.GO.set()

    model = Server(folder, answers=[call("waits"), YES])
    out = play(task_rows(world.ID, {}, [0]), model, *LONG)
    assert out.non_tensor_batch["success"][0] == 1.0
    response = model.encoder.decode(unpadded(out, 0)[1])
    assert "true" in response.lower().split("<response>")[0]


def test_a_broken_tool_is_no_reward_and_its_environment_is_not_used_again(play, server, world):
    rows = task_rows(world.ID, {}, [0])
    with pytest.raises(InfrastructureError) as caught:
        play(rows, server(answers=[call("breaks")]), *LONG)
    assert caught.value.kind is FailureKind.TOOL_CRASHED
    out = play(rows, server(answers=[call("double", number=4), YES]), *LONG)
    assert out.non_tensor_batch["success"][0] == 1.0


def test_the_environment_is_given_back_however_the_episode_ends(play, server, world, monkeypatch):
    closed = []
    monkeypatch.setattr(PooledEpisode, "close", lambda episode: closed.append(episode.over))
    rows = task_rows(world.ID, {}, [0])
    play(rows, server(answers=[YES]), *LONG)
    with pytest.raises(InfrastructureError):
        play(rows, server(answers=[call("breaks")]), *LONG)
    with pytest.raises(InfrastructureError):
        play(rows, server(answers=[[]]), *LONG)
    for thread in threading.enumerate():  # each closes in its thread, after the answer is out
        if thread.name.startswith("toolrl"):
            thread.join()
    assert closed == [True, True, False]


@pytest.mark.parametrize(("ids", "reason"), [([], "completed"), ([5, 6], "aborted")])
def test_an_answer_that_the_server_broke_off_is_not_the_models(play, ids, reason):
    class Server:
        async def generate(self, request_id, **_):
            return TokenOutput(token_ids=ids, log_probs=[-1.0] * len(ids), stop_reason=reason)

    with pytest.raises(InfrastructureError, match=f"broke an answer off \\({reason}\\)"):
        play(task_rows(TOOLBOX, {"difficulty": 1}, [0]), Server())


def test_a_row_of_other_data_is_refused(play, server):
    [row] = task_rows(TOOLBOX, {"difficulty": 1}, [0])
    with pytest.raises(DataError, match="export again"):
        play([dataclasses.replace(row, task_id="another")], server())


@pytest.mark.parametrize("column", ["reward_model", "extra_info"])
def test_a_file_without_our_columns_is_refused(play, server, column):
    rows = task_rows(TOOLBOX, {"difficulty": 1}, [0])
    with pytest.raises(ConfigurationError, match=r"the row has no '(reward_model|env)'"):
        play(rows, server(), without=[column])


# ---------------------------------------------------------------- keys


def test_the_names_of_all_terms_are_a_list(play, server, tmp_path):
    config = tmp_path / "loop.yaml"
    config.write_text(LOOP_CONFIG.read_text("utf-8") + "  terms: format\n", "utf-8")
    rows = task_rows(TOOLBOX, {"difficulty": 1}, [0])
    with pytest.raises(InstantiationException, match="allowed: a list of names"):
        play(rows, server(), f"{ROLLOUT}.agent.agent_loop_config_path={config}")


def test_rows_of_several_environments_need_the_names_of_all_terms(
    play, server, make_config, tmp_path
):
    rows = [*task_rows(TOOLBOX, {"difficulty": 1}, [0]), *task_rows(WORKSPACE, OFFICE, [0])]
    with pytest.raises(KeyError, match="reward/"):
        play(rows, server(answers=["no"] * 9), *LONG)  # verl's legacy trainer
    config = tmp_path / "loop.yaml"
    text = LOOP_CONFIG.read_text("utf-8")
    config.write_text(text + "  terms: [format, correctness, outcome]\n", "utf-8")
    out = play(
        rows, server(answers=["no"] * 9), *LONG, f"{ROLLOUT}.agent.agent_loop_config_path={config}"
    )
    assert out.meta_info["reward_extra_keys"] == [
        "score",
        "success",
        "reward/format",
        "reward/correctness",
        "reward/outcome",
    ]
    parts = sum(out.non_tensor_batch[f"reward/{name}"] for name in ("format", "correctness"))
    assert (parts + out.non_tensor_batch["reward/outcome"] == out.non_tensor_batch["score"]).all()
    config.write_text(text + "  terms: [format, outcome]\n", "utf-8")
    with pytest.raises(ConfigurationError, match="'correctness'"):
        play(
            rows,
            server(answers=["no"] * 9),
            *LONG,
            f"{ROLLOUT}.agent.agent_loop_config_path={config}",
        )
