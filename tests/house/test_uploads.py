"""The upload storage: what goes wrong with it is said in our own words, and nothing half-written
stays."""

import io
from pathlib import Path

import pytest

from worker.errors.runs import FileGone
from worker.errors.servers import StorageUnreachable
from worker.uploads import Uploads


class Breaking(io.BytesIO):
    """A source that breaks off after its first bytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(2)


def test_a_storage_that_is_away_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "uploads").touch()

    with pytest.raises(StorageUnreachable, match="EVENHAND_UPLOADS_URL"):
        Uploads(str(tmp_path / "uploads")).store("42/upload.csv", io.BytesIO(b"a"))


def test_a_file_that_is_gone_is_no_storage_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(FileGone):
        Uploads(str(tmp_path)).read_part("42/upload.csv", 0, 1)


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    uploads = Uploads(str(tmp_path))

    with pytest.raises(StorageUnreachable):
        uploads.store("42/upload.csv", Breaking(b"abcd"))

    assert uploads.list_files("42") == []
