"""The two ways to an environment of theirs: an object in this process, or a client on a wire."""

from __future__ import annotations

import inspect
import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from openenv.core import SyncEnvClient
from openenv.core.client_types import StepResult
from openenv.core.env_server import Environment
from websockets.exceptions import WebSocketException

from agents.integrations.openenv.failures import failure_kind
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, UnknownName
from toolrl_env.core.types import FailureKind

__all__ = ["Came", "InProcess", "Link", "OnWire", "Refused", "action_schema"]

_UNSPOKEN = "Unable to serialize unknown type: <class 'ValueError'>"
"""How OpenEnv 0.10 ends a session when a validator of the action's raises: it cannot send that."""
_CODE = re.compile(r"\(code: (\w+)\)\Z")


class Refused(Exception):
    """Their server does not take the action: it is none by their model of actions.

    Attributes:
        lost: Whether the session went down with it.
    """

    def __init__(self, *, lost: bool) -> None:
        super().__init__("the environment does not take this as an action")
        self.lost = lost


class Came(NamedTuple):
    """What came back: their observation, the reward if they gave one, whether it is over."""

    observation: Any
    reward: float | None
    done: bool


class Link(Protocol):
    """A session with an environment of theirs.

    ``reset`` and ``step`` raise ``InfrastructureError`` for whatever fails on the other side.
    """

    def reset(self, arguments: Mapping[str, Any]) -> Came:
        """Start an episode with what their ``reset`` takes; ``seed`` always is among it."""
        ...

    def step(self, action: Any) -> Came:
        """Take a step. Raises ``Refused`` if it is no action of theirs."""
        ...

    def close(self) -> None:
        """Give up the session."""
        ...


class InProcess:
    """Their ``Environment`` object itself, by its plain methods. Nothing limits how long it takes.

    As their server does, it leaves out a ``seed`` that the environment's ``reset`` does not take.
    """

    def __init__(self, environment: Environment[Any, Any, Any]) -> None:
        self._environment = environment
        taken = inspect.signature(environment.reset).parameters
        self._takes_all = any(p.kind is p.VAR_KEYWORD for p in taken.values())
        self._takes = frozenset(taken)

    def reset(self, arguments: Mapping[str, Any]) -> Came:
        """Start an episode."""
        given = dict(arguments)
        if not self._takes_all:
            if "seed" not in self._takes:
                del given["seed"]
            for name in given.keys() - self._takes:
                raise UnknownName("reset option", name, self._takes)
        return self._call(self._environment.reset, **given)

    def step(self, action: Any) -> Came:
        """Take a step."""
        return self._call(self._environment.step, action)

    def close(self) -> None:
        """Close the environment."""
        self._environment.close()

    def _call(self, method: Any, *args: Any, **kwargs: Any) -> Came:
        try:
            seen = method(*args, **kwargs)
        except InfrastructureError:
            raise
        except Exception as error:
            name = type(self._environment).__name__
            raise InfrastructureError(
                f"{name}.{method.__name__} raised {type(error).__name__}: {error}",
                failure_kind(str(error)),
            ) from error
        return Came(seen, seen.reward, seen.done)


class OnWire:
    """Their client, to a server. Its time-outs hold.

    Their client connects anew where the connection was lost, which in mid-episode would go on in a
    fresh world: here that is a failure.
    """

    def __init__(self, client: SyncEnvClient[Any, Any, Any]) -> None:
        self._sync = client
        self._socket: object = None
        self._sound = True

    def reset(self, arguments: Mapping[str, Any]) -> Came:
        """Start an episode; on a new connection if there is none, or something failed on it."""
        if not self._sound:
            with suppress(OSError, WebSocketException):
                self._sync.disconnect()
        try:
            came = self._call(self._sync.reset, **arguments)
        except Refused as error:
            raise ConfigurationError(
                f"their reset does not take {', '.join(arguments)} as given"
            ) from error
        self._socket = self._sync.async_client._ws
        return came

    def step(self, action: Any) -> Came:
        """Take a step."""
        try:
            came = self._call(self._sync.step, action)
        except (InfrastructureError, Refused) as error:
            self._check_world(error)
            raise
        self._check_world(None)
        return came

    def _check_world(self, error: Exception | None) -> None:
        """Raise if the step went to another connection than the one that was reset."""
        if self._sync.async_client._ws not in (None, self._socket):
            self._sound = False
            raise InfrastructureError(
                "the connection was lost in mid-episode, and with it the world; their client "
                "stepped a fresh one",
                FailureKind.SERVER_DOWN,
            ) from error

    def close(self) -> None:
        """Close the connection, and stop what the client started."""
        with suppress(OSError, WebSocketException):  # there is nothing left to close
            self._sync.close()

    def _call(self, method: Any, *args: Any, **kwargs: Any) -> Came:
        self._sound = False
        try:
            result: StepResult[Any] = method(*args, **kwargs)
        except TimeoutError as error:
            raise InfrastructureError(
                "the server does not answer in time", FailureKind.TIMEOUT
            ) from error
        except (OSError, WebSocketException) as error:
            raise InfrastructureError(
                f"the server is down: {error}", FailureKind.SERVER_DOWN
            ) from error
        except ValueError as error:
            raise InfrastructureError(
                f"the server's answer cannot be read: {error}", FailureKind.BAD_RESULT
            ) from error
        except RuntimeError as error:
            judged = _judge(error)
            self._sound = isinstance(judged, Refused) and not judged.lost
            raise judged from error
        self._sound = True
        return Came(result.observation, result.reward, result.done)


def _judge(error: RuntimeError) -> Exception:
    """Tell a refused action from a failure, by the code at the end of their error's text."""
    text = str(error)
    code = _CODE.search(text)
    if code is None:
        return error
    if code[1] == "VALIDATION_ERROR":
        return Refused(lost=False)
    if code[1] == "SESSION_ERROR" and _UNSPOKEN in text:
        return Refused(lost=True)
    full = code[1] == "CAPACITY_REACHED"
    return InfrastructureError(text, FailureKind.REFUSED if full else failure_kind(text))


def action_schema(base_url: str, timeout_s: float) -> Mapping[str, Any]:
    """Return the JSON Schema of actions that a server of theirs publishes.

    Raises:
        InfrastructureError: The server cannot be reached, or answers something else.
    """
    url = re.sub(r"\Aws", "http", base_url.rstrip("/")) + "/schema"
    local = re.match(r"https?://(localhost|127\.|\[::1\])", url) is not None
    proxies = [urllib.request.ProxyHandler({})] if local else []
    try:
        with urllib.request.build_opener(*proxies).open(url, timeout=timeout_s) as answer:
            schema = json.load(answer)["action"]
    except TimeoutError as error:
        raise InfrastructureError(f"{url} does not answer", FailureKind.TIMEOUT) from error
    except OSError as error:
        raise InfrastructureError(
            f"{url} cannot be reached: {error}", FailureKind.SERVER_DOWN
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InfrastructureError(
            f"{url} does not answer as OpenEnv's servers do: {error}", FailureKind.BAD_RESULT
        ) from error
    return schema
