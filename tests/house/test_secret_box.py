"""The secret box: only those who have a key can read what is sealed."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from worker.errors.servers import BadSetting, Unreadable
from worker.secret_box import KEY_FILE, SecretBox, open_secret_box
from worker.settings import Settings

OLD, NEW = "the key of last year: and it is long", "the key of this year: and it is long"


@pytest.mark.parametrize("text", ["", "secret", "ü\0\N{SNOWMAN}", "x" * 100_000])
def test_what_is_sealed_comes_back_as_it_was(text: str) -> None:
    secret_box = SecretBox([NEW])

    sealed = secret_box.seal(text)

    assert secret_box.open(sealed) == text
    assert text == "" or text not in sealed
    assert secret_box.seal(text) != sealed


def test_what_was_changed_or_sealed_elsewhere_is_not_read() -> None:
    secret_box = SecretBox([NEW])
    sealed = secret_box.seal("secret")
    changed = [
        sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        for at in (0, 5, 20, 60)
    ]

    for wrong in [*changed, sealed[:-4], "", "\ud800", "nonsense", SecretBox([OLD]).seal("secret")]:
        with pytest.raises(Unreadable):
            secret_box.open(wrong)
        with pytest.raises(Unreadable):
            secret_box.age_seconds(wrong, 0.0)


def test_a_new_key_goes_before_the_old_one_which_still_reads() -> None:
    before, both, after = SecretBox([OLD]), SecretBox([NEW, OLD]), SecretBox([NEW])

    assert both.open(before.seal("secret")) == "secret"
    assert after.open(both.seal("secret")) == "secret"


def test_the_age_of_what_is_sealed_is_known_and_may_be_limited() -> None:
    secret_box = SecretBox([NEW])
    sealed = secret_box.seal("secret")
    sealed_at = -secret_box.age_seconds(sealed, 0.0)

    assert secret_box.age_seconds(sealed, sealed_at + 7) == 7
    assert secret_box.open(sealed, 60) == "secret"
    with pytest.raises(Unreadable):
        secret_box.open(sealed, -1)


def test_keys_come_from_the_settings(tmp_path: Path) -> None:
    secret_box = open_secret_box(Settings(home=tmp_path, secret_key=SecretStr(f"{NEW} , {OLD}")))

    assert secret_box.open(SecretBox([OLD]).seal("secret")) == "secret"
    assert SecretBox([NEW]).open(secret_box.seal("secret")) == "secret"
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize("key", ["short", f"{NEW},short", f"{NEW},"])
def test_a_key_that_is_too_short_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadSetting, match="EVENHAND_SECRET_KEY") as refused:
        open_secret_box(Settings(home=tmp_path, secret_key=SecretStr(key)))

    assert NEW not in str(refused.value)


def test_without_a_key_one_is_made_that_only_its_owner_may_read_and_all_use_the_same(
    tmp_path: Path,
) -> None:
    given = Settings(home=tmp_path / "new")

    with ThreadPoolExecutor(8) as threads:
        boxes = list(threads.map(lambda _: open_secret_box(given), range(8)))

    sealed = boxes[0].seal("secret")
    assert {secret_box.open(sealed) for secret_box in boxes} == {"secret"}
    assert [path.name for path in given.home.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((given.home / KEY_FILE).stat().st_mode) == 0o600
