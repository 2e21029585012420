"""Signatures: every published vector holds, and whatever is changed of one doesn't."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from worker.domain.intake.senders import SENDERS
from worker.domain.intake.senders.hubspot import HUBSPOT
from worker.domain.intake.senders.sender import Sender
from worker.domain.intake.senders.sender import check_secret as check
from worker.domain.intake.senders.sender import is_genuine as genuine
from worker.domain.intake.senders.signing import TOLERANCE_SECONDS, Call
from worker.domain.intake.senders.standard import STANDARD
from worker.domain.intake.senders.zapier import ZAPIER
from worker.domain.intake.senders.zendesk_chat import ZENDESK_CHAT
from worker.domain.intake.senders.zendesk_support import ZENDESK_SUPPORT
from worker.errors.intake import BadSecret

URI = "https://www.example.com/webhook_uri"
HUBSPOT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
ZENDESK_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ZAPIER_SECRET = "of Zapier's, and not short"

EVENTS = (
    b'[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,'
    b'"subscriptionType":"contact.creation",'
    b'"attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]'
)
EXAMPLE = b"{'example_field':'example_value'}"
MOMENT = 1616648967.0
"""2021-03-25T05:09:27Z"""


class Vector(NamedTuple):
    """A call as its documentation gives it, and the secret that signed it."""

    kind: Sender
    secret: str
    call: Call


def hubspot(version: str, method: str, body: bytes, signature: str) -> Vector:
    headers = {
        "x-hubspot-signature": signature.encode(),
        "x-hubspot-signature-version": version.encode(),
    }
    return Vector(HUBSPOT, HUBSPOT_SECRET, Call(method, URI, headers, body, 0.0))


def hubspot_v3(time: str, signature: str) -> Vector:
    headers = {
        "x-hubspot-signature-v3": signature.encode(),
        "x-hubspot-request-timestamp": time.encode(),
    }
    return Vector(HUBSPOT, HUBSPOT_SECRET, Call("POST", URI, headers, EXAMPLE, int(time) / 1000))


def zendesk(body: bytes, signature: str) -> Vector:
    time = b"2021-03-25T05:09:27Z"
    headers = {
        "x-zendesk-webhook-signature": signature.encode(),
        "x-zendesk-webhook-signature-timestamp": time,
    }
    return Vector(ZENDESK_SUPPORT, ZENDESK_SECRET, Call("POST", URI, headers, body, MOMENT))


def standard(kind: Sender) -> Vector:
    headers = {
        "webhook-id": b"msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": b"1614265330",
        "webhook-signature": b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    return Vector(
        kind, STANDARD_SECRET, Call("POST", URI, headers, b'{"test": 2432232314}', 1614265330.0)
    )


def zapier(**headers: bytes) -> Vector:
    return Vector(
        ZAPIER,
        ZAPIER_SECRET,
        Call(
            "POST",
            URI,
            {name.replace("_", "-"): value for name, value in headers.items()},
            b"{}",
            0.0,
        ),
    )


VECTORS = {
    "hubspot v1": hubspot(
        "v1", "POST", EVENTS, "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"
    ),
    "hubspot v2, empty": hubspot(
        "v2", "GET", b"", "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"
    ),
    "hubspot v2": hubspot(
        "v2",
        "POST",
        b'{"example_field":"example_value"}',
        "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900",
    ),
    "hubspot v3": hubspot_v3("1693657560000", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="),
    "hubspot v3, later": hubspot_v3(
        "1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="
    ),
    "zendesk": zendesk(
        b'{"event":"ticket.updated","id":123}', "S/RDdU2ERmj7LHDDoWJ2onPYH+t7/f2+LTM4dL7UiLM="
    ),
    "zendesk, empty": zendesk(b"", "wCdBvXaHttn0wRVIYctzZ9O6O0bnqWakJMEKZ9VoRWw="),
    "standard": standard(STANDARD),
    "zendesk chat": standard(ZENDESK_CHAT),
    "zapier, header": zapier(x_evenhand_secret=ZAPIER_SECRET.encode()),
    "zapier, basic": zapier(
        authorization=b"Basic " + base64.b64encode(f"anybody:{ZAPIER_SECRET}".encode())
    ),
}
EACH = pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
SIGNED = {name: vector for name, vector in VECTORS.items() if vector.kind is not ZAPIER}
DATED = {name: vector for name, vector in SIGNED.items() if vector.call.moment}


def holds(vector: Vector) -> bool:
    return genuine(vector.kind, [vector.secret], vector.call)


def spoiled(text: bytes) -> Iterator[bytes]:
    """The text with each of its bytes changed, each left out, and one more at either end."""
    for at in range(len(text)):
        yield text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
        yield text[:at] + text[at + 1 :]
    yield from (text + b"A", b"A" + text)


@EACH
def test_the_published_vector_holds(vector: Vector) -> None:
    assert holds(vector)


@pytest.mark.parametrize("vector", SIGNED.values(), ids=SIGNED)
def test_a_body_of_which_one_byte_differs_is_refused(vector: Vector) -> None:
    assert not [
        body
        for body in spoiled(vector.call.body)
        if holds(vector._replace(call=vector.call._replace(body=body)))
    ]


@EACH
def test_a_header_of_which_one_byte_differs_is_refused(vector: Vector) -> None:
    headers = vector.call.headers
    for name, value in headers.items():
        for other in spoiled(value):
            changed = vector.call._replace(headers={**headers, name: other})
            if name == "authorization" and shows_the_secret(other):
                continue  # the user's name may be any
            assert not genuine(vector.kind, [vector.secret], changed), (name, other)


def shows_the_secret(header: bytes) -> bool:
    try:
        return (
            base64.b64decode(header.removeprefix(b"Basic "), validate=True).partition(b":")[2]
            == ZAPIER_SECRET.encode()
        )
    except ValueError:
        return False


@EACH
def test_a_header_that_is_missing_is_missed(vector: Vector) -> None:
    for name in vector.call.headers:
        without = {each: value for each, value in vector.call.headers.items() if each != name}
        assert not genuine(vector.kind, [vector.secret], vector.call._replace(headers=without)), (
            name
        )


@EACH
def test_another_secret_is_refused_and_one_of_two_is_enough(vector: Vector) -> None:
    other = "whsec_" + "A" * 32

    assert not genuine(vector.kind, [other], vector.call)
    assert not genuine(vector.kind, [], vector.call)
    assert genuine(vector.kind, [other, vector.secret], vector.call)
    assert genuine(vector.kind, [vector.secret, other], vector.call)


@pytest.mark.parametrize("vector", DATED.values(), ids=DATED)
@pytest.mark.parametrize("way", [1, -1])
def test_what_is_older_or_newer_than_five_minutes_is_refused(vector: Vector, way: int) -> None:
    def at(seconds: float) -> bool:
        return holds(
            vector._replace(call=vector.call._replace(moment=vector.call.moment + way * seconds))
        )

    assert at(TOLERANCE_SECONDS)
    assert not at(TOLERANCE_SECONDS + 1)


@pytest.mark.parametrize(
    "time",
    [
        b"",
        b"nan",
        b"inf",
        b"1e9",
        b"-1",
        b"1693657560000.0",
        b"+1693657560000",
        b" 1693657560000",
        b"\xb2",
        b"9" * 5000,
    ],
)
@pytest.mark.parametrize("vector", DATED.values(), ids=DATED)
def test_a_time_that_is_none_is_refused(vector: Vector, time: bytes) -> None:
    [name] = [name for name in vector.call.headers if "timestamp" in name]

    assert not genuine(
        vector.kind,
        [vector.secret],
        vector.call._replace(headers={**vector.call.headers, name: time}),
    )


@pytest.mark.parametrize(
    "uri",
    [
        "http://www.example.com/webhook_uri",
        f"{URI}?a=1",
        f"{URI}/",
        "https://example.com/webhook_uri",
    ],
)
@pytest.mark.parametrize("name", ["hubspot v2", "hubspot v3"])
def test_hubspot_signs_the_address_too(name: str, uri: str) -> None:
    vector = VECTORS[name]

    assert not holds(vector._replace(call=vector.call._replace(uri=uri)))
    assert not holds(vector._replace(call=vector.call._replace(method="PUT")))


def test_of_a_hubspot_address_only_some_escapes_are_decoded_before_it_is_signed() -> None:
    decoded = URI + "?a=:/?@!$'()*,;&b=%20%26%3d%25"
    as_called = URI + "?a=%3A%2f%3F%40%21%24%27%28%29%2A%2C%3B&b=%20%26%3d%25"
    vector = VECTORS["hubspot v3"]
    time = vector.call.headers["x-hubspot-request-timestamp"]
    digest = hmac.new(
        HUBSPOT_SECRET.encode(), b"POST" + decoded.encode() + EXAMPLE + time, hashlib.sha256
    ).digest()
    headers = {**vector.call.headers, "x-hubspot-signature-v3": base64.b64encode(digest)}

    assert holds(vector._replace(call=vector.call._replace(uri=as_called, headers=headers)))


def test_an_older_signature_does_not_stand_in_for_a_wrong_newer_one() -> None:
    old, new = VECTORS["hubspot v1"], VECTORS["hubspot v3"]
    both = {**old.call.headers, **new.call.headers}

    assert not holds(old._replace(call=old.call._replace(headers=both, moment=new.call.moment)))


def test_one_of_several_standard_signatures_is_enough() -> None:
    vector = VECTORS["standard"]
    good = vector.call.headers["webhook-signature"]

    def signed(value: bytes) -> bool:
        return holds(
            vector._replace(
                call=vector.call._replace(
                    headers={**vector.call.headers, "webhook-signature": value}
                )
            )
        )

    assert signed(b"v1a,nonsense v1,AAAA " + good)
    assert not signed(b"nonsense")
    assert not signed(good.replace(b"v1,", b"v2,"))


def test_a_standard_body_that_is_no_text_is_refused() -> None:
    vector = VECTORS["standard"]

    assert not holds(vector._replace(call=vector.call._replace(body=b"\xff")))


@pytest.mark.parametrize(
    "header",
    [
        b"Basic",
        b"Basic ",
        b"Basic !!!",
        b"Basic YQ==",
        b"Bearer " + ZAPIER_SECRET.encode(),
        b"\xff",
    ],
)
def test_a_password_that_is_none_is_refused(header: bytes) -> None:
    assert not holds(zapier(authorization=header))


@pytest.mark.parametrize("kind", SENDERS.values(), ids=SENDERS)
@pytest.mark.parametrize(
    "secret", ["", " ", "short", "whsec_", "whsec_c2hvcnQ=", " " + "x" * 32, "x" * 31 + "\n"]
)
def test_a_secret_that_could_be_guessed_is_refused(kind: Sender, secret: str) -> None:
    with pytest.raises(BadSecret):
        check(kind, secret)


@EACH
def test_the_published_secrets_are_good_ones(vector: Vector) -> None:
    check(vector.kind, vector.secret)


@pytest.mark.parametrize("kind", [STANDARD, ZENDESK_CHAT], ids=["standard", "chat"])
def test_a_standard_secret_is_base64(kind: Sender) -> None:
    with pytest.raises(BadSecret, match="base64"):
        check(kind, "not base64, but long enough")
