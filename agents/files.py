"""Files that are there whole or not at all, and what is in a module's file."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from types import ModuleType

__all__ = ["source_hash", "write_json_atomically"]


def source_hash(module: ModuleType) -> str:
    """Return the SHA-256 of a module's file; empty if it has none."""
    file = vars(module).get("__file__")
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""


def write_json_atomically(path: Path, value: object) -> None:
    """Write a JSON file by one rename when it is complete, whatever happens meanwhile.

    Who may read it is what the process says of all its files (umask).
    """
    scratch = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with scratch.open("x", encoding="utf-8") as file:
            json.dump(value, file, indent=1, allow_nan=False)
            file.write("\n")
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
