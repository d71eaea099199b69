"""Directs scenes: one method per category of task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from toolrl_env.data.bundled.catalogue import Catalogue, Chain, ToolDoc
from toolrl_env.data.bundled.language import SLOT, Filled, capitalised, fill, fill_reply
from toolrl_env.data.bundled.results import make_result
from toolrl_env.data.bundled.scenes import Call, Ledger, Scene, Turn, offer
from toolrl_env.data.bundled.values import Value, ValueSource

__all__ = ["Director"]


class Director:
    """Makes scenes from the catalogue.

    Args:
        catalogue: What there is to say.
        rng: Source of randomness.
        ledger: Keeps phrasings from repeating; share it between datasets.
        most_tools: Largest number of distractors.
        manner: Whether greetings, asides and thanks are put around requests.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        rng: Random,
        ledger: Ledger,
        most_tools: int = 5,
        manner: float = 0.4,
    ) -> None:
        self.catalogue, self.rng, self.ledger = catalogue, rng, ledger
        self._most_tools, self._manner = most_tools, manner

    def phrase(self, kind: str) -> str:
        """Return one of the phrases of that kind, least used first."""
        return self.ledger.take(kind, self.catalogue.phrases[kind])

    def single(self) -> Scene:
        """One call answers the request."""
        tool, line = self._line("asks")
        filled = self._fill(line, tool)
        return self._calls("single", [(tool, filled)], self._mannered(filled.text))

    def single_clause(self) -> Scene:
        """The same, worded by a general frame around a clause of the tool."""
        tool, line = self._line("clauses")
        filled = self._fill(line, tool)
        text = self._frame("one_clause", [filled.text])
        return self._calls("single", [(tool, filled)], self._mannered(text))

    def parallel(self) -> Scene:
        """Several calls of one tool."""
        tool, line = self._line("many")
        filled = self._fill(line, tool)
        return self._calls("parallel", [(tool, filled)], self._mannered(filled.text))

    def parallel_multiple(self) -> Scene:
        """One call each of two or three different tools, within one situation."""
        number = self.rng.choice((2, 2, 2, 3))
        usable = [i for i, s in enumerate(self.catalogue.scenarios) if len(s.tools) >= number]
        scenario = self.catalogue.scenarios[self.ledger.take("scenario", usable)]
        names = self.rng.sample(scenario.tools, number)
        values = self.values()
        shared: dict[str, Value] = {}
        parts: list[tuple[ToolDoc, Filled]] = []
        for name in names:
            tool = self.catalogue.tools[name]
            line = self.ledger.take("clauses", [(name, i) for i in tool.lines["clauses"]])[1]
            given = self._linked(scenario.links, name, shared)
            filled = fill(line, tool, values, given)
            self._share(scenario.links, tool, filled, shared)
            parts.append((tool, filled))
        frame = "two_clauses" if number == 2 else "three_clauses"
        text = self._frame(frame, [filled.text for _, filled in parts])
        if self.rng.random() < 0.6:
            text = f"{self.ledger.take('intro', scenario.intros)} {text}"
        return self._calls("parallel_multiple", parts, text)

    def irrelevant(self) -> Scene:
        """No tool on offer can do it; the right answer says so."""
        tool, line = self._line("asks")
        filled = self._fill(line, tool)
        tools = offer(self.catalogue, self.rng, [], self.rng.randint(1, 4), unwanted=tool)
        topics = _listed([other.topic for other in tools])
        reply = self.phrase("cannot")
        reply = reply.format(gist=tool.gist, topic=tool.topic, topics=topics)
        turns = (Turn("user", self._mannered(filled.text)),)
        return Scene("irrelevant", tools, turns, response=reply, about=tool)

    def missing(self) -> Scene:
        """A required parameter was not given; the right answer asks for it."""
        tool, request, question, _ = self._clarification()
        turns = (Turn("user", self._mannered(request.text)),)
        return Scene(
            "missing_parameter",
            self._offer([tool]),
            turns,
            response=question,
            about=tool,
            evidence=request.evidence,
        )

    def clarified(self) -> Scene:
        """A parameter was missing, was asked for, and has now been given."""
        tool, request, question, answer = self._clarification()
        turns = (
            Turn("user", self._mannered(request.text)),
            Turn("assistant", question),
            Turn("user", answer.text),
        )
        arguments = {**request.arguments[0], **answer.arguments[0]}
        return Scene(
            "clarified",
            self._offer([tool]),
            turns,
            calls=(Call(tool, arguments),),
            about=tool,
            evidence=request.evidence + answer.evidence,
        )

    def answered(self) -> Scene:
        """The tools have answered; the right answer puts it into words."""
        kind = "many" if self.rng.random() < 0.3 else "asks"
        tool, line = self._line(kind)
        filled = self._fill(line, tool)
        turns, reply = self.exchange(tool, filled, self._mannered(filled.text))
        tools = self._offer([tool])
        return Scene("final_response", tools, turns[:-1], response=reply, about=tool)

    def followed_up(self) -> Scene:
        """After an answer the user changes one value; the rest is carried over."""
        tool, line = self._line("follow")
        values = self.values()
        first = fill(self.plain_ask(tool), tool, values)
        turns, _ = self.exchange(tool, first, self._mannered(first.text))
        second = fill(line, tool, values)
        call = Call(tool, {**first.arguments[0], **second.arguments[0]})
        return Scene(
            "follow_up",
            self._offer([tool]),
            (*turns, Turn("user", second.text)),
            calls=(call,),
            about=tool,
            evidence=first.evidence + second.evidence,
        )

    def chained(self) -> Scene:
        """After an answer the user asks for a second tool that needs a value of the first."""
        chains = self.catalogue.chains
        number, line = self.ledger.take(
            "chain", [(i, text) for i, chain in enumerate(chains) for text in chain.texts]
        )
        return self._chain(chains[number], line)

    def _chain(self, chain: Chain, line: str) -> Scene:
        first, second = (self.catalogue.tools[name] for name in (chain.first, chain.second))
        values = self.values()
        asked = fill(self.plain_ask(first), first, values)
        turns, _ = self.exchange(first, asked, self._mannered(asked.text))
        result = turns[2].results[0]
        bound = {
            name: result[key[1:]] if key.startswith("=") else asked.arguments[0][key[1:]]
            for name, key in chain.bind.items()
        }
        then = fill(line, second, values)
        call = Call(second, {**bound, **then.arguments[0]})
        wanted = [first] if first == second else [first, second]
        return Scene(
            "dependent",
            self._offer(wanted),
            (*turns, Turn("user", then.text)),
            calls=(call,),
            about=second,
            evidence=then.evidence,
        )

    def exchange(self, tool: ToolDoc, filled: Filled, text: str) -> tuple[tuple[Turn, ...], str]:
        """Return a request, its calls, their results and the assistant's reply; the reply."""
        calls = tuple(Call(tool, arguments) for arguments in filled.arguments)
        results = tuple(make_result(tool, call.arguments, self.rng) for call in calls)
        replies = [
            fill_reply(self.ledger.take("reply", tool.lines["reply"]), said, result)
            for said, result in zip(filled.said, results, strict=True)
        ]
        reply = " ".join(dict.fromkeys(replies))
        turns = (
            Turn("user", text),
            Turn("assistant", calls=calls),
            Turn("tool", calls=calls, results=results),
            Turn("assistant", reply),
        )
        return turns, reply

    def _calls(self, category: str, parts: Sequence[tuple[ToolDoc, Filled]], text: str) -> Scene:
        tools = [tool for tool, _ in parts]
        calls = [Call(tool, args) for tool, filled in parts for args in filled.arguments]
        evidence = tuple(item for _, filled in parts for item in filled.evidence)
        return Scene(
            category,
            self._offer(tools),
            (Turn("user", text),),
            calls=tuple(calls),
            about=tools[0],
            evidence=evidence,
        )

    def _clarification(self) -> tuple[ToolDoc, Filled, str, Filled]:
        names = [(t.name, i) for t in self.catalogue.tools.values() for i in range(len(t.missing))]
        name, index = self.ledger.take("missing", names)
        tool = self.catalogue.tools[name]
        lines = tool.missing[index]
        values = self.values()
        request, answer = fill(lines.request, tool, values), fill(lines.answer, tool, values)
        question = fill_reply(lines.question, request.said[0], {})
        return tool, request, question, answer

    def _line(self, kind: str) -> tuple[ToolDoc, str]:
        tools = self.catalogue.tools.values()
        name, line = self.ledger.take(kind, [(t.name, i) for t in tools for i in t.lines[kind]])
        return self.catalogue.tools[name], line

    def plain_ask(self, tool: ToolDoc) -> str:
        """Return a request without optional parameters, so that later turns stay unambiguous."""
        plain = [line for line in tool.lines["asks"] if _slots(line) <= _required(tool)]
        return self.ledger.take("asks", [(tool.name, line) for line in plain])[1]

    def _fill(self, line: str, tool: ToolDoc) -> Filled:
        return fill(line, tool, self.values())

    def values(self) -> ValueSource:
        """Return a fresh source of values, for one scene."""
        return ValueSource(self.catalogue.pools, self.rng)

    def _offer(self, wanted: Sequence[ToolDoc]) -> tuple[ToolDoc, ...]:
        return offer(self.catalogue, self.rng, wanted, self.rng.randint(0, self._most_tools))

    def _frame(self, kind: str, clauses: Sequence[str]) -> str:
        slots: dict[str, str] = {}
        for number, clause in enumerate(clauses, 1):
            slots[f"c{number}"], slots[f"C{number}"] = clause, capitalised(clause)
        return self.phrase(kind).format(**slots)

    def _mannered(self, text: str) -> str:
        """Put a greeting, an aside or thanks around a request that is a full sentence."""
        if self.rng.random() > self._manner or text[-1] not in ".?!" or not text[0].isupper():
            return text
        kind = self.rng.choice(("greetings", "asides", "closings"))
        extra = self.phrase(kind)
        if kind == "closings":
            return f"{text} {extra}"
        return f"{extra} {text}"

    def _linked(
        self, links: Sequence[Sequence[str]], tool: str, shared: Mapping[str, Value]
    ) -> dict[str, Value]:
        """Return the values that the situation has settled for parameters of ``tool``."""
        return {
            path.partition(".")[2]: shared[group[0]]
            for group in links
            for path in group
            if path.startswith(f"{tool}.") and group[0] in shared
        }

    def _share(
        self,
        links: Sequence[Sequence[str]],
        tool: ToolDoc,
        filled: Filled,
        shared: dict[str, Value],
    ) -> None:
        said: Mapping[str, Any] = filled.said[0]
        for group in links:
            for path in group:
                owner, _, param = path.partition(".")
                if owner == tool.name and param in said and group[0] not in shared:
                    shared[group[0]] = Value(said[param], filled.arguments[0][param])


def _slots(line: str) -> set[str]:
    names = (match[1].split("|")[0].rpartition(":")[2] for match in SLOT.finditer(line))
    return {name.rstrip("23") for name in names}


def _required(tool: ToolDoc) -> set[str]:
    return {name for name, param in tool.params.items() if param.required}


def _listed(words: Sequence[str]) -> str:
    """Join words as in English: ``a, b and c``."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
