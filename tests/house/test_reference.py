"""The pages under docs/reference say what the code says."""

from pathlib import Path

from tools.reference import FOLDER, error_classes, pages, stale_pages, write_pages
from worker.errors.base import EvenhandError


def test_the_reference_is_what_the_code_generates(tmp_path: Path) -> None:
    write_pages(tmp_path)

    committed = {name: (FOLDER / name).read_text(encoding="utf-8") for name in pages()}

    assert committed == {page.name: page.read_text(encoding="utf-8") for page in tmp_path.iterdir()}


def test_a_page_that_was_changed_by_hand_or_is_missing_is_stale(tmp_path: Path) -> None:
    write_pages(tmp_path)
    (tmp_path / "errors.md").write_text("# Errors", encoding="utf-8")
    (tmp_path / "settings.md").unlink()

    assert stale_pages(tmp_path) == ["errors.md", "settings.md"]


def test_the_reference_of_errors_goes_down_the_whole_tree() -> None:
    kinds = EvenhandError.__subclasses__()
    assert {kind for kind in kinds if kind.__module__.startswith("worker.")} < error_classes()
