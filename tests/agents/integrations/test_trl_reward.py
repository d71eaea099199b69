"""Tasks of one answer for TRL: what the dataset holds, and the same rewards as ``gym.make``."""

from __future__ import annotations

import logging

import gymnasium as gym
import numpy as np
import pytest

from agents.integrations.pool import EnvPool
from agents.integrations.tasks import TaskRef, task_rows
from agents.integrations.trl import TaskReward, trl_dataset
from agents.integrations.trl_dataset import messages_of, task_of
from agents.models import load_model
from agents.models.tiny import make_tokenizer
from agents.prompting import ChatEncoder
from tests.agents.integrations.trl_support import (
    BROKEN,
    ODD,
    OWN,
    advantages,
    check_logged_rewards,
    example,
    failing,
    logged,
    replay,
    teach,
    tiny,
    trainer_of,
)
from tests.agents.templates import WITH_TOOLS
from toolrl_env.core.errors import ConfigurationError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

TOOLBOX, EASY = "ToolRL-Toolbox-v0", {"difficulty": 1}


def gold(env_id, kwargs, index):
    env = gym.make(env_id, **kwargs)
    env.reset(options={"task_index": index})
    answer = env.unwrapped.gold_answer()
    env.close()
    return answer


def columns(dataset):
    return {name: list(dataset[name]) for name in dataset.column_names if name != "prompt"}


# ------------------------------------------------------------------ the dataset


def test_a_dataset_has_the_conversation_and_the_task(tmp_path):
    made = trl_dataset(TOOLBOX, EASY, range(5))
    rows = task_rows(TOOLBOX, EASY, range(5))
    made.save_to_disk(tmp_path / "tasks")
    made.to_parquet(tmp_path / "tasks.parquet")
    from datasets import load_from_disk

    for dataset in (made, load_from_disk(tmp_path / "tasks"), made.shuffle(seed=0).sort("task_id")):
        assert {row.task_id for row in rows} == set(dataset["task_id"])
        for each in dataset:
            row = next(row for row in rows if row.task_id == each["task_id"])
            assert messages_of(each["prompt"]) == list(row.messages)
            assert TaskRef.parse(each) == task_of(each["prompt"]) == row.ref
            assert (each["source"], each["category"]) == (row.source, row.category)


def test_messages_with_calls_keep_their_arguments_as_they_are():
    kwargs = {"protocol": "native"}
    rows = task_rows(TOOLBOX, kwargs, range(60))
    dataset = trl_dataset(TOOLBOX, kwargs, range(60))
    called = [row for row in rows if any(m.get("tool_calls") for m in row.messages)]
    names = {tuple(m["tool_calls"][0]["function"]["arguments"]) for row in called
             for m in row.messages if m.get("tool_calls")}  # fmt: skip
    assert len(names) > 1, "arrow would give each the keys of all"
    assert [messages_of(each["prompt"]) for each in dataset] == [list(r.messages) for r in rows]


def test_two_tasks_with_the_same_words_are_told_apart():
    one, other = trl_dataset(ODD, {}, range(2))["prompt"]
    assert messages_of(one) == messages_of(other)
    assert (task_of(one).index, task_of(other).index) == (0, 1)


@pytest.mark.parametrize("prompt", ["text", [], [{"role": "user", "content": "Hi"}], None])
def test_a_prompt_that_names_no_task_is_refused(prompt):
    with pytest.raises(ConfigurationError, match="trl_dataset"):
        task_of(prompt)


def test_with_a_tokenizer_the_template_writes_the_tools_of_each_row():
    kwargs = EASY | {"protocol": "native"}
    _, tokenizer = load_model("tiny", TOOLBOX, kwargs, 0)
    tokenizer.chat_template = WITH_TOOLS
    encoder = ChatEncoder(tokenizer, "native")
    dataset = trl_dataset(TOOLBOX, kwargs, range(4), tokenizer)
    rows = task_rows(TOOLBOX, kwargs, range(4))
    for text, row in zip(dataset["prompt"], rows, strict=True):
        assert all(tool["function"]["name"] in text for tool in row.tools)
        ids = encoder.prompt({"messages": row.messages, "tools": row.tools})
        assert tuple(tokenizer(text=text)["input_ids"]) == ids


