"""evenhand up and its parts, which an operator starts. Each command imports its program itself, so
that the others don't wait for the import."""

import logging
import os
import signal
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from worker.cli.output import console, list_fields, say
from worker.errors.servers import FlowerNeedsPassword
from worker.settings import LOOPBACK, settings

app = typer.Typer()

FLOWER_PORT = 5555
FLOWER_COLUMNS = "name,kwargs,state,received,started,runtime,worker,uuid"

Host = Annotated[str, typer.Option(help="The address to listen on.")]


@app.command(epilog="Example: evenhand up --workers 8")
def up(
    port: Annotated[int, typer.Option(help="The API's port.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes load imports.")] = 4,
    flower_port: Annotated[int, typer.Option(help="Flower's port.")] = FLOWER_PORT,
    api_processes: Annotated[
        int, typer.Option(min=1, help="How many processes serve the API.")
    ] = 2,
) -> None:
    """Start everything on this machine: API, workers, beat and Flower, until Ctrl-C."""
    from worker.stack.stack import Stack

    for number in (signal.SIGINT, signal.SIGTERM):
        # It raises KeyboardInterrupt at once.
        signal.signal(number, signal.default_int_handler)
    stack = Stack(settings(), workers, port, flower_port, api_processes)
    with suppress(KeyboardInterrupt), stack.running(lambda step: say(f"… {step}")):
        console.print(list_fields(_list_addresses(port, flower_port, stack.logs)))
        say("Ready. Ctrl-C stops everything.")
        stack.keep_running(
            lambda name: say(f"Started again what had ended: {name}; see {stack.logs}.")
        )


def _list_addresses(port: int, flower_port: int, logs: Path) -> dict[str, str]:
    home = f"http://{LOOPBACK}"
    return {
        "API": f"{home}:{port}/api",
        "API docs": f"{home}:{port}/docs",
        "Flower": f"{home}:{flower_port}",
        "data": str(settings().home),
        "logs": str(logs),
    }


@app.command(epilog="Example: evenhand migrate")
def migrate() -> None:
    """Bring the database to the tables of this version."""
    from worker.flows.system import system
    from worker.store.sql.migrate import migrate as bring_up_to_date

    bring_up_to_date(system().engine)
    say("The database is up to date.")


@app.command(epilog="Example: evenhand worker --queues bulk --processes 4")
def worker(
    queues: Annotated[
        str, typer.Option(help="Which of Celery's queues to serve, with commas between.")
    ] = "capture,bulk,notify,upkeep",
    processes: Annotated[int, typer.Option(min=1, help="How many tasks to run side by side.")] = 2,
    name: Annotated[str, typer.Option(help="What to call it in Flower.")] = "worker",
) -> None:
    """Run Celery workers."""
    # Celery knows the tasks from then on. Beat and Flower need neither them nor their imports.
    import_module("worker.tasks")
    options = [
        "--queues",
        queues,
        "--concurrency",
        str(processes),
        "--hostname",
        f"{name}@%h",
        "--pool",
        "prefork",
    ]
    _run_celery(
        "worker",
        *options,
        "--loglevel",
        "INFO",
        "--without-gossip",
        "--without-mingle",
        "--task-events",
    )


@app.command(epilog="Example: evenhand beat")
def beat() -> None:
    """Run Celery's beat, which calls upkeep every few seconds."""
    _run_celery(
        "beat", "--scheduler", "celery.beat:Scheduler", "--pidfile", "", "--loglevel", "INFO"
    )


@app.command(epilog="Example: evenhand flower --port 5555")
def flower(
    host: Host = LOOPBACK, port: Annotated[int, typer.Option(help="The port.")] = FLOWER_PORT
) -> None:
    """Run Flower, which shows workers and tasks. It is read-only; beyond this machine it wants
    EVENHAND_FLOWER_BASIC_AUTH."""
    access = settings().flower_basic_auth
    if access is not None:
        # It is no argument, because other users of the machine can see arguments.
        os.environ["FLOWER_BASIC_AUTH"] = access.get_secret_value()
    elif host != LOOPBACK:
        raise FlowerNeedsPassword(host=host)
    _run_celery(
        "flower",
        f"--address={host}",
        f"--port={port}",
        "--read_only=True",
        f"--tasks_columns={FLOWER_COLUMNS}",
    )


@app.command(epilog="Example: evenhand api --port 8000")
def api(
    host: Host = LOOPBACK,
    port: Annotated[int, typer.Option(help="The port.")] = 8000,
    processes: Annotated[
        int, typer.Option(min=1, help="How many processes to serve it with, on one port.")
    ] = 1,
    listener: Annotated[
        int | None,
        typer.Option(hidden=True, help="The socket that one of several processes is given."),
    ] = None,
) -> None:
    """Run the HTTP API."""
    from worker.stack import api as serving

    _log_requests()
    if listener is not None:
        serving.serve_on(listener)
    elif processes == 1:
        serving.serve(host, port)
    else:
        serving.serve_together(host, port, processes)


def _log_requests() -> None:
    """Shows requests in the log, each line with the id of its request."""
    from worker.request_id import MESSAGE, mark_log_records

    mark_log_records()
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    for each in root.handlers:
        each.setFormatter(logging.Formatter(MESSAGE))


def _run_celery(*arguments: str) -> None:
    from worker.app import app as celery

    celery.start([*arguments])
