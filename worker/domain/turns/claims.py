"""Claims: the names under which requests take turns, fixed before the first attempt."""

from worker.domain.storable import GREATEST

_LONGEST_NUMBER = len(str(GREATEST))


def name_run_claim(kind: str, run_id: int) -> str:
    """The claim under which a run reserves its block."""
    return f"{kind}:{run_id}"


def parse_run_id(claim: str) -> int:
    """The id of the run whose claim it is; 0 for any other claim."""
    number = claim.partition(":")[2]
    return (
        int(number)
        if number.isascii() and number.isdecimal() and len(number) < _LONGEST_NUMBER
        else 0
    )


def name_capture_claim(lead_id: int) -> str:
    return f"lead:{lead_id}:capture"


def name_request_claim(token: str) -> str:
    """The claim of a request that is answered at once. Its token is random."""
    return f"request:{token}"


def name_convert_claim(lead_id: int) -> str:
    return f"lead:{lead_id}:convert"
