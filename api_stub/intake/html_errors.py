"""What a visitor is answered: pages to people, JSON to programs, and CORS headers to the pages from
which a form may be sent."""

from collections.abc import Callable, Coroutine
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api_stub.error_responses import RETRY_SECONDS, refuse
from api_stub.intake.pages import kept_page, notice_page
from worker.domain.intake.forms import Form
from worker.errors.base import EvenhandError, Unavailable
from worker.errors.intake import TooManySubmissions, UnknownForm

TYPED = "application/x-www-form-urlencoded"
FROM_A_PAGE = (TYPED, "multipart/form-data", "text/plain")
"""What forms in HTML may be sent as. Whoever sends something else is a program."""

PREFLIGHT_SECONDS = 600
ONE_SITE_BITS = 64
"""So much of an IPv6 address tells whose it is; the rest its owner chooses."""


class ForVisitors(APIRoute):
    """A route whose refusals are pages, where a person asks."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answer_in_kind(request: Request) -> Response:
            try:
                response = await answer(request)
            except EvenhandError as error:
                response = (
                    refusal_page(request, error) if is_person(request) else refuse(request, error)
                )
            response.headers.update(cors(request))
            return response

        return answer_in_kind


def is_person(request: Request) -> bool:
    """Whether whoever asks wants to see a page."""
    if request.method != "POST":
        return not request.url.path.endswith("/token")
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() in FROM_A_PAGE


def refusal_page(request: Request, error: EvenhandError) -> Response:
    """What a person sees who is refused. What they have typed is on the page, to be sent again, if
    all they can do is wait."""
    form: Form | None = getattr(request.state, "form", None)
    if isinstance(error, UnknownForm):
        return notice_page(
            "There is no form here",
            "It may have been closed, or the address may be misspelt.",
            error.status,
        )
    if isinstance(error, Unavailable):
        page = _wait(
            request,
            "We can't take it just now. Nothing that you have typed is lost: please send it again in a moment.",
            error,
            form,
        )
        page.headers["Retry-After"] = str(RETRY_SECONDS)
        return page
    if isinstance(error, TooManySubmissions):
        return _wait(
            request,
            f"Too much was sent from your address. Please send it again in {_told(error.facts['seconds'])}.",
            error,
            form,
        )
    return notice_page("That didn't work", str(error), error.status, form)


def _wait(request: Request, words: str, error: EvenhandError, form: Form | None) -> Response:
    typed: dict[str, str] | None = getattr(request.state, "typed", None)
    if typed is None:
        return notice_page(
            "Not just now",
            "We can't show the form at the moment. Please try again soon.",
            error.status,
            form,
        )
    return kept_page(words, typed, error.status, form)


def _told(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"


def cors(request: Request) -> dict[str, str]:
    """What lets a page of the form's origins read the answer."""
    form: Form | None = getattr(request.state, "form", None)
    origin = request.headers.get("origin", "")
    if form is None or not form.origins:
        return {}
    allowed = {"Access-Control-Allow-Origin": origin} if origin in form.origins else {}
    return {"Vary": "Origin"} | allowed


def preflight(request: Request) -> Response:
    """What a browser asks before it lets another's page send JSON."""
    allowed = "Access-Control-Allow-Origin" in cors(request)
    told = {"Methods": "GET, POST", "Headers": "Content-Type"} if allowed else {}
    headers = {f"Access-Control-Allow-{name}": value for name, value in told.items()}
    return Response(
        status_code=204,
        headers=headers | ({"Access-Control-Max-Age": str(PREFLIGHT_SECONDS)} if allowed else {}),
    )


def address_of(request: Request) -> str:
    """Who sends, as far as addresses tell."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return (
        str(ip_network((address, ONE_SITE_BITS), strict=False))
        if isinstance(address, IPv6Address)
        else host
    )
