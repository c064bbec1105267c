"""The value in one cell of an order file, however CSV, Parquet or a spreadsheet types it."""

import math
import re
from datetime import UTC, date, datetime

_WHOLE_AS_DECIMAL = re.compile(r"\d+\.0", re.ASCII)


def id_text(value: object) -> str:
    """An identifier as text, however the file types it: 12346.0 and '12346.0' are '12346'."""
    if isinstance(value, str):
        text = value.strip()
    elif value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    else:
        text = str(value)
    return text[:-2] if text.endswith(".0") and _WHOLE_AS_DECIMAL.fullmatch(text) else text


def utc(value: object, time_format: str | None = None) -> datetime:
    """A time in UTC from a date, a time or ISO 8601 text (or `time_format`); else a ValueError.

    A time without a zone is taken to be UTC: order files hold local times and do not say where.
    """
    if isinstance(value, str):
        text = value.strip()
        value = _parsed(text, time_format) if time_format else datetime.fromisoformat(text)
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError(value)


def _parsed(text: str, time_format: str) -> datetime:
    return datetime.strptime(text, time_format)  # noqa: DTZ007 - the caller adds the zone


def number(value: object) -> float:
    """A number from a number or its text, nan when it is none."""
    try:
        return float(str(value).replace("_", "?"))
    except ValueError:
        return math.nan


def one_line(value: object) -> str:
    """Text on one line: spaces made single, unprintable characters left out; '' for none."""
    text = " ".join(id_text(value).split())
    return text if text.isprintable() else "".join(filter(str.isprintable, text))
