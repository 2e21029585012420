"""The tree of errors: docstrings are messages, classes carry status and code."""

import pickle
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from string import Formatter

import pytest

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


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.__name__)
def test_the_docstring_is_a_message_that_its_facts_fill_in(error: type[EvenhandError]) -> None:
    assert error.__doc__
    facts = {name for _, name, _, _ in Formatter().parse(error.__doc__) if name}

    raised = error(**{fact: f"<{fact}>" for fact in facts})

    assert all(f"<{fact}>" in str(raised) for fact in facts)
    assert "{" not in str(raised)
    assert "  " not in str(raised)
    assert "\n" not in str(raised)
    assert str(raised)[-1] in ".}>" or error is ServerDidNotStart or error is UnreadableFile


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.__name__)
def test_the_code_is_the_name_in_snake_case(error: type[EvenhandError]) -> None:
    code = error(
        **{name: "" for _, name, _, _ in Formatter().parse(error.__doc__ or "") if name}
    ).code

    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    assert code.replace("_", "") == error.__name__.lower()


@pytest.mark.parametrize("error", EVERY, ids=lambda error: error.__name__)
def test_status_and_exit_code_are_ones_that_their_readers_know(error: type[EvenhandError]) -> None:
    assert error.status in (400, 401, 403, 404, 409, 422, 429, 500, 503)
    assert error.exit_code in (1, 2)


def test_codes_are_unique() -> None:
    names = [error.__name__.lower() for error in EVERY]

    assert len(names) == len(set(names)) > 30


def test_an_error_travels_from_one_process_to_another_whatever_its_facts_are() -> None:
    sent = Refused(pool_id=7, epoch=None, reason=ValueError("odd"))

    received = pickle.loads(pickle.dumps(sent))

    assert (type(received), str(received)) == (Refused, str(sent))
    assert received.facts == {"pool_id": 7, "epoch": "None", "reason": "odd"}
