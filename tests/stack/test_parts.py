"""Each server of the embedded stack is the real one, keeps its data and comes back when killed."""

import json
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from infra.systems import SYSTEMS
from tests.demo import Demo
from tests.waiting import until

RECOVERY_S = 120
PROCESSES = [process.name for system in SYSTEMS.values() for process in system.processes]


def answers(ask: Callable[[], object], *expected: type[Exception]) -> bool:
    try:
        ask()
    except expected:
        return False
    return True


def make_topic(stack: Demo) -> str:
    topic = f"test-{uuid.uuid4().hex}"
    admin = KafkaAdminClient(bootstrap_servers=stack.environment()["KAFKA_BOOTSTRAP"])
    admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
    return topic


def produce(stack: Demo, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=stack.environment()["KAFKA_BOOTSTRAP"])
    producer.send(topic, value).get(timeout=RECOVERY_S)
    producer.close()


def consume(stack: Demo, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=stack.environment()["KAFKA_BOOTSTRAP"],
        auto_offset_reset="earliest",
        consumer_timeout_ms=RECOVERY_S * 1000,
    )
    values = [record.value for _, record in zip(range(count), consumer, strict=False)]
    consumer.close()
    return values


def test_postgres_is_18_and_keeps_committed_rows_through_kill_9(stack: Demo) -> None:
    url = stack.environment()["POSTGRES_URL"]
    table = f"kept_{uuid.uuid4().hex}"
    with psycopg.connect(url) as connection:
        assert connection.info.server_version // 10000 == 18
        connection.execute(f"create table {table} as select 42 as answer")

    stack.kill("postgres")

    until(
        lambda: answers(lambda: psycopg.connect(url).close(), psycopg.OperationalError), RECOVERY_S
    )
    with psycopg.connect(url) as connection:
        assert connection.execute(f"select answer from {table}").fetchall() == [(42,)]
        connection.execute(f"drop table {table}")


def test_valkey_is_valkey_and_comes_back_with_its_keys(stack: Demo) -> None:
    client = redis.Redis.from_url(stack.environment()["VALKEY_URL"])
    assert client.info("server")["server_name"] == "valkey"
    client.set("kept", "42")
    client.waitaof(1, 0, 10_000)

    killed = stack.kill("valkey")

    until(lambda: stack.leader("valkey") != killed, RECOVERY_S)
    until(lambda: answers(client.ping, redis.ConnectionError), RECOVERY_S)
    assert client.get("kept") == b"42"
    client.close()


def test_kafka_gives_back_what_it_acknowledged_before_kill_9(stack: Demo) -> None:
    topic = make_topic(stack)
    produce(stack, topic, b"before")

    killed = stack.kill("kafka")

    until(lambda: stack.leader("kafka") != killed, RECOVERY_S)
    produce(stack, topic, b"after")
    assert consume(stack, topic, 2) == [b"before", b"after"]


def test_mlflow_comes_back_with_its_registered_model(stack: Demo) -> None:
    url = f"{stack.url('MLFLOW_PORT')}/api/2.0/mlflow/registered-models/get?name=recommender"

    def model() -> object:
        with urllib.request.urlopen(url, timeout=5) as response:
            return json.load(response)["registered_model"]["aliases"]

    before = model()
    killed = stack.kill("mlflow")

    until(lambda: stack.leader("mlflow") != killed, RECOVERY_S)
    until(lambda: answers(model, OSError), RECOVERY_S)
    assert model() == before


@pytest.mark.parametrize("part", ["postgres", "valkey", "kafka", "mlflow", *PROCESSES])
def test_a_server_listens_on_this_machine_only(stack: Demo, part: str) -> None:
    process = psutil.Process(stack.leader(part))
    family = [process, *process.children(recursive=True)]
    listening = {
        connection.laddr.ip
        for member in family
        for connection in member.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }

    assert listening
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_each_part_logs_to_a_file_of_its_own(stack: Demo) -> None:
    logs = {file.stem for file in Path(stack.state_dir / "logs").iterdir()}

    assert {"postgres", "valkey", "kafka", "mlflow", "front page", *PROCESSES} <= logs
