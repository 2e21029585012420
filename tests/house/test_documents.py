"""The documents: their links, and the files and modules that they name. `make docs` looks after the
links below docs."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
README_MOST_LINES = 200

FLOORS = ("domain", "flows", "store")
"""The columns of ARCHITECTURE's table of stories, after the first."""

NAMED_AS_A_FOLDER = ("store/migrations/",)
"""Folders whose files no document names one by one."""

PATH = re.compile(
    r"`((?:worker|api_stub|tests|docs|ring|cli|chaos|stack|domain|flows|store)/[^`]*)`"
)
PLACEHOLDER = re.compile(r"[A-Z*<{ ]")


def test_links_of_the_top_level_documents_lead_to_files() -> None:
    documents = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("*.md")}
    links = [(name, link) for name, text in documents.items() for link in _links_in(text)]

    assert [each for each in links if not (ROOT / each[1]).is_file()] == []


def test_the_readme_can_be_read_at_once() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(readme.splitlines()) <= README_MOST_LINES


def test_paths_that_documents_name_exist() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = [
        (document.name, path)
        for document in documents
        for path in PATH.findall(document.read_text(encoding="utf-8"))
        if not PLACEHOLDER.search(path)
    ]

    assert len(named) > 0
    assert [each for each in named if not _exists(each[1])] == []


def test_modules_that_the_table_of_stories_names_exist() -> None:
    named = set(_modules_in_the_table())

    assert named - set(_modules()) - set(_folders()) == set()


def test_the_table_of_stories_names_every_module() -> None:
    named = set(_modules_in_the_table())
    folders = tuple(name for name in (*named, *NAMED_AS_A_FOLDER) if name.endswith("/"))

    assert [name for name in _modules() if name not in named and not name.startswith(folders)] == []


def _links_in(text: str) -> list[str]:
    """Returns the targets inside the repository, without their anchors."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target.partition("#")[0] for target in targets if "://" not in target]


def _exists(path: str) -> bool:
    """Whether a file or folder has that path. `worker` may be left out, and the suffix of a
    module."""
    places = ROOT / path, ROOT / "worker" / path
    return any(place.exists() or place.with_suffix(".py").exists() for place in places)


def _modules() -> Iterator[str]:
    """The modules of the three floors, such as flows/turns/assign."""
    for floor in FLOORS:
        for path in sorted((ROOT / "worker" / floor).rglob("*.py")):
            if path.stem != "__init__":
                yield str(path.relative_to(ROOT / "worker").with_suffix(""))


def _folders() -> Iterator[str]:
    for floor in FLOORS:
        for path in (ROOT / "worker" / floor).rglob("*"):
            if path.is_dir():
                yield f"{path.relative_to(ROOT / 'worker')}/"


def _modules_in_the_table() -> Iterator[str]:
    """What the table names, such as flows/turns/assign. A folder ends with a slash, and stands for
    all that is in it."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for story, *cells in re.findall(r"^\| \*\*(\w+)\*\*(?:[^|]*)\|(.*)\|(.*)\|(.*)\|$", text, re.M):
        for floor, cell in zip(FLOORS, cells, strict=True):
            for name in filter(None, (name.strip() for name in cell.split(","))):
                below = (ROOT / "worker" / floor / story).is_dir()
                yield f"{floor}/{story}/{name}" if below else f"{floor}/{name}"
