"""Predicted calls to gold calls over a whole trajectory: similarity and optimal assignment."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any

from toolrl_env.core.types import ParsedCall, ToolCall

__all__ = ["assign_calls", "best_assignment", "same_call", "similarity"]

Equal = Callable[[Any, Any], bool]


def similarity(gold: ToolCall, call: ParsedCall, equal: Equal) -> float:
    """S = [same name] * (1 + J + V) / (2 + n), in ``[0, 1]``.

    J is the Jaccard index of the sets of parameter names (1 if both are empty), V the number of
    gold parameters with an equal value, n the number of gold parameters. Source: the matching score
    of MatchTIR, arXiv 2601.10712. 0 for a call that could not be decoded.

    >>> from toolrl_env.rewards.values import equal_python
    >>> call = ParsedCall("", (0, 0), name="book", arguments={"day": "Monday", "seats": 3})
    >>> similarity(ToolCall("book", {"day": "Monday", "seats": 2}), call, equal_python)
    0.75
    """
    if call.issue is not None or call.arguments is None or call.name != gold.name:
        return 0.0
    mine, other = gold.arguments, call.arguments
    union = len(mine.keys() | other.keys())
    jaccard = len(mine.keys() & other.keys()) / union if union else 1.0
    values = sum(key in other and equal(value, other[key]) for key, value in mine.items())
    return (1.0 + jaccard + values) / (2 + len(mine))


def same_call(gold: ToolCall, call: ParsedCall, equal: Equal) -> bool:
    """Whether a call is the gold call: same name, the same parameters, equal values."""
    return (
        call.issue is None
        and call.arguments is not None
        and call.name == gold.name
        and call.arguments.keys() == gold.arguments.keys()
        and all(equal(value, call.arguments[key]) for key, value in gold.arguments.items())
    )


def assign_calls(
    gold: Sequence[ToolCall], calls: Sequence[ParsedCall], equal: Equal
) -> list[tuple[int | None, float]]:
    """Give each gold call a predicted call, or none, so that the sum of similarities is greatest.

    Only calls of one name resemble each other, so each name is solved by itself. Of equally good
    calls the earlier ones are taken.

    Returns:
        Per gold call the index of its predicted call, or ``None``, and their similarity.
    """
    pairs: list[tuple[int | None, float]] = [(None, 0.0)] * len(gold)
    by_name: dict[str | None, list[int]] = {}
    for index, call in enumerate(calls):
        if call.issue is None and call.arguments is not None:
            by_name.setdefault(call.name, []).append(index)
    rows_of: dict[str, list[int]] = {}
    for index, call in enumerate(gold):
        rows_of.setdefault(call.name, []).append(index)
    for name, rows in rows_of.items():
        columns = by_name.get(name, [])
        scores = [[similarity(gold[i], calls[j], equal) for j in columns] for i in rows]
        for row, column, line in zip(rows, best_assignment(scores), scores, strict=True):
            if column is not None:
                pairs[row] = (columns[column], line[column])
    return pairs


def best_assignment(scores: Sequence[Sequence[float]]) -> list[int | None]:
    """Choose at most one column per row, none twice, with the greatest sum of scores.

    The Hungarian method by shortest augmenting paths (Kuhn 1955; Jonker and Volgenant 1987). Of n
    rows each needs its n best columns only: if it had another, one of those would be free. That
    bounds the time, O(n^4) beyond one look at every score, however many columns there are.

    Args:
        scores: ``[row][column]``, not negative, all rows of one length.

    Returns:
        The column of each row, or ``None`` where it gets none, or one that scores 0. Of equal
        columns the first ones are chosen.

    >>> best_assignment([[0.9, 0.8], [0.9, 0.1]])
    [1, 0]
    """
    rows = len(scores)
    width = len(scores[0]) if rows else 0
    kept = {c for line in scores for c in heapq.nlargest(rows, range(width), key=line.__getitem__)}
    columns = sorted(kept)
    cost = [[-line[c] for c in columns] + [0.0] * rows for line in scores]
    chosen = _solve(cost)
    result: list[int | None] = [
        columns[c] if c < len(columns) and cost[row][c] < 0.0 else None
        for row, c in enumerate(chosen)
    ]
    _prefer_first(scores, columns, result)
    return result


def _solve(cost: list[list[float]]) -> list[int]:
    """Return the column of each row in a cheapest assignment; at least as many columns as rows."""
    rows, width = len(cost), len(cost[0]) if cost else 0
    row_of = [-1] * width  # the row that holds each column
    duals = [0.0] * rows, [0.0] * width
    for row in range(rows):
        column, before = _shortest_path(cost, row, row_of, duals)
        while column >= 0:  # turn the path around: each column goes to the row before it
            previous = before[column]
            row_of[column] = row_of[previous] if previous >= 0 else row
            column = previous
    assigned = [-1] * rows
    for column, row in enumerate(row_of):
        if row >= 0:
            assigned[row] = column
    return assigned


def _shortest_path(
    cost: list[list[float]], start: int, row_of: list[int], duals: tuple[list[float], list[float]]
) -> tuple[int, list[int]]:
    """Find the cheapest way from a row without a column to a free column; update the duals.

    Returns:
        The free column, and for each column on the way the one before it (-1 at the start).
    """
    of_row, of_column = duals
    reach, before = [float("inf")] * len(row_of), [-1] * len(row_of)
    done: list[int] = []
    left = set(range(len(row_of)))
    row, column = start, -1
    while True:
        for c in left:
            way = cost[row][c] - of_row[row] - of_column[c]
            if way < reach[c]:
                reach[c], before[c] = way, column
        nearest = min(left, key=lambda c: (reach[c], c))
        step = reach[nearest]
        of_row[start] += step
        for c in done:
            of_row[row_of[c]] += step
            of_column[c] -= step
        for c in left:
            reach[c] -= step
        left.remove(nearest)
        done.append(nearest)
        if row_of[nearest] < 0:
            return nearest, before
        row, column = row_of[nearest], nearest


def _prefer_first(
    scores: Sequence[Sequence[float]], columns: list[int], result: list[int | None]
) -> None:
    """Move each row to the first free column that scores the same, in order of columns."""
    free = [c for c in columns if c not in result]
    order = [(c, row) for row, c in enumerate(result) if c is not None]
    for column, row in sorted(order):
        better = [c for c in free if c < column and scores[row][c] == scores[row][column]]
        if better:
            result[row] = better[0]
            free[free.index(better[0])] = column
            free.sort()
