from __future__ import annotations

import gymnasium as gym
import pytest

from agents.evaluation import evaluate
from agents.policy import Policy
from agents.prompting import ChatEncoder
from agents.transformers_policy import TransformersPolicy
from toolrl_env.core.errors import ConfigurationError


def infos(*texts):
    return [{"messages": [{"role": "user", "content": text}], "tools": []} for text in texts]


def test_is_a_policy_that_knows_the_format(stub_id, tiny):
    policy = TransformersPolicy(*tiny, max_new_tokens=40)
    assert isinstance(policy, Policy)
    got = evaluate(policy, stub_id, {"split": "test"}, range(20))
    assert got.summary()["format"].mean > 0.9


def test_batches_do_not_change_greedy_answers(tiny):
    asked = infos("red 1", "a much longer question than the others, about blue 7", "pink 3")
    together = TransformersPolicy(*tiny, max_new_tokens=40).act([""] * 3, asked)
    apart = TransformersPolicy(*tiny, max_new_tokens=40, batch_size=1).act([""] * 3, asked)
    assert together == apart


def test_sampling_is_seeded(tiny):
    asked = infos(*["red 1"] * 8)
    options = {"max_new_tokens": 40, "temperature": 1.5}
    one, same, other = (
        TransformersPolicy(*tiny, seed=seed, **options).act([""] * 8, asked) for seed in (1, 1, 2)
    )
    assert one == same != other
    assert len(set(one)) > 1


def test_lengths_must_agree(tiny):
    with pytest.raises(ValueError, match="2 observations for 1 infos"):
        TransformersPolicy(*tiny).act(["", ""], infos("red 1"))


# --------------------------------------------------------------------------- encoder


def test_answer_and_decode_are_inverse(tiny):
    encoder = tiny[1]
    text = '<think> ok </think>\n<tool_call>\n{"red":  "é😀 \\n "}\n</tool_call>'
    ids = encoder.answer(text)
    assert ids[-1] == encoder.eos_id
    assert encoder.decode(ids) == text
    assert encoder.decode(ids[:-1]) == text


def test_an_end_token_inside_stays_visible(tiny):
    encoder = tiny[1]
    ids = encoder.answer("a")
    assert encoder.decode((*ids, *encoder.answer("b"))) == "a<|im_end|>b"


def test_prompt_uses_the_chat_template(tiny):
    encoder = tiny[1]
    text = encoder.tokenizer.decode(encoder.prompt(infos("red 1")[0]))
    assert text == "<|im_start|>user\nred 1<|im_end|>\n<|im_start|>assistant\n"


def test_only_native_hands_the_tools_over(tiny):
    tokenizer = tiny[1].tokenizer
    plain, template = tokenizer.chat_template, "{% if tools %}tools{% endif %}x"
    info = {
        "messages": [{"role": "user", "content": "q"}],
        "tools": [{"type": "function", "function": {"name": "f"}}],
    }
    tokenizer.chat_template = template
    try:
        texts = [
            tokenizer.decode(ChatEncoder(tokenizer, protocol).prompt(info))
            for protocol in ("toolrl", "native")
        ]
    finally:
        tokenizer.chat_template = plain
    assert texts == ["x", "toolsx"]


def test_a_tokenizer_without_a_template_is_refused(tiny):
    tokenizer = tiny[1].tokenizer
    plain = tokenizer.chat_template
    tokenizer.chat_template = None
    try:
        with pytest.raises(ConfigurationError, match="needs a chat template"):
            ChatEncoder(tokenizer)
    finally:
        tokenizer.chat_template = plain


def test_the_seed_of_an_answer_is_all_that_its_sampling_depends_on(tiny, stub_id):
    model, encoder = tiny
    infos = []
    for index in range(6):
        _, info = gym.make(stub_id).reset(options={"task_index": index})
        infos.append({**info, "answer_seed": 100 + index})
    first = TransformersPolicy(model, encoder, max_new_tokens=24, temperature=1.5, seed=1)
    other = TransformersPolicy(model, encoder, max_new_tokens=24, temperature=1.5, seed=2)
    answers = first.act([""] * 6, infos)
    assert other.act([""] * 6, infos[::-1])[::-1] == answers
    assert [other.act([""], [info])[0] for info in infos] == answers
    assert first.act([""], [{**infos[0], "answer_seed": 7}])[0] != answers[0]
