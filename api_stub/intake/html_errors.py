"""Responses to visitors of forms: pages to people, JSON to programs, and CORS headers to the pages
that may send a form."""

from collections.abc import Callable, Coroutine
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api_stub.error_responses import RETRY_SECONDS, refuse
from api_stub.intake.pages import render_kept, render_notice
from worker.domain.intake.forms import Form
from worker.errors.base import EvenhandError, Unavailable
from worker.errors.intake import TooManySubmissions, UnknownForm

TYPED = "application/x-www-form-urlencoded"
FROM_A_PAGE = (TYPED, "multipart/form-data", "text/plain")
"""The content types that forms in HTML send. Anything else comes from a program."""

PREFLIGHT_SECONDS = 600
ONE_SITE_BITS = 64
"""This number of bits of an IPv6 address names its network; its owner chooses the rest."""


class ForVisitors(APIRoute):
    """A route that refuses a person with a page, and a program with JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def answer_in_kind(request: Request) -> Response:
            try:
                response = await answer(request)
            except EvenhandError as error:
                render = render_refusal if is_person(request) else refuse
                response = render(request, error)
            response.headers.update(make_cors_headers(request))
            return response

        return answer_in_kind


def is_person(request: Request) -> bool:
    """Whether a person sent the request, who wants to see a page."""
    if request.method != "POST":
        return not request.url.path.endswith("/token")
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() in FROM_A_PAGE


def render_refusal(request: Request, error: EvenhandError) -> Response:
    """The page for a person whose request is refused. If they can only wait, the page holds their
    values, so that they can send them again."""
    form: Form | None = getattr(request.state, "form", None)
    if isinstance(error, UnknownForm):
        return render_notice(
            "There is no form here",
            "It may have been closed, or the address may be misspelt.",
            error.status,
        )
    if isinstance(error, Unavailable):
        page = _render_wait(
            request,
            "We can't take it just now. Nothing that you have typed is lost: "
            "please send it again in a moment.",
            error,
            form,
        )
        page.headers["Retry-After"] = str(RETRY_SECONDS)
        return page
    if isinstance(error, TooManySubmissions):
        pause = _put_into_words(error.facts["seconds"])
        words = f"Too much was sent from your address. Please send it again in {pause}."
        return _render_wait(request, words, error, form)
    return render_notice("That didn't work", str(error), error.status, form)


def _render_wait(request: Request, words: str, error: EvenhandError, form: Form | None) -> Response:
    typed: dict[str, str] | None = getattr(request.state, "typed", None)
    if typed is None:
        return render_notice(
            "Not just now",
            "We can't show the form at the moment. Please try again soon.",
            error.status,
            form,
        )
    return render_kept(words, typed, error.status, form)


def _put_into_words(seconds: int) -> str:
    minutes = -(-seconds // 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"


def make_cors_headers(request: Request) -> dict[str, str]:
    """The headers that let a page of the form's origins read the answer."""
    form: Form | None = getattr(request.state, "form", None)
    origin = request.headers.get("origin", "")
    if form is None or not form.origins:
        return {}
    allowed = {"Access-Control-Allow-Origin": origin} if origin in form.origins else {}
    return {"Vary": "Origin"} | allowed


def answer_preflight(request: Request) -> Response:
    """The answer to a browser that asks whether another's page may send JSON."""
    if "Access-Control-Allow-Origin" not in make_cors_headers(request):
        return Response(status_code=204)
    headers = {
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }
    return Response(status_code=204, headers=headers)


def find_address(request: Request) -> str:
    """The network of the sender: an IPv4 address, or the first 64 bits of an IPv6 address."""
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
