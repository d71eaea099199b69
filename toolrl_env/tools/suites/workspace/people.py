"""The office's tools around the user and the contacts."""

from __future__ import annotations

import datetime
import hmac
from typing import Any, Literal

from toolrl_env.tools.suite import read, write
from toolrl_env.tools.suites.workspace.common import Email, Id, Line, Office, Search, matching
from toolrl_env.tools.tool import ToolError

__all__ = ["MAX_WRONG_CODES", "ContactTools", "DeskTools"]

MAX_WRONG_CODES = 3
"""After so many wrong codes payments stay locked for good."""

_CONTACTS = "SELECT id AS contact_id, name, email, phone, company, role FROM contacts"
_UPDATES = {
    "name": "UPDATE contacts SET name = ? WHERE id = ?",
    "email": "UPDATE contacts SET email = ? WHERE id = ?",
    "phone": "UPDATE contacts SET phone = ? WHERE id = ?",
    "company": "UPDATE contacts SET company = ? WHERE id = ?",
    "role": "UPDATE contacts SET role = ? WHERE id = ?",
}


class DeskTools(Office):
    """The user, the date, and the lock on payments."""

    @property
    def payments_unlocked(self) -> bool:
        """Whether the right code was given."""
        return ("authorised", "yes") in self.database.rows("office")

    @read
    def current_time(self) -> dict[str, str]:
        """Today's date, weekday and time in the office."""
        weekday = datetime.date.fromisoformat(self._today).strftime("%A")
        return {"date": self._today, "weekday": weekday, "time": self._setting("time")}

    @read
    def who_am_i(self) -> dict[str, str]:
        """Name and e-mail address of the user on whose behalf you act."""
        return {"name": self._setting("user_name"), "email": self._me}

    @write
    def authorise_payments(self, code: Line) -> dict[str, str]:
        """Unlock the tools that move money, with the user's payment code. Never guess the code.

        Args:
            code: The six digits.
        """
        wrong = int(self._setting("wrong_codes") or 0)
        if wrong >= MAX_WRONG_CODES:
            raise ToolError("payments are locked for good after too many wrong codes")
        if self.payments_unlocked:
            raise ToolError("payments are unlocked already")
        if not hmac.compare_digest(code.strip().encode("utf-8", "replace"), self._code()):
            self._set("wrong_codes", str(wrong + 1))
            left = MAX_WRONG_CODES - wrong - 1
            raise ToolError(f"wrong code; {left} more and payments stay locked for good")
        self._set("authorised", "yes")
        return {"status": "payments are unlocked; the payment tools are available now"}

    def _code(self) -> bytes:
        return self._setting("payment_code").encode()


class ContactTools(Office):
    """The address book."""

    @read
    def find_contacts(self, query: Line) -> list[dict[str, Any]]:
        """Search the contacts by name, e-mail address, company or role.

        Args:
            query: Words that must all occur, in any case.
        """
        found = matching(self.database.all(_CONTACTS), query, "name", "email", "company", "role")
        return [{key: row[key] for key in ("contact_id", "name", "email")} for row in found]

    @read
    def get_contact(self, contact_id: Id) -> dict[str, Any]:
        """Everything that is known about one contact.

        Args:
            contact_id: The contact's number.
        """
        return self._contact(contact_id)

    @read
    def list_company(self, company: Search) -> list[dict[str, Any]]:
        """The contacts who work for one company, with their roles.

        Args:
            company: The company's name, or part of it.
        """
        found = matching(self.database.all(_CONTACTS), company, "company")
        return [{key: row[key] for key in ("contact_id", "name", "role")} for row in found]

    @write
    def add_contact(
        self, name: Line, email: Email, phone: Search = "", company: Search = "", role: Search = ""
    ) -> dict[str, int]:
        """Add somebody to the contacts.

        Args:
            name: Full name.
            email: E-mail address; nobody else may have it.
            phone: Phone number.
            company: Employer.
            role: Job title.
        """
        address = self._new_address(email)
        sql = "INSERT INTO contacts (name, email, phone, company, role) VALUES (?, ?, ?, ?, ?)"
        added = self.database.change("contacts", sql, name, address, phone, company, role)
        return {"contact_id": added}

    @write
    def update_contact(
        self,
        contact_id: Id,
        field: Literal["name", "email", "phone", "company", "role"],
        value: Line,
    ) -> dict[str, Any]:
        """Change one field of a contact.

        Args:
            contact_id: The contact's number.
            field: Which field.
            value: What it is to be.
        """
        self._contact(contact_id)
        new = self._new_address(value) if field == "email" else value
        self.database.change("contacts", _UPDATES[field], new, contact_id)
        return self._contact(contact_id)

    @write
    def delete_contact(self, contact_id: Id) -> dict[str, str]:
        """Remove a contact. This cannot be undone.

        Args:
            contact_id: The contact's number.
        """
        row = self._contact(contact_id)
        self.database.change("contacts", "DELETE FROM contacts WHERE id = ?", contact_id)
        return {"deleted": row["name"]}

    def _contact(self, contact_id: int) -> dict[str, Any]:
        return self._row("contact", f"{_CONTACTS} WHERE id = ?", contact_id)

    def _new_address(self, email: str) -> str:
        address = self._address(email)
        if self.database.one("SELECT id FROM contacts WHERE email = ?", address):
            raise ToolError(f"a contact with the address {address!r} exists already")
        return address
