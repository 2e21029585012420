"""A real browser, in front of an API that is a process of its own. Where there is no browser, these
tests aren't collected."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.api.test_server import api
from tests.support.factories import pool
from worker.domain.intake.forms import Field, FormValues
from worker.flows.intake import forms
from worker.flows.names import find_pool_by_name
from worker.flows.system import System


def found(*names: str) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


BROWSER = found("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DRIVER = found("chromedriver")

collect_ignore_glob = [] if BROWSER and DRIVER else ["test_*.py"]

NO_SCRIPTS = {"profile.managed_default_content_settings.javascript": 2}

FIELDS = (
    Field("first_name", "First name"),
    Field("last_name", "Last name", required=True),
    Field("email", "Work email", "email", True),
    Field("Size", "Team size", "select", True, ("1-10", "more")),
    Field("description", "How can we help?", "textarea"),
    Field("Consent", "You may call me", "checkbox", True),
)


@pytest.fixture(scope="session")
def whole_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """A browser that runs no scripts."""
    profile = tmp_path_factory.mktemp("profile")
    options = ChromeOptions()
    options.binary_location = BROWSER or ""
    for argument in (
        "headless=new",
        "no-sandbox",
        "disable-dev-shm-usage",
        "disable-gpu",
        f"user-data-dir={profile}",
    ):
        options.add_argument(f"--{argument}")
    options.add_experimental_option("prefs", NO_SCRIPTS)
    browser = Chrome(options, Service(DRIVER))
    browser.set_window_size(1280, 900)
    yield browser
    browser.quit()


@pytest.fixture
def browser(whole_browser: Chrome) -> Iterator[Chrome]:
    """A browser without a past: a new tab, no cookies, nothing kept."""
    first = whole_browser.current_window_handle
    whole_browser.switch_to.new_window("tab")
    for forgotten in ("Cookies", "Cache"):
        whole_browser.execute_cdp_cmd(f"Network.clearBrowser{forgotten}", {})
    yield whole_browser
    whole_browser.close()
    whole_browser.switch_to.window(first)


@pytest.fixture
def phone(browser: Chrome) -> Chrome:
    """The same, as narrow as a phone."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": False},
    )
    return browser


@dataclass(frozen=True)
class Site:
    """An API that serves, and the system over the same database."""

    url: str
    system: System

    def define(self, name: str = "Contact us", **definition: Any) -> str:
        """The address of a new form of the pool Inbound."""
        with self.system.reading() as unit:
            owner_id = find_pool_by_name(unit, "Inbound").id
        values: dict[str, Any] = {
            "name": name,
            "owner_id": owner_id,
            "fields": FIELDS,
            "tags": (),
            "origins": (),
        }
        values |= definition
        form_id = self.system.transact(forms.add, cast("FormValues", values), None)
        with self.system.reading() as unit:
            return forms.show(unit, form_id, self.url).address


@pytest.fixture
def site(system: System, sqlite_url: str, valkey_url: str, tmp_path: Path) -> Iterator[Site]:
    """With a pool of a and b."""
    pool(system, 2)
    servers = {
        "REDIS_URL": valkey_url,
        "BROKER_URL": valkey_url.replace("unix://", "redis+socket://"),
    }
    settings = {
        f"EVENHAND_{name}": value
        for name, value in (
            servers | {"DATABASE_URL": sqlite_url, "FORM_RATE_LIMIT": "100/minute"}
        ).items()
    }
    (tmp_path / "api").mkdir()
    with api(tmp_path / "api", **settings) as port:
        yield Site(f"http://127.0.0.1:{port}", system)
