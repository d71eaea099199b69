"""The office's tools around tasks."""

from __future__ import annotations

from typing import Any, Literal

from toolrl_env.tools.suite import read, write
from toolrl_env.tools.suites.workspace.common import (
    Day,
    Email,
    Id,
    Line,
    Office,
    matching,
)
from toolrl_env.tools.tool import ToolError

__all__ = ["TaskTools"]

Priority = Literal["low", "normal", "high"]

_TASK = (
    "SELECT id AS task_id, title, assignee, due, priority, status, file, notes FROM tasks "
    "WHERE id = ?"
)


class TaskTools(Office):
    """The list of tasks."""

    @read
    def find_tasks(self, query: Line) -> list[dict[str, Any]]:
        """Search all tasks by title.

        Args:
            query: Words of the title that must all occur, in any case.
        """
        sql = "SELECT id AS task_id, title FROM tasks ORDER BY id"
        return matching(self.database.all(sql), query, "title")

    @read
    def list_tasks(
        self, assignee: Email, status: Literal["open", "done"] = "open"
    ) -> list[dict[str, Any]]:
        """The tasks of one person.

        Args:
            assignee: Their e-mail address.
            status: Open tasks or finished ones.
        """
        sql = (
            "SELECT id AS task_id, title FROM tasks "
            "WHERE assignee = lower(?) AND status = ? ORDER BY id"
        )
        return self.database.all(sql, assignee, status)

    @read
    def get_task(self, task_id: Id) -> dict[str, Any]:
        """Everything about one task: assignee, due date, priority, status, file, notes.

        Args:
            task_id: The task's number.
        """
        return self._row("task", _TASK, task_id)

    @write
    def create_task(
        self, title: Line, assignee: Email, due: Day, priority: Priority = "normal"
    ) -> dict[str, int]:
        """Add an open task.

        Args:
            title: What is to be done.
            assignee: E-mail address of whoever does it.
            due: Until when, YYYY-MM-DD.
            priority: How urgent it is.
        """
        sql = (
            "INSERT INTO tasks (title, assignee, due, priority, status, file, notes) "
            "VALUES (?, ?, ?, ?, 'open', '', '')"
        )
        values = (title, self._known(assignee), self._ahead(due), priority)
        return {"task_id": self.database.change("tasks", sql, *values)}

    @write
    def assign_task(self, task_id: Id, assignee: Email) -> dict[str, Any]:
        """Give an open task to somebody.

        Args:
            task_id: The task's number.
            assignee: Their e-mail address.
        """
        sql = "UPDATE tasks SET assignee = ? WHERE id = ?"
        return self._changed(task_id, sql, self._known(assignee))

    @write
    def set_task_due(self, task_id: Id, due: Day) -> dict[str, Any]:
        """Change until when an open task is to be done.

        Args:
            task_id: The task's number.
            due: The day, YYYY-MM-DD.
        """
        return self._changed(task_id, "UPDATE tasks SET due = ? WHERE id = ?", self._ahead(due))

    @write
    def set_task_priority(self, task_id: Id, priority: Priority) -> dict[str, Any]:
        """Change how urgent an open task is.

        Args:
            task_id: The task's number.
            priority: The new priority.
        """
        return self._changed(task_id, "UPDATE tasks SET priority = ? WHERE id = ?", priority)

    @write
    def set_task_file(self, task_id: Id, path: Line) -> dict[str, Any]:
        """Link an open task to a file.

        Args:
            task_id: The task's number.
            path: The file.
        """
        sql = "UPDATE tasks SET file = ? WHERE id = ?"
        return self._changed(task_id, sql, self._file(path)["path"])

    @write
    def complete_task(self, task_id: Id) -> dict[str, Any]:
        """Mark an open task as done.

        Args:
            task_id: The task's number.
        """
        return self._changed(task_id, "UPDATE tasks SET status = ? WHERE id = ?", "done")

    @write
    def reopen_task(self, task_id: Id) -> dict[str, Any]:
        """Open a finished task again.

        Args:
            task_id: The task's number.
        """
        if self._row("task", _TASK, task_id)["status"] == "open":
            raise ToolError(f"task {task_id} is open already")
        sql = "UPDATE tasks SET status = 'open' WHERE id = ?"
        self.database.change("tasks", sql, task_id)
        return self.get_task(task_id)

    @write
    def delete_task(self, task_id: Id) -> dict[str, Any]:
        """Delete a task. This cannot be undone.

        Args:
            task_id: The task's number.
        """
        task = self._row("task", _TASK, task_id)
        self.database.change("tasks", "DELETE FROM tasks WHERE id = ?", task_id)
        return {"deleted": task["title"]}

    def _changed(self, task_id: int, sql: str, value: str) -> dict[str, Any]:
        if self._row("task", _TASK, task_id)["status"] != "open":
            raise ToolError(f"task {task_id} is done; reopen it before changing it")
        self.database.change("tasks", sql, value, task_id)
        return self.get_task(task_id)
