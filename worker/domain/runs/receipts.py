"""The receipt of an import: what became of each row of the file, in its order, as CSV (RFC 4180).

Lines are put together by hand, because there is one for every row of every file; cells that may
need quoting are made by `format_cell`, once.
"""

import csv
import io

HEADER = "line,record_type,record_id,pool,turn,owner,error\r\n"

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\0")


def format_cell(text: str | None) -> str:
    """Text as a cell that holds it whole, and that no spreadsheet takes for a formula."""
    if not text:
        return ""
    line = io.StringIO()
    csv.writer(line).writerow([f"'{text}" if text.startswith(_FORMULA) else text])
    return line.getvalue().removesuffix("\r\n")


def format_record_line(
    line: int, record_type: str, record_id: int, pool: str, turn: int | str, owner: str
) -> str:
    """A row that became a record: of which pool and by which turn, if any, and whose it is, by
    email. Pool and owner are cells."""
    return f"{line},{record_type},{record_id},{pool},{turn},{owner},\r\n"


def format_error_line(line: int, record_type: str, field: str, reason: str) -> str:
    """A row that became none."""
    return f"{line},{record_type},,,,,{format_cell(f'{field}: {reason}' if field else reason)}\r\n"
