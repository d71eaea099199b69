"""How to ask a model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from toolrl_env.core.checks import whole_number
from toolrl_env.core.errors import ConfigurationError

__all__ = ["ChatOptions"]


@dataclass(frozen=True, kw_only=True)
class ChatOptions:
    """How to ask a model behind an OpenAI-compatible endpoint.

    Attributes:
        key_env: Environment variable with the key. It is read when the first request is sent, and
            never written anywhere; without it, requests go without a key.
        concurrency: Requests that are under way at the same time.
        retries: How often a request is tried again after 408, 409, 429, 5xx, a timeout or a broken
            connection; with exponential backoff, jitter, and Retry-After where the server sends it.
        timeout: Seconds after which a request is given up.
        token_budget: Tokens, prompts included, after which no more requests are sent; 0 for no end.
        money_budget: The same in money, by the two prices; 0 for no end.
        price_in: Price of a million prompt tokens.
        price_out: Price of a million answer tokens.
        limit_field: Field for the token limit; newer OpenAI models want max_completion_tokens.
        send_seed: Send each answer's own seed.
        extra: Further fields of every request, as a JSON object; one that is null is not sent at
            all, e.g. '{"top_p": 0.9, "temperature": null}'.
        cache: Folder that keeps every reply, so that no request is paid for twice.

    Raises:
        ConfigurationError: A value is not allowed.
    """

    key_env: str = "OPENAI_API_KEY"
    concurrency: int = 8
    retries: int = 5
    timeout: float = 120.0
    token_budget: int = 0
    money_budget: float = 0.0
    price_in: float = 0.0
    price_out: float = 0.0
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    send_seed: bool = True
    extra: str = "{}"
    cache: Path = Path("~/.cache/toolrl_env/chat")

    def __post_init__(self) -> None:
        """Refuse options that cannot work."""
        whole_number("concurrency", self.concurrency, 1)
        whole_number("retries", self.retries)
        whole_number("token_budget", self.token_budget)
        for name in ("timeout", "money_budget", "price_in", "price_out"):
            value = vars(self)[name]
            if not (math.isfinite(value) and value >= 0) or (name == "timeout" and value == 0):
                raise ConfigurationError(f"{name}={value!r}; allowed: a number, at least 0")
        if self.money_budget and not (self.price_in or self.price_out):
            raise ConfigurationError("money_budget needs price_in or price_out")
        _ = self.extra_fields

    @property
    def extra_fields(self) -> dict[str, Any]:
        """The fields of ``extra``."""
        try:
            fields = json.loads(self.extra)
        except ValueError as error:
            raise ConfigurationError(f"extra={self.extra!r:.100} is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise ConfigurationError(f"extra={self.extra!r:.100}; it must be a JSON object")
        return fields