def test_a_start_token_that_the_tokenizer_adds_itself_is_not_there_twice():
    from tokenizers.processors import TemplateProcessing

    tokenizer = make_tokenizer(["red green"])
    start = tokenizer.bos_token
    tokenizer._tokenizer.post_processor = TemplateProcessing(
        single=f"{start} $A", special_tokens=[(start, tokenizer.bos_token_id)]
    )
    tokenizer.chat_template = "{{ bos_token }}" + tokenizer.chat_template
    assert tokenizer("red")["input_ids"][0] == tokenizer.bos_token_id
    dataset = trl_dataset(TOOLBOX, EASY, range(2), tokenizer)
    encoder = ChatEncoder(tokenizer)
    for text, row in zip(dataset["prompt"], task_rows(TOOLBOX, EASY, range(2)), strict=True):
        ids = encoder.prompt({"messages": row.messages, "tools": row.tools})
        assert tuple(tokenizer(text=text)["input_ids"]) == ids


def test_a_prompt_that_tokenising_would_change_is_refused():
    tokenizer = make_tokenizer(["red green"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["[STOP]"]})
    for protocol in ("toolrl", "native"):
        with pytest.raises(ConfigurationError, match="'forged' holds the text of a control token"):
            trl_dataset(ODD, {"protocol": protocol}, [2], tokenizer)


# ------------------------------------------------------------------ the reward function


def test_rewards_are_those_of_gym_make_for_texts_and_conversations():
    dataset = trl_dataset(TOOLBOX, EASY, range(4))
    answers = [gold(TOOLBOX, EASY, 0), "", gold(TOOLBOX, EASY, 2)[:-5], gold(TOOLBOX, EASY, 0)]
    wanted = [replay(TOOLBOX, EASY, i, [answer]) for i, answer in enumerate(answers)]
    assert len(set(wanted)) > 1
    reward = TaskReward()
    said = [[{"role": "assistant", "content": answer}] for answer in answers]
    prompts = list(dataset["prompt"])
    assert reward(prompts=prompts, completions=said, **columns(dataset)) == wanted
    assert reward(prompts=prompts, completions=answers, **columns(dataset)) == wanted
    reward.close()


