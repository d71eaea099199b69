"""``WorkspaceSuite``: the whole office as one suite of tools."""

from __future__ import annotations

from toolrl_env.tools.suites.workspace.calendar import CalendarTools
from toolrl_env.tools.suites.workspace.files import FileTools
from toolrl_env.tools.suites.workspace.mail import MailTools
from toolrl_env.tools.suites.workspace.money import MoneyTools
from toolrl_env.tools.suites.workspace.orders import OrderTools
from toolrl_env.tools.suites.workspace.people import ContactTools, DeskTools
from toolrl_env.tools.suites.workspace.tasks import TaskTools

__all__ = ["FIELDS", "WorkspaceSuite"]


class WorkspaceSuite(
    MoneyTools, OrderTools, TaskTools, FileTools, MailTools, CalendarTools, ContactTools, DeskTools
):
    """A small office that lives in memory: people, calendar, mail, files, tasks, orders, money.

    The state is one SQLite database. Time stands still during an episode, ids are counted up, and
    nothing is random, so equal calls on equal states give equal results everywhere. Every tool
    refuses what it cannot do with a ``ToolError`` that says why, and then has changed nothing.

    >>> from toolrl_env.tools.suites.workspace import Database, Image
    >>> image = Image.of({"contacts": [(1, "Ada Moor", "ada@office.example", "", "", "")]})
    >>> office = WorkspaceSuite(Database(image))
    >>> before = office.snapshot()
    >>> office.create_file("/notes.txt", "Call Ada")
    {'path': '/notes.txt'}
    >>> office.restore(before)
    >>> office.list_folder("/notes")
    []
    """


FIELDS = {
    "desk": DeskTools,
    "contacts": ContactTools,
    "calendar": CalendarTools,
    "mail": MailTools,
    "files": FileTools,
    "tasks": TaskTools,
    "orders": OrderTools,
    "money": MoneyTools,
}
"""The class that holds each field's tools."""
