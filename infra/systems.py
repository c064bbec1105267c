"""The systems of this house and what each needs; one entry here is all that a new one takes."""

from collections.abc import Callable
from dataclasses import dataclass

from services.common.settings import Settings


@dataclass(frozen=True)
class Job:
    """A command that runs once the parts it needs answer, and does nothing when it was done."""

    name: str
    module: str
    needs: tuple[str, ...]
    arguments: tuple[str, ...] = ("--if-missing",)


@dataclass(frozen=True)
class System:
    """One of the four answers: its server, the parts of the stack it uses, its first-run jobs."""

    name: str
    title: str
    question: str
    parts: tuple[str, ...]
    module: str
    port: Callable[[Settings], int]
    port_setting: str
    jobs: tuple[Job, ...] = ()


SYSTEMS = {
    system.name: system
    for system in (
        System(
            name="recommender",
            title="Recommender",
            question="On an item's page, suggest five more.",
            parts=("postgres", "mlflow"),
            module="services.recommender.api",
            port=lambda settings: settings.recommender_port,
            port_setting="RECOMMENDER_PORT",
            jobs=(
                Job("load", "services.recommender.load", needs=("postgres",)),
                Job("train", "services.recommender.train", needs=("postgres", "mlflow")),
            ),
        ),
    )
}
