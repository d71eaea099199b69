"""Episodes of several turns for TRL: tokens in, tokens out, nothing is tokenised again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import is_peft_available

from agents.conversation import Limits
from agents.generation import Decoder
from agents.integrations.pool import EnvPool
from agents.integrations.tasks import TaskRef
from agents.integrations.trl_dataset import messages_of, task_of
from agents.integrations.trl_episode import Played, Template
from agents.integrations.trl_reward import LogExtra, LogMetric, Scored, in_words, report
from agents.seeds import derive_seed
from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError, InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trl import GRPOTrainer

__all__ = ["EpisodeRollout", "episode_reward"]


class EpisodeRollout:
    """``rollout_func`` for ``GRPOTrainer``: plays each prompt's task to its end.

    Answers are sampled by ``agents.generation`` from the trainer's model, at the trainer's
    temperature. What the environment says stands in ``completion_ids`` with 0 in ``env_mask``, and
    so does a whole episode in which something of ours failed. Use it with ``episode_reward``.

    Args:
        limits: How long answers and episodes may become. They take the place of TRL's
            ``max_completion_length``.
        pool: Where the environments are kept; its own if ``None``.
        seed: Of the sampling.
        remember: Tokens of conversations whose keys and values are kept from one turn to the next.

    Raises:
        ConfigurationError: An argument is something else, or a number is below 0.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        pool: EnvPool | None = None,
        seed: int = 0,
        remember: int = 16384,
    ) -> None:
        if not isinstance(limits, Limits):
            raise ConfigurationError(f"limits={limits!r:.80}; allowed: agents.conversation.Limits")
        self.limits, self.seed = limits, whole_number("seed", seed)
        self.remember = whole_number("remember", remember)
        self._pool = EnvPool() if pool is None else pool
        self._templates: dict[str, Template] = {}
        self._step, self._calls = -1, 0

    def __call__(self, prompts: Sequence[Any], trainer: GRPOTrainer) -> dict[str, list[Any]]:
        """Play one episode per prompt.

        Args:
            prompts: Conversations of ``trl_dataset``; those of a group are equal.
            trainer: Gives the model, the tokenizer and the temperature.

        Returns:
            ``prompt_ids``, ``completion_ids``, ``logprobs`` (under the sampling distribution, 0.0
            at context) and ``env_mask``, as TRL takes them; and for reward functions
            ``episode_reward`` (``None`` if something of ours failed), ``episode_terms`` (each
            reward term, summed over the turns), ``episode_turns``, ``episode_success``,
            ``episode_stop`` and ``episode_failure``.

        Raises:
            ConfigurationError: The trainer samples in a way that this does not, a prompt is none of
                ``trl_dataset``'s or leaves no room for an answer, or the model's template cannot
                carry an episode of several turns.
        """
        _refuse_other_sampling(trainer)
        rngs = np.random.default_rng(self._draw(trainer)).spawn(len(prompts))
        with ExitStack() as stack:
            played = [
                self._start(stack, trainer.processing_class, prompt, rng)
                for prompt, rng in zip(prompts, rngs, strict=True)
            ]
            with _sampling(trainer) as model:
                decoder = Decoder(
                    model,
                    eos_id=trainer.processing_class.eos_token_id,
                    temperature=trainer.temperature,
                    room=self.remember,
                )
                while live := [each for each in played if each.goes_on(self.limits)]:
                    self._round(live, decoder)
        return _fields(played)

    def close(self) -> None:
        """Close the environments."""
        self._pool.close()

    def _draw(self, trainer: GRPOTrainer) -> int:
        """Return the seed of this call: the same for the same place in a run."""
        step = int(trainer.state.global_step)
        self._calls = self._calls + 1 if step == self._step else 0
        self._step = step
        return derive_seed(self.seed, step, self._calls, trainer.accelerator.process_index)

    def _start(
        self,
        stack: ExitStack,
        tokenizer: PreTrainedTokenizerBase,
        prompt: Sequence[Mapping[str, Any]],
        rng: np.random.Generator,
    ) -> Played:
        ref = task_of(prompt)
        template = self._template(tokenizer, ref)
        try:
            episode = stack.enter_context(self._pool.open(ref))
        except InfrastructureError as error:
            shown = {"messages": messages_of(prompt), "tools": ()}
            return Played(template, template.encoder.prompt(shown), rng, None, in_words(error))
        shown = {"messages": episode.messages, "tools": episode.tools}
        ids = template.encoder.prompt(shown)
        room = self.limits.max_context - self.limits.max_new_tokens
        if len(ids) > room:
            raise ConfigurationError(
                f"the prompt of task {episode.task_id!r} has {len(ids)} tokens, but {self.limits} "
                f"leave room for {room}"
            )
        return Played(template, ids, rng, episode)

    def _template(self, tokenizer: PreTrainedTokenizerBase, ref: TaskRef) -> Template:
        protocol = ref.kwargs().get("protocol", "toolrl")
        known = self._templates.get(protocol)
        if known is None or known.encoder.tokenizer is not tokenizer:
            known = self._templates[protocol] = Template(tokenizer, protocol)
        return known

    def _round(self, live: Sequence[Played], decoder: Decoder) -> None:
        """Sample one answer to each episode and let the environments have them."""
        waiting: dict[tuple[int, ...], list[Played]] = {}
        for each in live:
            waiting.setdefault(each.context, []).append(each)
        answers = decoder.generate(
            list(waiting),
            [len(same) for same in waiting.values()],
            max_new_tokens=self.limits.max_new_tokens,
            rngs=[each.rng for same in waiting.values() for each in same],
        )
        for same, completions in zip(waiting.values(), answers, strict=True):
            for each, completion in zip(same, completions, strict=True):
                each.answer(completion)


