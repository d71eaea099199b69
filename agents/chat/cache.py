"""Replies on disk, so that a rerun costs nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.chat.reply import Reply, WrittenCall
from agents.files import write_json_atomically
from toolrl_env.core.errors import DataError

__all__ = ["ReplyCache"]


class ReplyCache:
    """A folder with one file for each request, named by the SHA-256 of everything that is sent.

    A file is there whole or not at all, so that processes may share the folder. One that cannot be
    read counts as absent and is written anew.

    Args:
        folder: The folder; made with the first reply.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser()

    def get(self, request: Mapping[str, Any]) -> Reply | None:
        """Return the reply to a request, if it is there."""
        try:
            fields = json.loads(self._path(request).read_text("utf-8"))
            if fields["request"] != request:
                return None
            reply = fields["reply"]
            calls = tuple(WrittenCall(**call) for call in reply["calls"])
            return Reply(**{**reply, "calls": calls})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def put(self, request: Mapping[str, Any], reply: Reply) -> None:
        """Keep the reply to a request.

        Raises:
            DataError: The folder cannot be written.
        """
        path = self._path(request)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json_atomically(path, {"request": request, "reply": asdict(reply)})
        except OSError as error:
            raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error

    def _path(self, request: Mapping[str, Any]) -> Path:
        written = json.dumps(request, sort_keys=True)
        name = hashlib.sha256(written.encode("ascii")).hexdigest()
        return self._folder / name[:2] / f"{name}.json"
