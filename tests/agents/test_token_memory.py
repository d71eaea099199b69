from __future__ import annotations

import gymnasium as gym

from agents.generation import Completion
from agents.prompting import ChatEncoder
from agents.token_memory import TokenMemory
from agents.transformers_policy import TransformersPolicy
from tests.agents import templates
from tests.agents.scripts import completion
from tests.agents.templates import encoder_with
from tests.agents.two_turns import TWO_TURNS


def steps(env):
    """An environment's info at its first prompt, and after ``[look]``."""
    _, first = env.reset(seed=0)
    return first, env.step("[look]")[4]


def test_a_conversation_goes_on_with_the_ids_that_were_sampled(tiny):
    encoder = tiny[1]
    memory = TokenMemory(encoder)
    first, second = steps(gym.make(TWO_TURNS))
    context = memory.context(first)
    assert context == encoder.prompt(first)
    letters = [encoder.answer(letter)[:-1] for letter in "[look]"]
    odd = (*(token for ids in letters for token in ids), encoder.eos_id)
    assert memory.remember(first, context, Completion(odd, (0.0,) * len(odd), True)) == "[look]"
    after = memory.context(second)
    assert after[: len(context) + len(odd)] == context + odd
    assert encoder.tokenizer.decode(after) == encoder.tokenizer.decode(encoder.prompt(second))
    assert after != encoder.prompt(second) or odd == encoder.answer("[look]")


def test_an_answer_that_was_cut_is_ended(tiny):
    encoder = tiny[1]
    memory = TokenMemory(encoder)
    first, second = steps(gym.make(TWO_TURNS))
    memory.remember(first, memory.context(first), completion(encoder, "[look]", finished=False))
    assert memory.context(second) == encoder.prompt(second)


def test_unknown_conversations_are_rendered(tiny):
    encoder = tiny[1]
    _, second = steps(gym.make(TWO_TURNS))
    assert TokenMemory(encoder).context(second) == encoder.prompt(second)


def test_what_was_unused_for_longest_is_forgotten(tiny):
    encoder = tiny[1]
    memory = TokenMemory(encoder, size=1)
    first, second = steps(gym.make(TWO_TURNS))
    marked = (*memory.context(first), *encoder.answer("!"))  # a context that no rendering gives
    memory.remember(first, marked, completion(encoder, "[look]"))
    assert memory.context(second)[: len(marked)] == marked
    memory.remember(first, marked, completion(encoder, "other"))
    assert memory.context(second) == encoder.prompt(second)


def test_a_template_that_rewrites_history_is_rendered_anew(tiny):
    encoder = encoder_with(tiny[1].tokenizer, templates.FORGETS_THOUGHTS)
    memory = TokenMemory(encoder)
    first, second = steps(gym.make(TWO_TURNS))
    memory.remember(first, memory.context(first), completion(encoder, "[look]"))
    assert memory.context(second) == encoder.prompt(second)


def test_new_tools_do_not_change_the_beginning(tiny):
    encoder = encoder_with(tiny[1].tokenizer, templates.WITH_TOOLS, "native")
    memory = TokenMemory(encoder)
    first, second = steps(gym.make(TWO_TURNS))
    context = memory.context(first)
    memory.remember(first, context, completion(encoder, "[look]"))
    second = second | {"tools": [{"type": "function", "function": {"name": "new"}}]}
    assert memory.context(second)[: len(context)] == context != encoder.prompt(second)


def test_the_policy_uses_it(tiny):
    policy = TransformersPolicy(*tiny, max_new_tokens=4)
    assert isinstance(policy.encoder, ChatEncoder)
    env = gym.make(TWO_TURNS)
    observation, first = env.reset(seed=0)
    (answer,) = policy.act([observation], [first])
    _, _, terminated, truncated, second = env.step(answer)
    assert not terminated
    assert not truncated
    context = policy._memory.context(second)
    assert context[: len(policy.encoder.prompt(first))] == policy.encoder.prompt(first)
    assert policy.encoder.eos_id in context[len(policy.encoder.prompt(first)) :]
    policy.act([observation], [second])
    assert len(policy._memory._known) == 2
