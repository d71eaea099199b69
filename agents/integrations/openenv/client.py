"""OpenEnv's client class for what we serve."""

from __future__ import annotations

from typing import Any

from openenv.core import EnvClient
from openenv.core.client_types import StepResult

from agents.integrations.openenv.models import ToolRLAction, ToolRLObservation, ToolRLState

__all__ = ["ToolRLClient"]


class ToolRLClient(EnvClient[ToolRLAction, ToolRLObservation, ToolRLState]):
    """A session on a server of ours, with typed observations.

    As every client of OpenEnv: asynchronous, with ``.sync()`` for plain code. A failure of ours
    arrives as the ``RuntimeError`` that OpenEnv makes of any error: the episode has no reward then.
    """

    def _step_payload(self, action: ToolRLAction) -> dict[str, Any]:
        return action.model_dump(mode="json")

    def _parse_result(self, payload: dict[str, Any]) -> StepResult[ToolRLObservation]:
        reward, done = payload["reward"], payload["done"]
        fields = {**payload["observation"], "reward": reward, "done": done}
        return StepResult(ToolRLObservation.model_validate(fields), reward, done)

    def _parse_state(self, payload: dict[str, Any]) -> ToolRLState:
        return ToolRLState.model_validate(payload)
