"""Environments of theirs in Gymnasium: in this process and over the wire."""

from __future__ import annotations

import json
import os
import signal
import threading
import warnings

import gymnasium as gym
import pytest
from fastmcp import FastMCP
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import TimeLimit
from openenv.core import EnvClient, GenericEnvClient
from openenv.core.client_types import StepResult
from openenv.core.env_server import State, create_app
from openenv.core.env_server.mcp_environment import MCPEnvironment
from openenv.core.env_server.mcp_types import CallToolAction, CallToolObservation

from agents.integrations.openenv.gymnasium_env import OpenEnvEnv
from agents.integrations.openenv.texts import field_text
from tests.integrations.openenv.support import (
    Guess,
    Guessing,
    Hint,
    Parrot,
    Say,
    free_port,
    guessing_app,
    parrot_app,
    running,
)
from toolrl_env.core.errors import (
    ConfigurationError,
    InfrastructureError,
    UnknownName,
    WrongActionType,
)
from toolrl_env.core.types import FailureKind, StopReason

BAD = -2.0


@pytest.fixture(scope="module")
def parrots():
    with running(parrot_app()) as url:
        yield url


@pytest.fixture(scope="module")
def guessing():
    with running(guessing_app()) as url:
        yield url


def make(source, **kwargs):
    return OpenEnvEnv(source, bad_action_reward=BAD, **{"timeout_s": 5.0, **kwargs})


@pytest.fixture(params=["in process", "url", "client", "sync client", "typed client"])
def parrot(request, parrots):
    source, kwargs = {
        "in process": lambda: (Parrot(), {"action_type": Say}),
        "url": lambda: (parrots, {}),
        "client": lambda: (GenericEnvClient(parrots), {}),
        "sync client": lambda: (GenericEnvClient(parrots).sync(), {}),
        "typed client": lambda: (GuessOrSay(parrots), {"action_type": Say}),
    }[request.param]()
    env = make(source, **kwargs)
    yield env
    env.close()


@pytest.fixture(params=["in process", "url", "url with a class"])
def guesses(request, guessing):
    source = Guessing() if request.param == "in process" else guessing
    env = make(source, **({} if request.param == "url" else {"action_type": Guess}))
    yield env
    env.close()


class GuessOrSay(EnvClient):
    """A typed client, as environments of theirs bring one along."""

    def _step_payload(self, action):
        return {"word": action.word}

    def _parse_result(self, payload):
        return StepResult(payload["observation"], payload["reward"], payload["done"])

    def _parse_state(self, payload):
        return State(**payload)


# ------------------------------------------------------------------ what Gymnasium asks for


def test_gymnasiums_checker_passes(parrot):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(parrot, skip_render_check=True)


def test_gymnasiums_checker_passes_where_random_text_is_no_action(guesses):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(guesses, skip_render_check=True)


def test_an_id_of_ones_own_works_with_wrappers(parrots):
    gym.register(
        "Parrot-v0",
        entry_point="agents.integrations.openenv.gymnasium_env:OpenEnvEnv",
        kwargs={"source": parrots, "bad_action_reward": BAD},
        max_episode_steps=2,
    )
    try:
        env = gym.make("Parrot-v0")
        env.reset(seed=1)
        assert env.step("hello")[0] == "1: hello"
        assert env.step("hello")[1:4] == (1.25, False, True)
        env.close()
        envs = gym.make_vec("Parrot-v0", num_envs=3, vectorization_mode="sync")
        envs.reset(seed=1)
        texts, rewards, *_ = envs.step(("a", "bb", "ccc"))
        assert (list(texts), list(rewards)) == (["1: a", "1: bb", "1: ccc"], [0.25, 0.5, 0.75])
        envs.close()
    finally:
        del gym.registry["Parrot-v0"]


# ------------------------------------------------------------------ episodes


def test_an_episode_of_plain_text(parrot):
    text, info = parrot.reset(seed=3)
    assert text == "A good parrot, seed 3."
    assert info["action_schema"]["properties"]["word"]["type"] == "string"
    assert parrot.step("hello")[:4] == ("1: hello", 1.25, False, False)
    text, reward, terminated, truncated, info = parrot.step("bye")
    assert (text, reward, terminated, truncated) == ("2: bye", 0.75, True, False)
    assert info["openenv"]["answer"] == "2: bye"
    with pytest.raises(gym.error.ResetNeeded):
        parrot.step("again")
    assert parrot.reset(seed=4)[0] == "A good parrot, seed 4."


