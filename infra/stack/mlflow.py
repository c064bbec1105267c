"""The MLflow server: runs and models in PostgreSQL, artifacts in a folder it serves itself.

Beside a PostgreSQL that is not ours it keeps to a file of its own.
"""

import sys

from infra.stack import postgres
from infra.stack.part import LOOPBACK, Part, answers_http
from services.common.settings import Settings


def uri(settings: Settings) -> str:
    """The address of the embedded tracking server."""
    return f"http://{LOOPBACK}:{settings.mlflow_port}"


def part(settings: Settings) -> Part:
    """The server with one worker and without job runners: a third of the default's memory."""
    artifacts = (settings.state_dir / "mlflow").resolve()
    address = ("--host", LOOPBACK, "--port", str(settings.mlflow_port), "--workers", "1")
    store = f"sqlite:///{artifacts}/mlflow.db"
    if not settings.postgres_url:
        store = postgres.url(settings, "mlflow").replace("postgresql:", "postgresql+psycopg:")
    return Part(
        name="mlflow",
        command=(sys.executable, "-m", "mlflow", "server", *address),
        port=settings.mlflow_port,
        port_setting="MLFLOW_PORT",
        check=answers_http(f"{uri(settings)}/health"),
        needs=() if settings.postgres_url else ("postgres",),
        prepare=lambda: artifacts.mkdir(parents=True, exist_ok=True),
        environment={
            "MLFLOW_BACKEND_STORE_URI": store,
            "MLFLOW_ARTIFACTS_DESTINATION": str(artifacts),
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        },
    )
