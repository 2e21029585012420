"""Permissions and tokens, as an operator gives them on the command line."""

import re
from pathlib import Path

from tests.acceptance.stack import home
from worker.flows.people import access


def test_people_are_permitted_things_and_given_tokens(sqlite_url: str, tmp_path: Path) -> None:
    here = home(tmp_path / "home", sqlite_url)

    here.run("user", "add", "Ann", "ann@example.com", "--admin")
    bob = here.facts("user", "add", "Bob", "bob@example.com", "--reassign")
    permitted = here.facts("user", "permit", "bob@example.com", "--admin", "--no-reassign")
    told = here.run("user", "permit", "bob", "--no-admin")
    here.run("user", "permit", "bob", fails=2)
    last = here.run("user", "permit", "ann@example.com", "--no-admin", fails=2)

    assert (bob["is_admin"], bob["can_reassign"]) == (False, True)
    assert permitted == bob | {"is_admin": True, "can_reassign": False}
    assert "Bob is no admin, and may not change the owners of records." in told.stderr
    assert "only active admin" in last.stderr
    assert "may reassign" in here.run("user", "list").stdout

    issued = here.run("user", "token", "ann@example.com", "--name", "nightly import")
    again = here.facts("user", "token", "Ann", "--name", "other")
    here.run("user", "token", "ann@example.com", fails=2)
    here.run("user", "token", "nobody@example.com", "--name", "other", fails=2)

    assert re.fullmatch(r"[0-9a-f]{64}\n", issued.stdout)
    assert "token 1" in issued.stderr
    assert set(again) == {"token"}

    here.run("user", "revoke", "1")
    here.run("user", "revoke", "1")
    unknown = here.run("user", "revoke", "9", fails=2)
    first, second = here.facts("user", "tokens", "ann@example.com")

    assert "no token 9" in unknown.stderr
    assert (first["name"], second["name"]) == ("nightly import", "other")
    assert (first["revoked_at"] is None, second["revoked_at"]) == (False, None)
    assert "nightly import" in here.run("user", "tokens", "ann@example.com").stdout
    with here.system() as system, system.reading() as session:
        assert access.authenticate(session, issued.stdout.strip()) is None
        assert access.authenticate(session, again["token"]) is not None
