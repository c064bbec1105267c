import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.common.collect import DEAD_BODY_CHARACTERS, Limits
from services.common.kafka import Answered, Record
from services.common.outbox import Outbox
from tests.numbers import application
from tests.unit.common.fake_kafka import FakeKafka, FakeProducer
from tests.waiting import until

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"
HEADERS = {"User-Agent": CHROME, "Content-Type": "text/plain;charset=UTF-8"}


class PromptKafka(FakeKafka):
    """Acknowledges each group, or fails it."""

    def __init__(self) -> None:
        super().__init__()
        self.is_failing = False
        self.is_silent = False

    def connect(self) -> FakeProducer:
        producer = super().connect()
        send = producer.send

        def prompt(records: Sequence[Record], answered: Answered) -> None:
            send(records, answered)
            if not self.is_silent:
                threading.Timer(0.001, self.fail if self.is_failing else self.acknowledge).start()

        producer.send = prompt  # type: ignore[method-assign]
        return producer


@contextmanager
def serving(
    kafka: FakeKafka, limits: Limits | None = None, deadline_s: float = 60
) -> Iterator[TestClient]:
    outbox = Outbox(kafka.connect, linger_s=0.0, deadline_s=deadline_s)
    app = application(outbox, limits or Limits(client_per_s=1000))
    with TestClient(app, raise_server_exceptions=False, headers=HEADERS) as client:
        if not kafka.is_away:
            until(lambda: client.get("/readyz").status_code == 200, 10, every_s=0.002)
        yield client


@pytest.fixture
def kafka() -> PromptKafka:
    return PromptKafka()


@pytest.fixture
def client(kafka: PromptKafka) -> Iterator[TestClient]:
    with serving(kafka) as client:
        yield client


def value_of(client: TestClient, metric: str) -> float:
    for line in client.get("/metrics").text.splitlines():
        name, _, value = line.rpartition(" ")
        if name == metric:
            return float(value)
    return 0.0


def post_in_background(client: TestClient, answers: list[int], body: str = "[1]") -> None:
    def post() -> None:
        answers.append(client.post("/collect", content=body).status_code)

    threading.Thread(target=post, daemon=True).start()


def test_a_batch_becomes_one_record_under_its_key(kafka: PromptKafka, client: TestClient) -> None:
    answer = client.post("/collect", content="[1, 2, 3]")

    assert (answer.status_code, answer.json()) == (200, {"flush_ms": 5000, "about": "page"})
    [(topic, key, value)] = kafka.records
    assert (topic, key) == ("numbers", b"site|page")
    assert json.loads(value)["kept"] == [1, 2, 3]


def test_the_answer_waits_for_kafka(kafka: PromptKafka, client: TestClient) -> None:
    kafka.is_silent = True
    answers: list[int] = []
    post_in_background(client, answers)
    until(lambda: kafka.records, 10)
    assert value_of(client, "collect_waiting") == 1
    assert not answers

    kafka.acknowledge()

    until(lambda: answers == [200], 10)


def test_invalid_events_go_to_the_dead_letters_and_the_others_through(
    kafka: PromptKafka, client: TestClient
) -> None:
    answer = client.post("/collect", content="[1, -2, 3]")

    assert answer.status_code == 200
    assert answer.json()["rejected"] == [{"event": "number[1]", "reason": "It is below 0."}]
    good, dead = kafka.records
    assert json.loads(good[2])["kept"] == [1, 3]
    assert dead[:2] == ("numbers-dead", b"site|page")
    letter = json.loads(dead[2])
    assert letter["rejected"] == [{"event": "number[1]", "reason": "It is below 0.", "content": -2}]
    assert letter["body"] == "[1, -2, 3]"
    assert letter["received_ms"] > 1_700_000_000_000


