"""The tree of errors: docstrings are messages, classes carry status and code."""

import pickle
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from string import Formatter

from worker import errors
from worker.errors.base import EvenhandError
from worker.errors.runs import UnreadableFile
from worker.errors.servers import ServerDidNotStart
from worker.errors.turns import Refused

for module in pkgutil.iter_modules(errors.__path__, f"{errors.__name__}."):
    import_module(module.name)


def tree(root: type[EvenhandError] = EvenhandError) -> Iterator[type[EvenhandError]]:
    yield root
    for branch in root.__subclasses__():
        yield from tree(branch)


EVERY = [error for error in tree() if error.__module__.startswith(f"{errors.__name__}.")]
WITHOUT_A_FULL_STOP = (ServerDidNotStart, UnreadableFile)
"""Their messages end with what a server or a library has said."""


def facts_of(error: type[EvenhandError]) -> list[str]:
    """The names of the facts that a message asks for."""
    return [name for _, name, _, _ in Formatter().parse(error.__doc__ or "") if name]


def test_each_docstring_is_a_message_that_its_facts_fill_in() -> None:
    assert [error.__name__ for error in EVERY if not is_a_message(error)] == []


def is_a_message(error: type[EvenhandError]) -> bool:
    facts = facts_of(error)
    told = str(error(**{fact: f"<{fact}>" for fact in facts}))
    return (
        bool(error.__doc__)
        and all(f"<{fact}>" in told for fact in facts)
        and not any(wrong in told for wrong in ("{", "  ", "\n"))
        and (told[-1] in ".}>" or error in WITHOUT_A_FULL_STOP)
    )


def test_each_code_is_the_name_in_snake_case() -> None:
    codes = {error.__name__: error(**dict.fromkeys(facts_of(error), "")).code for error in EVERY}

    wrong = {
        name: code
        for name, code in codes.items()
        if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code) or code.replace("_", "") != name.lower()
    }
    assert wrong == {}


def test_each_status_and_exit_code_is_one_that_its_readers_know() -> None:
    statuses, exit_codes = (400, 401, 403, 404, 409, 422, 429, 500, 503), (1, 2)

    assert [
        error.__name__
        for error in EVERY
        if error.status not in statuses or error.exit_code not in exit_codes
    ] == []


def test_codes_are_unique() -> None:
    names = [error.__name__.lower() for error in EVERY]

    assert len(names) == len(set(names)) > 30


def test_an_error_travels_from_one_process_to_another_whatever_its_facts_are() -> None:
    sent = Refused(pool_id=7, epoch=None, reason=ValueError("odd"))

    received = pickle.loads(pickle.dumps(sent))

    assert (type(received), str(received)) == (Refused, str(sent))
    assert received.facts == {"pool_id": 7, "epoch": "None", "reason": "odd"}
