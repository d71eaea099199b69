"""Drawing requests that belong to one split, and the tools that are offered with them.

A request's split is a matter of its content: CRC-32 of the tool's name and the sorted arguments,
modulo 10 (0 to 7 train, 8 validation, 9 test). Requests of another split are thrown away and drawn
again, so no call that is asked for in one split is ever asked for in another, alone or among
others.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from toolrl_env.data.procedural.phrasing import pick
from toolrl_env.data.procedural.recipe import Recipe
from toolrl_env.data.procedural.recipes import RECIPES
from toolrl_env.data.procedural.wording import say
from toolrl_env.tools import ToolError
from toolrl_env.tools.suites.toolbox import FIELDS, TOOLBOX
from toolrl_env.tools.validation import SchemaCheck

__all__ = ["Draw", "Request", "split_of"]

_FIELD_OF = {tool.name: field for field, tools in FIELDS.items() for tool in tools}
_FIELD_NAMES = {field: tuple(tool.name for tool in tools) for field, tools in FIELDS.items()}
_RELATED = {"money": "arithmetic", "arithmetic": "money"}
"""Fields whose tools might stand in for one another, percentages above all."""
_NAMES = tuple(TOOLBOX)
_BY_LEVEL = {
    level: tuple(recipe for recipe in RECIPES.values() if recipe.level <= level)
    for level in range(1, 6)
}
_ACCEPTS = {name: SchemaCheck(tool.spec.parameters).accept for name, tool in TOOLBOX.items()}
_COMPATIBLE = {"number": ("number", "whole", "money")}
_CHAINS = {
    level: tuple(
        (first, second, name)
        for first in recipes
        for second in recipes
        for name, clauses in second.chained.items()
        if first.gives in _COMPATIBLE.get(clauses[0], (clauses[0],)) and first.tool != second.tool
    )
    for level, recipes in _BY_LEVEL.items()
}
_TRIES = 40


def split_of(content: str) -> str:
    """Return the split that a piece of content belongs to.

    >>> split_of("gcd [('a', 12), ('b', 18)]")
    'train'
    """
    bucket = zlib.crc32(content.encode()) % 10
    return "train" if bucket < 8 else "validation" if bucket == 8 else "test"


@dataclass(frozen=True, slots=True)
class Request:
    """One call that a user wants, and what it returns.

    Attributes:
        recipe: How to word it.
        arguments: The gold arguments.
        result: What the tool really returned for them.
    """

    recipe: Recipe
    arguments: Mapping[str, Any]
    result: Any

    @property
    def content(self) -> str:
        """The canonical content that decides the split."""
        return _content(self.recipe, self.arguments)


class Draw:
    """Everything random about one task.

    Args:
        rng: The task's own generator.
        level: Difficulty, 1 to 5.
        split: ``train``, ``validation``, ``test``, or ``all`` to accept everything.
    """

    def __init__(self, rng: Random, level: int, split: str) -> None:
        self.rng = rng
        self.level = level
        self._split = split

    def accepts(self, content: str) -> bool:
        """Return whether ``content`` belongs to the split."""
        return self._split == "all" or split_of(content) == self._split

    def request(self) -> Request:
        """Draw a request of the split, executed."""
        while True:
            recipe = self.rng.choice(_BY_LEVEL[self.level])
            for _ in range(_TRIES):  # a tool with few arguments may have none in a small split
                arguments = recipe.sample(self.rng, self.level)
                if self.accepts(_content(recipe, arguments)):
                    request = _executed(recipe, arguments)
                    if request is not None:
                        return request

    def chain(self, stage: int) -> tuple[Request, Request, str]:
        """Draw two requests of which the second uses the first's result, and by which argument.

        The call that is gold, which is the one of ``stage`` (1 or 2), belongs to the split.
        """
        while True:
            one, two, name = self.rng.choice(_CHAINS[self.level])
            for _ in range(_TRIES):
                first = _executed(one, _without_options(one, one.sample(self.rng, self.level)))
                if first is None:
                    continue
                arguments = _without_options(two, two.sample(self.rng, self.level))
                second = _executed(two, {**arguments, name: first.result})
                if second is None or not self.accepts((first, second)[stage - 1].content):
                    continue
                return first, second, name

    def words(self, recipe: Recipe, arguments: Mapping[str, Any]) -> dict[str, str]:
        """Return how each argument is said."""
        says = recipe.says
        return {
            name: say(says.get(name, ""), value, self.rng, self.level)
            for name, value in arguments.items()
        }

    def sentence(self, request: Request) -> tuple[str, dict[str, str]]:
        """Return the request in a sentence or two, and how each argument was said in it."""
        recipe, level = request.recipe, self.level
        indirect = recipe.story and level >= 3 and self.rng.random() < 0.25 * (level - 1)
        said = self.words(recipe, request.arguments)
        text = pick(self.rng, recipe.story if indirect else recipe.direct).format_map(said)
        for name, sentences in recipe.options.items():
            if name in said:
                text += " " + pick(self.rng, sentences).format_map(said)
        return text, said

    def offer(self, gold: tuple[str, ...], *, hidden: str = "") -> tuple[str, ...]:
        """Return the names of the tools to offer, shuffled.

        Args:
            gold: Tools that must be among them.
            hidden: A tool whose whole field, with any related to it, must not be among them.
        """
        rng, level = self.rng, self.level
        low, high = ((2, 4), (3, 5), (4, 6), (5, 8), (8, 12))[level - 1]
        size = max(rng.randint(low, high), len(set(gold)) + 1)
        names = dict.fromkeys(gold)
        fields = {_FIELD_OF[name] for name in gold}
        absent = _FIELD_OF.get(hidden, "")
        banned = {*_FIELD_NAMES.get(absent, ()), *_FIELD_NAMES.get(_RELATED.get(absent, ""), ())}
        if level >= 3:
            near = [name for field in sorted(fields) for name in _FIELD_NAMES[field]]
            names.update(dict.fromkeys(rng.sample(near, min(len(near), level - 1))))
        elif level == 1:
            banned |= {name for field in fields for name in _FIELD_NAMES[field]}
        for name in rng.sample(_NAMES, min(len(_NAMES), size + len(banned))):
            if len(names) >= size:
                break
            if name not in banned:
                names[name] = None
        offered = list(names)
        rng.shuffle(offered)
        return tuple(offered)


def _content(recipe: Recipe, arguments: Mapping[str, Any]) -> str:
    return f"{recipe.tool} {sorted(arguments.items())!r}"


def _executed(recipe: Recipe, arguments: dict[str, Any]) -> Request | None:
    """Run the tool for real; ``None`` if the arguments are invalid or the tool refuses them."""
    if not _ACCEPTS[recipe.tool](arguments):
        return None
    try:
        return Request(recipe, arguments, TOOLBOX[recipe.tool].fn(**arguments))
    except ToolError:
        return None


def _without_options(recipe: Recipe, arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name not in recipe.options}
