"""A visitor with a real browser, in which scripts are switched off, fills in the hosted form."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from selenium.common.exceptions import NoSuchElementException
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from tests.browser.conftest import FIELDS, Site
from tests.support.factories import address_of
from tests.support.invariants import assert_promise, rows
from tests.support.servers import wait_until
from tests.support.tasks import run
from worker.flows.intake.submissions import QUICKEST_SECONDS
from worker.queue import Task

SMALLEST_FONT_PIXELS = 16
SMALLEST_TARGET_PIXELS = 24
READABLE, VISIBLE = 4.5, 3.0
"""The contrast that WCAG 2.2 asks of text, and of the edges of controls."""

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def named(browser: Chrome, name: str) -> WebElement:
    return browser.find_element(By.NAME, name)


def focused(browser: Chrome) -> str:
    """The name, or else the class, of the element that has the focus."""
    active = browser.switch_to.active_element
    return active.get_dom_attribute("name") or active.get_dom_attribute("class") or active.tag_name


def press(browser: Chrome, *keys: str) -> None:
    browser.switch_to.active_element.send_keys(*keys)


def send(browser: Chrome, until: str) -> None:
    """Sends the form, and waits for the page with that title."""
    browser.find_element(By.TAG_NAME, "button").click()
    wait_until(lambda: browser.title == until, until)


def take_time(since: float) -> None:
    """Nobody fills in a form at once."""
    wait_until(lambda: time.time() > since + QUICKEST_SECONDS + 1, "a while")


def owners(site: Site) -> list[str]:
    """Who got the leads, when a worker has done its part."""
    for lead in rows(site.system, "SELECT id FROM leads ORDER BY id"):
        run(site.system, Task("captures.assign", {"lead": lead["id"]}))
    assert_promise(site.system)
    return [
        address_of(site.system, lead["owner_id"])[0]
        for lead in rows(site.system, "SELECT owner_id FROM leads ORDER BY id")
    ]


def fill_in(browser: Chrome) -> None:
    named(browser, "last_name").send_keys("Lee")
    named(browser, "email").send_keys("lee@example.com")
    Select(named(browser, "Size")).select_by_visible_text("more")
    named(browser, "description").send_keys("Two\nlines")
    named(browser, "Consent").click()


def check_a_visit(browser: Chrome, site: Site, address: str) -> None:
    """Fills in half, is told what is wrong, corrects it, and is thanked."""
    browser.get(address)
    began = time.time()
    named(browser, "first_name").send_keys("Ann <b>")
    named(browser, "email").send_keys("nobody")
    send(browser, "Error: Contact us")
    links = browser.find_elements(By.CSS_SELECTOR, ".summary a")
    assert [link.text for link in links] == [
        "Last name is needed.",
        "Work email must be an address such as name@example.com.",
        "Team size is needed.",
        "“You may call me” must be ticked.",
    ]
    assert named(browser, "first_name").get_property("value") == "Ann <b>"
    named(browser, "email").clear()
    fill_in(browser)
    take_time(began)
    send(browser, "Thank you · Contact us")


def test_a_visitor_errs_corrects_it_and_is_thanked_and_the_next_member_has_the_lead(
    browser: Chrome, site: Site
) -> None:
    address = site.define()

    for _ in range(2):
        check_a_visit(browser, site, address)

    assert owners(site) == ["a", "b"]
    [lead, _] = rows(
        site.system, "SELECT first_name, last_name, email, description FROM leads ORDER BY id"
    )
    assert lead == {
        "first_name": "Ann <b>",
        "last_name": "Lee",
        "email": "lee@example.com",
        "description": "Two\nlines",
    }


def test_a_visitor_who_is_very_quick_is_asked_to_send_once_more(
    browser: Chrome, site: Site
) -> None:
    asked = time.time()
    browser.get(site.define())
    shown = time.time()
    fill_in(browser)
    token = named(browser, "_token").get_property("value")
    if time.time() - asked < QUICKEST_SECONDS - 1:
        send(browser, "Contact us")
        wait_until(lambda: "That was quick" in browser.page_source, "the page")
        assert named(browser, "_token").get_property("value") == token
        assert Select(named(browser, "Size")).first_selected_option.text == "more"
        assert named(browser, "Consent").is_selected()

    take_time(shown)
    send(browser, "Thank you · Contact us")

    assert owners(site) == ["a"]


def test_going_back_and_sending_again_makes_no_second_lead(browser: Chrome, site: Site) -> None:
    address = site.define()
    check_a_visit(browser, site, address)

    browser.refresh()  # headless: the form is sent anew without a question
    wait_until(lambda: browser.title == "Thank you · Contact us", "the page")

    assert owners(site) == ["a"]


# --- on a phone ---


def test_on_a_phone_nothing_scrolls_sideways_and_all_is_large_enough(
    phone: Chrome, site: Site
) -> None:
    phone.get(
        site.define(
            "A rather long heading, with Donaudampfschifffahrtsgesellschaftskapitän in it",
            slug="web",
        )
    )
    send(phone, f"Error: {phone.title}")

    controls = phone.find_elements(
        By.CSS_SELECTOR, ".field input, .field select, .field textarea, button"
    )

    assert phone.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["width"] <= 390
    assert all(pixels(control, "font-size") >= SMALLEST_FONT_PIXELS for control in controls)
    assert all(
        min(control.size["height"], control.size["width"]) >= SMALLEST_TARGET_PIXELS
        for control in controls
    )
    assert all(
        control.rect["x"] >= 0 and control.rect["x"] + control.rect["width"] <= 390
        for control in controls
    )


def test_on_a_phone_a_visit_goes_as_well(phone: Chrome, site: Site) -> None:
    check_a_visit(phone, site, site.define())

    assert owners(site) == ["a"]


def pixels(element: WebElement, what: str) -> float:
    return float(element.value_of_css_property(what).removesuffix("px"))


# --- without a mouse, without eyes ---


def test_the_form_is_filled_in_and_corrected_by_keyboard_alone(browser: Chrome, site: Site) -> None:
    browser.get(site.define())
    began = time.time()
    names = []
    for _ in range(len(FIELDS) + 1):
        press(browser, Keys.TAB)
        names.append(focused(browser))
    assert names == [*(field.name for field in FIELDS), "button"]
    assert browser.switch_to.active_element.value_of_css_property("outline-style") == "solid"

    press(browser, Keys.ENTER)
    wait_until(lambda: browser.title == "Error: Contact us", "the page")
    assert focused(browser) == "summary"
    press(browser, Keys.TAB)
    press(browser, Keys.ENTER)
    assert focused(browser) == "last_name"
    for keys in ("Lee", "lee@example.com", "m", "Hello", Keys.SPACE):
        press(browser, keys)
        press(browser, Keys.TAB)
    take_time(began)
    assert focused(browser) == "button"
    press(browser, Keys.ENTER)

    wait_until(lambda: browser.title == "Thank you · Contact us", "the page")
    assert owners(site) == ["a"]


def test_every_control_has_a_name_a_description_and_a_state(browser: Chrome, site: Site) -> None:
    browser.get(site.define())
    send(browser, "Error: Contact us")

    controls = {field.name: named(browser, field.name) for field in FIELDS}

    assert {name: control.accessible_name for name, control in controls.items()} == {
        field.name: field.label + ("" if field.required else " (optional)") for field in FIELDS
    }
    assert {
        name for name, control in controls.items() if control.get_dom_attribute("aria-invalid")
    } == {
        "last_name",
        "email",
        "Size",
        "Consent",
    }
    assert (
        browser.find_element(By.CSS_SELECTOR, "[role=alert]").accessible_name
        == "4 answers need a look"
    )
    ids = [
        element.get_dom_attribute("id")
        for element in browser.find_elements(By.CSS_SELECTOR, "[id]")
    ]
    assert len(ids) == len(set(ids))
    assert [len(browser.find_elements(By.TAG_NAME, tag)) for tag in ("h1", "main", "title")] == [
        1,
        1,
        1,
    ]
    trap = named(browser, "homepage").rect
    assert trap["x"] + trap["width"] <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_and_edges_stand_out_by_day_and_by_night(
    browser: Chrome, site: Site, scheme: str
) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    browser.get(site.define())
    send(browser, "Error: Contact us")

    card = colour(browser.find_element(By.TAG_NAME, "main"), "background-color")
    button, summary = (
        browser.find_element(By.TAG_NAME, "button"),
        browser.find_element(By.CLASS_NAME, "summary"),
    )

    assert (sum(card) > 382) == (scheme == "light")
    for words in browser.find_elements(By.CSS_SELECTOR, "h1, label, .optional, .fault"):
        assert contrast(colour(words, "color"), card) >= READABLE, words.text
    for link in summary.find_elements(By.CSS_SELECTOR, "a, h2"):
        assert contrast(colour(link, "color"), colour(summary, "background-color")) >= READABLE
    assert contrast(colour(button, "color"), colour(button, "background-color")) >= READABLE
    for name in ("first_name", "last_name", "description"):
        assert contrast(colour(named(browser, name), "border-top-color"), card) >= VISIBLE
    assert contrast(colour(button, "background-color"), card) >= VISIBLE


def colour(element: WebElement, what: str) -> tuple[int, int, int]:
    red, green, blue = (
        int(float(number))
        for number in re.findall(r"[\d.]+", element.value_of_css_property(what))[:3]
    )
    return red, green, blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """The contrast of two colours, as WCAG reckons it: from 1 to 21."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb: tuple[int, int, int]) -> float:
    parts = (part / 255 for part in rgb)
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


