r"""Paths into JSON: where a sender puts a field.

A path is names with dots between, such as `detail.name`, where a name may hold any character and a
number counts within a list, from 0. A `|` separates places. The first place that holds text counts.
A path may also be JMESPath (https://jmespath.org/specification.html), such as `join(' ', [first,
last])` or `name || email`. Names go first: a path is read as JMESPath only where it has `||`, or
where its names lead to no text."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from worker.domain.json_content import JsonObject
from worker.domain.storable import replace_unstorable

MOST_NAMES = 50
"""How many names a place may have."""

_JMESPATH_SIGNS = re.compile(r"[\[\](){}'\"`*@&!?<>=]|\|\|")
_INDEX = re.compile("[0-9]{1,6}")


def is_path(text: str) -> bool:
    """Whether the text is a path: names, none of them empty, or JMESPath."""
    return _has_names(text) or _compile(text) is not None


def split_places(path: str) -> list[str]:
    """The places between which a path chooses, as they are written."""
    return [place.strip() for place in path.split("|")]


def find_text(content: JsonObject, path: str) -> str | None:
    """The text that a path leads to, without the characters that databases can't store. None for no
    text."""
    texts = (as_text(value) for value in _find_values(content, path))
    return next((text for text in texts if text), None)


def as_text(value: object) -> str | None:
    """A value as text; a list of texts with commas between. None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return replace_unstorable(str(value)).strip()
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return ", ".join(filter(None, map(as_text, value)))
    return None


def _find_values(content: JsonObject, path: str) -> Iterator[object]:
    for place, expression in _read_path(path):
        yield content[place] if place in content else _search(expression, content)


def _search(expression: ParsedResult | None, content: JsonObject) -> object:
    try:
        return None if expression is None else expression.search(content)
    except JMESPathError:  # a function in the path doesn't take the value
        return None


@lru_cache(maxsize=1024)
def _read_path(path: str) -> list[tuple[str, ParsedResult | None]]:
    """The places of a path as they are written, and as JMESPath. The last one may be the whole path
    itself."""
    has_names = _has_names(path)
    places = split_places(path) if has_names else []
    read = [(place, _compile(_translate(place))) for place in places]
    if not has_names or _JMESPATH_SIGNS.search(path):
        read.append((path, _compile(path)))
    return read


def _compile(expression: str) -> ParsedResult | None:
    try:
        return jmespath.compile(expression)
    except (JMESPathError, RecursionError):
        return None


def _has_names(path: str) -> bool:
    places = [place.split(".") for place in split_places(path)]
    return all(len(names) <= MOST_NAMES and all(names) for names in places)


def _translate(place: str) -> str:
    """Names with dots between, as JMESPath. A name may hold dots itself: the rest of a place is
    tried as one name first."""
    name, dot, further = place.partition(".")
    here = f"([{int(name)}] || {_quote(name)})" if _INDEX.fullmatch(name) else _quote(name)
    return f"({_quote(place)} || ({here} | {_translate(further)}))" if dot else here


def _quote(name: str) -> str:
    return json.dumps(replace_unstorable(name))
