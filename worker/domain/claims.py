"""Claims: the names under which requests take turns, fixed before the first attempt."""


def import_claim(run_id: int) -> str:
    return f"import:{run_id}"


def record_claim(record_type: str, record_id: int, deed: str) -> str:
    """For example lead:99:capture. The deed must name the request, not only its kind, where a record may make several of one kind."""
    return f"{record_type}:{record_id}:{deed}"
