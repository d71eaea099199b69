"""What the tests of imports share: a small taskset of verifiers', and who answers it."""

from __future__ import annotations

import vf_sums

SEAT = {"harness": {"id": "vf_sums"}, "runtime": {"type": "subprocess"}}


def sums(**config):
    return vf_sums.SumTaskset(vf_sums.SumConfig(**config))


class Adds:
    """Adds the numbers of the last question."""

    def act(self, observations, infos):
        return [self._answer(info["messages"][-1]["content"]) for info in infos]

    def _answer(self, question):
        return str(sum(int(word.strip("?")) for word in question.split() if word[0].isdigit()))
