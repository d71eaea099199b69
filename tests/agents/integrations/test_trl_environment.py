"""Tasks that TRL plays by itself: its tools are ours, its rewards are ours."""

from __future__ import annotations

import inspect
import json

import gymnasium as gym
import pytest
import torch
from trl.chat_template_utils import qwen3_chat_template

from agents.chat_delta import ChatDelta
from agents.integrations.pool import EnvPool
from agents.integrations.trl import (
    ToolEnvironment,
    environment_reward,
    trl_dataset,
    trl_environments,
)
from agents.prompting import ChatEncoder
from tests.agents.integrations.trl_support import (
    BROKEN,
    GOALS,
    LOOK,
    OWN,
    PAY,
    SUM,
    TWO,
    check_logged_rewards,
    failing,
    logged,
    slopes,
    teach,
    tiny,
    trainer_of,
)
from tests.agents.templates import CHATML
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.types import ToolCall
from toolrl_env.data.own.session import OwnSession
from toolrl_env.envs.own import OwnToolsEnv
from toolrl_env.parsing import get_protocol

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

NATIVE = get_protocol("native")


def tools_of(environment):
    """The tools that TRL finds, as it finds them."""
    return [
        getattr(environment, name)
        for name, _ in inspect.getmembers(type(environment), inspect.isfunction)
        if name not in ("reset", "get_reward") and not name.startswith("_")
    ]


def said(text):
    return [{"role": "assistant", "content": text}]


# ------------------------------------------------------------------ what is made


def test_tasks_with_the_same_tools_have_one_class():
    made = trl_environments(OWN, {}, [PAY, SUM])
    assert isinstance(made.factory, type)
    assert made.factory.__name__ == OWN
    assert "environment" not in made.dataset.column_names
    assert [tool.__name__ for tool in tools_of(made.factory())] == ["add", "count", "pay_in"]
    assert json.loads(made.dataset["env_kwargs"][0]) == {"protocol": "native"}
    made.close()


def test_tasks_with_other_tools_have_another_class_and_the_dataset_says_which():
    made = trl_environments(OWN, {}, [PAY, LOOK, SUM])
    assert list(made.factory) == [f"{OWN}/0", f"{OWN}/1"]
    assert list(made.dataset["environment"]) == [f"{OWN}/0", f"{OWN}/1", f"{OWN}/0"]
    names = [[tool.__name__ for tool in tools_of(each())] for each in made.factory.values()]
    assert names == [["add", "count", "pay_in"], ["count"]]


def test_what_cannot_be_played_is_refused():
    with pytest.raises(ConfigurationError, match="'toolrl'"):
        trl_environments(OWN, {"protocol": "toolrl"}, [PAY])
    with pytest.raises(ConfigurationError, match="TaskReward"):
        trl_environments("ToolRL-Toolbox-v0", {}, [0])
    made = trl_environments(OWN, {}, [PAY])
    other = trl_dataset(OWN, {"protocol": "native"}, [LOOK])[0]
    with pytest.raises(ConfigurationError, match="other tools"):
        made.factory().reset(**other)
    with pytest.raises(ConfigurationError, match="no 'env'"):
        made.factory().reset(prompt=[])
    with pytest.raises(ConfigurationError, match=r"protocol 'toolrl'.*dataset of trl_environments"):
        made.factory().reset(**trl_dataset(OWN, {}, [PAY])[0])


def test_a_reward_function_that_does_not_fit_the_trainer_is_refused():
    with pytest.raises(ConfigurationError, match="needs environment_factory"):
        environment_reward([said("It is 5.")])
    with pytest.raises(ConfigurationError, match="leave environment_reward out"):
        environment_reward([said("It is 5.")], [begun(SUM, get_reward=True)])


# ------------------------------------------------------------------ one object


def begun(index, env=OWN, **kwargs):
    made = trl_environments(env, {}, [index], **kwargs)
    environment = made.factory()
    assert environment.reset(**made.dataset[0]) is None
    return environment


def test_the_tools_run_in_the_world_and_the_last_words_end_the_episode():
    environment = begun(SUM)
    assert environment.add(first=2, second=3) == "5"
    assert environment_reward([said("It is 5.")], [environment]) == [1.0]
    environment = begun(SUM)
    assert environment_reward([said("It is 4.")], [environment]) == [0.0]


