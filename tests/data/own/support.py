"""A till, some functions, and tasks over them; importable, so that a worker can have them."""

from __future__ import annotations

from toolrl_env.core.types import Message, ToolCall
from toolrl_env.data.own import Goal, OwnTask
from toolrl_env.tools import ToolError, ToolSuite, read, write


class Till(ToolSuite):
    """A till with a drawer."""

    def __init__(self, money: int = 0) -> None:
        self.money = money
        self.receipts: list[int] = []

    @write
    def pay_in(self, amount: int) -> int:
        """Put money into the till; returns what is in it.

        Args:
            amount: How much.
        """
        if amount <= 0:
            raise ToolError("the amount must be positive")
        self.money += amount
        self.receipts.append(amount)
        return self.money

    @read
    def count(self) -> int:
        """Count the money."""
        return self.money


def add(first: int, second: int) -> int:
    """Add two numbers.

    Args:
        first: One.
        second: The other.
    """
    return first + second


def is_five(till: Till) -> bool:
    """Return whether there are 5 in the till."""
    return till.money == 5


def one_receipt(till: Till) -> bool:
    """Return whether it was paid in one go."""
    return len(till.receipts) == 1


def pay(amount):
    return ToolCall("pay_in", {"amount": amount})


def own_task(**fields):
    return OwnTask(**{"id": "t", "messages": (Message("user", "Go."),), **fields})


ROWS = [
    {
        "id": "gold-state",
        "question": "Pay 3 in, then 2.",
        "gold": [[{"name": "pay_in", "parameters": {"amount": n}}] for n in (3, 2)],
    },
    {
        "id": "gold-results",
        "question": "What is 2 + 3?",
        "gold": [[{"name": "add", "parameters": {"first": 2, "second": 3}}], "It is 5."],
    },
    {"id": "answer", "question": "What is 1 + 1?", "answer": ["2", "two"], "gold": ["It is 2."]},
    {
        "id": "setup",
        "question": "How much is in the till?",
        "setup": [{"name": "pay_in", "arguments": {"amount": 7}}],
        "answer": "7",
        "gold": [[{"name": "count", "parameters": {}}], "There are 7 in it."],
        "tools": ["count"],
        "category": "look",
    },
    own_task(
        id="goals",
        goals=(Goal(is_five, "Till"), Goal(one_receipt, "Till")),
        gold=((pay(5),), "Done."),
    ),
]
