"""An environment that counts, so that each observation says which episode and step it is of."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

COUNTING = "ToolRLCounting-v0"


class CountingEnv(gym.Env):
    """Observation ``[episode, step]``; reward ``10 * episode + step``; one action is allowed.

    Args:
        lengths: Of the episodes, over and over.
        cut: Whether episodes are cut instead of ending by themselves.
        fail: The reward in whose place something of ours fails.
    """

    def __init__(self, lengths=(1, 3, 2), cut=False, fail=-1):
        self.observation_space = gym.spaces.Box(0, 1000, (2,), np.float32)
        self.action_space = gym.spaces.Discrete(2)
        self.lengths, self.cut, self.fail = lengths, cut, fail
        self.episode, self.time = -1, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode, self.time = self.episode + 1, 0
        return self._observe(), {"action_mask": self._mask()}

    def step(self, action):
        assert self._mask()[action], "an action that was not allowed"
        reward = 10 * self.episode + self.time
        self.time += 1
        failed = reward == self.fail
        over = failed or self.time == self.lengths[self.episode % len(self.lengths)]
        cut = over and (failed or self.cut)
        info = {"action_mask": self._mask(), "mask_sample": failed}
        return self._observe(), 0.0 if failed else float(reward), over and not cut, cut, info

    def _observe(self):
        return np.array([self.episode, self.time], np.float32)

    def _mask(self):
        return np.arange(2) == (self.episode + self.time) % 2


gym.register(COUNTING, entry_point=CountingEnv)
