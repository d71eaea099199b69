"""``TextFeatures``: a text observation as a vector of fixed size."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box
from gymnasium.utils import RecordConstructorArgs

from toolrl_env.core.errors import ConfigurationError
from toolrl_env.spaces import UnicodeText
from toolrl_env.wrappers.numeric.encoding import LIMIT, FloatVector, TextEncoder, checked_encoder

__all__ = ["TextFeatures"]


class TextFeatures(gym.ObservationWrapper[FloatVector, Any, str], RecordConstructorArgs):
    """Observe the conversation as a float32 vector; actions stay as they are.

    Args:
        env: An environment that is observed as text.
        dim: Size of the vector if ``encoder`` is ``None``.
        encoder: A callable from text to a vector, e.g. ``SentenceTransformer(...).encode``;
            ``None`` for hashed n-grams.

    Raises:
        ConfigurationError: The observation is no text, or the encoder does not make vectors.
    """

    def __init__(
        self, env: gym.Env[str, Any], dim: int = 256, encoder: TextEncoder | None = None
    ) -> None:
        RecordConstructorArgs.__init__(self, dim=dim, encoder=encoder)
        gym.ObservationWrapper.__init__(self, env)  # pyright: ignore[reportUnknownMemberType]
        if not isinstance(env.observation_space, UnicodeText):
            raise ConfigurationError(
                f"TextFeatures encodes text, and this environment shows {env.observation_space}"
            )
        self._encode, size = checked_encoder(encoder, dim)
        self.observation_space = Box(-LIMIT, LIMIT, (size,), np.float32)

    def observation(self, observation: str) -> FloatVector:
        """Return the vector of an observation: float32, shape ``(size,)``."""
        return np.clip(np.array(self._encode(observation), np.float32), -LIMIT, LIMIT)