def episode_reward(
    log_metric: LogMetric | None = None,
    log_extra: LogExtra | None = None,
    **columns: Any,
) -> list[float | None]:
    """Reward function for ``GRPOTrainer`` beside ``EpisodeRollout``: each episode's sum of rewards.

    Args:
        log_metric: TRL's; see ``report``.
        log_extra: TRL's; see ``report``.
        columns: What ``EpisodeRollout`` returned; the others are not looked at.

    Raises:
        ConfigurationError: The trainer has no such ``rollout_func``.
    """
    if "episode_reward" not in columns:
        raise ConfigurationError("episode_reward needs rollout_func=EpisodeRollout(...)")
    scored: list[Scored] = []
    for reward, terms, failure in zip(
        columns["episode_reward"],
        columns["episode_terms"],
        columns["episode_failure"],
        strict=True,
    ):
        scored.append(failure if reward is None else (reward, terms))
    return report(scored, log_metric, log_extra)


def _fields(played: Sequence[Played]) -> dict[str, list[Any]]:
    rows = [each.fields() for each in played]
    return {name: [row[name] for row in rows] for name in rows[0]}


@contextmanager
def _sampling(trainer: GRPOTrainer) -> Iterator[PreTrainedModel]:
    """Lend the trainer's model for sampling: without dropout and gradient checkpointing."""
    model = _language_model(trainer.accelerator.unwrap_model(trainer.model))
    training = model.training
    model.eval()
    try:
        yield model
    finally:
        model.train(training)


def _language_model(model: nn.Module) -> PreTrainedModel:
    """Return the model itself, with the adapters that PEFT may have put into its layers."""
    if is_peft_available():
        from peft import PeftModel

        if isinstance(model, PeftModel) and not model.active_peft_config.is_prompt_learning:
            model = model.get_base_model()
    if not isinstance(model, PreTrainedModel):
        raise ConfigurationError(
            "EpisodeRollout samples from a model of transformers, perhaps with LoRA adapters, not "
            f"from a {type(model).__name__}"
        )
    return model


def _refuse_other_sampling(trainer: GRPOTrainer) -> None:
    """Raise if the trainer's settings ask for other answers or prompts than there would be."""
    allowed = {
        "use_vllm": (False,),
        "top_p": (1.0,),
        "top_k": (0, None),
        "min_p": (0.0, None),
        "repetition_penalty": (1.0,),
        "chat_template_kwargs": (None, {}),
    }
    for name, values in allowed.items():
        value = vars(trainer.args)[name]
        if value not in values:
            raise ConfigurationError(
                f"{name}={value!r}; EpisodeRollout writes prompts and samples by itself, from the "
                f"model's whole distribution, so only {values[0]!r} is allowed"
            )
