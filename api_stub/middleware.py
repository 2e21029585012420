"""The layers around every request: an id for answers and logs, the largest body, and the longest
wait for a body."""

import asyncio
import re
import secrets
from collections.abc import Mapping
from functools import partial

from asgi_correlation_id import CorrelationIdMiddleware
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_stub.http_errors import BodyTooLarge, RequestTimeout

REQUEST_ID = "X-Request-Id"

_FIT_FOR_A_LOG = re.compile(r"[\w.-]{1,64}", re.ASCII)


class RequestId(CorrelationIdMiddleware):
    """Answers with the id that a request came with, or with a new one if it is missing or not fit
    for a log. Log lines and tasks bear it, too."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            app, REQUEST_ID, generator=partial(secrets.token_hex, 8), validator=_is_fit_for_a_log
        )


def _is_fit_for_a_log(request_id: str) -> bool:
    return _FIT_FOR_A_LOG.fullmatch(request_id) is not None


class BodyLimit:
    """Raises BodyTooLarge where a body is read whose announced or counted size is above the limit,
    in bytes. `under` has other limits for the paths that begin so."""

    def __init__(self, app: ASGIApp, most_bytes: int, under: Mapping[str, int]) -> None:
        self._app, self._most_bytes, self._under = app, most_bytes, under

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = next(
            (most for path, most in self._under.items() if scope["path"].startswith(path)),
            self._most_bytes,
        )
        announced, counted = _read_announced_bytes(scope), 0

        async def receive_within_limit() -> Message:
            nonlocal counted
            if announced > most:
                raise BodyTooLarge(most=most)
            message = await receive()
            counted += len(message.get("body", b""))
            if counted > most:
                raise BodyTooLarge(most=most)
            return message

        await self._app(scope, receive_within_limit, send)


class BodyTimeout:
    """Raises RequestTimeout if the next part of a body takes longer than the limit in seconds. Then
    closes the connection, because the part may still come on it."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        patience: float | None = self._seconds
        late = False

        async def receive_in_time() -> Message:
            nonlocal patience, late
            try:
                async with asyncio.timeout(patience):
                    message = await receive()
            except TimeoutError:
                late = True
                raise RequestTimeout(seconds=f"{self._seconds:g}") from None
            if not message.get("more_body"):
                patience = None  # after this only the end of the connection can come
            return message

        async def send_and_close(message: Message) -> None:
            if late and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive_in_time, send_and_close)


def _read_announced_bytes(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() else 0
