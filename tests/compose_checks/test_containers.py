"""What holds of the containers while they run."""

import json

import httpx2
import psycopg
import pytest
import redis
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from tests.compose import Composed
from tests.stack.conftest import Addresses
from tests.waiting import until

RUNNING = (
    "postgres",
    "valkey",
    "kafka",
    "mlflow",
    "spark-master",
    "spark-worker",
    "recommender",
    "heatmap",
    "heatmap-worker",
    "heatmap-archive",
    "heatmap-visitors",
    "front",
)
DEADLINE_S = 120


def ask_master(composed: Composed) -> dict[str, list[dict[str, str]]]:
    """What the Spark master tells of its workers and applications."""
    code = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/json/').read().decode())"
    printed = composed.compose("exec", "-T", "spark-master", "python", "-c", code)
    told: dict[str, list[dict[str, str]]] = json.loads(printed)
    return told


def test_the_model_was_trained_on_the_spark_cluster(composed: Composed) -> None:
    finished = [app["state"] for app in ask_master(composed)["completedapps"]]

    assert "FINISHED" in finished


def test_nothing_but_the_pages_is_published_and_only_on_this_machine(composed: Composed) -> None:
    bindings = [
        json.loads(composed.inspect(container, "{{json .HostConfig.PortBindings}}"))
        for container in composed.containers()
    ]
    published = {
        (binding["HostIp"], binding["HostPort"])
        for ports in bindings
        for of_one in ports.values()
        for binding in of_one
    }

    pages = ("FRONT_PORT", "RECOMMENDER_PORT", "HEATMAP_PORT", "MLFLOW_PORT", "SPARK_UI_PORT")
    assert published == {("127.0.0.1", composed.environment[page]) for page in pages}


@pytest.mark.parametrize("service", RUNNING)
def test_no_service_runs_as_root(composed: Composed, service: str) -> None:
    assert int(composed.compose("exec", "-T", service, "id", "-u")) > 0


@pytest.mark.parametrize("service", RUNNING)
def test_no_service_was_ended_for_its_memory(composed: Composed, service: str) -> None:
    (container,) = composed.containers(service)

    assert composed.inspect(container, "{{.State.OOMKilled}}") == "false"
    assert composed.inspect(container, "{{.RestartCount}}") == "0"


def test_the_front_page_sees_every_part(addresses: Addresses) -> None:
    def down() -> set[str]:
        parts = httpx2.get(f"{addresses.front}/status", timeout=10).json()["parts"]
        return {part["name"] for part in parts if not part["up"]}

    until(lambda: down() <= {"spark"}, DEADLINE_S)


def test_mlflow_refuses_the_name_of_a_foreign_page(addresses: Addresses) -> None:
    url = f"{addresses.mlflow}/api/2.0/mlflow/experiments/search?max_results=1"

    assert httpx2.get(url, headers={"Host": "attacker.example"}).status_code == 403
    assert httpx2.get(url).status_code == 200


def test_a_second_worker_joins_the_cluster(composed: Composed) -> None:
    def alive() -> int:
        return sum(worker["state"] == "ALIVE" for worker in ask_master(composed)["workers"])

    assert alive() == 1

    composed.compose("up", "--detach", "--no-deps", "--scale", "spark-worker=2", "spark-worker")
    until(lambda: alive() == 2, DEADLINE_S, every_s=1)
    composed.compose("up", "--detach", "--no-deps", "--scale", "spark-worker=1", "spark-worker")


def test_the_debug_profile_opens_the_servers(composed: Composed) -> None:
    port = composed.environment
    composed.compose("--profile", "debug", "up", "--detach", "--wait", "--no-deps", "ports")
    try:
        database = f"postgresql://postgres:lab@127.0.0.1:{port['POSTGRES_PORT']}/lab"
        with psycopg.connect(database) as connection:
            assert connection.execute("select count(*) > 0 from item").fetchone() == (True,)
        with redis.Redis(port=int(port["VALKEY_PORT"])) as valkey:
            assert valkey.ping()
        assert through_kafka(f"127.0.0.1:{port['KAFKA_PORT']}", b"hello") == b"hello"
    finally:
        composed.compose("--profile", "debug", "rm", "--stop", "--force", "ports")


def through_kafka(bootstrap: str, value: bytes) -> bytes:
    """Send a record and read it back, by the addresses that the broker tells."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics({"debug": {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    producer.send("debug", value).get(DEADLINE_S)
    producer.close()
    consumer = KafkaConsumer("debug", bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    read: bytes = next(consumer).value
    consumer.close()
    return read
