"""Short requests of the tests of forms: one is defined, fetched, filled in and sent."""

import re
import secrets
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from starlette.testclient import TestClient

from tests.api.asking import posted
from tests.support.tasks import SECRET_BOX

LEE = {"last_name": "Lee", "email": "lee@example.com"}


def define(client: TestClient, **definition: Any) -> dict[str, Any]:
    """A form of the pool Inbound, with the usual fields unless told otherwise."""
    return posted(client, "/api/forms", **{"name": "Contact us", "owner": "Inbound"} | definition)


def token(form: dict[str, Any], seconds_ago: float = 60, number: str | None = None) -> str:
    """A token of a form that was given out so long ago."""
    text = f"{form['id']} {number or secrets.token_hex(16)}"
    return SECRET_BOX._fernet.encrypt_at_time(
        text.encode(), int(time.time() - seconds_ago)
    ).decode()


def send(
    client: Any, form: dict[str, Any], typed: dict[str, str] | None = None, **more: str
) -> Any:
    """The answer to what a person sends, with a good token of its own unless it comes with one."""
    return client.post(
        f"/forms/{form['slug']}",
        data={"_token": token(form), **(LEE if typed is None else typed), **more},
        follow_redirects=False,
    )


def send_json(
    client: Any,
    form: dict[str, Any],
    fields: dict[str, Any] | None = None,
    given: str | None = None,
    **headers: str,
) -> Any:
    """The answer to what a program sends."""
    body = {
        "fields": LEE if fields is None else fields,
        "token": given if given is not None else token(form),
    }
    return client.post(f"/forms/{form['slug']}", json=body, headers=headers)


class Page(HTMLParser):
    """What stands on a page: its elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, *tags: str) -> Iterator[dict[str, str | None]]:
        return (attributes for tag, attributes in self.elements if tag in tags)

    def named(self, name: str) -> dict[str, str | None]:
        """The attributes of the control of that name."""
        [found] = [
            each for each in self.all("input", "select", "textarea") if each.get("name") == name
        ]
        return found

    @property
    def token(self) -> str:
        return str(self.named("_token")["value"])

    @property
    def faulty(self) -> list[str]:
        """The names of the controls that something is wrong with: as the summary links to them, and
        as they say themselves."""
        controls = {f"#{each.get('id')}": each for each in self.all("input", "select", "textarea")}
        linked = [controls[str(each["href"])] for each in self.all("a")]
        ids = {each.get("id") for _, each in self.elements}
        assert linked == [each for each in controls.values() if each.get("aria-invalid") == "true"]
        assert all(each["aria-describedby"] in ids for each in linked)
        return [str(each["name"]) for each in linked]


def page(answer: Any) -> Page:
    assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.text
    assert re.match(r"<!doctype html>\n<html lang=\"en\">", answer.text)
    return Page(answer.text)
