"""Our episodes as an agent loop of verl: any environment, one answer or many.

Named by ``actor_rollout_ref.rollout.agent.agent_loop_config_path=…/agent_loop.yaml``, and played
for rows whose ``agent_name`` is ``"toolrl"``.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from transformers import PreTrainedTokenizerBase
from verl.experimental.agent_loop.agent_loop import (
    AgentLoopBase,
    AgentLoopMetrics,
    AgentLoopOutput,
    register,
)
from verl.experimental.agent_loop.tool_agent_loop import SPEC_DECODE_EXTRA_KEYS
from verl.utils.profiler import simple_timer
from verl.utils.rollout_trace import rollout_trace_op
from verl.workers.rollout.replica import TokenOutput

from agents.chat_delta import ChatDelta
from agents.integrations.pool import PooledEpisode
from agents.integrations.verl.scoring import as_reward, open_episode, term_names
from agents.integrations.verl.tokens import TokenEpisode
from agents.prompting import ChatEncoder
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind

__all__ = ["ToolRLAgentLoop"]

_BROKEN_OFF = ("abort", "aborted")
_Off = Callable[..., Awaitable[Any]]


@functools.lru_cache(maxsize=8)
def _encoders(tokenizer: PreTrainedTokenizerBase, protocol: str) -> tuple[ChatEncoder, ChatDelta]:
    """Return what encodes a protocol: made once per process, as verl makes a loop per sample."""
    encoder = ChatEncoder(tokenizer, protocol)
    return encoder, ChatDelta(encoder)


@register("toolrl")
class ToolRLAgentLoop(AgentLoopBase):
    """Plays one episode. The environment runs in a thread of the episode's own.

    Args:
        args: verl's.
        terms: Names of the reward's terms, for several environments in one dataset; see
            ``scoring.as_reward``.
        kwargs: verl's.

    Raises:
        ConfigurationError: ``data.apply_chat_template_kwargs`` is set: they would have to be the
            same at every turn, so that they belong into the template itself. Or ``terms`` is one
            text.
    """

    def __init__(self, *args: Any, terms: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._terms = term_names(terms)
        if self.apply_chat_template_kwargs:
            raise ConfigurationError(
                f"data.apply_chat_template_kwargs={dict(self.apply_chat_template_kwargs)!r}; the "
                "agent loop 'toolrl' takes none: set them in the template "
                "(actor_rollout_ref.model.custom_chat_template)"
            )

    @rollout_trace_op
    async def run(
        self, sampling_params: dict[str, Any], priority: int = 0, **row: Any
    ) -> AgentLoopOutput:
        """Play the row's task.

        Args:
            sampling_params: verl's.
            priority: verl's.
            row: Columns of the dataset, as ``export`` writes them.

        Returns:
            The tokens, which of them were sampled, and the sum of the rewards.

        Raises:
            InfrastructureError: Something of ours failed, or the server broke an answer off. verl
                then has no trajectory: ``reward_score=None`` would have it scored as text.
            ConfigurationError: The prompt is too long, the template rewrites history, or the row
                names no task.
            DataError: The row is of other data.
        """
        thread = ThreadPoolExecutor(1, thread_name_prefix="toolrl")
        off = functools.partial(self.loop.run_in_executor, thread)
        try:
            episode = await off(_open, row)
            try:
                tokens = await off(self._begin, episode)
                return await self._play(tokens, off, sampling_params, int(priority))
            finally:
                thread.submit(episode.close)
        finally:
            thread.shutdown(wait=False)

    def _begin(self, episode: PooledEpisode) -> TokenEpisode:
        protocol = episode.ref.kwargs().get("protocol", "toolrl")
        encoder, delta = _encoders(self.tokenizer, protocol)
        return TokenEpisode(
            episode,
            encoder,
            delta,
            prompt_length=self.rollout_config.prompt_length,
            response_length=self.rollout_config.response_length,
            max_answers=self.rollout_config.multi_turn.max_assistant_turns,
        )

    async def _play(
        self, tokens: TokenEpisode, off: _Off, sampling_params: dict[str, Any], priority: int
    ) -> AgentLoopOutput:
        """Answer until the episode ends or the response is full."""
        own_id = f"det-{priority}" if self.rollout_config.full_determinism else uuid4().hex
        timing: dict[str, float] = {}
        outputs: list[TokenOutput] = []
        more = True
        while more:
            with simple_timer("generate_sequences", timing):
                output = await self.server_manager.generate(
                    request_id=own_id,  # the same for all turns: verl keeps them on one server
                    prompt_ids=tokens.context,
                    sampling_params={**sampling_params, "max_tokens": tokens.room},
                    priority=priority,
                )
            if output.stop_reason in _BROKEN_OFF or not output.token_ids:
                raise InfrastructureError(
                    f"the server broke an answer off ({output.stop_reason})", FailureKind.REFUSED
                )
            outputs.append(output)
            with simple_timer("tool_calls", timing):
                more = await off(tokens.answer, output.token_ids, output.log_probs)
        return self._output(tokens, outputs, timing)

    def _output(
        self, tokens: TokenEpisode, outputs: Sequence[TokenOutput], timing: Mapping[str, float]
    ) -> AgentLoopOutput:
        rewards = [outcome.reward for outcome in tokens.episode.outcomes]
        reward = as_reward(tokens.episode.outcomes, self._terms)
        preempted = [output.num_preempted for output in outputs if output.num_preempted is not None]
        return AgentLoopOutput(
            prompt_ids=tokens.prompt_ids,
            response_ids=tokens.response_ids,
            response_mask=tokens.response_mask,
            response_logprobs=tokens.logprobs if all(o.log_probs for o in outputs) else None,
            routed_experts=outputs[-1].routed_experts,
            reward_score=reward["score"],
            num_turns=2 * len(outputs),
            metrics=AgentLoopMetrics(**timing, num_preempted=sum(preempted) if preempted else -1),
            extra_fields=_said_by_server(outputs)
            | {
                "turn_scores": rewards,
                "tool_rewards": [],
                "reward_extra_info": reward,
                "stop_reason": tokens.stop_reason,
            },
        )


def _open(row: Mapping[str, Any]) -> PooledEpisode:
    try:
        about, task_id = row["extra_info"], row["reward_model"]["ground_truth"]
    except KeyError as error:
        raise ConfigurationError(
            f"the row has no {error}, and has {', '.join(sorted(row))}: its file is not one of "
            "agents.integrations.verl.export"
        ) from error
    return open_episode(about, task_id)


def _said_by_server(outputs: Sequence[TokenOutput]) -> dict[str, Any]:
    """Return the extra fields of the answers together, as verl's own loops do."""
    fields = dict(outputs[0].extra_fields)
    for output in outputs[1:]:
        for key in fields.keys() & SPEC_DECODE_EXTRA_KEYS & output.extra_fields.keys():
            fields[key] += output.extra_fields[key]
        if output.extra_fields.get("max_global_steps") is not None:
            fields["max_global_steps"] = output.extra_fields["max_global_steps"]
    return fields
