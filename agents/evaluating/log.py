"""The durable log of an evaluation: one append for each finished episode, read again on resume."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from agents.evaluating.settings import Settings
from agents.files import write_json_atomically
from agents.game import Game
from toolrl_env.core.errors import ConfigurationError, DataError
from toolrl_env.core.types import Trajectory
from toolrl_env.wrappers.trajectories import encode

__all__ = ["Attempt", "AttemptLog", "Failure", "read_object"]

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Attempt:
    """One finished attempt at one task.

    Attributes:
        task_index: Index of the task.
        attempt: Number of the attempt, from 0.
        task_id: Id of the task.
        category: Category of the task; may be empty.
        reward: The sum of the turns' rewards.
        components: The sum of each reward term over the turns.
        is_success: Whether it was solved.
        turns: Answers given.
        stop_reason: Why it ended.
    """

    task_index: int
    attempt: int
    task_id: str
    category: str
    reward: float
    components: Mapping[str, float]
    is_success: bool
    turns: int
    stop_reason: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt in which something of ours failed. It has no reward, and a rerun tries it again.

    Attributes:
        task_index: Index of the task.
        attempt: Number of the attempt, from 0.
        kind: The ``FailureKind``.
        reason: The same in words.
    """

    task_index: int
    attempt: int
    kind: str
    reason: str


class AttemptLog:
    """The folder of one evaluation.

    ``settings.json`` is what the run depends on. ``trajectories.jsonl`` has a line for each
    finished episode (``toolrl replay`` reads it), written by one unbuffered append, with its
    ``Attempt`` as ``notes``. ``failures.jsonl`` has a line for each attempt that failed since the
    run was last started.

    One process has the folder at a time, until ``close`` or its own end. Where the file system
    knows no locks, that is the user's to see to.

    Args:
        folder: The folder; made if it is not there.
        settings: Of the run.

    Attributes:
        done: Finished attempts by task index and number; those of earlier starts included.
        failures: Attempts that failed since this start.

    Raises:
        ConfigurationError: The folder holds an evaluation with other settings; says which. Or
            another evaluation is writing there.
        DataError: A file of the folder cannot be read or written.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._settings = settings
        self._trajectories = folder / "trajectories.jsonl"
        self._failures = folder / "failures.jsonl"
        self.done: dict[tuple[int, int], Attempt] = {}
        self.failures: list[Failure] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock: int | None = _lock(folder)
        except OSError as error:
            raise _unwritten(folder, error) from error
        try:
            self._claim(folder / "settings.json")
            self._trajectories.touch()
            self._failures.write_bytes(b"")
            self._read()
        except OSError as error:
            self.close()
            raise _unwritten(folder, error) from error
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """Return the log."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let another evaluation have the folder. May be called again."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def finish(self, game: Game) -> None:
        """Write down a game that is over."""
        if game.failure is not None:
            failure = Failure(
                game.index, game.attempt, game.failure.kind.value, game.failure.reason
            )
            self.failures.append(failure)
            _append(self._failures, json.dumps(asdict(failure)))
            return
        last = game.turns[-1]
        attempt = Attempt(
            task_index=game.index,
            attempt=game.attempt,
            task_id=game.task_id,
            category=game.category,
            reward=game.reward,
            components=game.components,
            is_success=last.is_success,
            turns=len(game.turns),
            stop_reason="" if last.stop_reason is None else last.stop_reason.value,
        )
        trajectory = Trajectory(
            env_id=self._settings.env_id,
            env_kwargs=self._settings.env_kwargs,
            fingerprint=self._settings.fingerprint,
            task_id=game.task_id,
            training_step=0,
            transitions=tuple(game.transitions),
        )
        _append(self._trajectories, encode(trajectory, asdict(attempt)))
        self.done[game.index, game.attempt] = attempt

    def _claim(self, path: Path) -> None:
        """Write the settings, or see that the ones that are there are the same."""
        if not path.exists():
            if self._trajectories.exists():
                raise ConfigurationError(
                    f"{self._trajectories} is there but no {path.name}: it is no folder of an "
                    "evaluation. Choose another --out."
                )
            write_json_atomically(path, self._settings.as_json())
            return
        before = Settings.from_json(read_object(path), path)
        changed = before.differences(self._settings)
        if changed:
            listed = "\n".join(
                f"  {name}: there {_short(there)}, now {_short(now)}"
                for name, (there, now) in changed.items()
            )
            raise ConfigurationError(
                f"{path.parent} holds an evaluation with other settings:\n{listed}\n"
                "Go on with the same settings, choose another --out, or delete the folder."
            )

    def _read(self) -> None:
        """Read what is done; a last line that a kill has cut is taken off."""
        data = self._trajectories.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            os.truncate(self._trajectories, whole)
        for number, line in enumerate(data[:whole].splitlines(), 1):
            try:
                attempt = Attempt(**json.loads(line)["notes"])
            except (ValueError, TypeError, KeyError) as error:
                raise DataError(
                    f"{self._trajectories}, line {number}: no episode of an evaluation: {error!r}"
                ) from error
            self.done.setdefault((attempt.task_index, attempt.attempt), attempt)


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        DataError: It cannot be read, or is none.
    """
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise DataError(f"{path}: not an object but {type(value).__name__}")
    return value


def _append(path: Path, line: str) -> None:
    try:
        with path.open("ab", buffering=0) as file:
            file.write(line.encode("ascii") + b"\n")
    except OSError as error:
        raise _unwritten(path, error) from error


def _lock(folder: Path) -> int:
    """Return an open descriptor of the folder that is locked for as long as it is open."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ConfigurationError(
            f"another evaluation is writing into {folder}: let it end, or choose another --out"
        ) from error
    except OSError:  # a file system without locks: see AttemptLog
        return descriptor
    return descriptor


def _unwritten(path: Path, error: OSError) -> DataError:
    return DataError(f"{path}: cannot be written: {error.strerror or error}")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
