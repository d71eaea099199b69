"""What goes over OpenEnv's wire: the model's answer, what it sees next, and the state."""

from __future__ import annotations

from typing import Any

from openenv.core.env_server import Action, Observation, State
from pydantic import Field

__all__ = ["ToolRLAction", "ToolRLObservation", "ToolRLState"]


class ToolRLAction(Action):
    """An answer of the model."""

    text: str = Field(description="The model's answer, whole, in the environment's protocol")


class ToolRLObservation(Observation):
    """What the model sees, and what its last answer earned.

    ``reward`` is ``None`` after ``reset``, else the environment's own reward, to the last bit.
    ``done`` says that the episode is over, ``truncated`` that it was cut from outside. A step that
    failed for reasons of ours has no observation at all: it is an error.
    """

    text: str = Field(description="The conversation as text, as the Gymnasium environment gives it")
    messages: list[dict[str, Any]] = Field(description="The conversation, OpenAI-style")
    new_messages: list[dict[str, Any]] = Field(
        default_factory=list, description="What was said to the last answer; empty if it was last"
    )
    tools: list[dict[str, Any]] = Field(description="The tools on offer now, OpenAI-style")
    task_id: str
    task_index: int = Field(ge=0)
    terms: dict[str, float] = Field(
        default_factory=dict, description="The reward of the last answer, term by term"
    )
    truncated: bool = Field(default=False, description="Whether the episode was cut from outside")
    stop_reason: str | None = Field(default=None, description="Why the episode is over, if it is")
    is_success: bool = Field(default=False, description="Whether the task is solved")


class ToolRLState(State):
    """Where a session stands."""

    env: str = Field(description="The environment's id")
    env_kwargs: str = Field(description="Its keyword arguments, as a JSON object")
    task_id: str | None = None
    task_index: int | None = None
    total_reward: float = Field(default=0.0, description="Sum of the episode's rewards so far")
    stop_reason: str | None = None
    failure: str | None = Field(
        default=None, description="What of ours failed and ended the episode, if anything did"
    )
