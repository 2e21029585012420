"""Claims: the names under which requests take turns, fixed before the first attempt."""

from worker.domain.storable import GREATEST

_LONGEST_NUMBER = len(str(GREATEST))


def run_claim(kind: str, run_id: int) -> str:
    return f"{kind}:{run_id}"


def run_id_of(claim: str) -> int:
    """The id of the run whose claim it is; 0 for any other claim."""
    number = claim.partition(":")[2]
    return (
        int(number)
        if number.isascii() and number.isdecimal() and len(number) < _LONGEST_NUMBER
        else 0
    )


def capture_claim(lead_id: int) -> str:
    return f"lead:{lead_id}:capture"


def request_claim(token: str) -> str:
    """The claim of a request that is answered at once. Its token is random."""
    return f"request:{token}"


def convert_claim(lead_id: int) -> str:
    return f"lead:{lead_id}:convert"
