"""Apache Kafka itself, as one JVM: broker and controller in one node (KRaft)."""

import string
import subprocess
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.stack.errors import StackError
from infra.stack.part import LOOPBACK, Part
from services.common.settings import Settings

_JVM = ("-Xmx160m", "-Xms32m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_LOGGING = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",)


def bootstrap(settings: Settings) -> str:
    """The address of the embedded broker."""
    return f"{LOOPBACK}:{settings.kafka_port}"


def part(settings: Settings, java_home: Path, jars: Path) -> Part:
    """The broker with its data in `STATE_DIR/kafka`."""
    folder = (settings.state_dir / "kafka").resolve()
    java = (java_home / "bin" / "java", *_JVM, *_LOGGING, "-cp", f"{jars}/kafka/*")
    properties = folder / "server.properties"
    return Part(
        name="kafka",
        command=(*java, "kafka.Kafka", properties),
        port=settings.kafka_port,
        port_setting="KAFKA_PORT",
        more_ports=(settings.kafka_port + 1,),
        check=lambda: _answers(settings),
        prepare=lambda: _prepare(settings, folder, java),
    )


def _prepare(settings: Settings, folder: Path, java: tuple[str | Path, ...]) -> None:
    template = string.Template((Path(__file__).parent / "kafka.properties").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(
        template.substitute(
            host=LOOPBACK,
            port=settings.kafka_port,
            controller_port=settings.kafka_port + 1,
            log_dir=folder / "data",
        )
    )
    if not (folder / "data" / "meta.properties").exists():
        tool = (*java, "kafka.tools.StorageTool")
        cluster = _run(*tool, "random-uuid").strip()
        _run(*tool, "format", "--standalone", "-t", cluster, "-c", properties)


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"Kafka's storage could not be formatted: {done.stderr or done.stdout}")
    return done.stdout


def _answers(settings: Settings) -> bool:
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap(settings),
            bootstrap_timeout_ms=1500,
            request_timeout_ms=1500,
        )
    except (KafkaError, OSError):
        return False
    admin.close()
    return True
