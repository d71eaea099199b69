"""A model behind any endpoint that speaks the OpenAI chat API, as a ``Policy``.

A failed request is a ``NoAnswer``, never an answer of the model. Retries are the official client's
own: exponential backoff with jitter on 408, 409, 429, 5xx, timeouts and broken connections, and
``Retry-After`` where the server sends it (a server that asks for more than two minutes is not asked
again).
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Self
from urllib.parse import urlsplit

import openai
from openai.types.chat import ChatCompletion

from agents.chat.budget import Budget
from agents.chat.cache import ReplyCache
from agents.chat.options import ChatOptions
from agents.chat.reply import Reply, WrittenCall
from agents.chat.wire import ToolNames, answer_text, request_messages, request_tools
from agents.policy import NoAnswer
from toolrl_env.core.errors import ConfigurationError, InfrastructureError, ToolRLError
from toolrl_env.core.types import FailureKind

__all__ = ["ChatOptions", "OpenAIPolicy"]

_SHOWN = 300
_KEYLESS = "no-key"


class OpenAIPolicy:
    """Asks an OpenAI-compatible endpoint, many requests at a time.

    Use it in a ``with`` statement, or call ``close``. It works where an event loop is running too
    (notebooks): its own runs in a thread.

    Args:
        model: Name of the model, as the endpoint knows it.
        base_url: E.g. ``"http://127.0.0.1:8000/v1"``.
        protocol: The environment's protocol. ``"native"`` sends ``tools=`` and reads
            ``tool_calls``; the others are text.
        temperature: 0 is greedy.
        max_new_tokens: Tokens after which an answer is cut.
        options: Key, concurrency, retries, budget, cache.

    Raises:
        ConfigurationError: The URL is none for HTTP, or carries a user or a password.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        protocol: str = "toolrl",
        temperature: float = 0.0,
        max_new_tokens: int = 512,
        options: ChatOptions | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(f"base_url={base_url!r}; allowed: an http or https URL")
        if parts.username is not None or parts.password is not None or parts.query:
            raise ConfigurationError(
                "base_url has a user, a password or a query in it, which results would show; put "
                "the key into an environment variable"
            )
        self.options = options or ChatOptions()
        self.model, self.base_url, self.protocol = model, base_url.rstrip("/"), protocol
        self._fields = {
            "temperature": temperature,
            self.options.limit_field: max_new_tokens,
            **self.options.extra_fields,
        }
        self._cache = ReplyCache(self.options.cache)
        self._budget = Budget(self.options)
        self._key = os.environ.get(self.options.key_env, "")
        self._client = openai.AsyncOpenAI(
            api_key=self._key or _KEYLESS,
            base_url=self.base_url,
            max_retries=self.options.retries,
            timeout=self.options.timeout,
        )
        self._slots = asyncio.Semaphore(self.options.concurrency)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def act(
        self, observations: Sequence[str], infos: Sequence[Mapping[str, Any]]
    ) -> list[str | NoAnswer]:
        """Return one answer each, or a ``NoAnswer`` where the request failed.

        Raises:
            ConfigurationError: The endpoint refuses the key or does not know the model.
            DataError: The cache cannot be written.
        """
        if len(observations) != len(infos):
            raise ValueError(f"{len(observations)} observations for {len(infos)} infos")
        return self._run(self._answer_all(infos))

    def settings(self) -> dict[str, Any]:
        """Return what can move a score, JSON-like; the key is not in it."""
        return {
            "model": self.model,
            "base_url": self.base_url,
            "fields": {name: value for name, value in self._fields.items() if value is not None},
            "send_seed": self.options.send_seed,
        }

    def report(self) -> str:
        """Return what has been spent, in words."""
        return self._budget.report()

    def close(self) -> None:
        """Close the connections."""
        if self._loop.is_closed():
            return
        self._run(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        """Return the policy."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    # ------------------------------------------------------------------ requests

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def _answer_all(self, infos: Sequence[Mapping[str, Any]]) -> list[str | NoAnswer]:
        """Answer all; if one shows that none can be had (a wrong key), raise that at the end."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._guarded(info)) for info in infos]
        found = [task.result() for task in tasks]
        wrong = next((each for each in found if isinstance(each, ToolRLError)), None)
        if wrong is not None:
            raise wrong
        return [each for each in found if not isinstance(each, ToolRLError)]

    async def _guarded(self, info: Mapping[str, Any]) -> str | NoAnswer | ToolRLError:
        try:
            return await self._answer(info)
        except InfrastructureError as error:
            return NoAnswer(error.kind, str(error))
        except ToolRLError as error:
            return error

    async def _answer(self, info: Mapping[str, Any]) -> str | NoAnswer:
        names = ToolNames(tool["function"]["name"] for tool in info["tools"])
        body = self._body(info, names)
        key = {"base_url": self.base_url, "body": body, "seed": info.get("answer_seed")}
        reply = self._cache.get(key)
        if reply is not None:
            self._budget.cached += 1
            return answer_text(reply, self.protocol, names)
        async with self._slots:
            spent = self._budget.spent()
            if spent:
                return NoAnswer(FailureKind.REFUSED, spent, stop=True)
            reply = await self._request(body)
            self._budget.spend(reply)
        self._cache.put(key, reply)
        return answer_text(reply, self.protocol, names)

    def _body(self, info: Mapping[str, Any], names: ToolNames) -> dict[str, Any]:
        """Return everything that is sent."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": request_messages(info["messages"], self.protocol, names),
        }
        if self.protocol == "native" and info["tools"]:
            body["tools"] = request_tools(info["tools"], names)
        if self.options.send_seed and "answer_seed" in info:
            body["seed"] = info["answer_seed"]
        fields = {**body, **self._fields}
        return {name: value for name, value in fields.items() if value is not None}

    async def _request(self, body: Mapping[str, Any]) -> Reply:
        """Return the reply to one request.

        Raises:
            InfrastructureError: It failed, in spite of the retries.
            ConfigurationError: The endpoint refuses the key or does not know the model.
        """
        rest = {name: value for name, value in body.items() if name not in ("model", "messages")}
        try:
            completion = await self._client.chat.completions.create(
                model=body["model"], messages=body["messages"], extra_body=rest
            )
        except (openai.OpenAIError, ValueError) as error:
            raise self._failure(error) from None
        return self._read(completion)

    def _read(self, completion: object) -> Reply:
        """Return what a completion says. The client does not check what endpoints send: this does.

        Raises:
            InfrastructureError: It is none.
        """
        try:
            assert isinstance(completion, ChatCompletion)
            message = completion.choices[0].message
            calls = tuple(
                WrittenCall(_text(call.function.name), _text(call.function.arguments))
                for call in message.tool_calls or ()
                if call.type == "function"
            )
            content = _text(message.content or message.refusal or "")
            usage = completion.usage
            tokens = (
                (None, None)
                if usage is None
                else (int(usage.prompt_tokens), int(usage.completion_tokens))
            )
        except (AssertionError, AttributeError, IndexError, TypeError, ValueError) as error:
            shown = self._redact(repr(completion)[:_SHOWN])
            raise InfrastructureError(
                f"{self.base_url} answered something that is no completion: {shown}",
                FailureKind.BAD_RESULT,
            ) from error
        return Reply(content, calls, *tokens)

    def _failure(self, error: Exception) -> ToolRLError:
        """Return what an exception of the client means, without the key."""
        url, said = self.base_url, self._said(error)
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            known = "is set" if self._key else "is not set"
            return ConfigurationError(
                f"{url} answered {error.status_code}: it does not accept the key in the "
                f"environment variable {self.options.key_env} (which {known})"
            )
        if isinstance(error, openai.NotFoundError):
            return ConfigurationError(f"{url} answered 404 for model {self.model!r}: {said}")
        if isinstance(error, openai.APIStatusError):
            busy = FailureKind.SERVER_DOWN if error.status_code >= 500 else FailureKind.REFUSED
            return InfrastructureError(f"{url} answered {error.status_code}: {said}", busy)
        if isinstance(error, openai.APITimeoutError):
            late = f"{url} took more than {self.options.timeout:g} s"
            return InfrastructureError(late, FailureKind.TIMEOUT)
        if isinstance(error, openai.APIConnectionError):
            gone = f"{url} cannot be reached or broke off: {said}"
            return InfrastructureError(gone, FailureKind.SERVER_DOWN)
        odd = (
            f"{url} answered something that is no completion: {said}"  # e.g. a body that is no JSON
        )
        return InfrastructureError(odd, FailureKind.BAD_RESULT)

    def _said(self, error: Exception) -> str:
        cause = error.__cause__
        return self._redact(f"{error}{f' ({cause})' if cause else ''}"[:_SHOWN])

    def _redact(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no text but {type(value).__name__}")
    return value