def test_an_episode_of_json(guesses):
    text, info = guesses.reset(seed=7)
    assert json.loads(text) == {"hint": "even, below 100", "left": 4}
    assert set(info["action_schema"]["properties"]) == {"metadata", "number", "sure"}
    text, reward, *_ = guesses.step('{"number": 2}')
    assert (json.loads(text)["hint"], reward) == ("higher", 0.0)
    text, reward, terminated, *_ = guesses.step('{"number": 14, "sure": true}')
    assert (json.loads(text)["hint"], reward, terminated) == ("right", 1.0, True)


def test_options_are_their_arguments_of_reset(parrot):
    assert parrot.reset(seed=1, options={"mood": "grey"})[0] == "A grey parrot, seed 1."
    assert parrot.reset(seed=1, options={"training_step": 3})[0] == "A good parrot, seed 1."


def test_an_option_that_an_object_does_not_take_is_named():
    env = make(Parrot(), action_type=Say)
    with pytest.raises(UnknownName, match=r"'mod'; allowed: .*mood.*Did you mean 'mood'"):
        env.reset(options={"mod": "grey"})


def test_seeds_are_passed_on_and_drawn_from_the_seed(parrot):
    texts = [parrot.reset(seed=seed)[0] for seed in (5, None, None)]
    assert texts == [parrot.reset(seed=seed)[0] for seed in (5, None, None)]
    assert len(set(texts)) == 3


def test_no_reward_is_zero_and_said(parrot):
    parrot.reset(seed=1)
    assert [
        (parrot.step(word)[1], parrot.step(word)[4]["reward_given"]) for word in ("nothing", "x")
    ] == [
        (0.0, False),
        (0.25, True),
    ]


def test_how_an_episode_was_cut_can_be_told(parrots):
    env = make(parrots, truncated=lambda seen: "night" in seen["answer"])
    for word, flags in (("bye", (True, False)), ("night", (False, True))):
        env.reset(seed=1)
        *_, terminated, truncated, info = env.step(word)
        assert (terminated, truncated) == flags
        assert info["stop_reason"] == (StopReason.TURN_LIMIT if truncated else StopReason.ANSWERED)
    env.close()


def test_functions_of_ones_own_read_and_show():
    def read(text):
        if not text.isdigit():
            raise ValueError("say a number")
        return Guess.model_construct(number=int(text), sure=True, metadata={})

    env = make(Guessing(), read=read, show=field_text("hint"))
    assert env.reset(seed=7)[0] == "even, below 100"
    assert env.step("14")[:3] == ("right", 1.0, True)
    env.reset(seed=7)
    assert "say a number" in env.step("many")[0]


# ------------------------------------------------------------------ bad actions are data


@pytest.mark.parametrize("text", ["", "seven", "[]", '{"number": "x"}', '{"nomber": 2}', "{" * 500])
def test_a_text_that_is_no_action_earns_the_low_reward_and_does_nothing(guesses, text):
    guesses.reset(seed=7)
    observation, reward, terminated, truncated, info = guesses.step(text)
    assert (reward, terminated, truncated) == (BAD, False, False)
    assert info["bad_action"]
    assert observation.endswith(info["bad_action"])
    assert "nothing was done" in observation
    assert json.loads(guesses.step('{"number": 14}')[0]) == {"hint": "right", "left": 3}


def test_what_only_their_class_refuses_is_a_bad_action_too():
    env = make(Guessing(), action_type=Guess)
    env.reset(seed=7)
    observation, reward, *_ = env.step('{"number": 3}')
    assert reward == BAD
    assert "must be even" in observation
    assert json.loads(env.step('{"number": 14}')[0]) == {"hint": "right", "left": 3}


def test_a_bad_action_over_which_their_server_gives_up_the_session_ends_the_episode(guessing):
    env = make(guessing)
    env.reset(seed=7)
    _, reward, terminated, truncated, info = env.step('{"number": 3}')
    assert (reward, terminated, truncated) == (BAD, True, False)
    assert info["stop_reason"] is StopReason.MALFORMED
    with pytest.raises(gym.error.ResetNeeded):
        env.step('{"number": 14}')
    env.reset(seed=7)
    assert env.step('{"number": 14}')[1:3] == (1.0, True)
    env.close()


