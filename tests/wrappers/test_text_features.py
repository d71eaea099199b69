"""TextFeatures and the hashed n-grams under it."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fresh_process import in_fresh_processes
from tests.wrappers.numeric_support import TOOLBOX, toolbox
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.wrappers import CandidateActions, HashedNgrams, TextFeatures


def test_the_observation_is_a_vector_and_the_rest_is_as_it_was():
    env, plain = TextFeatures(toolbox(), dim=32), toolbox()
    observation, info = env.reset(seed=0)
    text, plain_info = plain.reset(seed=0)
    assert observation.shape == (32,)
    assert observation.dtype == np.float32
    assert observation in env.observation_space
    np.testing.assert_array_equal(observation, HashedNgrams(32)(text))
    assert info["messages"] == plain_info["messages"]
    assert env.action_space == plain.action_space
    answer = env.unwrapped.gold_answer()
    _, reward, terminated, _, _ = env.step(answer)
    assert (reward, terminated) == (4.0, True)


def test_an_encoder_of_ones_own():
    env = TextFeatures(toolbox(), encoder=lambda text: [text.count("a"), len(text), 0.5])
    observation, _ = env.reset(seed=0)
    assert env.observation_space.shape == (3,)
    assert observation.tolist() == [10.0, 10.0, 0.5], "cut to the limit of the space"


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (lambda text: [[1.0]], "one-dimensional"),
        (lambda text: [1.0] * len(text), "of one size"),
    ],
)
def test_encoders_that_make_no_vectors(encoder, message):
    with pytest.raises(ConfigurationError, match=message):
        TextFeatures(toolbox(), encoder=encoder)


@pytest.mark.parametrize("dim", [0, 100_000, "8", 2.0])
def test_bad_sizes(dim):
    with pytest.raises(ConfigurationError, match="dim="):
        TextFeatures(toolbox(), dim=dim)


def test_what_is_no_text_is_refused():
    with pytest.raises(ConfigurationError, match="TextFeatures encodes text"):
        TextFeatures(CandidateActions(toolbox()))


def test_vectors_of_environments():
    envs = gym.make_vec(TOOLBOX, 3, "sync", wrappers=[TextFeatures], difficulty=1)
    observations, _ = envs.reset(seed=0)
    assert observations.shape == (3, 256)
    assert not np.array_equal(observations[0], observations[1])


@given(st.text(max_size=200), st.integers(1, 300))
def test_hashed_ngrams_are_unit_vectors_of_any_text(text, dim):
    vector = HashedNgrams(dim)(text)
    assert vector.shape == (dim,)
    length = float(np.linalg.norm(vector))
    assert length == pytest.approx(1, abs=1e-5) or length == 0
    np.testing.assert_array_equal(vector, HashedNgrams(dim)(text))
    assert not vector.flags.writeable


def test_texts_that_share_words_are_nearer():
    encode = HashedNgrams(256)
    request = encode("How many kilometres are 3 miles?")
    near, far = encode("Convert miles to kilometres"), encode("Spell a word in the NATO alphabet")
    assert request @ near > request @ far + 0.2


def test_hashes_are_the_same_in_another_process():
    code = "from toolrl_env.wrappers import HashedNgrams; print(HashedNgrams(8)('a bc d').tolist())"
    assert in_fresh_processes(code) == {f"{HashedNgrams(8)('a bc d').tolist()}\n"}