def test_a_bad_call_is_told_what_is_wrong_with_it_as_in_our_own_episodes():
    with EnvPool() as pool:
        made = trl_environments(OWN, {}, [PAY], pool=pool)
        environment = made.factory()
        environment.reset(**made.dataset[0])
        for arguments in ({"amount": "x"}, {"amount": -1}, {}, {"amount": 1, "more": 2}):
            env = gym.make(OWN, protocol="native")
            env.reset(options={"task_index": PAY})
            *_, info = env.step(NATIVE.render([ToolCall("pay_in", arguments)]))
            env.close()
            assert environment.pay_in(**arguments) == info["messages"][-1]["content"]
            assert "error" in info["messages"][-1]["content"]


def test_an_episode_that_a_limit_cut_has_what_it_earned():
    calls = [{"type": "function", "function": {"name": "add", "arguments": {}}}]
    cut = [
        [{"role": "assistant", "content": "It is 5.", "tool_calls": calls}],
        [{"role": "tool", "name": "add", "content": "5"}],
        [],
    ]
    for completion in cut:
        environment = begun(SUM)
        environment.add(first=2, second=3)
        assert environment_reward([completion], [environment]) == [0.0]


def test_objects_do_not_meet_and_are_used_again():
    made = trl_environments(OWN, {}, [PAY, GOALS])
    one, other = made.factory(), made.factory()
    one.reset(**made.dataset[0])
    other.reset(**made.dataset[1])
    assert [one.pay_in(amount=3), other.pay_in(amount=5), one.pay_in(amount=2)] == ["3", "5", "5"]
    assert environment_reward([said("Done.")] * 2, [one, other]) == [1.0, 1.0]
    one.reset(**made.dataset[1])
    assert one.count() == "0"


def test_get_reward_is_there_if_asked_for_and_judges_the_state():
    assert not hasattr(ToolEnvironment, "get_reward")
    for amount, wanted in ((5, 1.0), (4, 0.0)):
        environment = begun(GOALS, get_reward=True)
        environment.pay_in(amount=amount)
        assert environment.get_reward() == wanted


def test_the_turn_limit_ends_it_and_later_calls_are_told_so():
    made = trl_environments(OWN, {"max_turns": 2}, [PAY])
    environment = made.factory()
    environment.reset(**made.dataset[0])
    assert [environment.count() for _ in range(3)] == ["0", "", "The conversation is over."]
    assert environment_reward([said("Done.")], [environment]) == [0.0]


def test_failures_are_none_and_the_next_episode_has_its_reward():
    made = trl_environments(BROKEN, {}, [SUM])
    environments, row = [made.factory() for _ in range(3)], made.dataset[0]
    metrics = {}
    with failing(steps=[1], resets=[2]):
        for environment in environments:
            environment.reset(**row)
        shown = [environment.add(first=2, second=3) for environment in environments]
        rewards = environment_reward(
            [said("It is 5.")] * 3, environments, log_metric=metrics.__setitem__
        )
    assert shown == ["5", "The tools do not work now.", "The tools do not work now."]
    assert rewards == [1.0, None, None]
    assert metrics == {"terms/outcome": 1.0, "failed": pytest.approx(2 / 3)}
    with failing(steps=[0]):
        environments[0].reset(**row)
        assert environment_reward([said("It is 5.")], environments[:1]) == [None]
    environments[1].reset(**row)
    assert environments[1].add(first=2, second=3) == "5"
    assert environment_reward([said("It is 5.")], environments[1:2]) == [1.0]
    asked = begun(SUM, BROKEN, get_reward=True)
    with failing(steps=[0]):
        assert asked.get_reward() is None


