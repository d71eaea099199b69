"""Reading a Google-style docstring: the summary and one description per argument."""

from __future__ import annotations

import inspect
import re

__all__ = ["read_docstring"]

_SECTION = re.compile(r"(Args|Arguments|Returns|Raises|Yields|Note|Notes|Example|Examples):\s*\Z")
_ARGUMENT = re.compile(r"\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.*)\Z")


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Return the description (everything before the first section) and the arguments'.

    >>> read_docstring('''Add.
    ...
    ...     Args:
    ...         a: First
    ...             number.
    ...     ''')
    ('Add.', {'a': 'First number.'})
    """
    section = ""
    description: list[str] = []
    arguments: dict[str, str] = {}
    current = ""
    for line in inspect.cleandoc(text).splitlines():
        if _SECTION.match(line):
            section, current = line.strip().rstrip(":"), ""
        elif not section:
            description.append(line.strip())
        elif section.startswith("Arg") and line.strip():
            start = _ARGUMENT.match(line.strip())
            if start and len(line) - len(line.lstrip()) <= 4:
                current = start[1]
                arguments[current] = start[2]
            elif current:
                arguments[current] = f"{arguments[current]} {line.strip()}"
    words = " ".join(line for line in description if line)
    return words, arguments
