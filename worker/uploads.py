"""Where uploads and receipts lie: a folder at any address that fsspec knows."""

import io
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import IO, TYPE_CHECKING

from worker.errors.runs import FileGone
from worker.errors.servers import StorageUnreachable

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

COPY_BYTES = 2**20


class Uploads:
    """One folder of files by name, such as 42/upload.csv.

    Raises StorageUnreachable when the storage is away.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _folder(self) -> tuple["AbstractFileSystem", str]:
        """The file system, and where the folder is in it. Most commands never ask for it."""
        import fsspec

        file_system, root = fsspec.core.url_to_fs(self._url)
        return file_system, root

    @property
    def _files(self) -> "AbstractFileSystem":
        return self._folder[0]

    @property
    def _root(self) -> str:
        return self._folder[1]

    def store(self, name: str, source: IO[bytes]) -> int:
        """Writes a file and returns its size in bytes."""
        return self._write(name, [source])

    def join(self, name: str, first: bytes, parts: Iterable[str]) -> None:
        """Writes one file out of its first bytes and of other files, in order."""
        self._write(name, chain([io.BytesIO(first)], map(self.open, parts)))

    def _write(self, name: str, sources: Iterable[IO[bytes]]) -> int:
        """Returns the size in bytes. A file appears whole or not at all, and may be written again
        while another process reads it."""
        path, size = self._find_path(name), 0
        draft = f"{path}.{secrets.token_hex(4)}"
        with _translate_errors():
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            try:
                with self._files.open(draft, "wb") as target:
                    for source in sources:
                        with source:
                            while block := source.read(COPY_BYTES):
                                size += target.write(block)
                self._files.mv(draft, path)
            except BaseException:
                with suppress(OSError):
                    self._files.rm_file(draft)
                raise
        return size

    def open(self, name: str) -> IO[bytes]:
        """A file to read. Raises FileGone."""
        with _translate_errors():
            try:
                opened: IO[bytes] = self._files.open(self._find_path(name), "rb")
            except FileNotFoundError:
                raise FileGone(name=name) from None
        return opened

    def exists(self, name: str) -> bool:
        return bool(self._files.exists(self._find_path(name)))

    def read_part(self, name: str, offset: int, length: int) -> bytes:
        """A part of a file, in bytes. Raises FileGone."""
        with _translate_errors(), self.open(name) as file:
            file.seek(offset)
            return file.read(length)

    def remove(self, names: Iterable[str]) -> None:
        """Removes files; one that is gone already is no error."""
        for name in names:
            with suppress(FileNotFoundError):
                self._files.rm_file(self._find_path(name))

    def list_files(self, folder: str) -> list[str]:
        """The files of a folder, as FOLDER/FILE; none if it isn't there."""
        try:
            return [
                f"{folder}/{_cut_base_name(path)}"
                for path in self._files.ls(self._find_path(folder), detail=False)
            ]
        except FileNotFoundError:
            return []

    def list_folders(self) -> list[str]:
        try:
            return [
                _cut_base_name(each["name"])
                for each in self._files.ls(self._root, detail=True)
                if each["type"] == "directory"
            ]
        except FileNotFoundError:
            return []

    def is_older(self, folder: str, moment: datetime) -> bool:
        """Whether a folder holds files, all written before that moment."""
        names = self.list_files(folder)
        try:
            return bool(names) and all(
                self._files.modified(self._find_path(name)) < moment for name in names
            )
        except FileNotFoundError:  # another process is writing: a draft was just renamed
            return False

    def remove_folder(self, folder: str) -> None:
        with suppress(FileNotFoundError):
            self._files.rm(self._find_path(folder), recursive=True)

    def _find_path(self, name: str) -> str:
        return f"{self._root}/{name}"


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raises StorageUnreachable for a storage that is away or full."""
    try:
        yield
    except OSError as error:
        raise StorageUnreachable(reason=error.strerror or error) from error


def _cut_base_name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
