"""The Lua scripts as module constants. Each call names the client."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis import Redis, RedisCluster


class Script:
    """A script that runs where its keys are. It is sent to a server that doesn't know it, because
    the server forgot it or was promoted a moment ago."""

    def __init__(self, name: str) -> None:
        self._text = files("worker.ring").joinpath("lua", f"{name}.lua").read_text()
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    def __call__(
        self, client: "Redis | RedisCluster", keys: Sequence[str], arguments: Sequence[str | int]
    ) -> Any:
        from redis.exceptions import NoScriptError

        try:
            return client.evalsha(self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return client.eval(self._text, len(keys), *keys, *arguments)


take_turns = Script("take_turns")
change_roster = Script("change_roster")
seed_ring = Script("seed_ring")
