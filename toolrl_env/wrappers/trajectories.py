"""Trajectories as JSON lines: one finished episode a line, so that a crash costs one line at most.

A line is an object with the fields of ``Trajectory`` and ``"version": 1``; each transition is an
object with the fields of ``Transition``, of which older files lack ``state_hash``. A writer may
add ``notes`` of its own. Text outside ASCII is escaped, lone surrogates included.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from toolrl_env.core.errors import DataError
from toolrl_env.core.types import StopReason, Trajectory, Transition

__all__ = ["BrokenLine", "decode", "encode", "iter_trajectories", "read_trajectories"]

VERSION = 1
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line of a trajectory file that holds no trajectory.

    Attributes:
        line: Its number, from 1.
        reason: Why not, for a person.
        cut: Whether it is the last and lacks its end, as a crash in mid-write leaves it.
    """

    line: int
    reason: str
    cut: bool = False


def encode(trajectory: Trajectory, notes: Mapping[str, Any] | None = None) -> str:
    """Return a trajectory as one line of JSON, without the newline.

    Args:
        trajectory: The trajectory.
        notes: Anything JSON-like to keep beside it, as the field ``notes``; ``decode`` ignores it.
    """
    fields: dict[str, Any] = {"version": VERSION, **asdict(trajectory)}
    if notes is not None:
        fields["notes"] = dict(notes)
    return json.dumps(fields, allow_nan=False)


def decode(line: str) -> Trajectory:
    """Return the trajectory that a line holds.

    Raises:
        DataError: It holds none; names the field.
    """
    try:
        fields: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise DataError(f"not an object but {type(fields).__name__}")
    fields = cast("dict[str, Any]", fields)
    if fields.get("version") != VERSION:
        raise DataError(f"version is {fields.get('version')!r}; this program reads {VERSION}")
    transitions = cast("list[Any]", _field(fields, "transitions", list))
    if not transitions:
        raise DataError("transitions is empty")
    return Trajectory(
        env_id=_field(fields, "env_id", str),
        env_kwargs=cast("dict[str, Any]", _field(fields, "env_kwargs", dict)),
        fingerprint=_field(fields, "fingerprint", str),
        task_id=_field(fields, "task_id", str),
        training_step=_field(fields, "training_step", int),
        transitions=tuple(_transition(item) for item in transitions),
    )


def iter_trajectories(path: str | Path) -> Iterator[Trajectory | BrokenLine]:
    """Yield the trajectories of a file in order, one at a time; a bad line as a ``BrokenLine``.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            for number, data in enumerate(file, 1):
                if not data.isspace():
                    yield _read(number, data)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_trajectories(path: str | Path) -> list[Trajectory]:
    """Return the trajectories of a file; each bad line is left out with a warning.

    Raises:
        DataError: The file cannot be read.
    """
    found: list[Trajectory] = []
    for item in iter_trajectories(path):
        if isinstance(item, Trajectory):
            found.append(item)
        else:
            warnings.warn(f"{path}, line {item.line}: {item.reason}", stacklevel=2)
    return found


def _read(number: int, data: bytes) -> Trajectory | BrokenLine:
    try:
        return decode(data.decode("utf-8"))
    except (DataError, UnicodeDecodeError) as error:
        if not data.endswith(b"\n"):
            return BrokenLine(number, "the last line is cut: the recording was stopped", cut=True)
        return BrokenLine(number, str(error))


def _transition(item: Any) -> Transition:
    if not isinstance(item, dict):
        raise DataError(f"a transition is not an object but {type(item).__name__}")
    fields = cast("dict[str, Any]", item)
    components = cast("dict[str, Any]", _field(fields, "components", dict))
    reason = fields.get("stop_reason")
    if reason is not None and reason not in set(StopReason):
        raise DataError(f"stop_reason is {reason!r}; known: {', '.join(StopReason)}")
    state = fields.get("state_hash")
    return Transition(
        observation=_field(fields, "observation", str),
        action=_field(fields, "action", str),
        reward=_field(fields, "reward", float),
        components={name: _field(components, name, float) for name in components},
        next_observation=_field(fields, "next_observation", str),
        terminated=_field(fields, "terminated", bool),
        truncated=_field(fields, "truncated", bool),
        stop_reason=None if reason is None else StopReason(reason),
        state_hash=None if state is None else _field(fields, "state_hash", str),
    )


def _field(fields: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """Return a field, which must be of exactly this kind; an integer will do for a float."""
    if name not in fields:
        raise DataError(f"{name} is missing")
    value = fields[name]
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise DataError(f"{name} is not {kind.__name__} but {type(value).__name__}")
    return value
