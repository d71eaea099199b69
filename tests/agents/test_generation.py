from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agents.generation import Decoder, generate, inverse_cdf
from agents.logprobs import padded_logprobs
from agents.models.tiny import make_model, make_tokenizer
from agents.packing import Example
from toolrl_env.core.errors import ConfigurationError

MODEL = make_model(make_tokenizer(["red green 1 2 3"], vocabulary=300), seed=0, hidden=64, layers=2)
NEVER = -1
PROMPTS = [[5, 6, 7], [8], [9, 10, 11, 12, 13, 14]]


def rng(seed=0):
    return np.random.default_rng(seed)


def run(contexts=PROMPTS, samples=2, seed=0, **options):
    options = {"max_new_tokens": 8, "eos_id": NEVER} | options
    rows = samples * len(contexts) if isinstance(samples, int) else sum(samples)
    return generate(MODEL, contexts, samples, rngs=rng(seed).spawn(rows), **options)


def model_logprobs(prompt, group, temperature=1.0):
    episodes = [Example(prompt, completion.token_ids) for completion in group]
    with torch.no_grad():
        return padded_logprobs(MODEL, episodes, temperature).logprobs


def test_greedy_equals_transformers_generate():
    got = run(samples=1, temperature=0.0)
    for prompt, (completion,) in zip(PROMPTS, got, strict=True):
        ids = torch.tensor([prompt])
        want = MODEL.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, min_new_tokens=8,
            do_sample=False, pad_token_id=0,
        )  # fmt: skip
        assert list(completion.token_ids) == want[0, len(prompt) :].tolist()


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_logprobs_are_those_of_the_model(temperature):
    for prompt, group in zip(PROMPTS, run(temperature=temperature), strict=True):
        got = torch.tensor([c.logprobs for c in group])
        assert torch.allclose(got, model_logprobs(prompt, group, temperature), atol=2e-5)


def test_same_seed_same_answers_other_seed_others():
    assert run(seed=3) == run(seed=3)
    assert run(seed=3) != run(seed=4)


def test_group_members_differ():
    (group,) = run([[5, 6, 7]], samples=6)
    assert len({completion.token_ids for completion in group}) > 1


def test_finished_rows_leave_without_changing_the_others():
    free = run(samples=4)
    eos = free[0][0].token_ids[2]
    stopped = run(samples=4, eos_id=eos)
    ended = 0
    for group_free, group_stopped in zip(free, stopped, strict=True):
        for one, other in zip(group_free, group_stopped, strict=True):
            if eos in one.token_ids:
                cut = one.token_ids.index(eos) + 1
                assert other.finished
                assert other.token_ids == one.token_ids[:cut]
                assert other.logprobs == pytest.approx(one.logprobs[:cut], abs=1e-5)
                ended += 1
            else:
                assert not other.finished
                assert other.token_ids == one.token_ids
    assert 0 < ended < 12


def test_end_at_the_very_last_position_counts_as_finished():
    free = run([[5, 6]], samples=1)[0][0]
    assert len(set(free.token_ids)) == 8, "the test needs an answer without repeats"
    last = run([[5, 6]], samples=1, eos_id=free.token_ids[-1])[0][0]
    assert last.finished
    assert last.token_ids == free.token_ids


def test_global_generators_are_left_alone():
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    run()
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # noqa: NPY002


@pytest.mark.parametrize("prompts", [[], [[1], []]])
def test_refuses_empty_prompts(prompts):
    with pytest.raises(ValueError, match="at least one token"):
        run(prompts)


# --------------------------------------------------------------------------- inverse_cdf


def test_inverse_cdf_by_hand():
    logits = torch.tensor([[math.log(0.2), math.log(0.5), math.log(0.3)]] * 5)
    uniforms = torch.tensor([0.0, 0.19, 0.21, 0.69, 0.99])
    ids, logprobs = inverse_cdf(logits, uniforms, 1.0)
    assert ids.tolist() == [0, 0, 1, 1, 2]
    want = [0.2, 0.2, 0.5, 0.5, 0.3]
    assert logprobs.exp().tolist() == pytest.approx(want, rel=1e-5)


def test_inverse_cdf_has_the_right_distribution():
    logits = torch.randn(7, generator=torch.Generator().manual_seed(0))
    draws = torch.from_numpy(rng().random(20_000, dtype=np.float32))
    ids, _ = inverse_cdf(logits.expand(20_000, -1), draws, 1.3)
    counts = np.bincount(ids.numpy(), minlength=7)
    expected = (logits / 1.3).softmax(-1).double().numpy() * 20_000
    assert stats.chisquare(counts, expected * 20_000 / expected.sum()).pvalue > 1e-3


@given(st.floats(0, 1, exclude_max=True, width=32), st.integers(0, 3))
def test_impossible_tokens_are_never_drawn(uniform, hole):
    logits = torch.zeros(1, 4)
    logits[0, hole] = -torch.inf
    ids, logprobs = inverse_cdf(logits, torch.tensor([uniform]), 1.0)
    assert ids.item() != hole
    assert logprobs.item() == pytest.approx(math.log(1 / 3))


def test_temperature_zero_is_greedy():
    ids, logprobs = inverse_cdf(torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([0.0]), 0.0)
    assert ids.tolist() == [1]
    assert logprobs.item() == pytest.approx(2 - math.log(1 + math.e + math.e**2))


def test_inverse_cdf_checks_shapes():
    with pytest.raises(ValueError, match="uniforms"):
        inverse_cdf(torch.zeros(2, 3), torch.zeros(3), 1.0)


# --------------------------------------------------------------------------- many contexts