# --- on others' pages ---


@contextmanager
def elsewhere(page: str) -> Iterator[str]:
    """The origin of somebody else's site, each of whose pages is that one."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("allowed", [True, False])
def test_the_form_shows_in_frames_of_the_allowed_origins_alone(
    browser: Chrome, site: Site, allowed: bool
) -> None:
    with elsewhere(
        f'<title>Theirs</title><iframe src="{site.url}/forms/web" width="800" '
        'height="1000"></iframe>'
    ) as origin:
        site.define(slug="web", origins=[origin if allowed else "https://a.com"])
        browser.get(origin)
        browser.switch_to.frame(0)
        shown = is_there(browser, "last_name")
        if allowed:
            take_time(time.time())
            fill_in(browser)
            browser.find_element(By.TAG_NAME, "button").click()
            wait_until(lambda: "Thank you" in browser.page_source, "the page")

    assert shown == allowed
    assert len(owners(site)) == int(allowed)


def is_there(browser: Chrome, name: str) -> bool:
    try:
        return named(browser, name).is_displayed()
    except NoSuchElementException:
        return False


def test_one_is_sent_on_to_the_address_that_the_form_names(browser: Chrome, site: Site) -> None:
    with elsewhere("<title>Theirs</title>Bye") as origin:
        browser.get(site.define(redirect_url=f"{origin}/bye?x=1"))
        began = time.time()
        fill_in(browser)
        take_time(began)
        send(browser, "Theirs")

        assert browser.current_url == f"{origin}/bye?x=1"

    assert owners(site) == ["a"]
