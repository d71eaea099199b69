"""Booking money: what orders and payments share."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

from toolrl_env.tools.suites.workspace.common import Office
from toolrl_env.tools.tool import ToolError

__all__ = ["Ledger", "euros"]


def euros(cents: int) -> str:
    """Return an amount for a person.

    >>> euros(125000), euros(-5)
    ('1250.00 EUR', '-0.05 EUR')
    """
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02} EUR"


class Ledger(Office):
    """An account's balance is the sum of its transactions, so the two can never disagree."""

    def _balance(self, account_id: int) -> int:
        self._row("account", "SELECT id FROM accounts WHERE id = ?", account_id)
        sql = "SELECT coalesce(sum(amount), 0) AS balance FROM transactions WHERE account = ?"
        return self._row("account", sql, account_id)["balance"]

    def _covered(self, account_id: int, cents: int) -> None:
        """Refuse an amount that the account does not hold."""
        balance = self._balance(account_id)
        if cents > balance:
            raise ToolError(
                f"account {account_id} holds {euros(balance)}, which does not cover {euros(cents)}"
            )

    def _book(self, account_id: int, cents: int, counterparty: str, note: str) -> int:
        sql = (
            "INSERT INTO transactions (account, date, amount, counterparty, note) "
            "VALUES (?, ?, ?, ?, ?)"
        )
        values = (account_id, self._today, cents, counterparty, note)
        return self.database.change("transactions", sql, *values)

    @contextlib.contextmanager
    def _together(self) -> Generator[None]:
        """Keep all changes of the block, or none."""
        self.database.begin()
        try:
            yield
        except BaseException:
            self.database.rollback()
            raise
        self.database.commit()
