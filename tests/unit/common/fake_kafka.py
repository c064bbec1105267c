"""What stands at the seam to Kafka in tests: a producer that answers as it is told to."""

from collections.abc import Callable, Sequence
from typing import Any

from kafka.errors import KafkaTimeoutError
from kafka.future import Future

from services.common.kafka import Record


class FakeReceipt:
    """Calls back as kafka-python's futures do: at once when the answer is there already."""

    def __init__(self) -> None:
        self._future = Future()

    def add_callback(self, f: Callable[[Any], object]) -> None:
        self._future.add_callback(f)

    def add_errback(self, f: Callable[[Exception], object]) -> None:
        self._future.add_errback(f)

    def acknowledge(self) -> None:
        self._future.success(None)

    def fail(self) -> None:
        self._future.failure(KafkaTimeoutError("expired"))


class FakeProducer:
    """Acknowledges nothing by itself."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.receipts: list[FakeReceipt] = []
        self.groups = 0
        self.is_closed = False

    def send(self, records: Sequence[Record]) -> list[FakeReceipt]:
        receipts = [FakeReceipt() for _ in records]
        self.records += records
        self.receipts += receipts
        self.groups += 1
        return receipts

    def close(self, timeout_s: float) -> None:
        self.is_closed = True


class FakeKafka:
    """Gives a new producer each time, unless it is away."""

    def __init__(self) -> None:
        self.producers: list[FakeProducer] = []
        self.is_away = False

    def connect(self) -> FakeProducer:
        if self.is_away:
            raise KafkaTimeoutError("no broker")
        self.producers.append(FakeProducer())
        return self.producers[-1]

    @property
    def records(self) -> list[Record]:
        return [record for producer in self.producers for record in producer.records]

    def acknowledge(self) -> None:
        """Answer all records so far."""
        for producer in self.producers:
            while producer.receipts:
                producer.receipts.pop().acknowledge()

    def fail(self) -> None:
        """Say of all records so far that they could not be stored."""
        for producer in self.producers:
            while producer.receipts:
                producer.receipts.pop().fail()
