"""What is kept of an episode, what can be stored, and what is said about what cannot."""

from __future__ import annotations

import itertools

import gymnasium as gym
import minari
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from minari.serialization import deserialize_space, serialize_space

from agents.integrations.minari import collect, from_trajectories, reward_terms, save, trajectories
from agents.integrations.minari_steps import KeepInfo, buffer_of, info_texts, require_storable
from tests.agents.integrations.minari_support import (
    FORMATS,
    TOOLBOX,
    WORKSPACE,
    play_gold,
    record,
    recorded,
    use_folder,
)
from toolrl_env.core.errors import DataError
from toolrl_env.core.types import StopReason, Trajectory, Transition
from toolrl_env.spaces import UnicodeText
from toolrl_env.wrappers import CandidateActions

NUMBERS = itertools.count()
ODD = [
    "",
    " \r\n\t \n",
    "naïve 😀 \u2028 \x01 \x7f \ufeff \U0010ffff",
    "</think>\\n\\u0000",
    "é" * 200_000,
]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    return use_folder(tmp_path, monkeypatch)


# ------------------------------------------------------------------ the space


@pytest.mark.parametrize("longest", [1, 65_536])
def test_unicode_text_survives_minari(longest):
    space = gym.spaces.Dict({"a": UnicodeText(longest)})
    assert deserialize_space(serialize_space(space)) == space


@pytest.mark.parametrize(
    "space",
    [
        gym.spaces.Text(5),
        gym.spaces.Text(5, min_length=0, charset="ab"),
        gym.spaces.Tuple([gym.spaces.Text(3, charset="é")]),
    ],
)
def test_other_text_is_as_it_was(space):
    again = deserialize_space(serialize_space(space))
    assert again == space
    assert not isinstance(again, UnicodeText)


# ------------------------------------------------------------------ texts


@pytest.mark.parametrize("data_format", FORMATS)
def test_odd_texts_come_back_as_they_were(data_format):
    env = gym.make(TOOLBOX, max_chars=130_000)
    with pytest.warns(UserWarning, match="Action is not in action space"):
        dataset = save(record(env, ODD, data_format), "odd-v0")
    assert [episode.actions for episode in minari.load_dataset(dataset.id)] == [[o] for o in ODD]


@pytest.mark.parametrize("data_format", ["arrow", "parquet"])
@pytest.mark.parametrize("text", ["a\0b", "\0", "ab\0"])
def test_arrow_and_parquet_hold_a_nul(data_format, text, tmp_path):
    before = recorded(tmp_path / "t.jsonl", tasks=[], junk=[text])
    dataset = from_trajectories(before, "nul-v0", data_format=data_format)
    assert list(trajectories(dataset)) == before


@pytest.mark.parametrize(
    ("data_format", "text", "said"),
    [
        ("hdf5", "ab\0", "NUL at character 2.*data_format='parquet'"),
        *((each, "a\udc80", r"'\\udc80' at character 1.*surrogate") for each in FORMATS),
    ],
)
def test_what_cannot_be_stored_is_said_at_once(data_format, text, said, tmp_path):
    with pytest.raises(DataError, match=f"toolbox-.*, action: .*{said}"):
        from_trajectories(
            recorded(tmp_path / "t.jsonl", tasks=[], junk=[text]), "n-v0", None, data_format
        )
    collector = record(gym.make(TOOLBOX), ["fine"], data_format)
    collector.reset(options={"task_index": 1})
    with pytest.raises(DataError, match=said):
        collector.step(text)
    assert [episode.actions for episode in save(collector, "kept-v0")] == [["fine"]]


@pytest.mark.parametrize("place", range(3))
def test_every_text_of_an_episode_is_checked(place):
    texts = ["a", "b", "c"]
    texts[place] = "\ud800"
    one = Transition(texts[0], texts[1], 0.0, {}, texts[2], True, False, StopReason.ANSWERED)
    with pytest.raises(DataError, match="surrogate"):
        buffer_of(Trajectory("e", {}, "f", "t", 0, (one,)), "parquet")


def test_a_task_id_may_not_hold_a_nul_in_any_format():
    one = Transition("a", "b", 0.0, {}, "c", True, False, StopReason.ANSWERED)
    with pytest.raises(DataError, match="NUL"):
        buffer_of(Trajectory("e", {}, "f", "t\0", 0, (one,)), "parquet")