def test_a_class_of_theirs_spares_the_session(guessing):
    env = make(guessing, action_type=Guess)
    env.reset(seed=7)
    assert env.step('{"number": 3}')[1:4] == (BAD, False, False)
    assert json.loads(env.step('{"number": 14}')[0]) == {"hint": "right", "left": 3}
    env.close()


def test_a_text_too_long_is_a_bad_action():
    env = make(Parrot(), action_type=Say, max_chars=80)
    env.reset(seed=1)
    observation, reward, *_, info = env.step("x" * 81)
    assert (reward, info["bad_action"]) == (BAD, "longer than 80 characters")
    assert observation in env.observation_space


def test_bad_actions_end_an_episode_by_a_time_limit_alone(guesses):
    env = TimeLimit(guesses, 3)
    env.reset(seed=1)
    assert [env.step("no")[2:4] for _ in range(3)] == [(False, False)] * 2 + [(False, True)]


# ------------------------------------------------------------------ failures are not


def failing(env, text="x"):
    with pytest.raises(InfrastructureError) as caught:
        env.step(text)
    with pytest.raises(gym.error.ResetNeeded):
        env.step(text)
    return caught.value


def test_what_their_environment_raises_is_a_failure(parrot):
    parrot.reset(seed=1)
    error = failing(parrot, "die")
    assert error.kind is FailureKind.TOOL_CRASHED
    assert "the parrot" in str(error)
    assert parrot.reset(seed=1)[0] == "A good parrot, seed 1."


def test_a_reward_that_is_no_number_is_a_failure():
    env = make(Parrot(), action_type=Say)
    env.reset(seed=1)
    assert failing(env, "nan").kind is FailureKind.BAD_RESULT


def test_over_the_wire_no_number_is_no_reward(parrots):
    """OpenEnv's server writes ``nan`` as null, so nobody can tell."""
    env = make(parrots)
    env.reset(seed=1)
    *_, info = env.step("nan")
    assert not info["reward_given"]
    env.close()


def test_an_observation_too_long_is_a_failure_that_says_what_to_do():
    env = make(Parrot(), action_type=Say, max_chars=25)
    env.reset(seed=1)
    assert "raise max_chars" in str(failing(env, "x" * 25))


def test_a_server_that_is_not_there_is_down_and_may_come():
    port = free_port()
    env = make(f"http://127.0.0.1:{port}")
    with pytest.raises(InfrastructureError, match="cannot be reached") as caught:
        env.reset(seed=1)
    assert caught.value.kind is FailureKind.SERVER_DOWN
    with running(parrot_app(), port):
        assert env.reset(seed=1)[0] == "A good parrot, seed 1."
    assert failing(env).kind is FailureKind.SERVER_DOWN
    with pytest.raises(InfrastructureError) as caught:
        env.reset(seed=1)
    assert caught.value.kind is FailureKind.SERVER_DOWN
    env.close()


def test_a_server_that_restarts_in_mid_episode_is_no_other_world():
    """Their client would connect anew and step a world that was never reset."""
    port = free_port()
    env = make(f"http://127.0.0.1:{port}")
    with running(parrot_app(), port):
        env.reset(seed=1)
        env.step("hello")
    with running(parrot_app(), port):
        error = failing(env, "hello")
        assert error.kind is FailureKind.SERVER_DOWN
        assert env.reset(seed=1)[0] == "A good parrot, seed 1."
        assert env.step("hello")[0] == "1: hello"
        env.close()


def test_no_action_for_a_restarted_server_is_a_lost_world_too():
    port = free_port()
    env = make(f"http://127.0.0.1:{port}")
    with running(guessing_app(), port):
        env.reset(seed=7)
    with running(guessing_app(), port):
        assert failing(env, '{"number": 14}').kind is FailureKind.SERVER_DOWN
        env.reset(seed=7)
    with running(guessing_app(), port):
        assert failing(env, '{"number": 3}').kind is FailureKind.SERVER_DOWN
        env.close()


