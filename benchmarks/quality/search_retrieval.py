"""Are the built-in search questions two-hop, and what do the answer scores reward?

    python -m benchmarks.quality.search_retrieval [--bamboogle ../shared/data/bamboogle/data.json]

Three tables. *Retrieval*: in how many questions the evidence is among the first k passages, for the
gold searches and for the question itself as the only query; were the questions one-hop, the second
passage would be found by the question as well. *Policies*: what answering in some ways earns under
each score, honest ways and others. *Bamboogle*: what each score gives to hand-made variants of the
real answers, next to what a careful reader would say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import tyro
from rich.console import Console
from rich.table import Table

from toolrl_env.data.search import ANSWER_SCORES, BM25Backend, Question, load_documents
from toolrl_env.data.search.questions import load_questions
from toolrl_env.data.search.world.files import PASSAGES, QUESTIONS
from toolrl_env.data.search.world.kinds import load_kinds

__all__ = ["POLICIES", "VARIANTS", "bamboogle_table", "policy_table", "recall", "retrieval_table"]

BAMBOOGLE = Path(__file__).resolve().parents[3] / "shared" / "data" / "bamboogle" / "data.json"
KS = (1, 3, 5, 10)


@dataclass(frozen=True)
class Config:
    """What to run.

    Attributes:
        bamboogle: The real questions; the third table is left out if they are not there.
    """

    bamboogle: Path = BAMBOOGLE


# --------------------------------------------------------------------------- retrieval


@cache
def _backend() -> BM25Backend:
    return BM25Backend(load_documents(PASSAGES))


def recall(
    questions: Sequence[Question], queries: Callable[[Question], Sequence[str]], k: int
) -> tuple[float, float, float]:
    """Return the shares of questions whose first, second, and both passages are found.

    Args:
        questions: Questions with evidence.
        queries: The queries of a question: one for both passages, or one for each.
        k: Passages looked at for each query.
    """
    found = Counter[str]()
    for question in questions:
        asked = queries(question)
        pairs = zip(question.evidence, [*asked, *asked][:2], strict=True)
        hits = [
            title in [hit.title for hit in _backend().search(query, k)] for title, query in pairs
        ]
        found.update(name for name, hit in zip(("first", "second"), hits, strict=True) if hit)
        found["both"] += all(hits)
    return (
        found["first"] / len(questions),
        found["second"] / len(questions),
        found["both"] / len(questions),
    )


def retrieval_table() -> Table:
    """Return recall at each k, for questions that name one thing and for those that name two."""
    one_named = {kind.name for kind in load_kinds() if kind.named == 1}
    questions = load_questions(QUESTIONS)
    groups = {
        "the second passage is unnamed": [q for q in questions if q.kind in one_named],
        "both are named": [q for q in questions if q.kind not in one_named],
    }
    table = Table(
        title=f"Recall of the evidence, BM25 over {len(_backend().documents)} passages, %"
    )
    for column in ("questions", "query", "k", "first", "second", "both"):
        table.add_column(
            column, justify="right" if column in ("k", "first", "second", "both") else "left"
        )
    for group, members in groups.items():
        for name, queries in (
            ("gold searches", lambda q: q.searches),
            ("the question", lambda q: (q.text,)),
        ):
            for k in KS:
                shares = [f"{100 * share:.1f}" for share in recall(members, queries, k)]
                table.add_row(f"{group} ({len(members)})", name, str(k), *shares)
        table.add_section()
    return table


# --------------------------------------------------------------------------- policies


def _others(question: Question, questions: Sequence[Question], count: int) -> list[str]:
    """Return wrong answers to questions of the same kind, the likeliest guesses there are."""
    pool = sorted(
        {q.answers[0] for q in questions if q.kind == question.kind} - set(question.answers)
    )
    rng = Random(question.id)
    return rng.sample(pool, min(count, len(pool)))


def _listing(count: int) -> Callable[[Question, Sequence[Question]], str]:
    def policy(question: Question, questions: Sequence[Question]) -> str:
        names = [*_others(question, questions, count - 1), question.answers[0]]
        Random(question.id).shuffle(names)
        return ", ".join(names)

    return policy


def _guess(question: Question, questions: Sequence[Question]) -> str:
    counts = Counter(q.answers[0] for q in questions if q.kind == question.kind)
    return counts.most_common(1)[0][0]


def _both_named(question: Question, questions: Sequence[Question]) -> str:
    del questions
    return " and ".join(question.evidence)


def _hits(question: Question, questions: Sequence[Question]) -> str:
    del questions
    return " ".join(hit.text for hit in _backend().search(question.searches[-1], 1))


POLICIES: Mapping[str, Callable[[Question, Sequence[Question]], str]] = {
    "gold: the answer": lambda q, _: q.answers[0],
    "gold: in <answer> after a sentence": lambda q, _: (
        f"I found it. <answer>{q.answers[0]}</answer>"
    ),
    "gold: in a sentence of seven words": lambda q, _: f"As far as I know, it is {q.answers[0]}.",
    "a neighbour's answer": lambda q, all_: (_others(q, all_, 1) or ["nothing"])[0],
    "the most frequent answer of the kind": _guess,
    "2 candidates, one right": _listing(2),
    "5 candidates, one right": _listing(5),
    "up to 10 candidates, one right": _listing(10),
    "the titles of both passages": _both_named,
    "the last passage, copied": _hits,
    "the question, copied": lambda q, _: q.text,
    "nothing": lambda *_: "",
}
"""Ways to answer."""


def policy_table() -> Table:
    """Return the mean score of each way to answer, over all built-in questions."""
    questions = load_questions(QUESTIONS)
    table = Table(title=f"Mean score of ways to answer, {len(questions)} questions")
    for column in ("response", *ANSWER_SCORES):
        table.add_column(column, justify="left" if column == "response" else "right")
    for name, policy in POLICIES.items():
        said = [(q, policy(q, questions)) for q in questions]
        means = [
            sum(judge(q.text, response, q.answers) for q, response in said) / len(said)
            for judge in ANSWER_SCORES.values()
        ]
        table.add_row(name, *(f"{mean:.3f}" for mean in means))
    return table


# --------------------------------------------------------------------------- Bamboogle


VARIANTS: Mapping[str, tuple[bool, Callable[[str, str], str]]] = {
    "as it stands": (True, lambda a, _: a),
    "in capitals": (True, lambda a, _: a.upper()),
    "with an article and a full stop": (True, lambda a, _: f"The {a}."),
    "in bold": (True, lambda a, _: f"**{a}**"),
    "in <answer>": (True, lambda a, _: f"Let me see. <answer>{a}</answer>"),
    "in \\boxed{}": (True, lambda a, _: f"So we get \\boxed{{{a}}}."),
    "'The answer is …'": (True, lambda a, _: f"I looked it up.\nThe answer is {a}."),
    "in a plain sentence": (True, lambda a, _: f"It seems to be {a}"),
    "in a long explanation": (True, lambda a, _: f"{_LONG} That is why it is {a}"),
    "another question's answer": (False, lambda _, other: other),
    "'not X, but …'": (False, lambda a, other: f"not {a}, but {other}"),
    "two candidates": (False, lambda a, other: f"{a} or {other}"),
    "corrected to a wrong one": (
        False,
        lambda a, other: f"<answer>{a}</answer> No: <answer>{other}</answer>",
    ),
    "its last letter dropped": (False, lambda a, _: a[:-1]),
}
"""Variants of a right answer: whether a careful reader takes it for right, and how it is made."""
_LONG = (
    "First I searched for the person named in the question and found the year, then I searched for "
    "that year."
)


def bamboogle_table(path: Path) -> Table:
    """Return, for each variant, the share of questions each score finds right (1.0)."""
    questions = load_questions(path)
    table = Table(title=f"Bamboogle, {len(questions)} real answers: found right, % (F1: mean)")
    for column in ("variant", "reader", *ANSWER_SCORES):
        table.add_column(column, justify="left" if column == "variant" else "right")
    for name, (right, make) in VARIANTS.items():
        row = [name, "right" if right else "wrong"]
        for judge in ANSWER_SCORES.values():
            scores = [
                judge(
                    q.text,
                    make(q.answers[0], questions[(n + 1) % len(questions)].answers[0]),
                    q.answers,
                )
                for n, q in enumerate(questions)
            ]
            row.append(f"{100 * sum(scores) / len(scores):.1f}")
        table.add_row(*row)
    return table


def main(config: Config) -> None:
    """Print the tables."""
    console = Console()
    console.print(retrieval_table())
    console.print(policy_table())
    if config.bamboogle.is_file():
        console.print(bamboogle_table(config.bamboogle))
    else:
        console.print(f"Bamboogle: {config.bamboogle} is not there")


if __name__ == "__main__":
    main(tyro.cli(Config))
