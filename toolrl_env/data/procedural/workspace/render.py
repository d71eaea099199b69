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
    """Return a sentence with a capital letter at its beginning.

    >>> capital("move it")
    'Move it'
    """
    return text[:1].upper() + text[1:]


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
                facts.append(Fact(reference.kind, self._answer(reference.phrase())))
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
        """Return a noun phrase; a long one is cut in two, the first half becoming a sentence."""
        length = len(reference.links())
        if length < 3 or (length == 3 and self._rng.random() < 0.5):
            return [], reference.phrase()
        kind, middle, text = reference.cut()
        if kind not in NOUNS or kind in self._nouns:
            return [], reference.phrase()
        self._nouns.add(kind)
        return [pick(self._rng, phrases.LOOK_AT).format(middle)], text

    def _answer(self, words: str) -> str:
        return capital(pick(self._rng, phrases.ANSWERS).format(words))

    def _asks_for_code(self, phase: int) -> bool:
        """Return whether this is the first phase that needs the payment code."""
        commands = self._composition.commands
        phases = [command.phase for command in commands if command.wish.tool in LOCKED]
        return bool(phases) and min(phases) == phase

    def _code(self) -> tuple[str, list[Fact]]:
        if self._composition.code_hidden:
            fact = Fact("code", self._answer(self._world.code))
            return pick(self._rng, phrases.CODE_LATER), [fact]
        return pick(self._rng, phrases.CODE_NOW).format(self._world.code), []
