"""The documents at the top of the repository. `make docs` looks after the links below docs."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README_MOST_LINES = 200


def test_links_of_the_top_level_documents_lead_to_files() -> None:
    documents = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("*.md")}
    links = [(name, link) for name, text in documents.items() for link in _links_in(text)]

    assert [each for each in links if not (ROOT / each[1]).is_file()] == []


def test_the_readme_can_be_read_at_once() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(readme.splitlines()) <= README_MOST_LINES


def _links_in(text: str) -> list[str]:
    """Returns the targets inside the repository, without their anchors."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target.partition("#")[0] for target in targets if "://" not in target]
