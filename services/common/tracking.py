"""MLflow as offline jobs use it: a server that answers or one sentence; runs that always end."""

import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

TIMEOUT_S = 5
# The client would retry for minutes, and print an address with each run.
_CLIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


class TrackingError(Exception):
    """MLflow does not answer."""


@dataclass(frozen=True)
class Run:
    """One run under way."""

    client: MlflowClient
    run_id: str

    def log(
        self,
        parameters: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        now_ms = int(time.time() * 1000)
        self.client.log_batch(
            self.run_id,
            params=[Param(key, str(value)) for key, value in (parameters or {}).items()],
            metrics=[Metric(key, value, now_ms, 0) for key, value in (metrics or {}).items()],
            tags=[RunTag(key, value) for key, value in (tags or {}).items()],
        )

    def log_files(self, folder: Path) -> None:
        """Keep every file of a folder as an artifact."""
        self.client.log_artifacts(self.run_id, str(folder))

    def register(self, model: str, description: str) -> str:
        """Register the run's artifacts as the next version of a model; give the version."""
        with suppress(MlflowException):  # it exists
            self.client.create_registered_model(model)
        source = self.client.get_run(self.run_id).info.artifact_uri
        registered = self.client.create_model_version(
            model, source, self.run_id, description=description, await_creation_for=0
        )
        return str(registered.version)


def connect(uri: str) -> MlflowClient:
    """A client of a server that answers now; else a TrackingError naming address and setting."""
    if not uri:
        raise TrackingError(
            "No MLflow is known; start one with `make demo` or set MLFLOW_TRACKING_URI."
        )
    try:
        with urllib.request.urlopen(f"{uri}/health", timeout=TIMEOUT_S):  # noqa: S310 - our setting
            pass
    except (OSError, ValueError) as error:
        raise TrackingError(
            f"MLflow does not answer at {uri} ({error}); start it or set MLFLOW_TRACKING_URI."
        ) from error
    for name, value in _CLIENT.items():
        os.environ.setdefault(name, value)
    return MlflowClient(uri)


@contextmanager
def tracked_run(client: MlflowClient, experiment: str, name: str) -> Iterator[Run]:
    """A run that is FINISHED when the block ends and FAILED when it raises."""
    known = client.get_experiment_by_name(experiment)
    experiment_id = known.experiment_id if known else client.create_experiment(experiment)
    run = Run(client, client.create_run(experiment_id, run_name=name).info.run_id)
    status = "FAILED"
    try:
        yield run
        status = "FINISHED"
    finally:
        # A run that cannot be ended must not hide why the job failed.
        with suppress(MlflowException):
            client.set_terminated(run.run_id, status)