def test_a_batch_without_a_valid_event_leaves_only_its_dead_letter(
    kafka: PromptKafka, client: TestClient
) -> None:
    answer = client.post("/collect", content="[-1, -2]")

    assert answer.status_code == 200
    assert len(answer.json()["rejected"]) == 2
    assert [topic for topic, _, _ in kafka.records] == ["numbers-dead"]


def test_a_refused_body_is_a_dead_letter_with_the_start_of_it(
    kafka: PromptKafka, client: TestClient
) -> None:
    answer = client.post("/collect", content='["' + "x" * 9000 + '"]')

    assert answer.status_code == 422
    assert answer.json() == {
        "detail": "The body has text, but may have only numbers.",
        "request_id": answer.headers["X-Request-ID"],
    }
    [(topic, _, value)] = kafka.records
    assert topic == "numbers-dead"
    assert len(json.loads(value)["body"]) == DEAD_BODY_CHARACTERS


@pytest.mark.parametrize("body", ["[1]", "[1, -1]", '["refused"]'])
def test_what_kafka_can_not_keep_is_to_be_sent_again(
    kafka: PromptKafka, client: TestClient, body: str
) -> None:
    kafka.is_failing = True

    answer = client.post("/collect", content=body)

    assert answer.status_code == 503
    assert "nothing was kept" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) >= 1


def test_without_kafka_it_starts_refuses_and_recovers(kafka: PromptKafka) -> None:
    kafka.is_away = True
    with serving(kafka) as client:
        answer = client.post("/collect", content="[1]")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert client.get("/readyz").status_code == 503

        kafka.is_away = False

        until(lambda: client.post("/collect", content="[1]").status_code == 200, 10)


def test_a_kafka_that_falls_silent_is_answered_for_at_the_deadline(kafka: PromptKafka) -> None:
    with serving(kafka, deadline_s=0.2) as client:
        kafka.is_silent = True
        assert client.post("/collect", content="[1]").status_code == 503

        kafka.is_silent = False

        until(lambda: client.post("/collect", content="[1]").status_code == 200, 10)


def test_too_large_a_body_is_refused_by_its_length(kafka: PromptKafka, client: TestClient) -> None:
    answer = client.post("/collect", content=b" " * (64 * 1024 + 1))

    assert answer.status_code == 413
    assert "65,536 bytes" in answer.json()["detail"]
    assert not kafka.records


def test_a_body_in_pieces_is_refused_once_it_is_too_large(
    kafka: PromptKafka, client: TestClient
) -> None:
    answer = client.post("/collect", content=iter([b" " * 40_000] * 1000))

    assert answer.status_code == 413
    assert not kafka.records


def test_a_body_in_pieces_is_put_together(kafka: PromptKafka, client: TestClient) -> None:
    assert client.post("/collect", content=iter([b"[1,", b"2]"])).status_code == 200
    assert json.loads(kafka.records[0][2])["kept"] == [1, 2]


def test_a_compressed_body_is_refused(client: TestClient) -> None:
    answer = client.post("/collect", content=b"[1]", headers={"Content-Encoding": "gzip"})

    assert answer.status_code == 415
    assert "'gzip'" in answer.json()["detail"]


@pytest.mark.parametrize("wish", ["Sec-GPC", "DNT"])
def test_of_those_who_opted_out_nothing_is_kept(
    kafka: PromptKafka, client: TestClient, wish: str
) -> None:
    answer = client.post("/collect", content=b"[1]", headers={wish: "1"})

    assert (answer.status_code, answer.json()) == (200, {"stop": True})
    assert not kafka.records


def test_programs_are_marked(kafka: PromptKafka, client: TestClient) -> None:
    client.post("/collect", content=b"[1]")
    client.post("/collect", content=b"[1]", headers={"User-Agent": "Googlebot/2.1"})

    assert [json.loads(value)["who"][0] for _, _, value in kafka.records] == [False, True]


