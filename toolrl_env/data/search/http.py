"""Search on a server: a thin backend that speaks JSON over HTTP, by the standard library alone."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from toolrl_env.core.errors import ConfigurationError, InfrastructureError
from toolrl_env.core.types import FailureKind
from toolrl_env.data.search.backend import Document

__all__ = ["MAX_RESPONSE_BYTES", "HTTPBackend"]

MAX_RESPONSE_BYTES = 4 << 20
"""A longer response is a failure."""
_CHUNK = 1 << 16


class HTTPBackend:
    """Asks a server: ``POST url`` with ``{"query": …, "k": …}``.

    The server answers ``{"hits": [{"title": …, "text": …}, …]}``, best first. A service that
    speaks otherwise needs a ``SearchBackend`` of its own, of about ten lines.

    Args:
        url: ``http://`` or ``https://``.
        headers: Further headers, e.g. a key. They are not shown by ``repr``.
        timeout: Seconds for the whole exchange.

    Raises:
        ConfigurationError: The URL or the time limit is not allowed.
    """

    waits = True

    def __init__(
        self, url: str, *, headers: Mapping[str, str] | None = None, timeout: float = 10.0
    ) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigurationError(f"url={url!r:.200}; allowed: http://… or https://…")
        if not 0 < timeout <= 3600:
            raise ConfigurationError(f"timeout={timeout!r}; allowed: more than 0, at most 3600 s")
        self.url = url
        self.timeout = float(timeout)
        self._headers = {"Content-Type": "application/json", **(headers or {})}

    def __repr__(self) -> str:
        """Show the address alone."""
        return f"HTTPBackend({self.url!r})"

    def search(self, query: str, k: int) -> list[Document]:
        """Return the server's hits, at most ``k``.

        Raises:
            InfrastructureError: ``SERVER_DOWN`` if it cannot be reached or answers with an error,
                ``TIMEOUT`` if it takes too long, ``BAD_RESULT`` if it answers something else.
        """
        data = json.dumps({"query": query, "k": k}).encode("ascii")
        request = urllib.request.Request(self.url, data, self._headers, method="POST")
        try:
            body = self._exchange(request)
        except urllib.error.HTTPError as error:
            error.close()
            self._fail(FailureKind.SERVER_DOWN, f"answered {error.code} {error.reason}")
        except TimeoutError:
            self._fail(FailureKind.TIMEOUT, f"took more than {self.timeout:g} s")
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                self._fail(FailureKind.TIMEOUT, f"took more than {self.timeout:g} s")
            self._fail(FailureKind.SERVER_DOWN, f"cannot be reached: {error.reason}")
        except (OSError, http.client.HTTPException) as error:
            self._fail(FailureKind.SERVER_DOWN, f"broke off: {error!r}")
        return self._hits(body)[:k]

    def _exchange(self, request: urllib.request.Request) -> bytes:
        """Send the request and read the response within the time limit."""
        deadline = time.monotonic() + self.timeout
        body = bytearray()
        with urllib.request.urlopen(request, timeout=self.timeout) as response:
            while chunk := response.read1(_CHUNK):
                body += chunk
                if time.monotonic() > deadline:
                    raise TimeoutError
                if len(body) > MAX_RESPONSE_BYTES:
                    self._fail(FailureKind.BAD_RESULT, f"sent more than {MAX_RESPONSE_BYTES} bytes")
            announced = response.headers.get("Content-Length", "")
        if announced.isdecimal() and len(body) < int(announced):
            raise http.client.IncompleteRead(bytes(body))
        return bytes(body)

    def _hits(self, body: bytes) -> list[Document]:
        try:
            answer: Any = json.loads(body)
            rows = cast("list[dict[str, Any]]", answer["hits"])
            hits = [Document(row["title"], row["text"]) for row in rows]
        except (ValueError, KeyError, TypeError, RecursionError):
            hits = None
        if hits is None or not all(_is_text(hit.title, hit.text) for hit in hits):
            expected = '{"hits": [{"title": "…", "text": "…"}]}'
            self._fail(FailureKind.BAD_RESULT, f"did not answer {expected}: {body[:200]!r}")
        return hits

    def _fail(self, kind: FailureKind, what: str) -> NoReturn:
        raise InfrastructureError(f"the search server {self.url} {what}", kind)


def _is_text(*values: object) -> bool:
    return all(isinstance(value, str) for value in values)
