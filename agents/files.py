"""Files that are there whole or not at all, and what is in a module's file."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

__all__ = ["replacing", "source_hash", "write_json_atomically"]


def source_hash(module: ModuleType) -> str:
    """Return the SHA-256 of a module's file; empty if it has none."""
    file = vars(module).get("__file__")
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a new path beside ``path``; what is written there takes its place by one rename.

    If the block raises, nothing has changed. Who may read the file is for the process's umask to
    say, if the block opens it as usual.
    """
    scratch = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        yield scratch
        scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def write_json_atomically(path: Path, value: object) -> None:
    """Write a JSON file that is there whole or not at all."""
    with replacing(path) as scratch, scratch.open("x", encoding="utf-8") as file:
        json.dump(value, file, indent=1, allow_nan=False)
        file.write("\n")
