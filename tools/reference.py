"""Writes docs/reference from the code: the command line, the errors and the settings.

`python tools/reference.py` writes the files. `--check` writes nothing, and exits with 1 if a file
differs from what the code says. `--folder` names another folder than docs/reference.
"""

import argparse
import ast
import inspect
import pkgutil
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from worker.errors.base import EvenhandError

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
GENERATED = "<!-- `python tools/reference.py` writes this page. Change the code, not the page. -->"


def main() -> int:
    """Runs the program and returns its exit code."""
    parser = argparse.ArgumentParser(description="Write docs/reference from the code.")
    parser.add_argument(
        "--check", action="store_true", help="Write nothing; exit 1 if they differ."
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="Where the pages are.")
    options = parser.parse_args()
    if not options.check:
        write_pages(options.folder)
        return 0
    stale = stale_pages(options.folder)
    for name in stale:
        sys.stderr.write(f"{options.folder / name} is stale: run `python tools/reference.py`.\n")
    return 1 if stale else 0


def write_pages(folder: Path) -> None:
    """Writes every page of the reference into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def stale_pages(folder: Path) -> list[str]:
    """Returns the names of the pages that are missing or differ from the code."""
    return [name for name, text in pages().items() if _read_page(folder / name) != text]


def pages() -> dict[str, str]:
    """Returns the text of every generated page by its file name."""
    return {
        "command-line.md": command_line_page(),
        "errors.md": errors_page(),
        "settings.md": settings_page(),
    }


def _read_page(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


# The command line. Typer carries its own copy of click without a type for a command in general,
# so a command is Any here.


def command_line_page() -> str:
    """Returns the page that lists every command with its arguments and options."""
    from typer.main import get_command

    from worker.cli.commands import app

    root: Any = get_command(app)
    context = root.context_class(root, info_name="evenhand", terminal_width=80)
    parts = [_plain(root.help), _plain(root.epilog)]
    parts += [
        "Every command explains itself with `--help`. Errors are sentences on standard error. "
        "The exit code is 2 for wrong use and 1 for failure. "
        "`evenhand --version` prints the version."
    ]
    parts += [_command_section(command, inner) for command, inner in _commands(root, context)]
    return _page("Command line", parts)


def _commands(group: Any, context: Any) -> Iterator[tuple[Any, Any]]:
    """Yields each command below a group with its context, in the order of the help."""
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        if command.hidden:
            continue
        inner = command.context_class(command, parent=context, info_name=name)
        yield command, inner
        if hasattr(command, "list_commands"):
            yield from _commands(command, inner)


def _command_section(command: Any, context: Any) -> str:
    is_group = hasattr(command, "list_commands")
    level = "##" if context.parent.parent is None else "###"
    parts = [f"{level} {context.command_path}", _plain(command.help)]
    if not is_group:
        usage = " ".join([_path(context), *command.collect_usage_pieces(context)])
        parts += [f"```\n{usage}\n```", _parameters(command, context), _example(command.epilog)]
    return "\n\n".join(part for part in parts if part)


def _path(context: Any) -> str:
    """Returns the words that call the command: those of its groups, then its own."""
    return " ".join([_path(context.parent), context.info_name] if context.parent else ["evenhand"])


def _parameters(command: Any, context: Any) -> str:
    records = [parameter.get_help_record(context) for parameter in command.params]
    shown = [(names, text) for names, text in filter(None, records) if names != "--help"]
    return _table(("parameter", "meaning"), [(_code(names), _cell(text)) for names, text in shown])


def _example(epilog: str | None) -> str:
    label, _, line = (epilog or "").partition(": ")
    return f"```\n{line}\n```" if label == "Example" else _plain(epilog)


def _plain(text: str | None) -> str:
    """Returns a help text without rich's markup and without line breaks inside paragraphs."""
    without = re.sub(r"\[/?(?:bold|dim|italic)\]", "", textwrap.dedent(text or ""))
    paragraphs = [" ".join(part.split()) for part in without.split("\n\n")]
    return _escape("\n\n".join(paragraphs))


# The errors.


def errors_page() -> str:
    """Returns the page that lists every error with its code, HTTP status, exit code and message."""
    rows = [
        (
            _code(_error_code(kind)),
            _code(kind.__name__),
            str(kind.status),
            str(kind.exit_code),
            _cell(kind.__doc__ or ""),
        )
        for kind in sorted(error_classes(), key=_error_code)
    ]
    parts = [
        "Evenhand raises each of these errors on purpose. The API answers with the status and "
        "puts the code and the message into its `errors`; the command line prints the message "
        "and ends with the exit code. Words in braces are filled in from the facts of the case.",
        _table(("code", "class", "status", "exit code", "message"), rows),
    ]
    return _page("Errors", parts)


def error_classes() -> set[type[EvenhandError]]:
    """Returns every class of the tree of errors, found in all modules of the product."""
    errors = import_module("worker.errors")
    for module in pkgutil.walk_packages(getattr(errors, "__path__", []), "worker.errors."):
        import_module(module.name)
    return set(_subclasses(EvenhandError))


def _subclasses(kind: type[EvenhandError]) -> Iterator[type[EvenhandError]]:
    for inner in kind.__subclasses__():
        if inner.__module__.startswith("worker.errors"):
            yield inner
        yield from _subclasses(inner)


def _error_code(kind: type[EvenhandError]) -> str:
    """Returns the code of an error, made without the facts that its message wants."""
    return kind.__new__(kind).code


# The settings.


def settings_page() -> str:
    """Returns the page that lists every setting with its default and its description."""
    from worker.settings import Settings

    described = attribute_docstrings(Settings)
    defaults = _defaults(Settings)
    rows = [
        (
            _code(f"EVENHAND_{name.upper()}"),
            _code(defaults[name]) if defaults[name] else "none",
            _cell(field.description or described.get(name, "")),
        )
        for name, field in Settings.model_fields.items()
    ]
    parts = [
        "Each setting is an environment variable. An empty variable counts as one that isn't "
        "set. [Settings in use](../operate/settings.md) explains them and the addresses that "
        "they take.",
        _table(("variable", "default", "meaning"), rows),
    ]
    return _page("Settings", parts)


def attribute_docstrings(model: type) -> dict[str, str]:
    """Returns the string literals that stand right below the fields of a class, by field."""
    body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    assert isinstance(body, ast.ClassDef)
    return {
        before.target.id: ast.literal_eval(after.value)
        for before, after in zip(body.body, body.body[1:], strict=False)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }


def _defaults(model: Any) -> dict[str, str]:
    """Returns the defaults as texts. A default may be made from the values of earlier fields."""
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        values[name] = field.get_default(call_default_factory=True, validated_data=values)
    return {name: "" if value is None else str(value) for name, value in values.items()}


# Markdown.


def _page(title: str, parts: list[str]) -> str:
    return "\n\n".join([f"# {title}", GENERATED, *filter(None, parts)]) + "\n"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _cell(text: str) -> str:
    return _escape(" ".join(text.split()))


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _escape(text: str) -> str:
    """Leaves what stands between backticks alone, and keeps the rest from being read as markup."""
    pieces = text.split("`")
    outside = [re.sub(r"([*_<\[\]|])", r"\\\1", piece) for piece in pieces[::2]]
    pieces[::2] = outside
    pieces[1::2] = [piece.replace("|", "\\|") for piece in pieces[1::2]]
    return "`".join(pieces)


if __name__ == "__main__":
    sys.exit(main())
