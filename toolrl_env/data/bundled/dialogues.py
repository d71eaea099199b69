"""Longer conversations, as API-Bank has them: openings, small steps, earlier business."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from toolrl_env.data.bundled.director import Director
from toolrl_env.data.bundled.language import fill
from toolrl_env.data.bundled.scenes import Scene, Turn

__all__ = ["Dialogues"]


class Dialogues(Director):
    """A director who also knows how conversations begin and go on."""

    def methods(self) -> Mapping[str, Callable[[], Scene]]:
        """Return the maker of each kind of scene."""
        return {
            "single": self.single,
            "single_clause": self.single_clause,
            "parallel": self.parallel,
            "parallel_multiple": self.parallel_multiple,
            "irrelevant": self.irrelevant,
            "missing": self.missing,
            "clarified": self.clarified,
            "answered": self.answered,
            "followed_up": self.followed_up,
            "chained": self.chained,
            "introduced": self.introduced,
            "clarified_later": lambda: self.later(self.clarified()),
            "followed_up_later": lambda: self.later(self.followed_up()),
            "chained_later": lambda: self.later(self.chained()),
        }

    def introduced(self) -> Scene:
        """One call; the user first says roughly what it is about, more often than not."""
        scene = self.single()
        if self.rng.random() < 0.35 or scene.about is None:
            return scene
        opening = (
            Turn("user", self.phrase("openers").format(gist=scene.about.gist)),
            Turn("assistant", self.phrase("welcomes")),
        )
        return replace(scene, turns=(*opening, *scene.turns))

    def later(self, scene: Scene) -> Scene:
        """Put another matter, already dealt with, before ``scene``."""
        wanted = {tool.name for turn in scene.turns for tool in (c.tool for c in turn.calls)}
        wanted |= {call.tool.name for call in scene.calls}
        free = [
            tool.name
            for tool in self.catalogue.tools.values()
            if tool.name not in wanted
            and all(self.catalogue.compatible(tool.name, name) for name in wanted)
        ]
        tool = self.catalogue.tools[self.ledger.take("earlier", free)]
        asked = fill(self.plain_ask(tool), tool, self.values())
        turns, _ = self.exchange(tool, asked, asked.text)
        first, *rest = scene.turns
        resumed = Turn("user", f"{self.phrase('thanks')} {first.text}")
        tools = list(scene.tools)
        if tool not in tools:
            tools.insert(self.rng.randrange(len(tools) + 1), tool)
        return replace(scene, tools=tuple(tools), turns=(*turns, resumed, *rest))
