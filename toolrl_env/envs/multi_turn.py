"""Episodes in which tools really run: the model calls, reads what came back, and goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import gymnasium as gym

from toolrl_env.core.checks import whole_number
from toolrl_env.core.episode import CreditSpan, EpisodeRecord, TurnRecord
from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.frozen import FrozenList
from toolrl_env.core.session import Session, SessionSource
from toolrl_env.core.types import ParsedAction, ParseStatus, RewardBreakdown, StopReason
from toolrl_env.envs.base import MAX_OBSERVATION_CHARS, ToolUseEnv
from toolrl_env.envs.conversation import Conversation, failed, judged, run_calls
from toolrl_env.envs.errors import action_errors
from toolrl_env.envs.prepare import PreparedTask
from toolrl_env.envs.rewards import refuse_answer_rewards
from toolrl_env.envs.snapshot import EnvSnapshot
from toolrl_env.prompts import followup
from toolrl_env.rewards.episode import EpisodeRewardConfig, score_credits, score_turn

__all__ = ["MultiTurnEnv"]

_TRUNCATING = (StopReason.TURN_LIMIT, StopReason.CONTEXT_LIMIT, StopReason.INFRASTRUCTURE)
_CONTINUE_THINKING = "Work on what is left of the request."


class MultiTurnEnv(ToolUseEnv):
    """Plays a ``SessionSource``: each step is one answer of the model and what follows from it.

    An answer with calls has them run (the first 256), and the conversation grows by their results.
    An answer without calls is a response: the scripted user replies, or is done. An answer that
    cannot be read is answered by what is wrong with it, and nothing is run.

    Args:
        tasks: The worlds.
        max_turns: Answers after which the episode is truncated.
        episode_reward: An ``EpisodeRewardConfig`` or the name of a preset; it takes the place of
            ``reward``, which scores single answers.
        kwargs: Those of ``ToolUseEnv``, but for ``reward`` and ``strict``.

    Raises:
        ConfigurationError: An argument is not allowed.
    """

    tasks: SessionSource
    teacher_forced = False
    """Whether a recorded answer takes the place of the model's in the conversation that follows."""
    scores_answers = False
    """Whether each answer has gold of its own, which ``reward``, ``strict`` and a ``turn`` need."""
    _shared = ToolUseEnv._shared | {"_session", "_conversation", "episode_reward"}

    def __init__(
        self,
        tasks: SessionSource,
        *,
        max_turns: int = 30,
        episode_reward: EpisodeRewardConfig | str = "outcome",
        **kwargs: Any,
    ) -> None:
        max_turns = whole_number("max_turns", max_turns, 1)
        self.episode_reward = EpisodeRewardConfig.of(episode_reward)
        if not self.scores_answers:
            refuse_answer_rewards(self.episode_reward, kwargs)
        super().__init__(tasks, **kwargs)
        self.max_turns = max_turns
        self._session: Session | None = None
        self._conversation = Conversation()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Take one answer.

        Args:
            action: The model's answer, any string.

        Returns:
            The conversation so far, this turn's reward, whether the episode is over by itself,
            whether it was cut, and ``info`` with ``reward``, ``breakdown``, ``errors``,
            ``results``, ``progress`` (share of the goal that holds now), ``turn`` (answers so
            far), ``is_success``, ``stop_reason`` (``None`` while it goes on), ``failure_kind``
            (a ``FailureKind`` if something of ours failed, else ``None``), ``failure`` (the same in
            words) and ``mask_sample`` (leave this step out of training).

        Raises:
            WrongActionType: ``action`` is not a string.
            gymnasium.error.ResetNeeded: No episode is running.
        """
        current, session = self._begin_step(action), self._live()
        parsed = self.protocol.parse(action, self.max_chars)
        turns, gold = self._conversation.turns, None
        before = turns[-1].progress_after if turns else ()
        try:
            gold = session.gold()
            before = before if turns else session.progress()
            writes = session.writes(parsed.calls)
            results, reply = self._act(session, parsed)
            after = session.progress()
            turn = TurnRecord(parsed, results, writes if results else (), before, after, gold)
            failure = None
        except InfrastructureError as error:
            turn = TurnRecord(parsed, (), (), before, before, gold, masked=True)
            reply, failure = [], error
        self._grow(current, turn, reply, failure)
        breakdown = self._breakdown = self._judge(session)
        info = self._step_info(current, self._conversation.turns[-1])
        if self.render_mode == "human":
            self.render()
        stop = self._conversation.stop
        truncated = stop in _TRUNCATING
        over = stop is not None
        return self._observation, breakdown.total, over and not truncated, truncated, info

    def _act(
        self, session: Session, parsed: ParsedAction
    ) -> tuple[tuple[Any, ...], list[dict[str, Any]] | None]:
        """Let the world have the answer; return results and the messages that follow, if any."""
        name = self.protocol.name
        if parsed.status is ParseStatus.CALLS:
            results = run_calls(session, parsed.calls)
            messages = followup.result_messages(name, parsed.calls, results)
            return results, None if session.over else [*messages, *self._tool_news(session)]
        if parsed.status is not ParseStatus.NO_CALLS or parsed.response is None:
            reasons = [issue.message for issue in parsed.issues] or ["it has no response"]
            return tuple[Any, ...](), [followup.correction_message(name, reasons)]
        said = session.reply(parsed.response)
        if said is None:
            return (), None
        return (), [followup.user_message(name, said), *self._tool_news(session)]

    def _kept(self, turn: TurnRecord) -> str:
        """Return what stands for an answer in the conversation that goes on."""
        return turn.action.text

    def _ended(self, turn: TurnRecord) -> StopReason:
        """Return why the world ended the episode with this turn."""
        held = turn.progress_after
        return StopReason.GOAL_REACHED if held and all(held) else StopReason.ANSWERED

    def _tool_news(self, session: Session) -> list[dict[str, Any]]:
        said, offered = self._conversation, tuple(session.tools())
        if offered == said.tools:
            return []
        known, names = said.tools, {tool.name for tool in offered}
        before = {tool.name for tool in known}
        shown = {id(tool): entry for tool, entry in zip(known, said.offer, strict=True)}
        newly = (shown.get(id(tool)) or self._prepare.offer([tool])[0] for tool in offered)
        self._conversation = replace(said, tools=offered, offer=FrozenList(newly))
        new = [tool for tool in offered if tool.name not in before]
        gone = [tool.name for tool in known if tool.name not in names]
        if not new and not gone:
            return []
        return [followup.tools_message(self.protocol.name, new, gone)]

    def _grow(
        self,
        current: PreparedTask,
        turn: TurnRecord,
        reply: list[dict[str, Any]] | None,
        failure: InfrastructureError | None,
    ) -> None:
        """Add an answer and what followed to the conversation, and see whether it goes on."""
        said, text = self._conversation, turn.action.text
        kept = text if reply is None or failure is not None else self._kept(turn)
        messages = (*said.messages, {"role": "assistant", "content": kept}, *(reply or ()))
        turns = (*said.turns, turn)
        observation = self._observation
        stop: StopReason | None = None
        if failure is not None or reply is None:
            observation += text
            stop = StopReason.INFRASTRUCTURE if failure is not None else self._ended(turn)
        else:
            added = 1 + len(reply)
            observation = self._prepare.text_after(observation, messages, added, current.tools)
            if len(observation) > MAX_OBSERVATION_CHARS - self.max_chars:
                stop = StopReason.CONTEXT_LIMIT
            elif len(turns) >= self.max_turns:
                stop = StopReason.TURN_LIMIT
        self._observation = observation[:MAX_OBSERVATION_CHARS]
        self._conversation = replace(
            said, messages=messages, turns=turns, stop=stop, failure=failure
        )

    def _judge(self, session: Session) -> RewardBreakdown:
        """Have the end judged and score the turn; if that fails, the turn is masked after all."""
        said, config, step = self._conversation, self.episode_reward, self._training_step
        try:
            if said.stop not in (None, StopReason.INFRASTRUCTURE):
                self._conversation = judged(said, session.outcome())
            breakdown = score_turn(self._record(), config, step)
        except InfrastructureError as error:
            self._conversation = failed(said, error)
            breakdown = score_turn(self._record(), config, step)
        self._done = self._conversation.stop is not None
        return breakdown

    def _step_info(self, current: PreparedTask, turn: TurnRecord) -> dict[str, Any]:
        said, breakdown = self._conversation, self._breakdown
        assert breakdown is not None
        info = current.info(said.messages, said.offer)
        info["reward"] = breakdown.as_dict()
        info["breakdown"] = breakdown
        info["errors"] = action_errors(turn.action, turn.results, breakdown)
        info["results"] = turn.results
        held = turn.progress_after
        info["progress"] = sum(held) / len(held) if held else 0.0
        info["turn"] = len(said.turns)
        info["is_success"] = said.stop is StopReason.GOAL_REACHED
        info["stop_reason"] = None if said.stop is None else said.stop.value
        info["failure_kind"] = None if said.failure is None else said.failure.kind.value
        info["failure"] = None if said.failure is None else str(said.failure)
        info["mask_sample"] = turn.masked
        return info

    # ------------------------------------------------------------------ what a caller may ask

    def gold_answer(self) -> str:
        """Return the next answer of the proven gold trajectory, in this environment's protocol.

        Raises:
            ConfigurationError: The gold trajectory has no further answer.
        """
        gold = self.tasks.gold_turns(self.task)
        number = len(self._conversation.turns)
        if number >= len(gold):
            raise ConfigurationError(f"gold has {len(gold)} answers; {number} were given already")
        turn = gold[number]
        if isinstance(turn, str):
            return self.protocol.render((), think=_CONTINUE_THINKING, response=turn)
        return self.protocol.render(turn, think=_CONTINUE_THINKING)

    def state_hash(self) -> str:
        """Return 64 hexadecimal digits of the world's state, the same in every process."""
        return self._live().state_hash()

    def credits(self) -> tuple[CreditSpan, ...]:
        """Return which turn, call and characters earned each part of the last reward."""
        return score_credits(self._record(), self.episode_reward, self._training_step)

    # ------------------------------------------------------------------ state

    def close(self) -> None:
        """Close the world."""
        if self._session is not None:
            self._session.close()
        super().close()

    def restore(self, snapshot: EnvSnapshot) -> None:
        """Go back to a state; see ``ToolUseEnv.restore``. The world that is left is closed.

        Raises:
            InfrastructureError: The world cannot be opened again; no episode is running then.
        """
        left = self._session
        try:
            super().restore(snapshot)
        finally:
            if left is not None and left is not self._session:
                left.close()

    def _begin_episode(self, current: PreparedTask) -> None:
        left, self._session, self._conversation = self._session, None, Conversation()
        if left is not None:
            left.close()
        self._session = self.tasks.open(current.task)
        messages, tools = tuple(current.messages), current.task.tools
        self._conversation = Conversation(messages, tools, current.tools)

    def _live(self) -> Session:
        if self._session is None:
            raise gym.error.ResetNeeded("call reset() first: no world is open")
        return self._session

    def _record(self) -> EpisodeRecord:
        said, gold = self._conversation, self.tasks.gold_turns(self.task)
        return EpisodeRecord(said.turns, gold, said.stop, said.outcome)

    def _extra_state(self) -> object:
        if self._session is None:
            return None
        return self._conversation, self._session.snapshot()

    def _restore_extra(self, extra: object) -> None:
        if extra is None:
            self._session, self._conversation = None, Conversation()
            return
        conversation, world = cast("tuple[Conversation, object]", extra)
        done, self._done, self._session = self._done, True, None  # as it stays if this fails
        session = self.tasks.open(self.task)
        try:
            session.restore(world)
        except BaseException:
            session.close()
            raise
        self._done, self._session, self._conversation = done, session, conversation
