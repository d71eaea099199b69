"""SmolLM2 under TRL, one step each way: the rewards are ours and so are the log-probabilities."""

from __future__ import annotations

import pytest
from trl.chat_template_utils import qwen3_chat_template

from agents.conversation import Limits
from agents.integrations.trl import (
    EpisodeRollout,
    TaskReward,
    environment_reward,
    episode_reward,
    trl_dataset,
    trl_environments,
)
from agents.models import load_model
from agents.prompting import ChatEncoder
from tests.agents.integrations.trl_support import (
    OWN,
    SUM,
    TWO,
    check_logged_rewards,
    check_logprobs,
    replay,
    trainer_of,
)

pytestmark = [
    pytest.mark.model,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning"),
]

SINGLE, EASY = "ToolRL-Toolbox-v0", {"difficulty": 1}


@pytest.fixture(scope="module")
def smollm2():
    return load_model("smollm2", OWN, {}, 0)


def train(smollm2, dataset, folder, words=16, **kwargs):
    settings = {"max_completion_length": words}
    trainer = trainer_of(
        smollm2, dataset, folder, batch=2, generations=2, steps=1, settings=settings, **kwargs
    )
    trainer.train()
    return trainer, trainer.generations[0]


def test_one_answer(smollm2, tmp_path):
    reward = TaskReward(tokenizer=smollm2[1])
    trainer, made = train(smollm2, trl_dataset(SINGLE, EASY, [0]), tmp_path, reward_funcs=reward)
    encoder = ChatEncoder(smollm2[1])
    wanted = [replay(SINGLE, EASY, 0, [encoder.decode(ids)]) for ids in made["ids"]]
    check_logged_rewards(trainer, "TaskReward", [wanted])


def test_an_episode(smollm2, tmp_path):
    trainer, made = train(
        smollm2,
        trl_dataset(OWN, {}, [SUM]),
        tmp_path,
        reward_funcs=episode_reward,
        rollout_func=EpisodeRollout(Limits(16, 2048, 2)),
    )
    output, encoder = made["output"], ChatEncoder(smollm2[1])
    wanted = []
    for ids, mask in zip(made["ids"], output["tool_mask"].tolist(), strict=True):
        said = "".join("x" if own else " " for own in mask[: len(ids)])
        answers, at = [], 0
        for part in said.split():
            at = said.index(part, at)
            answers.append(encoder.decode(ids[at : at + len(part)]))
            at += len(part)
        assert len(answers) == 2
        wanted.append(replay(OWN, {}, SUM, answers))
    check_logged_rewards(trainer, "episode_reward", [wanted])
    check_logprobs(trainer, made)


def test_an_environment_with_a_template_that_has_tools(smollm2, tmp_path):
    _, tokenizer = load_model("smollm2", OWN, {}, 0)
    tokenizer.chat_template = qwen3_chat_template
    made = trl_environments(OWN, {}, [TWO])
    trainer, generation = train(
        (smollm2[0], tokenizer),
        made.dataset,
        tmp_path,
        reward_funcs=environment_reward,
        environment_factory=made.factory,
    )
    wanted = []
    for (message,) in generation["completions"]:
        assert not message.get("tool_calls")
        wanted.append(replay(OWN, {"protocol": "native"}, TWO, [message["content"]]))
    check_logged_rewards(trainer, "environment_reward", [wanted])
