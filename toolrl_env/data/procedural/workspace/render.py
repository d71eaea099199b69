"""Putting a composed request into the user's words."""

from __future__ import annotations

from random import Random

from toolrl_env.data.procedural.workspace import phrases
from toolrl_env.data.procedural.workspace.compose import Command, Composition
from toolrl_env.data.procedural.workspace.edges import NOUNS
from toolrl_env.data.procedural.workspace.references import Reference
from toolrl_env.data.procedural.workspace.user import Fact
from toolrl_env.data.procedural.workspace.world import World, pick
from toolrl_env.tools.suites.workspace import LOCKED

__all__ = ["Renderer", "capital"]


def capital(text: str) -> str:
    """Return a sentence with a capital letter at its beginning, unless that is an address.

    >>> capital("move it"), capital("ada@office.example, please.")
    ('Move it', 'ada@office.example, please.')
    """
    return text if "@" in text.split(" ", 1)[0] else text[:1].upper() + text[1:]


class Renderer:
    """Says a composition, one request per phase, and notes what it keeps back.

    Args:
        composition: What is wanted.
        world: The office.
        rng: The task's generator.
    """

    def __init__(self, composition: Composition, world: World, rng: Random) -> None:
        self._composition = composition
        self._world = world
        self._rng = rng
        self._nouns = {
            command.wish.slots[name].kind
            for command in composition.commands
            for name in command.repeats
        }

    def request(self, phase: int) -> tuple[str, tuple[Fact, ...]]:
        """Return the text of one phase, without greetings, and the facts that it leaves out."""
        commands = [command for command in self._composition.commands if command.phase == phase]
        joiner = pick(self._rng, phrases.JOINERS) if len(commands) > 1 else ("",)
        sentences: list[str] = []
        facts: list[Fact] = []
        for index, command in enumerate(commands):
            introductions, text = self._sentence(command)
            sentences += introductions
            sentences.append(
                capital(f"{joiner[min(index, len(joiner) - 1)]}{text}.".replace("..", "."))
            )
            for name in sorted(command.hidden):
                reference = command.references[name]
                facts.append(self._fact(reference.kind, reference.phrase()))
        if self._asks_for_code(phase):
            sentence, hidden = self._code()
            sentences.append(sentence)
            facts += hidden
        return " ".join(sentences), tuple(facts)

    def _sentence(self, command: Command) -> tuple[list[str], str]:
        """Return sentences that introduce things, and the command."""
        introductions: list[str] = []
        words: dict[str, str] = {}
        for name, slot in command.wish.slots.items():
            if name in command.hidden:
                words[name] = pick(self._rng, phrases.VAGUE[slot.kind])
            elif name in command.repeats:
                words[name] = pick(self._rng, phrases.SAME[slot.kind])
            else:
                introduction, words[name] = self._refer(command.references[name])
                introductions += introduction
        return introductions, pick(self._rng, command.wish.texts).format_map(words)

    def _refer(self, reference: Reference) -> tuple[list[str], str]:
        """Return a noun phrase; a long one is cut in pieces, all but the last become sentences."""
        links = reference.links()
        introductions: list[str] = []
        text, length = links[0].words, 1
        for index in range(1, len(links)):
            kind = links[index - 1].kind
            long = len(links) >= 4 and length >= 2 and len(links) - index >= 2
            if long and kind in NOUNS and kind not in self._nouns:
                self._nouns.add(kind)
                begin = phrases.LEADS_TO if introductions else phrases.LOOK_AT
                introductions.append(pick(self._rng, begin).format(text))
                text, length = f"that {NOUNS[kind]}", 0
            text = links[index].words.format(text)
            length += 1
        return introductions, text

    def _fact(self, kind: str, words: str) -> Fact:
        return Fact(kind, words, capital(pick(self._rng, phrases.ANSWERS).format(words)))

    def _asks_for_code(self, phase: int) -> bool:
        """Return whether this is the first phase that needs the payment code."""
        commands = self._composition.commands
        phases = [command.phase for command in commands if command.wish.tool in LOCKED]
        return bool(phases) and min(phases) == phase

    def _code(self) -> tuple[str, list[Fact]]:
        if self._composition.code_hidden:
            return pick(self._rng, phrases.CODE_LATER), [self._fact("code", self._world.code)]
        return pick(self._rng, phrases.CODE_NOW).format(self._world.code), []
