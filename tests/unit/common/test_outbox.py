import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.common.outbox import KafkaAwayError, Outbox
from tests.unit.common.fake_kafka import FakeKafka

DEADLINE_S = 10.0


async def wait(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[None]:
    task = asyncio.create_task(outbox.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def run(
    scenario: Callable[[FakeKafka, Outbox], Awaitable[None]],
    patience_s: float = 0.01,
    deadline_s: float = 60,
) -> None:
    async def main() -> None:
        kafka = FakeKafka()
        outbox = Outbox(kafka.connect, 0.001, patience_s, deadline_s)
        async with running(outbox):
            await wait(lambda: kafka.producers and outbox.trouble is None)
            await scenario(kafka, outbox)

    asyncio.run(main())


def test_a_record_is_answered_when_kafka_has_it_and_not_before() -> None:
    async def scenario(kafka: FakeKafka, outbox: Outbox) -> None:
        stored = outbox.put("t", b"k", b"v")
        await wait(lambda: kafka.records)
        assert not stored.done()

        kafka.acknowledge()

        assert await stored
        assert kafka.records == [("t", b"k", b"v")]

    run(scenario)


def test_records_of_one_moment_leave_as_one_group_in_their_order() -> None:
    async def scenario(kafka: FakeKafka, outbox: Outbox) -> None:
        for i in range(100):
            outbox.put("t", b"k", b"%d" % i)
        await wait(lambda: kafka.records)

        assert kafka.producers[0].groups == 1
        assert [value for _, _, value in kafka.records] == [b"%d" % i for i in range(100)]

    run(scenario)


def test_acknowledgements_from_another_thread_reach_each_record() -> None:
    async def scenario(kafka: FakeKafka, outbox: Outbox) -> None:
        waiting = [outbox.put("t", b"k", b"%d" % i) for i in range(1000)]
        await wait(lambda: len(kafka.records) == 1000)

        await asyncio.to_thread(kafka.acknowledge)

        async with asyncio.timeout(DEADLINE_S):
            assert all(await asyncio.gather(*waiting))

    run(scenario)


def test_a_record_that_kafka_refused_is_answered_with_no() -> None:
    async def scenario(kafka: FakeKafka, outbox: Outbox) -> None:
        stored = outbox.put("t", b"k", b"v")
        await wait(lambda: kafka.records)

        kafka.fail()

        assert await stored is False

    run(scenario)


def test_a_silent_kafka_is_given_up_at_the_deadline_and_asked_anew() -> None:
    async def scenario(kafka: FakeKafka, outbox: Outbox) -> None:
        async with asyncio.timeout(DEADLINE_S):
            assert await outbox.put("t", b"k", b"v") is False

        await wait(lambda: len(kafka.producers) == 2 and outbox.trouble is None)

        assert kafka.producers[0].is_closed
        again = outbox.put("t", b"k", b"w")
        await wait(lambda: kafka.producers[1].records)
        kafka.acknowledge()
        assert await again

    run(scenario, deadline_s=0.2)


def test_one_record_that_fails_among_others_leaves_the_producer() -> None:
    async def scenario(kafka: FakeKafka, outbox: Outbox) -> None:
        bad = outbox.put("t", b"k", b"bad")
        await wait(lambda: kafka.records)
        good = outbox.put("t", b"k", b"good")
        await wait(lambda: len(kafka.records) == 2)
        failing, storing = kafka.producers[0].unanswered

        storing(True)
        assert await good
        failing(False)

        assert await bad is False
        outbox._expire()
        assert outbox.trouble is None

    run(scenario)


def test_nothing_can_be_put_before_kafka_has_answered() -> None:
    async def main() -> None:
        kafka = FakeKafka()
        kafka.is_away = True
        outbox = Outbox(kafka.connect)
        async with running(outbox):
            await wait(lambda: "no broker" in (outbox.trouble or ""))
            with pytest.raises(KafkaAwayError, match="nothing was kept"):
                outbox.put("t", b"k", b"v")
            kafka.is_away = False
            await wait(lambda: outbox.trouble is None)
            outbox.put("t", b"k", b"v")

    asyncio.run(main())


def test_an_answer_that_comes_after_the_deadline_changes_nothing() -> None:
    async def scenario(kafka: FakeKafka, outbox: Outbox) -> None:
        stored = outbox.put("t", b"k", b"v")
        assert await stored is False

        kafka.acknowledge()
        await asyncio.sleep(0)

        assert stored.result() is False

    run(scenario, deadline_s=0.05)


def test_a_stop_closes_the_producer() -> None:
    kafka = FakeKafka()

    async def main() -> None:
        outbox = Outbox(kafka.connect)
        async with running(outbox):
            await wait(lambda: outbox.trouble is None)

    asyncio.run(main())

    assert kafka.producers[0].is_closed


def test_while_a_group_is_under_way_the_next_one_gathers() -> None:
    async def scenario(kafka: FakeKafka, outbox: Outbox) -> None:
        outbox.put("t", b"k", b"0")
        await wait(lambda: kafka.records)
        outbox.put("t", b"k", b"1")
        await wait(lambda: outbox._is_due)
        outbox.put("t", b"k", b"2")
        assert len(kafka.records) == 1

        kafka.acknowledge()

        await wait(lambda: len(kafka.records) == 3)
        assert kafka.producers[0].groups == 2

    run(scenario, patience_s=60)


def test_a_group_that_takes_long_does_not_hold_up_the_next_for_good() -> None:
    async def scenario(kafka: FakeKafka, outbox: Outbox) -> None:
        outbox.put("t", b"k", b"0")
        await wait(lambda: kafka.records)

        outbox.put("t", b"k", b"1")

        await wait(lambda: len(kafka.records) == 2)

    run(scenario, patience_s=0.01)
