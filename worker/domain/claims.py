"""Claims: the names under which requests take turns, fixed before the first attempt."""


def import_claim(run_id: int) -> str:
    return f"import:{run_id}"


def capture_claim(lead_id: int) -> str:
    return f"lead:{lead_id}:capture"


def request_claim(token: str) -> str:
    """Of a request that is answered at once; the token is its own, and random."""
    return f"request:{token}"


def convert_claim(lead_id: int) -> str:
    return f"lead:{lead_id}:convert"
