"""The columns of a batch's events, and the check that keeps valid rows and names the others."""

from collections.abc import Iterator
from operator import gt

from services.common.reading import Rejected

Rows = list[int]
Range = tuple[str, int, int]

DAY_MS = 86_400_000
SPAN = 10_000
DURATION_MAX_MS = 60_000
SELECTORS_MAX = 200
CLOCK_SLACK_MS = 1_000
_GAP = ("gap_ms", 0, DAY_MS)
_TIME = ("time_ms", 0, DAY_MS)

GROUPS: dict[str, tuple[Range, ...]] = {
    # A band of the document that stayed on screen; the gap is that to the end of the one before.
    "view": (_GAP, ("duration_ms", 0, DURATION_MAX_MS), ("top", 0, SPAN), ("bottom", 0, SPAN)),
    # Where the pointer was; the gap is that to the sample before.
    "move": (_GAP, ("x", 0, SPAN - 1), ("y", 0, SPAN - 1)),
    # Kinds: 1 click, 2 rage, 3 dead. Flags: 1 fixed element, 2 untrusted, 4 by keyboard.
    "click": (
        _TIME, ("kind", 1, 3), ("x", 0, SPAN - 1), ("y", 0, SPAN - 1),
        ("element", -1, SELECTORS_MAX - 1), ("p", 0, 1023), ("q", 0, 1023), ("flags", 0, 7),
    ),
    # The deepest bottom seen grew from one place to another; from -1 when the page was opened.
    "reach": (_TIME, ("from", -1, SPAN), ("to", 0, SPAN)),
}  # fmt: skip


def checked(group: str, rows: Rows, selectors: int, age_ms: int, rejected: list[Rejected]) -> Rows:
    """The rows that are valid; the others go to `rejected`, each with its reason.

    rows: flat, one row after the other. selectors: how many elements the batch names.
    age_ms: how long before its sending the batch began; nothing may have happened after it.
    """
    latest_ms = age_ms + CLOCK_SLACK_MS
    if _all_valid(group, rows, selectors, latest_ms):
        return rows
    kept: Rows = []
    passed_ms = skipped_ms = 0
    width = len(GROUPS[group])
    for i in range(0, len(rows), width):
        row = rows[i : i + width]
        fault = next(_faults(group, row, selectors, latest_ms - passed_ms), None)
        spent_ms = _spent_ms(group, row)
        if fault is None:
            kept += _later(group, row, skipped_ms)
            skipped_ms = 0
        else:
            rejected.append(Rejected(f"{group}[{i // width}]", fault, row))
            # What follows happened as late as it did, whether or not this row can be kept.
            skipped_ms += spent_ms
        passed_ms += spent_ms
    return kept


def _all_valid(group: str, rows: Rows, selectors: int, latest_ms: int) -> bool:
    """Whether `_faults` would find nothing in any row, found out for whole columns at once."""
    if len(rows) % len(GROUPS[group]):
        return False
    if group == "view":
        return _views_valid(rows, latest_ms)
    if group == "move":
        return _moves_valid(rows, latest_ms)
    width = len(GROUPS[group])
    return all(
        next(_faults(group, rows[i : i + width], selectors, latest_ms), None) is None
        for i in range(0, len(rows), width)
    )


def _views_valid(rows: Rows, latest_ms: int) -> bool:
    gaps_ms, durations_ms, bottoms = rows[::4], rows[1::4], rows[3::4]
    return (
        min(rows) >= 0
        and max(gaps_ms) <= DAY_MS
        and max(durations_ms) <= DURATION_MAX_MS
        and max(bottoms) <= SPAN
        and not any(map(gt, rows[2::4], bottoms))
        and sum(gaps_ms) + sum(durations_ms) <= latest_ms
    )


def _moves_valid(rows: Rows, latest_ms: int) -> bool:
    gaps_ms = rows[::3]
    return (
        min(rows) >= 0
        and max(gaps_ms) <= DAY_MS
        and max(rows[1::3]) < SPAN
        and max(rows[2::3]) < SPAN
        and sum(gaps_ms) <= latest_ms
    )


def _faults(group: str, row: Rows, selectors: int, left_ms: int) -> Iterator[str]:
    ranges = GROUPS[group]
    if len(row) < len(ranges):
        names = ", ".join(name for name, _, _ in ranges)
        yield f"An event of {group} has {len(ranges)} values: {names}."
        return
    for value, (name, low, high) in zip(row, ranges, strict=True):
        if not low <= value <= high:
            yield f"{name} is {value}, but must lie between {low} and {high}."
    if group == "view" and row[2] > row[3]:
        yield f"top is {row[2]}, but must not lie below bottom, which is {row[3]}."
    if group == "reach" and row[1] >= row[2]:
        yield f"from is {row[1]}, but must lie above to, which is {row[2]}."
    if group == "click" and row[4] >= selectors:
        yield f"element is {row[4]}, but the batch names {selectors} elements."
    if (_spent_ms(group, row) or row[0]) > left_ms:
        yield "It happened after the batch was sent."


def _spent_ms(group: str, row: Rows) -> int:
    """By how much a row moves the time of those that follow it."""
    if group == "view":
        return sum(value for value in row[:2] if 0 <= value <= DAY_MS)
    return row[0] if group == "move" and 0 <= row[0] <= DAY_MS else 0


def _later(group: str, row: Rows, by_ms: int) -> Rows:
    return [row[0] + by_ms, *row[1:]] if group in {"view", "move"} else row
