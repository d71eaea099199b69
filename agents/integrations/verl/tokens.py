"""An episode as verl trains it: a prompt, and one response of sampled and of heard tokens."""

from __future__ import annotations

from collections.abc import Sequence

from agents.chat_delta import ChatDelta
from agents.integrations.pool import PooledEpisode
from agents.prompting import ChatEncoder
from toolrl_env.core.errors import ConfigurationError

__all__ = ["NO_ROOM", "TokenEpisode"]

NO_ROOM = "response_length"
"""The stop reason of an episode that ended because the response had no room left."""


class TokenEpisode:
    """Keeps the tokens of an episode while it is played. Nothing is tokenised again.

    The response ends with a sampled token, and never grows beyond its limit: what the environment
    said last is left out where no answer would fit behind it.

    Args:
        episode: The episode, before its first answer.
        encoder: Of the model that answers.
        delta: Of the same model.
        prompt_length: Most tokens of the prompt.
        response_length: Most tokens of the response, what the environment says included.
        max_answers: Answers after which it stops; ``None`` for no limit but the environment's.

    Attributes:
        prompt_ids: The prompt.
        response_ids: Everything after it.
        response_mask: For each of these, 1 if it was sampled, else 0.
        logprobs: For each, its log-probability when it was sampled; 0.0 where it was not, or if the
            server does not say.

    Raises:
        ConfigurationError: The prompt is longer than ``prompt_length``. verl's own loops cut its
            beginning off; a task without its tools would then be trained on.
    """

    def __init__(
        self,
        episode: PooledEpisode,
        encoder: ChatEncoder,
        delta: ChatDelta,
        *,
        prompt_length: int,
        response_length: int,
        max_answers: int | None = None,
    ) -> None:
        self.episode = episode
        self._encoder, self._delta = encoder, delta
        self._limit, self._max_answers = response_length, max_answers
        shown = {"messages": episode.messages, "tools": episode.tools}
        self.prompt_ids = list(encoder.prompt(shown))
        if len(self.prompt_ids) > prompt_length:
            raise ConfigurationError(
                f"the prompt of task {episode.task_id!r} has {len(self.prompt_ids)} tokens, but "
                f"data.max_prompt_length={prompt_length}: raise it, or set "
                "data.filter_overlong_prompts=True"
            )
        self.response_ids: list[int] = []
        self.response_mask: list[int] = []
        self.logprobs: list[float] = []
        self._cut = False

    @property
    def context(self) -> list[int]:
        """What the next answer is sampled after."""
        return self.prompt_ids + self.response_ids

    @property
    def room(self) -> int:
        """Tokens that the next answer may have."""
        return self._limit - len(self.response_ids)

    @property
    def stop_reason(self) -> str:
        """Why it stopped: the environment's word for it, or ``NO_ROOM``."""
        last = self.episode.outcomes[-1].stop_reason
        if last is None:
            return NO_ROOM if self._cut else "max_assistant_turns"
        return last.value

    def answer(self, token_ids: Sequence[int], logprobs: Sequence[float] | None) -> bool:
        """Give the environment a sampled answer.

        Args:
            token_ids: The sampled ids, at least one, with the end token if it was sampled.
            logprobs: One per id, if the server says.

        Returns:
            Whether another answer is to be sampled.

        Raises:
            InfrastructureError: Something of ours failed: the episode has no reward.
            ConfigurationError: The template cannot carry a conversation (``agents.chat_delta``).
        """
        self._extend(token_ids, logprobs or [0.0] * len(token_ids), sampled=1)
        self.episode.answer(self._encoder.decode(token_ids))
        if self.episode.over:
            return False
        if self._max_answers is not None and len(self.episode.outcomes) >= self._max_answers:
            return False
        finished = token_ids[-1] == self._encoder.eos_id
        heard = self._delta.after(self.episode.new_messages, finished=finished)
        self._cut = len(heard) >= self.room
        if not self._cut:
            self._extend(heard, [0.0] * len(heard), sampled=0)
        return not self._cut

    def _extend(self, ids: Sequence[int], logprobs: Sequence[float], *, sampled: int) -> None:
        self.response_ids += ids
        self.response_mask += [sampled] * len(ids)
        self.logprobs += logprobs
