"""``World``: one session's own instances of the simulated APIs; calling, saving, comparing them.

What a call does and what its result looks like follow the official executor, with its traps left
out: no text is evaluated, no instance is shared. Only a method with official documentation can be
called, by name, with the arguments by keyword.

The official classes keep a few things outside their instances, and each is dealt with here: two of
them alias module-level dictionaries in long contexts (an instance lives on as a pickled copy of
itself, which shares nothing), ``MathAPI`` sets the precision of ``mpmath`` and ``decimal`` for the
whole process (put back after each call), two messages print a set (sorted), and one weather report
is built in a shared dictionary (a lock is held until the result is text).

Not dealt with: ``verify_traveler_information`` compares an age with today's date.
"""

from __future__ import annotations

import contextlib
import copy
import decimal
import importlib
import json
import pickle
import re
import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from toolrl_env.core.errors import InfrastructureError
from toolrl_env.tools.suites.bfcl.canonical import attributes, encode_instance
from toolrl_env.tools.suites.bfcl.docs import method_owners
from toolrl_env.tools.suites.bfcl.library import load_library

__all__ = ["CallOutcome", "World", "WorldState"]

WorldState = Mapping[str, bytes]
"""Class name to the pickled instance. Load only what this process or one you trust has saved."""

_LOCK = threading.RLock()
_PRINTS_A_SET = {
    "book_flight": re.compile(r"(?<=Must be one of \{).*(?=\})", re.DOTALL),
    "edit_ticket": re.compile(r"(?<=Invalid fields for update: ).*", re.DOTALL),
}


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What a call came to.

    Attributes:
        text: The result as the official executor words it; what the response check compares.
        value: The result as JSON, or ``text`` where JSON cannot hold it.
        error: What the API or the exception says went wrong, or ``None``.
    """

    text: str
    value: Any
    error: str | None = None


class World:
    """The instances that one task involves.

    Instances are unpickled when they are first needed and pickled again only after a call on them,
    so a fork costs little more than the classes that are used after it.
    """

    __slots__ = ("_live", "_saved")

    def __init__(self, state: WorldState) -> None:
        """Make a world in ``state``; nothing is shared with where the state came from."""
        self._saved: dict[str, bytes | None] = dict(state)
        self._live: dict[str, Any] = {}

    @classmethod
    def load(cls, classes: Sequence[str], config: Mapping[str, Any], *, long: bool) -> World:
        """Return the world at the beginning of a scenario.

        Args:
            classes: Names of the classes involved, in the official order.
            config: Class name to its official initial state; left as it is.
            long: Whether to fill the state up as the long-context category does.
        """
        library = load_library()
        state: dict[str, bytes] = {}
        with _LOCK:
            for name in classes:
                instance: Any = library.classes[name]()
                if name not in library.stateless:
                    scenario = copy.deepcopy(config.get(name, {}))
                    instance._load_scenario(scenario, long_context=long)
                state[name] = pickle.dumps(instance, pickle.HIGHEST_PROTOCOL)
        return cls(state)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes involved."""
        return tuple(self._saved)

    def instance(self, name: str) -> Any:
        """Return the live instance of a class. Look at it; a change would not be saved."""
        live = self._live.get(name)
        if live is None:
            saved = self._saved[name]
            if saved is None:
                raise InfrastructureError(f"the instance of {name} is lost")
            live = self._live[name] = pickle.loads(saved)
        return live

    def owner(self, method: str) -> Any:
        """Return the live instance that ``method`` belongs to.

        Raises:
            InfrastructureError: It is no documented method of a class involved.
        """
        name = method_owners().get(method)
        if name is None or name not in self._saved:
            raise InfrastructureError(f"{method!r} is no documented method of {self.classes}")
        return self.instance(name)

    def call(self, method: str, arguments: Mapping[str, Any]) -> CallOutcome:
        """Call a documented method with the arguments by keyword.

        An exception out of a simulated API is a result, as it is for the official executor.

        Raises:
            InfrastructureError: ``method`` is no documented method of a class involved.
        """
        instance = self.owner(method)
        self._saved[method_owners()[method]] = None
        with _LOCK, _precision_kept(method_owners()[method]):
            try:
                result: Any = getattr(instance, method)(**copy.deepcopy(dict(arguments)))
                return _outcome(method, result)
            except Exception as error:  # whatever it is, the official executor shows it the model
                text = f"Error during execution: {error}"
                return CallOutcome(text, text, text)

    def save(self) -> WorldState:
        """Return the state; it may be kept, sent elsewhere, and loaded any number of times."""
        for name, saved in self._saved.items():
            if saved is None:
                self._saved[name] = pickle.dumps(self._live[name], pickle.HIGHEST_PROTOCOL)
        return cast("dict[str, bytes]", dict(self._saved))

    def agrees_with(self, other: World) -> bool:
        """Return whether every public attribute of ``other``'s instances has an equal one here.

        The official state check: private attributes (the working directory, the random generator)
        do not count, and ``1 == 1.0``.
        """
        return all(_agree(self.instance(name), other.instance(name)) for name in other.classes)

    def canonical(self) -> bytes:
        """Return the state in a form that is the same for equal states in every process.

        Private attributes that a later call depends on count here.
        """
        parts = [f"{name}:{encode_instance(self.instance(name))}" for name in sorted(self._saved)]
        return "\n".join(parts).encode("utf-8", "surrogatepass")


def _agree(mine: Any, theirs: Any) -> bool:
    own, others = attributes(mine), attributes(theirs)
    return all(
        name in own and bool(own[name] == value)
        for name, value in others.items()
        if not name.startswith("_")
    )


@contextlib.contextmanager
def _precision_kept(class_name: str) -> Generator[None]:
    """Put the process-wide precision back that ``MathAPI`` changes."""
    if class_name != "MathAPI":
        yield
        return
    context: Any = importlib.import_module("mpmath").mp
    before = context.prec
    try:
        with decimal.localcontext():
            yield
    finally:
        context.prec = before


def _outcome(method: str, result: Any) -> CallOutcome:
    """Word a result as the official executor does: text as it is, objects as JSON, else ``str``."""
    if isinstance(result, dict):
        result = _in_order(method, cast("dict[Any, Any]", result))
    try:
        dumped = json.dumps(result)
    except (TypeError, ValueError, RecursionError):
        dumped = None
    text = dumped if dumped is not None and isinstance(result, dict) else str(result)
    value = text if dumped is None else _decoded(dumped, text)
    if isinstance(value, dict) and "error" in value:
        return CallOutcome(text, value, str(cast("dict[str, Any]", value)["error"]))
    return CallOutcome(text, value)


def _in_order(method: str, result: dict[Any, Any]) -> dict[Any, Any]:
    """Sort the items where a message prints a set, whose order changes from process to process."""
    printed, error = _PRINTS_A_SET.get(method), result.get("error")
    if printed is None or not isinstance(error, str):
        return result
    return {**result, "error": printed.sub(lambda m: ", ".join(sorted(m[0].split(", "))), error)}


def _decoded(dumped: str, text: str) -> Any:
    try:
        return json.loads(dumped, parse_constant=_refuse_constant)
    except ValueError:
        return text


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
