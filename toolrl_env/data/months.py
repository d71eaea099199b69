"""The names of the months, whatever the machine's language is."""

from __future__ import annotations

__all__ = ["MONTHS"]

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
"""In order; January is at index 0."""
