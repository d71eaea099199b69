"""Episodes for TRL: the ids that were sampled, the environment's masked, and our own rewards."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents.conversation import Limits
from agents.integrations.tasks import task_rows
from agents.integrations.trl import EpisodeRollout, episode_reward, trl_dataset
from agents.prompting import ChatEncoder
from tests.agents.integrations.trl_support import (
    BROKEN,
    LOOK,
    OWN,
    PAY,
    SUM,
    advantages,
    check_logged_rewards,
    check_logprobs,
    example,
    failing,
    logged,
    replay,
    slopes,
    teach,
    tiny,
    trainer_of,
)
from tests.agents.templates import FORGETS_THOUGHTS, WITH_TOOLS, encoder_with
from toolrl_env.core.errors import ConfigurationError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

LIMITS = Limits(64, 2048, 6)
KEYS = {
    "prompt_ids", "completion_ids", "logprobs", "env_mask", "episode_reward", "episode_terms",
    "episode_turns", "episode_success", "episode_stop", "episode_failure",
}  # fmt: skip


def call(name, **arguments):
    body = str({"name": name, "parameters": arguments}).replace("'", '"')
    return f"<think> So. </think>\n<tool_call>\n{body}\n</tool_call>"


def say(text):
    return f"<think> So. </think>\n<response> {text} </response>"


PAID = [call("pay_in", amount=3), call("pay_in", amount=2), say("Done.")]
PLAYS = [
    (PAY, PAID),
    (PAY, [call("pay_in", amount=3), say("Done.")]),
    (SUM, [call("add", first=2, second=3), say("It is 5.")]),
    (SUM, [say("It is 4.")]),
]
"""For each task an episode that earns 1 and one that earns 0."""


@pytest.fixture(scope="module")
def taught():
    rows = task_rows(OWN, {}, [PAY, SUM])
    texts = [m["content"] for row in rows for m in row.messages]
    model, tokenizer = tiny([*texts, *(answer for _, answers in PLAYS for answer in answers)])
    return teach(model, [example(tokenizer, OWN, {}, *play) for play in PLAYS]), tokenizer


def set_up(taught, folder, env=OWN, **kwargs):
    dataset, rollout = trl_dataset(env, {}, [PAY, SUM]), EpisodeRollout(LIMITS)
    return trainer_of(
        taught, dataset, folder, reward_funcs=episode_reward, rollout_func=rollout, **kwargs
    )


@pytest.fixture(scope="module")
def trained(taught, tmp_path_factory):
    """Three steps at another temperature than 1, with what each generation brought."""
    trainer = set_up(taught, tmp_path_factory.mktemp("run"), settings={"temperature": 0.8})
    trainer.train()
    return trainer


def segments(ids, mask):
    """The stretches of ids that were sampled."""
    found, before = [], 0
    for token, own in zip(ids, mask, strict=True):
        if own and not before:
            found.append([])
        if own:
            found[-1].append(token)
        before = own
    return found


def answers_of(tokenizer, ids, mask):
    encoder = ChatEncoder(tokenizer)
    return [encoder.decode(part) for part in segments(ids, mask)]


def rows_of(generation):
    """``(task index, completion ids, mask)`` of each row, without padding."""
    output, inputs = generation["output"], generation["inputs"]
    for row, ids, mask in zip(inputs, generation["ids"], output["tool_mask"].tolist(), strict=True):
        yield row["task_index"], ids, mask[: len(ids)]


# ------------------------------------------------------------------ a real run


def test_trl_logs_the_rewards_that_gym_make_gives_for_what_was_sampled(trained, taught):
    wanted = [
        [replay(OWN, {}, index, answers_of(taught[1], ids, mask)) for index, ids, mask in rows]
        for rows in map(rows_of, trained.generations)
    ]
    assert {0.0, 1.0} <= {reward for each in wanted for reward in each}
    check_logged_rewards(trained, "episode_reward", wanted)
    assert logged(trained, "terms/outcome") == logged(trained, "rewards/episode_reward/mean")
    for each, rewards in zip(trained.generations, wanted, strict=True):
        expected = np.concatenate([advantages(g) for g in np.reshape(rewards, (-1, 4))])
        assert each["output"]["advantages"].numpy() == pytest.approx(expected, abs=1e-4)


def test_the_ids_are_what_the_template_writes_of_the_whole_conversation(trained, taught):
    encoder, several = ChatEncoder(taught[1]), 0
    for index, ids, mask in rows_of(trained.generations[0]):
        env = gym.make(OWN)
        _, info = env.reset(options={"task_index": index})
        answers = answers_of(taught[1], ids, mask)
        for answer in answers:
            *_, info = env.step(answer)
        messages = info["messages"]
        assert [m["content"] for m in messages if m["role"] == "assistant"] == answers
        whole = encoder.render(messages, (), answer_next=messages[-1]["role"] != "assistant")
        prompt = encoder.tokenizer.decode(encoder.prompt({"messages": messages[:2], "tools": ()}))
        said = encoder.tokenizer.decode(list(ids))
        assert whole.startswith(prompt + said)
        several += len(answers) > 1
        env.close()
    assert several


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_masked_tokens_get_no_loss_and_sampled_ones_do(trained, monkeypatch, beta):
    monkeypatch.setattr(trained, "beta", beta)
    masked = 0
    for generation in trained.generations:
        output = generation["output"]
        output = output | {"ref_per_token_logps": torch.ones(output["completion_ids"].shape)}
        slope = slopes(trained, output)
        own = (output["tool_mask"] * output["completion_mask"]).bool()
        matters = own if beta else own & (output["advantages"] != 0)[:, None]
        assert (slope[~own] == 0).all()
        assert (slope[matters] != 0).all()
        masked += int((~own & output["completion_mask"].bool()).sum())
    assert masked


def test_logprobs_are_the_models_own_at_the_temperature_of_the_run(trained):
    check_logprobs(trained, trained.generations[1])  # after an update


def test_adapters_sample_and_learn(taught, tmp_path):
    from peft import LoraConfig, PromptTuningConfig, TaskType

    adapters = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], task_type=TaskType.CAUSAL_LM)
    settings = {"learning_rate": 1e-2, "temperature": 0.8}
    trainer = set_up(taught, tmp_path, peft_config=adapters, steps=2, settings=settings)
    trainer.train()
    first, second = (each["weights"] for each in trainer.generations)
    moved = {name for name, weight in first.items() if (second[name] != weight).any()}
    assert moved
    assert all("lora" in name for name in moved)
    check_logprobs(trainer, trainer.generations[1])
    prompts = PromptTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=2)
    refused = set_up(taught, tmp_path, peft_config=prompts, steps=1)
    with pytest.raises(ConfigurationError, match="not from a PeftModel"):
        EpisodeRollout(LIMITS)(prompts_of(), refused)


def test_the_model_is_given_back_as_it_was_and_has_learnt(trained, taught):
    assert trained.model.training
    now = trained.model.state_dict()
    assert any((now[name] != weight).any() for name, weight in taught[0].state_dict().items())


# ------------------------------------------------------------------ one call


@pytest.fixture
def standing(taught, tmp_path):
    """A trainer that has not begun."""
    dataset = trl_dataset(OWN, {}, [PAY, SUM])
    return trainer_of(
        taught, dataset, tmp_path, reward_funcs=episode_reward, rollout_func=lambda *_: {}
    )


def prompts_of(env=OWN, indices=(PAY, PAY, SUM, SUM)):
    return list(trl_dataset(env, {}, indices)["prompt"])


def test_a_call_returns_a_row_per_prompt_the_same_for_the_same_place(standing):
    first = EpisodeRollout(LIMITS)(prompts_of(), standing)
    assert set(first) == KEYS
    assert all(len(values) == 4 for values in first.values())
    assert first["episode_success"] == [reward == 1.0 for reward in first["episode_reward"]]
    assert {True, False} == set(first["episode_success"])
    assert all(isinstance(stop, str) for stop in first["episode_stop"])
    rollout = EpisodeRollout(LIMITS)
    assert rollout(prompts_of(), standing) == first
    assert rollout(prompts_of(), standing) != first  # another call at this step
    standing.state.global_step = 1
    again = rollout(prompts_of(), standing)
    assert again != first
    assert EpisodeRollout(LIMITS, seed=1)(prompts_of(), standing) != again
    for ids, logprobs, mask in zip(
        first["completion_ids"], first["logprobs"], first["env_mask"], strict=True
    ):
        assert len(ids) == len(logprobs) == len(mask)
        assert [value == 0.0 for value in logprobs] == [not own for own in mask]
    for turns, ids, mask in zip(
        first["episode_turns"], first["completion_ids"], first["env_mask"], strict=True
    ):
        assert turns == len(segments(ids, mask))


def test_the_tools_of_each_task_reach_a_template_that_has_them(standing):
    kwargs, tokenizer = {"protocol": "native"}, standing.processing_class
    standing.processing_class = encoder_with(tokenizer, WITH_TOOLS).tokenizer
    encoder = ChatEncoder(standing.processing_class, "native")
    rows = task_rows(OWN, kwargs, [PAY, LOOK])
    prompts = list(trl_dataset(OWN, kwargs, [PAY, LOOK])["prompt"])
    made = EpisodeRollout(Limits(4, 2048, 2))(prompts, standing)
    for ids, row in zip(made["prompt_ids"], rows, strict=True):
        assert tuple(ids) == encoder.prompt({"messages": row.messages, "tools": row.tools})
    assert len(made["prompt_ids"][0]) > len(made["prompt_ids"][1])
    assert made["episode_reward"] == [0.0, 0.0]  # four tokens of nonsense are a response here


def test_limits_cut_episodes_which_keep_what_they_earned(standing):
    made = EpisodeRollout(Limits(2, 2048, 3))(prompts_of(), standing)
    assert made["episode_turns"] == [3] * 4
    assert made["episode_stop"] == [None] * 4
    assert made["episode_reward"] == [0.0] * 4
    room = len(made["prompt_ids"][0]) + 64
    made = EpisodeRollout(Limits(64, room, 9))(prompts_of(indices=[PAY] * 4), standing)
    assert all(len(ids) >= 1 for ids in made["completion_ids"])
    assert made["episode_turns"] == [1] * 4
    with pytest.raises(ConfigurationError, match="leave room for"):
        EpisodeRollout(Limits(64, 100, 9))(prompts_of(), standing)


def test_a_step_and_a_world_that_fail_are_masked_and_none(standing):
    prompts = prompts_of(BROKEN)
    with failing(steps=[1], resets=[2]):
        made = EpisodeRollout(LIMITS)(prompts, standing)
    failed = [i for i, reward in enumerate(made["episode_reward"]) if reward is None]
    assert failed == [1, 2]
    assert [made["episode_failure"][i] for i in failed] == [
        "the server is gone",
        "the world cannot be opened",
    ]
    for row in range(4):
        assert any(made["env_mask"][row]) == (row not in failed)
        assert (made["episode_failure"][row] == "") == (row not in failed)
    assert made["completion_ids"][2] == [standing.processing_class.eos_token_id]
    whole = EpisodeRollout(LIMITS)(prompts, standing)
    assert made["prompt_ids"] == whole["prompt_ids"]
    extra = {name: values for name, values in made.items() if name.startswith("episode_")}
    metrics = {}
    rewards = episode_reward(log_metric=metrics.__setitem__, **extra)
    assert rewards == made["episode_reward"]
    assert metrics["failed"] == 0.5


def test_trl_trains_on_without_the_episodes_that_failed(taught, tmp_path):
    trainer = set_up(taught, tmp_path, env=BROKEN, steps=1)
    with failing(steps=[2, 5], resets=[3]):
        trainer.train()
    (generation,) = trainer.generations
    rewards, output = generation["rewards"][:, 0].numpy(), generation["output"]
    lost = np.isnan(rewards)
    assert lost.sum() == 3
    assert (output["tool_mask"] * output["completion_mask"]).sum(1)[lost].tolist() == [0, 0, 0]
    assert (slopes(trainer, output)[lost] == 0).all()
    expected = np.concatenate([advantages(group) for group in rewards.reshape(-1, 4)])
    assert output["advantages"].numpy() == pytest.approx(expected, abs=1e-4)
    assert logged(trainer, "failed") == [3 / 8]


def test_trl_goes_on_when_every_episode_of_a_step_failed(taught, tmp_path):
    trainer = set_up(taught, tmp_path, env=BROKEN, steps=2)
    with failing(resets=range(8)):
        trainer.train()
    first, second = trainer.generations
    assert first["rewards"].isnan().all()
    assert (first["output"]["advantages"] == 0).all()
    assert not second["rewards"].isnan().any()
    assert np.isfinite(logged(trainer, "loss")).all()
    weights = first["weights"]
    assert all((second["weights"][name] == weights[name]).all() for name in weights)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("top_p", 0.9),
        ("top_k", 20),
        ("min_p", 0.1),
        ("repetition_penalty", 1.1),
        ("use_vllm", True),
        ("chat_template_kwargs", {"enable_thinking": False}),
    ],
)
def test_a_trainer_that_samples_otherwise_is_refused(standing, name, value):
    setattr(standing.args, name, value)
    with pytest.raises(ConfigurationError, match=f"{name}={value!r}".replace("{", r"\{")):
        EpisodeRollout(LIMITS)(prompts_of(), standing)


def test_a_template_that_rewrites_history_and_a_strange_prompt_are_refused(standing):
    with pytest.raises(ConfigurationError, match="trl_dataset"):
        EpisodeRollout(LIMITS)([[{"role": "user", "content": "Hi"}]], standing)
    with pytest.raises(ConfigurationError, match="rollout_func"):
        episode_reward()
    before = standing.processing_class.chat_template
    standing.processing_class.chat_template = FORGETS_THOUGHTS
    try:
        with pytest.raises(ConfigurationError, match="rewrites history"):
            EpisodeRollout(LIMITS)(prompts_of(indices=[PAY] * 4), standing)
    finally:
        standing.processing_class.chat_template = before


@pytest.mark.parametrize(
    ("limits", "kwargs", "said"),
    [
        (64, {}, "limits=64; allowed: agents.conversation.Limits"),
        (LIMITS, {"seed": "x"}, "seed='x'"),
        (LIMITS, {"remember": -1}, "remember=-1"),
    ],
)
def test_arguments_of_another_kind_are_refused_at_once(limits, kwargs, said):
    with pytest.raises(ConfigurationError, match=said):
        EpisodeRollout(limits, **kwargs)


def test_a_wrapped_model_and_a_closed_rollout_are_refused(standing):
    rollout = EpisodeRollout(LIMITS)
    real = standing.model
    standing.model = torch.nn.Sequential(real)
    with pytest.raises(ConfigurationError, match="not from a Sequential"):
        rollout(prompts_of(), standing)
    standing.model = real
    rollout.close()
    with pytest.raises(ConfigurationError, match="closed"):
        rollout(prompts_of(), standing)
