"""What an endpoint replied, as data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Reply", "WrittenCall"]


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call as the model wrote it.

    Attributes:
        name: The tool's name, as it was sent to the endpoint.
        arguments: The arguments as text: JSON if the model did well.
    """

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply.

    Attributes:
        content: The text; empty if there is none.
        calls: The calls.
        tokens_in: Tokens of the prompt; ``None`` if the endpoint does not say.
        tokens_out: Tokens of the answer; ``None`` if the endpoint does not say.
    """

    content: str
    calls: tuple[WrittenCall, ...] = ()
    tokens_in: int | None = None
    tokens_out: int | None = None