def test_with_a_tokenizer_what_was_sampled_is_scored_and_not_what_trl_makes_of_it():
    tokenizer = make_tokenizer(["red green"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<tool_call>", "</tool_call>"]})
    dataset = trl_dataset(TOOLBOX, EASY, range(1))
    answer = gold(TOOLBOX, EASY, 0)
    ids = tokenizer(answer + tokenizer.eos_token)["input_ids"]
    seen = tokenizer.batch_decode([ids], skip_special_tokens=True)
    given = {"prompts": [0], "completion_ids": [ids], **columns(dataset)}
    best = replay(TOOLBOX, EASY, 0, [answer])
    assert TaskReward(tokenizer=tokenizer)(completions=seen, **given) == [best]
    assert TaskReward()(completions=seen, **given) < [best]


def test_an_answer_that_trl_took_apart_needs_the_tokenizer():
    dataset = trl_dataset(TOOLBOX, EASY, range(1))
    calls = [{"type": "function", "function": {"name": "f", "arguments": {}}}]
    said = [[{"role": "assistant", "content": "", "tool_calls": calls}]]
    with pytest.raises(ConfigurationError, match="tokenizer"):
        TaskReward()(prompts=[0], completions=said, **columns(dataset))


def test_a_failure_is_none_and_said_and_the_others_have_their_rewards(caplog):
    dataset = trl_dataset(BROKEN, {}, [2, 2, 2])
    metrics, extra = {}, {}
    with failing(steps=[1]), caplog.at_level(logging.WARNING):
        rewards = TaskReward()(
            prompts=[0] * 3,
            completions=["<think> So. </think>\n<response> It is 2. </response>"] * 3,
            log_metric=metrics.__setitem__,
            log_extra=extra.__setitem__,
            **columns(dataset),
        )
    assert rewards == [1.0, None, 1.0]
    assert metrics == {"terms/outcome": 1.0, "failed": pytest.approx(1 / 3)}
    assert extra == {
        "terms": ["outcome=1", "", "outcome=1"],
        "failure": ["", "the server is gone", ""],
    }
    assert "1 of 3 rewards left out: the server is gone" in caplog.text


def test_a_world_that_cannot_be_opened_is_none():
    dataset = trl_dataset(BROKEN, {}, [2])
    with failing(resets=[0]):
        assert TaskReward()(prompts=[0], completions=[""], **columns(dataset)) == [None]


def test_every_term_is_logged_as_the_mean_over_those_that_have_it():
    dataset, metrics = trl_dataset(TOOLBOX, EASY, [0, 0]), {}
    TaskReward()(
        prompts=[0, 0],
        completions=[gold(TOOLBOX, EASY, 0), ""],
        log_metric=metrics.__setitem__,
        **columns(dataset),
    )
    assert metrics == {"terms/format": 0.5, "terms/correctness": 0.0, "failed": 0.0}


def test_what_cannot_work_is_said():
    with pytest.raises(ConfigurationError, match=r"no column 'env'.*remove_unused_columns"):
        TaskReward()(prompts=[0], completions=[""])
    with pytest.raises(TypeError):
        TaskReward(make_tokenizer(["red"]))
    dataset = trl_dataset(OWN, {}, [0])
    with EnvPool() as pool, pytest.raises(ConfigurationError, match="goes on after an answer"):
        TaskReward(pool=pool)(prompts=[0], completions=[""], **columns(dataset))


@pytest.mark.parametrize(
    ("column", "ours"),
    [("environments", "environment_reward"), ("episode_reward", "episode_reward")],
)
def test_whole_episodes_are_not_scored_as_one_answer(column, ours):
    given = columns(trl_dataset(TOOLBOX, EASY, [0])) | {column: [None]}
    with pytest.raises(ConfigurationError, match=f"plays episodes: use {ours}"):
        TaskReward()(prompts=[0], completions=[""], **given)


def test_tools_that_the_model_was_not_shown_are_refused():
    kwargs = EASY | {"protocol": "native"}
    dataset, answer = trl_dataset(TOOLBOX, kwargs, [0]), gold(TOOLBOX, kwargs, 0)
    given = {"completions": [answer], **columns(dataset)}
    with pytest.raises(ConfigurationError, match=r"tokenizer=tokenizer"):
        TaskReward()(prompts=list(dataset["prompt"]), **given)
    wanted = [replay(TOOLBOX, kwargs, 0, [answer])]
    assert TaskReward()(prompts=["text with tools"], **given) == wanted


# ------------------------------------------------------------------ real runs


@pytest.fixture(scope="module")
def taught():
    """A tiny model that gives the gold answers of two tasks, or spoilt ones."""
    rows = task_rows(TOOLBOX, EASY, range(2))
    answers = [gold(TOOLBOX, EASY, index) for index in range(2)]
    texts = [m["content"] for row in rows for m in row.messages]
    model, tokenizer = tiny([*texts, *answers])
    lessons = [
        example(tokenizer, TOOLBOX, EASY, index, [text])
        for index, answer in enumerate(answers)
        for text in (answer, answer.replace("<think>", "<thought>"))
    ]
    return teach(model, lessons), tokenizer


def rewards_anew(trainer, tokenizer):
    """The rewards of all that was sampled, by ``gym.make`` alone."""
    return [
        [
            replay(row["env"], EASY, row["task_index"], [decode(tokenizer, ids)])
            for row, ids in zip(each["inputs"], each["ids"], strict=True)
        ]
        for each in trainer.generations
    ]


def decode(tokenizer, ids):
    ids = ids[:-1] if ids[-1] == tokenizer.eos_token_id else ids
    return tokenizer.decode(ids)


def check_prompts(trainer, encoder, kwargs):
    """What the model was given is what our own agents give it."""
    for each in trainer.generations:
        output = each["output"]
        for row, ids, kept in zip(
            each["inputs"], output["prompt_ids"], output["prompt_mask"], strict=True
        ):
            (task,) = task_rows(row["env"], kwargs, [row["task_index"]])
            shown = {"messages": task.messages, "tools": task.tools}
            assert tuple(ids[kept.bool()].tolist()) == encoder.prompt(shown)


def test_tools_reach_the_model_by_its_own_template(tmp_path):
    kwargs = EASY | {"protocol": "native"}
    model, tokenizer = tiny([gold(TOOLBOX, kwargs, 0)], WITH_TOOLS)
    trainer = trainer_of(
        (model, tokenizer),
        trl_dataset(TOOLBOX, kwargs, range(2), tokenizer),
        tmp_path,
        reward_funcs=TaskReward(tokenizer=tokenizer),
        steps=1,
        settings={"max_completion_length": 8},
    )
    trainer.train()
    encoder = ChatEncoder(tokenizer, "native")
    check_prompts(trainer, encoder, kwargs)
    (made,) = trainer.generations
    wanted = [
        replay(TOOLBOX, kwargs, row["task_index"], [encoder.decode(ids)])
        for row, ids in zip(made["inputs"], made["ids"], strict=True)
    ]
    check_logged_rewards(trainer, "TaskReward", [wanted])


def test_a_run_of_trl_logs_our_rewards(taught, tmp_path):
    model, tokenizer = taught
    trainer = trainer_of(
        taught,
        trl_dataset(TOOLBOX, EASY, range(2)),
        tmp_path,
        reward_funcs=TaskReward(tokenizer=tokenizer),
    )
    trainer.train()
    wanted = rewards_anew(trainer, tokenizer)
    check_logged_rewards(trainer, "TaskReward", wanted)
    check_prompts(trainer, ChatEncoder(tokenizer), EASY)
    assert len({reward for each in wanted for reward in each}) > 1
    assert len(trainer.generations) == 3
    for name in ("terms/format", "terms/correctness", "failed"):
        assert len(logged(trainer, name)) == 3
    parts = [logged(trainer, f"terms/{name}") for name in ("format", "correctness")]
    assert np.sum(parts, axis=0) == pytest.approx([np.mean(each) for each in wanted], abs=1e-6)
    now = trainer.model.state_dict()
    assert any((now[name] != weight).any() for name, weight in model.state_dict().items())


def test_trl_leaves_a_failure_out_of_the_groups_mean(taught, tmp_path, monkeypatch):
    reward = TaskReward(tokenizer=taught[1])
    real, seen = reward._score, iter(range(99))
    lost = {1, 6, 7, 8, 9, 10, 11}  # one of four; then two of four; then a whole group
    monkeypatch.setattr(reward, "_score", lambda *a: "down" if next(seen) in lost else real(*a))
    dataset = trl_dataset(TOOLBOX, EASY, range(2))
    trainer = trainer_of(taught, dataset, tmp_path, reward_funcs=reward, steps=2)
    trainer.train()
    given = np.concatenate([each["rewards"][:, 0].numpy() for each in trainer.generations])
    assert set(np.flatnonzero(np.isnan(given))) == lost
    got = np.concatenate([each["output"]["advantages"].numpy() for each in trainer.generations])
    wanted = np.concatenate([advantages(group) for group in given.reshape(-1, 4)])
    assert got == pytest.approx(wanted, abs=1e-4)
    assert (got[sorted(lost)] == 0).all()
    assert (got != 0).any()
    assert logged(trainer, "failed") == pytest.approx([3 / 8, 4 / 8])
    assert np.isfinite(logged(trainer, "loss")).all()
