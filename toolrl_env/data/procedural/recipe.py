"""What the generator knows about one tool: how to ask for it, and with which arguments."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from toolrl_env.core.errors import ConfigurationError

__all__ = ["Recipe", "Sampler", "slots"]

Sampler = Callable[[Random, int], dict[str, Any]]
"""``(rng, level) -> arguments``; the level, 1 to 5, sets their size and shape."""


@dataclass(frozen=True)
class Recipe:
    """Everything needed to turn one tool into requests.

    A template names each required argument once, as ``{argument}``, so that whoever reads the
    request can tell every argument of the gold call.

    Attributes:
        tool: Name of the tool.
        goal: What it is for, after "to", e.g. ``"take a percentage"``.
        sample: Draws arguments.
        direct: Requests in plain words.
        story: The same, wrapped in a situation.
        noun: Noun phrases for the result, with every argument in them.
        gives: Kind of result, if another call can use it: ``number``, ``whole``, ``numbers``,
            ``text``, ``list``, ``date``, ``time``, ``colour``.
        says: How arguments are worded, by kind (see ``wording.say``); the default goes by type.
        options: For each optional argument, sentences that state it; without a slot if the only
            value ever drawn is ``True``.
        ask: For each argument that a request may lack: what to call it, then requests without it.
        chained: For each argument that an earlier result can be: the kind of result it takes, then
            clauses that ask for this tool with "that" in its place.
        level: Lowest difficulty at which the recipe is used.
    """

    tool: str
    goal: str
    sample: Sampler
    direct: tuple[str, ...]
    story: tuple[str, ...]
    noun: tuple[str, ...] = ()
    gives: str = ""
    says: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    ask: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    chained: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    level: int = 1

    def __post_init__(self) -> None:
        """Check that every template names exactly the arguments that it must.

        Raises:
            ConfigurationError: One does not.
        """
        arguments = set(self.sample(Random(0), 1)) - set(self.options)
        wanted = [(text, arguments) for text in (*self.direct, *self.story, *self.noun)]
        for name, texts in self.options.items():
            wanted += [(text, {name}) for text in texts if slots(text)]
        for name, texts in (*self.ask.items(), *self.chained.items()):
            wanted += [(text, arguments - {name}) for text in texts[1:]]
        for text, names in wanted:
            if slots(text) != sorted(names):
                raise ConfigurationError(
                    f"recipe {self.tool!r}: {text!r} names {slots(text)}, not {sorted(names)}"
                )


def slots(template: str) -> list[str]:
    """Return the names in braces, sorted, with repetitions.

    >>> slots("{b} of {a}")
    ['a', 'b']
    """
    return sorted(name for _, name, _, _ in string.Formatter().parse(template) if name)
