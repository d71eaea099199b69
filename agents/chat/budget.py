"""What has been spent, and when to stop."""

from __future__ import annotations

from agents.chat.options import ChatOptions
from agents.chat.reply import Reply

__all__ = ["Budget"]

_MILLION = 1_000_000


class Budget:
    """Counts tokens and money of this run. Replies out of the cache cost nothing.

    Requests that are under way when the budget is spent still count, so it can be overrun by as
    many as run at the same time.

    Args:
        options: The budget and the prices.

    Attributes:
        tokens_in: Prompt tokens paid for.
        tokens_out: Answer tokens paid for.
        requests: Replies paid for.
        cached: Replies that came out of the cache.
    """

    def __init__(self, options: ChatOptions) -> None:
        self._options = options
        self.tokens_in = self.tokens_out = self.requests = self.cached = 0
        self._unknown = False

    @property
    def money(self) -> float:
        """Money spent, by the prices given."""
        prices = self._options
        return (self.tokens_in * prices.price_in + self.tokens_out * prices.price_out) / _MILLION

    def spend(self, reply: Reply) -> None:
        """Count a reply that was paid for."""
        self.requests += 1
        self._unknown = self._unknown or reply.tokens_in is None or reply.tokens_out is None
        self.tokens_in += reply.tokens_in or 0
        self.tokens_out += reply.tokens_out or 0

    def spent(self) -> str:
        """Return why nothing more may be asked for; empty while it may."""
        options, tokens = self._options, self.tokens_in + self.tokens_out
        if self._unknown and (options.token_budget or options.money_budget):
            return "the endpoint does not say how many tokens it used, so no budget can be kept"
        if options.token_budget and tokens >= options.token_budget:
            return f"the budget of {options.token_budget} tokens is spent: {tokens} used"
        if options.money_budget and self.money >= options.money_budget:
            return f"the budget of {options.money_budget:g} is spent: {self.money:.4f} paid"
        return ""

    def report(self) -> str:
        """Return what has been spent, in words."""
        used = "an unknown number of" if self._unknown else f"{self.tokens_in + self.tokens_out}"
        priced = self._options.price_in or self._options.price_out
        paid = f", {self.money:.4f} in money" if priced else ""
        return (
            f"{self.requests} replies paid for ({used} tokens{paid}), {self.cached} from the cache"
        )