def test_samples_and_limits_per_context():
    got = run(samples=[3, 1, 2], max_new_tokens=[2, 5, 1])
    assert [[len(c.token_ids) for c in group] for group in got] == [[2, 2, 2], [5], [1, 1]]


def test_an_answer_does_not_depend_on_its_neighbours():
    rngs = rng().spawn(4)
    together = generate(
        MODEL, PROMPTS, [1, 2, 1], max_new_tokens=[6, 3, 8], eos_id=NEVER, rngs=rngs
    )
    alone = generate(MODEL, PROMPTS[2:], max_new_tokens=8, eos_id=NEVER, rngs=rng().spawn(4)[3:])
    assert together[2][0].token_ids == alone[0][0].token_ids
    assert together[2][0].logprobs == pytest.approx(alone[0][0].logprobs, abs=1e-5)


def test_equal_contexts_are_one():
    apart = run([[5, 6, 7]] * 3, samples=1, seed=4)
    (together,) = run([[5, 6, 7]], samples=3, seed=4)
    assert [group[0].token_ids for group in apart] == [c.token_ids for c in together]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_greedy_equals_the_plain_model(data):
    """Any mixture of contexts: shared or not, of different lengths, several answers or one."""
    ids = st.lists(st.integers(0, 200), min_size=1, max_size=12)
    contexts = data.draw(st.lists(ids, min_size=1, max_size=4))
    samples = data.draw(st.lists(st.integers(1, 3), min_size=len(contexts), max_size=len(contexts)))
    limits = data.draw(st.lists(st.integers(1, 5), min_size=len(contexts), max_size=len(contexts)))
    got = run(contexts, samples=samples, max_new_tokens=limits, temperature=0.0)
    for context, group, size, limit in zip(contexts, got, samples, limits, strict=True):
        assert len(group) == size
        for answer in group:
            whole = torch.tensor([[*context, *answer.token_ids]])
            with torch.no_grad():
                table = MODEL(whole).logits[0, len(context) - 1 : -1].log_softmax(-1)
            assert len(answer.token_ids) == limit
            assert table.max(-1).values.tolist() == pytest.approx(answer.logprobs, abs=2e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": [1, 2]}, "samples_per_context"),
        ({"samples": [1, 0, 2]}, "samples_per_context"),
        ({"max_new_tokens": 0}, "max_new_tokens=0"),
        ({"max_new_tokens": [1, 2]}, "max_new_tokens"),
    ],
)
def test_refuses_numbers_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        run(**options)


def test_refuses_a_wrong_number_of_generators():
    with pytest.raises(ValueError, match="2 generators for 3 answers"):
        generate(MODEL, PROMPTS, max_new_tokens=1, eos_id=NEVER, rngs=rng().spawn(2))


@pytest.mark.parametrize("temperature", [-1.0, math.inf, math.nan])
def test_refuses_a_temperature(temperature):
    with pytest.raises(ConfigurationError, match="temperature"):
        Decoder(MODEL, eos_id=NEVER, temperature=temperature)


# --------------------------------------------------------------------------- many turns


class Counted:
    """A model's body, which counts the tokens that it is given."""

    def __init__(self, monkeypatch):
        self.tokens, forward = 0, MODEL.model.forward

        def counting(*args, **options):
            self.tokens += options["input_ids"].numel()
            return forward(*args, **options)

        monkeypatch.setattr(MODEL.model, "forward", counting)


def play(room, turns=3, part=8192, seed=0):
    """Six conversations from two prompts; between the turns somebody else adds tokens."""
    decoder = Decoder(MODEL, eos_id=7, room=room, part=part)
    contexts = [[11, 12, 13, 14]] * 3 + [[15, 16]] * 3
    rngs, heard = rng(seed).spawn(6), []
    for turn in range(turns):
        groups = decoder.generate(contexts, max_new_tokens=6, rngs=rngs)
        answers = [group[0] for group in groups]
        heard.append(answers)
        contexts = [
            [*context, *answer.token_ids, *range(20, 21 + turn + index % 2)]
            for index, (context, answer) in enumerate(zip(contexts, answers, strict=True))
        ]
    return decoder, heard


def same(first, second):
    for one, other in zip(first, second, strict=True):
        assert [c.token_ids for c in one] == [c.token_ids for c in other]
        for left, right in zip(one, other, strict=True):
            assert left.logprobs == pytest.approx(right.logprobs, abs=2e-5)


@pytest.mark.parametrize(("room", "part"), [(10_000, 8192), (10_000, 3), (40, 8192), (0, 5)])
def test_what_is_remembered_changes_no_answer(room, part):
    same(play(room, part=part)[1], play(0)[1])


def test_only_what_is_new_is_read(monkeypatch):
    count = Counted(monkeypatch)
    _, heard = play(10_000)
    sampled = sum(len(answer.token_ids) for turn in heard for answer in turn)
    between = sum(1 + turn + index % 2 for turn in range(2) for index in range(6))
    # two prompts; all that was said between; each sampled token that something follows, once
    last = len(heard[-1])
    assert count.tokens == 4 + 2 + between + sampled - last


def test_memory_is_bounded():
    decoder, _ = play(40, turns=4)
    assert 0 < decoder.conversations.tokens <= 40


def test_nothing_is_remembered_unless_asked_for():
    decoder, _ = play(0)
    assert len(decoder.conversations) == 0


def test_conversations_of_one_prompt_share_it():
    decoder, _ = play(10_000, turns=1)
    own = sum(kept.own for kept in decoder.conversations._kept.values())
    assert decoder.conversations.tokens == 4 + 2 + own
