import os
import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kafka import TopicPartition
from prometheus_client import CollectorRegistry

from services.heatmap.archiving.archiver import ArchiveMetrics, Archiver
from services.heatmap.archiving.files import (
    ArchiveError,
    Piece,
    pieces,
    positions,
    received_between,
)
from services.heatmap.archiving.partition import Partition
from services.heatmap.archiving.rows import Row, batches, table
from services.heatmap.archiving.writing import (
    KEEP_MERGED_S,
    forget_merged,
    forget_unfinished,
    merge,
    small_files,
    write,
)
from services.heatmap.events import Batch, encode

DAY_MS = 86_400_000
NOON_MS = 1_709_294_400_000
DAY = date(2024, 3, 1)


def batch(received_ms: int = NOON_MS, number: int = 0, **other: Any) -> Batch:
    values: dict[str, Any] = {
        "v": 1, "received_ms": received_ms, "origin_ms": received_ms - 40, "site": "demo",
        "page": "/", "version": "", "view_class": "l", "audience": 0, "view_id": 2**64 - 1,
        "number": number, "visitor": 2**63, "at": (0, 900), "bye": False, "elements": ["#a"],
        "view": b"", "move": b"\x01\0\0\0", "click": b"", "reach": b"",
    }  # fmt: skip
    return Batch(**(values | other))


def rows(first: int, last: int, partition: int = 0, received_ms: int = NOON_MS) -> list[Row]:
    return [Row(partition, n, batch(received_ms, n)) for n in range(first, last + 1)]


def offsets(folder: Path, partition: int = 0) -> list[int]:
    """What a reader of the archive sees."""
    found = (piece.path(folder) for piece in pieces(folder) if piece.partition == partition)
    return [n for path in found for n in pq.read_table(path)["offset"].to_pylist()]


def test_a_batch_comes_back_as_it_went_in() -> None:
    kept = [batch(), batch(at=None, bye=True, elements=[], view_id=0, visitor=1, audience=2)]

    arrow = table([Row(3, n, one) for n, one in enumerate(kept)])

    assert [one for rows in arrow.to_batches() for one in batches(rows)] == kept


def test_the_names_tell_where_each_partition_goes_on(tmp_path: Path) -> None:
    write(tmp_path, rows(0, 4))
    write(tmp_path, rows(5, 5))
    write(tmp_path, rows(7, 9, partition=2))

    assert positions(tmp_path) == {0: 6, 2: 10}
    assert pieces(tmp_path)[0] == Piece(0, 0, 4, DAY)


def test_batches_of_two_days_lie_in_two_files_in_their_order(tmp_path: Path) -> None:
    mixed = rows(0, 1) + rows(2, 3, received_ms=NOON_MS + DAY_MS) + rows(4, 4)

    write(tmp_path, mixed)

    later = DAY + timedelta(days=1)
    assert pieces(tmp_path) == [Piece(0, 0, 1, DAY), Piece(0, 2, 3, later), Piece(0, 4, 4, DAY)]
    assert received_between(pieces(tmp_path), NOON_MS + DAY_MS, NOON_MS + DAY_MS) == [
        Piece(0, 2, 3, later)
    ]


def test_half_written_files_are_no_files_and_go_away(tmp_path: Path) -> None:
    write(tmp_path, rows(0, 1))
    half = tmp_path / f"day={DAY}" / ".0-2-9.tmp"
    half.write_bytes(b"PAR1")

    before = positions(tmp_path)
    forget_unfinished(tmp_path, 1)
    assert half.exists()
    forget_unfinished(tmp_path, 0)

    assert before == {0: 2}
    assert not half.exists()


