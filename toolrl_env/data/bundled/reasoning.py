"""Thoughts: what goes through the assistant's mind before it answers a scene."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from toolrl_env.data.bundled.catalogue import ToolDoc
from toolrl_env.data.bundled.dialects import Naming
from toolrl_env.data.bundled.director import Director
from toolrl_env.data.bundled.scenes import Scene

__all__ = ["Thinker"]

FEWEST_WORDS = 20
WORDS = ("no", "one", "two", "three", "four")


class Thinker:
    """Puts thoughts together from pieces, in a varying number and order.

    Args:
        director: Where the pieces come from.
        rng: Source of randomness.
    """

    def __init__(self, director: Director, rng: Random) -> None:
        self._phrase, self._rng = director.phrase, rng

    def thought(self, scene: Scene, naming: Naming) -> str:
        """Return the thought that leads to the right answer of ``scene``."""
        text = self._before_calls if scene.calls else self._before_words
        thought = text(scene, naming)
        filler = "think_careful" if scene.calls else "think_manner"
        while len(thought.split()) < FEWEST_WORDS:
            thought = f"{thought} {self._phrase(filler)}"
        return thought

    def _before_words(self, scene: Scene, naming: Naming) -> str:
        assert scene.about is not None
        slots = {"gist": scene.about.gist, "topic": scene.about.topic}
        if scene.category == "irrelevant":
            others = _listed([f'"{naming.tool(tool)}"' for tool in scene.tools])
            return self._phrase("think_cannot").format(others=others, **slots)
        tool = naming.tool(scene.about)
        if scene.category == "final_response":
            return self._phrase("think_final").format(tool=tool)
        lacking = _listed(
            [f'"{naming.param(scene.about, name)}"' for name in lacking_params(scene)]
        )
        return self._phrase("think_missing").format(tool=tool, lacking=lacking, **slots)

    def _before_calls(self, scene: Scene, naming: Naming) -> str:
        tools = list({call.tool.name: call.tool for call in scene.calls}.values())
        parts: list[str] = []
        if scene.category in {"clarified", "follow_up", "dependent"}:
            parts.append(self._phrase("think_history"))
        if len(scene.calls) > 1:
            number = WORDS[len(scene.calls)]
            parts.append(self._phrase("think_goal_many").format(calls=number))
        if len(tools) == 1:
            parts.append(self._phrase("think_goal").format(gist=tools[0].gist))
            pick = {"tool": naming.tool(tools[0]), "n": len(scene.tools)}
            kind = "think_pick" if len(scene.tools) > 1 else "think_only"
            parts.append(self._phrase(kind).format(**pick))
        parts.extend(self._arguments(scene, naming, tools))
        parts.extend(self._extras(scene, naming, tools))
        return " ".join(parts)

    def _arguments(self, scene: Scene, naming: Naming, tools: list[ToolDoc]) -> list[str]:
        if len(scene.calls) == 1:
            said = self._in_words(naming.arguments(scene.calls[0]))
            return [self._phrase("think_args").format(args=said)]
        sentences: list[str] = []
        for number, call in enumerate(scene.calls):
            said = self._in_words(naming.arguments(call))
            order = ("First", "Second", "Third")[number]
            name = f' "{naming.tool(call.tool)}"' if len(tools) > 1 else ""
            sentences.append(f"{order}{name}, with {said}.")
        return sentences

    def _in_words(self, arguments: dict[str, Any]) -> str:
        way = self._rng.choice(("{1} for {0}", "{0} = {1}", "{0} set to {1}"))
        pairs = arguments.items()
        return _listed([way.format(k, json.dumps(v, ensure_ascii=False)) for k, v in pairs])

    def _extras(self, scene: Scene, naming: Naming, tools: list[ToolDoc]) -> list[str]:
        """Return some closing remarks, in random order; more of them after a short request."""
        extras: list[str] = []
        passed = {repr(value) for call in scene.calls for value in call.arguments.values()}
        words = [item for item in scene.evidence if isinstance(item.value, str)]
        converted = [i for i in words if i.surface != i.value and repr(i.value) in passed]
        if converted:
            item = self._rng.choice(converted)
            pair = {"surface": item.surface, "value": json.dumps(item.value, ensure_ascii=False)}
            extras.append(self._phrase("think_format").format(**pair))
        if any(not p.required for tool in tools for p in tool.params.values()):
            unused = all(
                p.required or name not in call.arguments
                for call in scene.calls
                for name, p in call.tool.params.items()
            )
            if unused:
                extras.append(self._phrase("think_optional"))
        others = [f'"{naming.tool(t)}"' for t in scene.tools if t.name not in _names(tools)]
        if len(others) > 1:
            shown = self._rng.sample(others, 2)
            extras.append(self._phrase("think_rest").format(others=_listed(shown)))
        self._rng.shuffle(extras)
        extras = extras[: self._rng.randint(0, 3)]
        if self._rng.random() < 0.2:
            extras.append(self._phrase("think_careful"))
        if len(scene.calls) == 1 and self._rng.random() < 0.5:
            extras.append(self._phrase("think_close"))
        return extras


def lacking_params(scene: Scene) -> list[str]:
    """Return the required parameters of the scene's tool that nobody has given."""
    assert scene.about is not None
    given = {item.param for item in scene.evidence}
    return [n for n, p in scene.about.params.items() if p.required and n not in given]


def _names(tools: list[ToolDoc]) -> set[str]:
    return {tool.name for tool in tools}


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
