"""The office's tools around files: rows of a table, never files of the machine."""

from __future__ import annotations

import json
from typing import Any, Literal

from toolrl_env.tools.suite import read, write
from toolrl_env.tools.suites.workspace.common import (
    Body,
    Email,
    Line,
    Office,
    Path,
    Search,
    clean_path,
    matching,
    pack,
)
from toolrl_env.tools.tool import ToolError

__all__ = ["MAX_CONTENT", "FileTools"]

MAX_CONTENT = 12_000
"""Characters that one file holds."""

_ADD = "INSERT INTO files (path, owner, modified, content, shares) VALUES (?, ?, ?, ?, ?)"


class FileTools(Office):
    """The file store. What was deleted or overwritten is gone."""

    @read
    def list_folder(self, folder: Path) -> list[str]:
        """The paths of the files in a folder and below.

        Args:
            folder: For example /projects.
        """
        prefix = clean_path(folder.rstrip("/")) + "/"
        paths = [row["path"] for row in self.database.all("SELECT path FROM files ORDER BY path")]
        return [path for path in paths if path.startswith(prefix)]

    @read
    def find_files(self, query: Search = "", owner: Search = "") -> list[str]:
        """Search the files by words of the path, by owner, or by both; gives their paths.

        Args:
            query: Words of the path that must all occur, in any case.
            owner: The owner's e-mail address.
        """
        if not query.strip() and not owner:
            raise ToolError("give words of the path in 'query', or an 'owner', or both")
        sql = "SELECT path FROM files WHERE (? = '' OR owner = lower(?)) ORDER BY path"
        words = " ".join(query.replace("-", " ").replace("_", " ").split())
        return [r["path"] for r in matching(self.database.all(sql, owner, owner), words, "path")]

    @read
    def read_file(self, path: Path) -> str:
        """The text of a file.

        Args:
            path: The file.
        """
        return self._file(path)["content"]

    @read
    def get_file_info(self, path: Path) -> dict[str, Any]:
        """Owner, day of the last change, and with whom a file is shared.

        Args:
            path: The file.
        """
        row = self._file(path)
        shares = json.loads(row["shares"])
        return {"path": path, "owner": row["owner"], "modified": row["modified"], "shares": shares}

    @write
    def create_file(self, path: Path, content: Body) -> dict[str, str]:
        """Create a file of the user's.

        Args:
            path: The file; there must be none of that path.
            content: Its text.
        """
        self.database.change("files", _ADD, self._free(path), self._me, self._today, content, "{}")
        return {"path": path}

    @write
    def append_to_file(self, path: Path, text: Body) -> dict[str, Any]:
        """Add a line at the end of a file.

        Args:
            path: The file.
            text: The line.
        """
        content = f"{self._file(path)['content']}\n{text}"
        if len(content) > MAX_CONTENT:
            raise ToolError(f"a file holds at most {MAX_CONTENT} characters")
        sql = "UPDATE files SET content = ?, modified = ? WHERE path = ?"
        self.database.change("files", sql, content, self._today, path)
        return {"path": path, "characters": len(content)}

    @write
    def move_file(self, path: Path, new_path: Path) -> dict[str, str]:
        """Move or rename a file. Mails, tasks and meetings that mention it are not changed.

        Args:
            path: The file.
            new_path: Its path afterwards; there must be no such file.
        """
        self._file(path)
        sql = "UPDATE files SET path = ? WHERE path = ?"
        self.database.change("files", sql, self._free(new_path), path)
        return {"path": new_path}

    @write
    def copy_file(self, path: Path, new_path: Path) -> dict[str, str]:
        """Copy a file; the copy keeps the owner and is shared with nobody.

        Args:
            path: The file.
            new_path: The copy's path; there must be no such file.
        """
        row = self._file(path)
        values = (self._free(new_path), row["owner"], row["modified"], row["content"], "{}")
        self.database.change("files", _ADD, *values)
        return {"path": new_path}

    @write
    def delete_file(self, path: Path) -> dict[str, str]:
        """Delete a file. This cannot be undone.

        Args:
            path: The file.
        """
        self._file(path)
        self.database.change("files", "DELETE FROM files WHERE path = ?", path)
        return {"deleted": path}

    @write
    def share_file(
        self, path: Path, email: Email, permission: Literal["view", "comment", "edit"]
    ) -> dict[str, Any]:
        """Share a file with somebody, or change what they may do with it.

        Args:
            path: The file.
            email: Their e-mail address.
            permission: What they may do.
        """
        shares: dict[str, str] = json.loads(self._file(path)["shares"])
        return self._shared(path, {**shares, self._known(email): permission})

    @write
    def unshare_file(self, path: Path, email: Email) -> dict[str, Any]:
        """Stop sharing a file with somebody.

        Args:
            path: The file.
            email: Their e-mail address.
        """
        shares: dict[str, str] = json.loads(self._file(path)["shares"])
        if email.lower() not in shares:
            raise ToolError(f"the file is not shared with {email!r}")
        return self._shared(path, {k: v for k, v in shares.items() if k != email.lower()})

    @read
    def search_in_files(self, words: Line) -> list[str]:
        """Search the files by their text; gives their paths.

        Args:
            words: Words that must all occur in the text, in any case.
        """
        rows = self.database.all("SELECT path, content FROM files ORDER BY path")
        return [row["path"] for row in matching(rows, words, "content")]

    def _free(self, path: str) -> str:
        if self.database.one("SELECT path FROM files WHERE path = ?", clean_path(path)):
            raise ToolError(f"there is a file {path!r} already")
        return path

    def _shared(self, path: str, shares: dict[str, str]) -> dict[str, Any]:
        sql = "UPDATE files SET shares = ? WHERE path = ?"
        self.database.change("files", sql, pack(shares), path)
        return {"path": path, "shares": shares}