def test_merged_files_are_read_once_and_deleted_an_hour_later(tmp_path: Path) -> None:
    for n in range(3):
        write(tmp_path, rows(2 * n, 2 * n + 1))
    one = merge(tmp_path, small_files(tmp_path, 0, DAY + timedelta(days=1)))

    assert one == Piece(0, 0, 5, DAY)
    assert offsets(tmp_path) == [0, 1, 2, 3, 4, 5]
    forget_merged(tmp_path, 0)
    assert len(list(tmp_path.glob("day=*/*.parquet"))) == 4
    earlier_s = time.time() - KEEP_MERGED_S - 1
    os.utime(one.path(tmp_path), (earlier_s, earlier_s))
    forget_merged(tmp_path, 0)
    assert list(tmp_path.glob("day=*/*.parquet")) == [one.path(tmp_path)]
    assert not small_files(tmp_path, 0, DAY + timedelta(days=1))


def test_files_of_this_day_and_files_with_a_gap_between_are_not_merged(tmp_path: Path) -> None:
    write(tmp_path, rows(0, 1))
    write(tmp_path, rows(5, 6))

    assert not small_files(tmp_path, 0, DAY + timedelta(days=1))
    write(tmp_path, rows(7, 8))
    assert not small_files(tmp_path, 0, DAY)
    assert small_files(tmp_path, 0, DAY + timedelta(days=1)) == [
        Piece(0, 5, 6, DAY),
        Piece(0, 7, 8, DAY),
    ]


def test_files_that_share_offsets_are_refused_with_a_sentence(tmp_path: Path) -> None:
    write(tmp_path, rows(0, 4))
    write(tmp_path, rows(3, 8))

    with pytest.raises(ArchiveError, match=r"0-0-4\.parquet and .*0-3-8\.parquet share offsets"):
        pieces(tmp_path)


def test_a_partition_is_written_by_one_process_at_a_time(tmp_path: Path) -> None:
    first = Partition(tmp_path, 0)
    with pytest.raises(ArchiveError, match="Another process writes partition 0"):
        Partition(tmp_path, 0)

    first.close()

    Partition(tmp_path, 0).close()


def test_an_archive_of_another_topic_is_not_gone_on_with(tmp_path: Path) -> None:
    write(tmp_path, rows(0, 4))
    partition = Partition(tmp_path, 0)

    with pytest.raises(ArchiveError, match="offset 0 of partition 0"):
        partition.add(Row(0, 0, batch()))


class FakeRecord:
    def __init__(self, partition: int, offset: int, value: bytes) -> None:
        self.partition, self.offset, self.value = partition, offset, value


class FakeTopic:
    """One partition of a topic that is polled a few records at a time."""

    def __init__(self, values: list[bytes], at_once: int) -> None:
        self._values, self._at_once, self._next = values, at_once, 0

    def seek(self, _: TopicPartition, offset: int) -> None:
        self._next = offset

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[FakeRecord]]:
        end = min(self._next + self._at_once, len(self._values))
        got = [FakeRecord(0, n, self._values[n]) for n in range(self._next, end)]
        self._next = end
        return {TopicPartition("t", 0): got} if got else {}


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    """A new folder for each example."""
    return map(tmp_path.joinpath, map(str, count()))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.sampled_from(["step", "flush", "kill", "stop"]), min_size=1, max_size=30),
    at_once=st.integers(1, 5),
)
def test_whatever_stops_the_archive_no_batch_is_lost_or_twice(
    folders: Iterator[Path], steps: list[str], at_once: int
) -> None:
    folder = next(folders)
    values = [encode(batch(number=n)) for n in range(30)]
    values[7] = b"no batch"

    def start() -> Archiver:
        topic = FakeTopic(values, at_once)
        return Archiver(topic, folder, ArchiveMetrics(CollectorRegistry()))  # type: ignore[arg-type]

    archiver = start()
    for step in [*steps, *["step"] * 62, "stop"]:
        if step in {"kill", "stop"}:
            if step == "kill":
                for partition in archiver._partitions.values():
                    partition.flush = lambda: 0  # type: ignore[method-assign]
            archiver.close()
            archiver = start()
        else:
            getattr(archiver, step)()

    assert offsets(folder) == [n for n in range(30) if n != 7]
