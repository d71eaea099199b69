"""The office's tools around accounts, invoices and payments."""

from __future__ import annotations

from typing import Any

from toolrl_env.tools.suite import read, write
from toolrl_env.tools.suites.workspace.common import (
    MAX_FOUND,
    Cents,
    Email,
    Id,
    Search,
    matching,
)
from toolrl_env.tools.suites.workspace.ledger import Ledger
from toolrl_env.tools.tool import ToolError

__all__ = ["LOCKED", "MoneyTools"]

LOCKED = ("pay_invoice", "transfer_money", "send_payment")
"""The tools that refuse until ``authorise_payments`` succeeded."""

_INVOICE = (
    "SELECT id AS invoice_id, supplier, contact, amount AS amount_cents, due, status, paid_from "
    "FROM invoices WHERE id = ?"
)


class MoneyTools(Ledger):
    """Accounts and invoices. Amounts are whole cents. What was paid cannot be called back."""

    @read
    def list_accounts(self) -> list[dict[str, Any]]:
        """The office's accounts: numbers and names."""
        return self.database.all("SELECT id AS account_id, name FROM accounts ORDER BY id")

    @read
    def get_balance(self, account_id: Id) -> dict[str, int]:
        """What an account holds, in cents.

        Args:
            account_id: The account's number.
        """
        return {"account_id": account_id, "balance_cents": self._balance(account_id)}

    @read
    def list_transactions(self, account_id: Id) -> list[dict[str, Any]]:
        """The latest transactions of an account, newest first.

        Args:
            account_id: The account's number.
        """
        self._balance(account_id)
        sql = (
            "SELECT id AS transaction_id, date, amount AS amount_cents, counterparty, note "
            "FROM transactions WHERE account = ? ORDER BY id DESC LIMIT ?"
        )
        return self.database.all(sql, account_id, MAX_FOUND)

    @read
    def find_invoices(self, supplier: Search = "", contact: Search = "") -> list[dict[str, Any]]:
        """Search the invoices by supplier, by contact person, or by both.

        Args:
            supplier: Words of the supplier's name that must all occur, in any case.
            contact: E-mail address of the contact person.
        """
        if not supplier.strip() and not contact:
            raise ToolError("give words of the supplier's name, or a 'contact', or both")
        sql = (
            "SELECT id AS invoice_id, supplier, status FROM invoices "
            "WHERE (? = '' OR contact = lower(?)) ORDER BY id"
        )
        return matching(self.database.all(sql, contact, contact), supplier, "supplier")

    @read
    def get_invoice(self, invoice_id: Id) -> dict[str, Any]:
        """Everything about one invoice: supplier, contact person, amount in cents, due date.

        Args:
            invoice_id: The invoice's number.
        """
        return self._row("invoice", _INVOICE, invoice_id)

    @write
    def pay_invoice(self, invoice_id: Id, account_id: Id) -> dict[str, Any]:
        """Pay an open invoice in full. This cannot be undone.

        Args:
            invoice_id: The invoice's number.
            account_id: The account that pays.
        """
        self._unlocked()
        invoice = self._row("invoice", _INVOICE, invoice_id)
        if invoice["status"] != "open":
            raise ToolError(f"invoice {invoice_id} is {invoice['status']} already")
        self._covered(account_id, invoice["amount_cents"])
        sql = "UPDATE invoices SET status = 'paid', paid_from = ? WHERE id = ?"
        with self._together():
            self.database.change("invoices", sql, account_id, invoice_id)
            amount, note = invoice["amount_cents"], f"invoice {invoice_id}"
            self._book(account_id, -amount, invoice["supplier"], note)
        return {"invoice_id": invoice_id, "status": "paid", "amount_cents": amount}

    @write
    def transfer_money(
        self, from_account: Id, to_account: Id, amount_cents: Cents, note: Search = ""
    ) -> dict[str, Any]:
        """Move money between two of the office's accounts. This cannot be undone.

        Args:
            from_account: The account that pays.
            to_account: The account that receives.
            amount_cents: How much, in cents.
            note: What it is for.
        """
        self._unlocked()
        if from_account == to_account:
            raise ToolError("the two accounts are the same")
        self._balance(to_account)
        self._covered(from_account, amount_cents)
        with self._together():
            self._book(from_account, -amount_cents, f"account {to_account}", note)
            self._book(to_account, amount_cents, f"account {from_account}", note)
        return {"status": "transferred", "amount_cents": amount_cents}

    @write
    def send_payment(
        self, email: Email, amount_cents: Cents, account_id: Id, note: Search = ""
    ) -> dict[str, Any]:
        """Pay money to somebody in the contacts. This cannot be undone.

        Args:
            email: Their e-mail address.
            amount_cents: How much, in cents.
            account_id: The account that pays.
            note: What it is for.
        """
        self._unlocked()
        person = self._known(email)
        self._covered(account_id, amount_cents)
        payment = self._book(account_id, -amount_cents, person, note)
        return {"transaction_id": payment, "status": "sent", "amount_cents": amount_cents}

    def _unlocked(self) -> None:
        if self._setting("authorised") != "yes":
            raise ToolError("payments are locked; call authorise_payments with the user's code")