def test_a_bug_is_raised_and_not_only_told_to_the_model(monkeypatch):
    environment = begun(SUM)
    monkeypatch.setattr(OwnSession, "execute", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        environment.add(first=2, second=3)
    with pytest.raises(ZeroDivisionError):
        environment_reward([said("It is 5.")], [environment])


def test_a_tool_may_have_any_name_that_begins_with_a_letter():
    def pool(tools: int) -> int:
        """Say what it was given.

        Args:
            tools: Anything.
        """
        return tools

    gym.register(
        "ToolRLTRLNames-v0",
        entry_point=lambda **kw: OwnToolsEnv(
            [pool], [{"id": "a", "question": "Go.", "answer": "1"}], **kw
        ),
    )
    environment = begun(0, "ToolRLTRLNames-v0")
    del gym.registry["ToolRLTRLNames-v0"]
    assert environment.pool(tools=1) == "1"
    assert environment_reward([said("1")], [environment]) == [1.0]


def test_environments_of_others_have_no_reward_of_ours():
    environment = begun(TWO)
    assert environment_reward([said("It is 2.")] * 2, [object(), environment]) == [None, 1.0]
    assert environment_reward([said("It is 2.")], [object()], log_metric=print) == [None]
    assert environment_reward([said("It is 2.")], [environment]) == [None], "nothing was begun"


def test_tools_that_change_in_mid_episode_are_said():
    kwargs, index = {"difficulty": 12}, None
    env = gym.make("ToolRL-Workspace-v0", protocol="native", **kwargs)
    for index in range(200):
        _, info = env.reset(options={"task_index": index})
        first, over = info["tools"], False
        answers = []
        while not over and info["tools"] == first:
            answers.append(env.unwrapped.gold_answer())
            _, _, terminated, truncated, info = env.step(answers[-1])
            over = terminated or truncated
        if info["tools"] != first and all(NATIVE.parse(a).calls for a in answers):
            break
    else:
        pytest.fail("no task whose tools change after calls alone")
    env.close()
    made = trl_environments("ToolRL-Workspace-v0", kwargs, [index])
    environment = made.factory()
    environment.reset(**made.dataset[0])
    for answer in answers:
        for call in NATIVE.parse(answer).calls:
            getattr(environment, call.name)(**call.arguments)
    with pytest.raises(ConfigurationError, match="use rollout_func"):
        environment_reward([said("Done.")], [environment])


# ------------------------------------------------------------------ real runs

PLAYS = [
    (PAY, [ToolCall("pay_in", {"amount": 3}), ToolCall("pay_in", {"amount": 2}), "That is done."]),
    (PAY, [ToolCall("pay_in", {"amount": 3}), "That is done."]),
    (LOOK, [ToolCall("count", {}), "There are 7 in it."]),
    (LOOK, ["There are 0 in it."]),
]
"""For each task an episode that earns 1 and one that earns 0."""


def lesson(tokenizer, made, number, answers):
    """The tokens of an episode as TRL writes them, for ``teach``."""
    row = made.dataset[number]
    environment = made.factory[row["environment"]]()
    environment.reset(**row)
    encoder = ChatEncoder(tokenizer, "native")
    ids = tokenizer.apply_chat_template(
        row["prompt"], tools=tools_of(environment), add_generation_prompt=True, return_dict=False
    )
    ids, sampled = list(ids), [False] * len(ids)
    for answer in answers:
        call = isinstance(answer, ToolCall)
        own = encoder.answer(NATIVE.render([answer]) if call else answer)
        ids, sampled = [*ids, *own], [*sampled, *[True] * len(own)]
        if call:
            result = getattr(environment, answer.name)(**answer.arguments)
            message = {"role": "tool", "name": answer.name, "content": result}
            more = ChatDelta(encoder)._work_out(json.dumps([message]))[1:]
            ids, sampled = [*ids, *more], [*sampled, *[False] * len(more)]
    return ids, sampled


@pytest.fixture(scope="module")
def taught():
    made = trl_environments(OWN, {}, [PAY, LOOK])
    texts = [m["content"] for row in made.dataset for m in row["prompt"]]
    answers = [a if isinstance(a, str) else NATIVE.render([a]) for _, said in PLAYS for a in said]
    tools = [tool.__doc__ for kind in made.factory.values() for tool in tools_of(kind())]
    model, tokenizer = tiny([*texts, *answers, *tools], qwen3_chat_template)
    order = list(made.dataset["task_index"])
    lessons = [lesson(tokenizer, made, order.index(index), said) for index, said in PLAYS]
    return teach(model, lessons), tokenizer


def rewards_anew(trainer, last=None):
    """The rewards of what was said, one call an answer, by ``gym.make`` alone."""
    return [
        [
            play_anew(row["task_index"], completion, last)
            for row, completion in zip(each["inputs"], each["completions"], strict=True)
        ]
        for each in trainer.generations
    ]


def play_anew(index, completion, last):
    """Play what was said; ``last`` is said at the end, whatever the model's last words were."""
    env = gym.make(OWN, protocol="native")
    _, info = env.reset(seed=0, options={"task_index": index})
    offered = [tool["function"]["name"] for tool in info["tools"]]
    results = [m["content"] for m in completion if m["role"] == "tool"]
    total, words = 0.0, last
    for message in completion:
        calls = [call["function"] for call in message.get("tool_calls") or ()]
        if message["role"] == "assistant" and not calls:
            words = last or message["content"]
        for call in calls:
            if call["name"] not in offered:  # which TRL says by itself
                assert "not found" in results.pop(0)
                continue
            text = NATIVE.render([ToolCall(call["name"], call["arguments"])])
            _, reward, *_, info = env.step(text)
            total += reward
            if results:  # there is none that would be too long, but the call has been run
                assert results.pop(0) == info["messages"][-1]["content"]
    if words is not None:
        total += env.step(words)[1]
    env.close()
    return total


def test_trl_plays_tasks_with_several_sets_of_tools_and_logs_our_rewards(taught, tmp_path):
    made = trl_environments(OWN, {}, [PAY, LOOK])
    trainer = trainer_of(
        taught,
        made.dataset,
        tmp_path,
        reward_funcs=environment_reward,
        environment_factory=made.factory,
    )
    trainer.train()
    wanted = rewards_anew(trainer)
    assert {0.0, 1.0} <= {reward for each in wanted for reward in each}
    check_logged_rewards(trainer, "environment_reward", wanted)
    assert max(logged(trainer, "tools/call_frequency")) > 0
    masked = 0
    for generation in trainer.generations:
        output = generation["output"]
        own = (output["tool_mask"] * output["completion_mask"]).bool()
        slope = slopes(trainer, output)
        assert (slope[~own] == 0).all()
        assert (slope[own & (output["advantages"] != 0)[:, None]] != 0).all()
        masked += int((~own & output["completion_mask"].bool()).sum())
        for completion, ids, mask in zip(
            generation["completions"], generation["ids"], output["tool_mask"], strict=True
        ):
            context = [t for t, sampled in zip(ids, mask.tolist(), strict=False) if not sampled]
            shown = trainer.processing_class.decode(context)
            for message in completion:
                if message["role"] == "tool":
                    assert f"<tool_response>\n{message['content']}\n</tool_response>" in shown
    assert masked


def test_trl_asks_the_environment_for_the_reward(taught, tmp_path):
    made = trl_environments(OWN, {}, [PAY, PAY], get_reward=True)
    trainer = trainer_of(
        taught,
        made.dataset,
        tmp_path,
        environment_factory=made.factory,
        reward_funcs=None,
        steps=2,
    )
    trainer.train()
    wanted = rewards_anew(trainer, last="Done.")
    assert {0.0, 1.0} <= {reward for each in wanted for reward in each}
    check_logged_rewards(trainer, OWN, wanted)


def test_trl_leaves_out_an_episode_whose_tools_fail(taught, tmp_path):
    made = trl_environments(BROKEN, {}, [PAY, PAY])
    trainer = trainer_of(
        taught,
        made.dataset,
        tmp_path,
        reward_funcs=environment_reward,
        environment_factory=made.factory,
        steps=1,
    )
    with failing(steps=[2], resets=[5]):
        trainer.train()
    (generation,) = trainer.generations
    lost = generation["rewards"].isnan()[:, 0]
    assert lost.sum() == 2
    assert lost[5]
    assert (generation["output"]["advantages"][lost] == 0).all()
    assert torch.isfinite(generation["output"]["advantages"]).all()
    assert logged(trainer, "failed") == [2 / 8]


def test_trl_refuses_a_model_whose_template_has_no_tools(tmp_path):
    made = trl_environments(OWN, {}, [PAY])
    taught = tiny(["red"], CHATML)
    with pytest.raises(ValueError, match="does not support tool calling"):
        trainer_of(
            taught,
            made.dataset,
            tmp_path,
            reward_funcs=environment_reward,
            environment_factory=made.factory,
        )
