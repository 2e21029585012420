"""The Lua scripts as module constants; the client is named at each call. A server that has forgotten a script is sent it again."""

from importlib.resources import files

from redis.commands.core import Script


def _script(name: str) -> Script:
    return Script(None, files("worker.ring").joinpath("lua", f"{name}.lua").read_bytes())  # type: ignore[arg-type]


take_turns = _script("take_turns")
change_roster = _script("change_roster")
seed_ring = _script("seed_ring")