def test_what_is_kept_of_info_may_not_hold_a_nul_in_any_format():
    env = CandidateActions(gym.make(TOOLBOX))
    observation, info = env.reset(seed=0)
    result = env.step(0)
    keep = KeepInfo("parquet")
    keep(env, observation, info)
    step = dict(zip(("obs", "rew", "terminated", "truncated"), result, strict=False))
    with pytest.raises(DataError, match=r"toolbox-.*, infos: .*NUL at character 1"):
        keep(env, info={**result[4], "answer": "a\0"}, action=0, **step)


@given(st.text(st.characters(codec=None)))
def test_a_text_is_refused_only_if_utf8_or_hdf5_cannot_have_it(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        with pytest.raises(DataError, match="surrogate"):
            require_storable("here", [text], "parquet")
        return
    require_storable("here", [text, 3, None, np.zeros(2)], "parquet")
    if "\0" in text:
        with pytest.raises(DataError, match="NUL"):
            require_storable("here", [text], "hdf5")
    else:
        require_storable("here", [text], "hdf5")


# ------------------------------------------------------------------ there and back

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
floats = st.floats(allow_nan=False, allow_infinity=False)
components = st.dictionaries(texts, floats, max_size=3)
hashes = st.none() | st.text("0123456789abcdef", min_size=64, max_size=64)


@st.composite
def episodes(draw):
    said = draw(st.lists(texts, min_size=2, max_size=4))
    steps = [
        Transition(before, draw(texts), draw(floats), draw(components), after, False, False)
        for before, after in itertools.pairwise(said)
    ]
    cut, last = draw(st.booleans()), steps[-1]
    reason = StopReason.TURN_LIMIT if cut else draw(st.sampled_from(list(StopReason)[:4]))
    steps[-1] = Transition(
        last.observation,
        last.action,
        last.reward,
        last.components,
        last.next_observation,
        not cut,
        cut,
        reason,
        draw(hashes),
    )
    task, step = draw(texts), draw(st.integers(0, 2**40))
    return Trajectory(TOOLBOX, {}, "f" * 64, task, step, tuple(steps))


@pytest.mark.parametrize("data_format", ["hdf5", "parquet"])
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=st.lists(episodes(), min_size=1, max_size=3))
def test_any_episode_comes_back_equal(data_format, found):
    dataset_id = f"any-v{next(NUMBERS)}"
    from_trajectories(found, dataset_id, data_format=data_format)
    assert list(trajectories(minari.load_dataset(dataset_id))) == found


# ------------------------------------------------------------------ infos


@pytest.mark.parametrize("data_format", FORMATS)
def test_the_same_is_kept_of_a_live_episode_and_of_its_trajectory(data_format, tmp_path):
    collector = collect(gym.make(WORKSPACE, difficulty=2, episode_reward="shaped"), data_format)
    collector.unwrapped.training_step = 3
    play_gold(collector, [4])
    (live,) = save(collector, "live-v0")
    found = recorded(
        tmp_path / "t.jsonl",
        WORKSPACE,
        tasks=[4],
        training_step=3,
        difficulty=2,
        episode_reward="shaped",
    )
    (filed,) = from_trajectories(found, "filed-v0", None, data_format)
    assert set(live.infos) == set(filed.infos)
    for name, values in live.infos.items():
        assert len(values) == len(live) + 1
        assert list(values) == list(filed.infos[name]), name
    assert info_texts(live, "stop_reason") == [""] * len(live) + ["goal_reached"]
    hashes = info_texts(live, "state_hash")
    assert hashes[0] == ""
    assert [step.state_hash for step in found[0].transitions] == hashes[1:]
    assert set(info_texts(live, "task_id")) == {found[0].task_id}
    assert set(info_texts(live, "fingerprint")) == {found[0].fingerprint}
    assert set(live.infos["training_step"].tolist()) == {3}
    terms = reward_terms(live)
    assert terms["total"].tolist() == live.rewards.tolist()
    assert set(terms) == set(found[0].transitions[0].components)


def test_a_term_that_a_step_lacks_is_nan():
    steps = (
        Transition("a", "x", 1.0, {"total": 1.0, "format": 1.0}, "b", False, False),
        Transition("b", "y", 2.0, {"total": 2.0}, "c", True, False, StopReason.ANSWERED),
    )
    (episode,) = from_trajectories([Trajectory(TOOLBOX, {}, "f", "t", 0, steps)], "nan-v0")
    terms = reward_terms(episode)
    assert terms["total"].tolist() == [1.0, 2.0]
    assert terms["format"].tolist()[0] == 1.0
    assert np.isnan(terms["format"][1])
