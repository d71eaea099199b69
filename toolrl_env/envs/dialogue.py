"""Episodes that replay a recorded conversation and score every answer against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from toolrl_env.core.episode import TurnRecord
from toolrl_env.core.errors import ConfigurationError
from toolrl_env.core.session import Session
from toolrl_env.core.types import ParsedAction, ParseStatus, ToolResult
from toolrl_env.data.dialogue import DialogueSession, DialogueSource, load_dialogues
from toolrl_env.envs.multi_turn import MultiTurnEnv
from toolrl_env.prompts import followup
from toolrl_env.prompts.recorded import recorded_answer, recorded_messages
from toolrl_env.rewards.episode import EpisodeRewardConfig

__all__ = ["DialogueEnv"]


class DialogueEnv(MultiTurnEnv):
    """A dataset's conversations, played turn by turn; the dataset is a class attribute.

    What ``mode="multi_turn"`` makes. A task is a conversation of two or more assistant steps; its
    first observation is that of the first step in single-turn mode. Nothing is executed: what
    follows an answer is what was recorded.

    ``continuation="teacher_forced"`` (the default): whatever was answered, the conversation goes on
    with the recorded answer in its place, and with what was recorded after it. So every answer is
    given on the recorded history, the number of turns is fixed, and no answer spoils the next one.
    The observation after a step holds the recorded answer, not the model's; the last one ends with
    the model's. ``teacher_forced`` is true then: a trainer must treat each turn as a prompt and an
    answer of its own.

    ``continuation="free_running"``: the model's answers stay. Recorded calls, in any order, get
    their recorded results, others an error that says that none was recorded; the step stays due
    until all its calls were made. An answer in words gets the recorded next words of the user where
    the record has words, and ends the episode where it has calls. Each step is scored once, by the
    first answer to it; further answers to it earn 0.

    ``is_success`` means that every step's first answer was right: its calls are exactly the
    recorded ones, in any order, or it is in words where the record is. ``progress`` is the share of
    right steps, and ``outcome`` (for ``EpisodeRewardConfig.answer_quality``) the same at the end.

    Args:
        data: As for ``DatasetEnv``.
        split: As for ``DatasetEnv``.
        data_options: As for ``DatasetEnv``.
        continuation: ``"teacher_forced"`` or ``"free_running"``.
        episode_reward: As for ``MultiTurnEnv``; ``None`` scores every answer with ``reward`` and
            ``strict`` as the single-turn environment does (with the defaults: the preset
            ``toolrl_turns``).
        kwargs: Those of ``MultiTurnEnv``.

    Raises:
        ConfigurationError: An argument is not allowed; the message names it and what is.
        DataError: ``data`` cannot be used, or the split has no conversation of two steps or more.
        NetworkUnavailable: The hub cannot be reached.
    """

    dataset: ClassVar[str]
    scores_answers = True
    tasks: DialogueSource  # pyright: ignore[reportIncompatibleVariableOverride]  # set once

    def __init__(
        self,
        data: str | Path | None = None,
        split: str = "train",
        data_options: dict[str, Any] | None = None,
        continuation: str = "teacher_forced",
        episode_reward: EpisodeRewardConfig | str | None = None,
        **kwargs: Any,
    ) -> None:
        tasks = load_dialogues(self.dataset, data, split, continuation, **(data_options or {}))
        super().__init__(tasks, episode_reward=episode_reward or "toolrl_turns", **kwargs)
        if episode_reward is None:
            self.episode_reward = EpisodeRewardConfig(turn=self.reward_config, outcome=0.0)
        self.teacher_forced = continuation == "teacher_forced"

    def gold_answer(self) -> str:
        """Return the recorded answer of the step that is due, in this environment's protocol.

        Raises:
            ConfigurationError: The dialogue is over.
        """
        session = self._replay()
        if session.due is None:
            total, given = len(session.progress()), len(self._conversation.turns)
            raise ConfigurationError(f"gold has {total} answers; {given} were given already")
        return self.protocol.render_gold(session.due.gold)

    def _act(
        self, session: Session, parsed: ParsedAction
    ) -> tuple[tuple[ToolResult, ...], list[dict[str, Any]] | None]:
        """Move the record on; return results and the messages that follow, if any."""
        replay, name = self._replay(), self.protocol.name
        step = replay.step
        results: tuple[ToolResult, ...] = ()
        if parsed.status is ParseStatus.CALLS:
            results = session.execute(parsed.calls)
        elif parsed.status is ParseStatus.NO_CALLS and parsed.response is not None:
            session.reply(parsed.response)
        else:
            replay.miss()
        if session.over:
            return results, None
        if replay.step == step:  # free-running, and the step is still due
            if parsed.status is ParseStatus.CALLS:
                return results, followup.result_messages(name, parsed.calls, results)
            reasons = [issue.message for issue in parsed.issues] or ["it has no response"]
            return results, [followup.correction_message(name, reasons)]
        then = replay.recorded_after(step)
        whole = all(result.ok for result in results) and len(results) == len(replay.calls_of(step))
        if self.teacher_forced or whole:
            return results, recorded_messages(name, then)
        words = [message for message in then if message.role != "tool"]
        return results, [
            *followup.result_messages(name, parsed.calls, results),
            *(recorded_messages(name, words) if words else ()),
        ]

    def _kept(self, turn: TurnRecord) -> str:
        """Return the recorded answer if it takes the place of the model's."""
        if self.teacher_forced and turn.gold is not None:
            return recorded_answer(self.protocol.name, turn.gold)
        return super()._kept(turn)

    def _played(self) -> str:
        """Return what has been said, and the last answer even where the record has replaced it."""
        said, turns = super()._played(), self._conversation.turns
        if self.teacher_forced and turns and not self._done:
            said += f"\n\n[the answer that was scored]\n{turns[-1].action.text}"
        return said

    def _replay(self) -> DialogueSession:
        session = self._live()
        assert isinstance(session, DialogueSession)
        return session
