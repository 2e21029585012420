"""Email addresses, as users have them and as visitors type them into forms."""

import pytest

from worker.domain.people.email import is_email, normalize_public_email


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.com",
        "ann+web@sub.example.co.uk",
        "jörg@müller.de",
        "ann@corp.local",
        "ann@db.internal",
        "ann@chaos.invalid",
        "root@localhost",
    ],
)
def test_an_address_may_be_one_of_an_internal_network(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    ["", "ann", "ann@", "@example.com", "a b@example.com", "a@b@c", "ann@x..com", "a@x\n", "a\0@x"],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert not is_email(text)
    with pytest.raises(ValueError):  # noqa: PT011  the library's own words
        normalize_public_email(text)


def test_a_public_address_has_a_domain_that_the_internet_knows() -> None:
    assert normalize_public_email("Ann@Example.COM") == "Ann@example.com"
    for inner in ("root@localhost", "ann@10.0.0.1"):
        with pytest.raises(ValueError):  # noqa: PT011  the library's own words
            normalize_public_email(inner)
