"""What is wrong with a command, said in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from toolrl_env.core.errors import ToolRLError

__all__ = ["short_refusals"]


@contextmanager
def short_refusals(title: str) -> Iterator[None]:
    """Turn an error of ours into one line on stderr and exit status 2; others keep their traceback.

    Args:
        title: Before the line.

    Raises:
        SystemExit: Instead of a ``ToolRLError``.
    """
    try:
        yield
    except ToolRLError as error:
        print(f"{title}: {error}", file=sys.stderr)
        sys.exit(2)
