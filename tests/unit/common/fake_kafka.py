"""What stands at the seam to Kafka in tests: a producer that answers as it is told to."""

from collections.abc import Callable, Sequence
from functools import partial

from kafka.errors import KafkaTimeoutError

from services.common.kafka import Answered, Record


class FakeProducer:
    """Answers nothing by itself."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.unanswered: list[Callable[[bool], object]] = []
        self.groups = 0
        self.is_closed = False

    def send(self, records: Sequence[Record], answered: Answered) -> None:
        self.records += records
        self.unanswered += [partial(answered, [i]) for i in range(len(records))]
        self.groups += 1

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
        self._answer(kept=True)

    def fail(self) -> None:
        """Say of all records so far that they could not be stored."""
        self._answer(kept=False)

    def _answer(self, kept: bool) -> None:
        for producer in self.producers:
            while producer.unanswered:
                producer.unanswered.pop(0)(kept)