def test_a_server_that_hangs_runs_out_of_time(monkeypatch):
    monkeypatch.setattr(Parrot, "wait", threading.Event())
    with running(parrot_app()) as url:
        env = make(url, timeout_s=0.5)
        env.reset(seed=1)
        assert failing(env, "hang").kind is FailureKind.TIMEOUT
        Parrot.wait.set()
        assert env.reset(seed=1)[0] == "A good parrot, seed 1."
        assert env.step("hello")[0] == "1: hello"
        env.close()


def test_an_interrupted_step_ends_the_episode(monkeypatch):
    """Its answer comes later, and would be read as that to the next step."""
    monkeypatch.setattr(Parrot, "wait", threading.Event())
    with running(parrot_app()) as url:
        env = make(url)
        env.reset(seed=1)
        timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            env.step("hang")
        timer.join()
        Parrot.wait.set()
        with pytest.raises(gym.error.ResetNeeded):
            env.step("hello")
        env.reset(seed=1)
        assert env.step("hello")[0] == "1: hello"
        env.close()


def test_a_function_of_ones_own_that_raises_ends_the_episode(parrots):
    env = make(parrots, truncated=lambda seen: seen["nothing"])
    env.reset(seed=1)
    with pytest.raises(KeyError):
        env.step("bye")
    with pytest.raises(gym.error.ResetNeeded):
        env.step("hello")
    env.close()


def test_a_full_server_refuses():
    with running(parrot_app(sessions=1)) as url:
        one, two = make(url), make(url)
        one.reset(seed=1)
        with pytest.raises(InfrastructureError) as caught:
            two.reset(seed=1)
        assert caught.value.kind is FailureKind.REFUSED
        assert one.step("x")[1] == 0.25
        one.close()
        two.close()


def test_what_is_no_server_of_theirs_is_said(guessing):
    env = make(guessing + "/docs")
    with pytest.raises(InfrastructureError, match="cannot be reached"):
        env.reset()


# ------------------------------------------------------------------ misuse


def test_misuse_is_named(parrots):
    with pytest.raises(ConfigurationError, match="does not tell what its actions are"):
        make(Parrot())
    with pytest.raises(ConfigurationError, match="allowed: a URL, an EnvClient or"):
        make(Parrot)
    for url in ("127.0.0.1:8000", "", "ftp://127.0.0.1", "http:///ws"):
        with pytest.raises(ConfigurationError, match=rf"{url}'; allowed: a URL such as http://"):
            make(url)
    for reward in (float("nan"), None, "-1"):
        with pytest.raises(ConfigurationError, match=f"bad_action_reward={reward!r}; allowed"):
            OpenEnvEnv(parrots, bad_action_reward=reward)
    with pytest.raises(ConfigurationError, match="timeout_s=0"):
        make(parrots, timeout_s=0)
    env = make(Parrot(), action_type=Say)
    with pytest.raises(gym.error.ResetNeeded):
        env.step("x")
    env.reset()
    with pytest.raises(WrongActionType, match="not int"):
        env.step(3)


def test_closing_closes_their_environment():
    theirs = Parrot()
    make(theirs, action_type=Say).close()
    assert theirs.closed


# ------------------------------------------------------------------ their MCP environments


class Shop(MCPEnvironment):
    """Tools of an MCP server as the environment, as many of theirs are."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        server = FastMCP("shop")

        @server.tool
        def price(article: str) -> int:
            """Return what an article costs."""
            return {"pencil": 2}[article]

        super().__init__(server)

    def reset(self, seed=None, episode_id=None, **kwargs):
        return Hint(hint="open", left=1)

    def _step_impl(self, action, timeout_s=None, **kwargs):
        raise NotImplementedError

    @property
    def state(self):
        return State()


def test_an_environment_of_mcp_tools_is_called_in_json():
    with running(create_app(Shop, CallToolAction, CallToolObservation)) as url:
        env = make(url)
        env.reset(seed=1)
        call = {"type": "call_tool", "tool_name": "price", "arguments": {"article": "pencil"}}
        observation, *_, info = env.step(json.dumps(call))
        assert not info["bad_action"]
        assert json.loads(observation)["result"]["data"] == 2
        assert env.step("price of a pencil?")[1] == BAD
        env.close()
