"""The office's tools around mail."""

from __future__ import annotations

from typing import Any, Literal

from toolrl_env.tools.suite import read, write
from toolrl_env.tools.suites.workspace.common import (
    Body,
    Emails,
    Id,
    Line,
    Office,
    Paths,
    Search,
    as_list,
    matching,
    pack,
)
from toolrl_env.tools.tool import ToolError

__all__ = ["MailTools"]

Folder = Literal["inbox", "archive", "projects", "later"]

_MAIL = (
    "SELECT id AS mail_id, folder, sender, recipients, subject, body, attachments, date, reply_to, "
    "forward_of, read FROM mails WHERE id = ?"
)


class MailTools(Office):
    """The mailbox. What was sent cannot be called back."""

    @read
    def list_mails(self, folder: Literal["inbox", "archive", "projects", "later", "sent"]) -> Any:
        """The subjects of one folder's mails.

        Args:
            folder: Which folder.
        """
        sql = "SELECT id AS mail_id, subject, date FROM mails WHERE folder = ? ORDER BY id"
        return self.database.all(sql, folder)

    @read
    def search_mails(self, query: Search = "", sender: Search = "") -> list[dict[str, Any]]:
        """Search received mails by words of the subject, by sender, or by both.

        Args:
            query: Words of the subject that must all occur, in any case.
            sender: The sender's e-mail address.
        """
        if not query.strip() and not sender:
            raise ToolError("give words of the subject in 'query', or a 'sender', or both")
        sql = (
            "SELECT id AS mail_id, subject FROM mails "
            "WHERE folder <> 'sent' AND (? = '' OR sender = lower(?)) ORDER BY id"
        )
        return matching(self.database.all(sql, sender, sender), query, "subject")

    @read
    def read_mail(self, mail_id: Id) -> dict[str, Any]:
        """One mail: sender, recipients, subject, body, attached files. Does not mark it as read.

        Args:
            mail_id: The mail's number.
        """
        mail = self._mail(mail_id)
        lists = {key: as_list(mail[key]) for key in ("recipients", "attachments")}
        shown = {k: v for k, v in mail.items() if k not in {"reply_to", "forward_of", "read"}}
        return {**shown, **lists}

    @write
    def send_mail(
        self,
        to: Emails,
        subject: Line,
        body: Body,
        attachments: Paths = [],  # noqa: B006  # a schema default, never changed
    ) -> dict[str, int]:
        """Send a mail. This cannot be undone.

        Args:
            to: E-mail addresses of the recipients.
            subject: Subject line.
            body: Text.
            attachments: Paths of files of the office to attach.
        """
        people = [self._known(email) for email in to]
        paths = [self._file(path)["path"] for path in attachments]
        return self._sent(people, subject, body, paths, None, None)

    @write
    def reply_to_mail(self, mail_id: Id, body: Body) -> dict[str, int]:
        """Answer a mail's sender. This cannot be undone.

        Args:
            mail_id: The mail to answer.
            body: Text of the answer.
        """
        mail = self._received(mail_id)
        return self._sent([mail["sender"]], f"Re: {mail['subject']}"[:220], body, [], mail_id, None)

    @write
    def forward_mail(self, mail_id: Id, to: Emails, comment: Body = "") -> dict[str, int]:
        """Forward a mail with everything attached to it. This cannot be undone.

        Args:
            mail_id: The mail to forward.
            to: E-mail addresses of the recipients.
            comment: Text above the forwarded mail.
        """
        mail, people = self._mail(mail_id), [self._known(email) for email in to]
        subject, paths = f"Fwd: {mail['subject']}"[:220], as_list(mail["attachments"])
        return self._sent(people, subject, comment, paths, None, mail_id)

    @write
    def move_mail(self, mail_id: Id, folder: Folder) -> dict[str, Any]:
        """Put a received mail into another folder.

        Args:
            mail_id: The mail's number.
            folder: Where it goes.
        """
        self._received(mail_id)
        self.database.change("mails", "UPDATE mails SET folder = ? WHERE id = ?", folder, mail_id)
        return {"mail_id": mail_id, "folder": folder}

    @write
    def mark_mail(self, mail_id: Id, read: bool) -> dict[str, Any]:
        """Mark a received mail as read or unread.

        Args:
            mail_id: The mail's number.
            read: True for read, false for unread.
        """
        self._received(mail_id)
        sql = "UPDATE mails SET read = ? WHERE id = ?"
        self.database.change("mails", sql, int(read), mail_id)
        return {"mail_id": mail_id, "read": read}

    @write
    def delete_mail(self, mail_id: Id) -> dict[str, Any]:
        """Delete a mail. This cannot be undone.

        Args:
            mail_id: The mail's number.
        """
        mail = self._mail(mail_id)
        self.database.change("mails", "DELETE FROM mails WHERE id = ?", mail_id)
        return {"deleted": mail["subject"]}

    def _mail(self, mail_id: int) -> dict[str, Any]:
        return self._row("mail", _MAIL, mail_id)

    def _received(self, mail_id: int) -> dict[str, Any]:
        mail = self._mail(mail_id)
        if mail["folder"] == "sent":
            raise ToolError(f"mail {mail_id} was sent by the user, not received")
        return mail

    def _sent(
        self,
        people: list[str],
        subject: str,
        body: str,
        paths: list[str],
        reply_to: int | None,
        forward_of: int | None,
    ) -> dict[str, int]:
        sql = (
            "INSERT INTO mails (folder, sender, recipients, subject, body, attachments, date, "
            "reply_to, forward_of, read) VALUES ('sent', ?, ?, ?, ?, ?, ?, ?, ?, 1)"
        )
        values = (self._me, pack(people), subject, body, pack(paths), self._today)
        added = self.database.change("mails", sql, *values, reply_to, forward_of)
        return {"mail_id": added}