def test_one_address_has_a_rate(kafka: PromptKafka) -> None:
    with serving(kafka, Limits(client_per_s=5)) as client:
        answers = [client.post("/collect", content="[1]") for _ in range(50)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 40
    assert refused[0].headers["Retry-After"] == "1"
    assert "5 batches a second" in refused[0].json()["detail"]
    assert len(kafka.records) == 50 - len(refused)


@pytest.mark.parametrize("limits", [Limits(batches=1), Limits(held_bytes=5)])
def test_load_is_shed_while_too_much_waits_for_kafka(kafka: PromptKafka, limits: Limits) -> None:
    with serving(kafka, replace(limits, client_per_s=1000)) as client:
        kafka.is_silent = True
        answers: list[int] = []
        post_in_background(client, answers)
        until(lambda: kafka.records, 10)

        shed = client.post("/collect", content="[1]")
        kafka.acknowledge()
        until(lambda: answers == [200], 10)
        kafka.is_silent = False

        assert (shed.status_code, shed.headers["Retry-After"]) == (503, "1")
        assert client.post("/collect", content="[1]").status_code == 200


def test_a_hot_key_is_spread_and_a_retry_goes_where_the_first_try_went(kafka: PromptKafka) -> None:
    with serving(kafka, Limits(client_per_s=1000, hot_per_s=1)) as client:
        for body in ("[1]", "[1]", "[1]", "[1]", "[1, 2]", "[1]"):
            client.post("/collect", content=body)

    assert [key for _, key, _ in kafka.records][-3:] == [
        b"site|page#3",
        b"site|page#2",
        b"site|page#3",
    ]


def test_any_page_may_send_without_asking_first(client: TestClient) -> None:
    answer = client.post("/collect", content="[1]", headers={"Origin": "https://shop.example"})

    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_page_that_asks_first_gets_leave(client: TestClient) -> None:
    answer = client.options("/collect", headers={"Origin": "https://shop.example"})

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


def test_a_page_elsewhere_may_read_when_to_try_again(client: TestClient) -> None:
    answer = client.post("/collect", content='["refused"]')

    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


def test_other_methods_are_refused(client: TestClient) -> None:
    answer = client.get("/collect")

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


def test_a_fault_is_one_sentence_and_the_request_id(client: TestClient) -> None:
    answer = client.post("/collect", content="broken")

    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("Something failed here")
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"] != ""


def test_other_paths_are_the_applications_own(client: TestClient) -> None:
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.post("/collector", content="[1]").status_code == 404


def test_it_counts_what_it_kept_rejected_and_refused(
    kafka: PromptKafka, client: TestClient
) -> None:
    client.post("/collect", content="[1, 2, -3]")
    client.post("/collect", content='["refused"]')
    kafka.is_failing = True
    client.post("/collect", content="[1]")

    assert value_of(client, "collect_events_total") == 2
    assert value_of(client, "collect_body_bytes_total") == len("[1, 2, -3]")
    assert value_of(client, 'collect_rejected_events_total{kind="number"}') == 1
    assert value_of(client, 'collect_refused_total{reason="refused"}') == 1
    assert value_of(client, 'collect_refused_total{reason="kafka"}') == 1
    assert value_of(client, "collect_ack_seconds_count") == 1
    assert value_of(client, 'collect_ack_seconds_bucket{le="+Inf"}') == 1
    assert value_of(client, "collect_waiting") == 0


def test_a_body_that_does_not_end_is_given_up() -> None:
    async def never_ends() -> dict[str, Any]:
        return await pieces.get()

    async def scenario() -> None:
        app = application(Outbox(FakeKafka().connect), Limits(read_s=0.05))
        await pieces.put({"type": "http.request", "body": b"[", "more_body": True})
        await app(scope, never_ends, sent.append_message)

    class Sent(list[Any]):
        async def append_message(self, message: Any) -> None:
            self.append(message)

    pieces: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent = Sent()
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/collect",
        "client": None,
        "headers": [],
    }
    asyncio.run(scenario())

    assert sent[0]["status"] == 408
