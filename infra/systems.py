"""The systems of this house and what each needs; one entry here is all that a new one takes."""

from dataclasses import dataclass

from services.common.settings import Settings


@dataclass(frozen=True)
class Process:
    """A program that a system keeps running; it answers /livez and /readyz at its port.

    `needs` names the servers of the stack, and the other processes, that it starts after.
    """

    name: str
    role: str
    module: str
    port_setting: str
    needs: tuple[str, ...]

    def port(self, settings: Settings) -> int:
        return int(getattr(settings, self.port_setting.lower()))


@dataclass(frozen=True)
class Job:
    """A command that runs once the parts it needs answer, and does nothing when it was done."""

    name: str
    module: str
    needs: tuple[str, ...]
    arguments: tuple[str, ...] = ("--if-missing",)


@dataclass(frozen=True)
class System:
    """One of the four answers: the process with its pages, its workers, its first-run jobs."""

    name: str
    title: str
    question: str
    server: Process
    workers: tuple[Process, ...] = ()
    jobs: tuple[Job, ...] = ()

    @property
    def processes(self) -> tuple[Process, ...]:
        """All that it keeps running, the one with the pages first."""
        return (self.server, *self.workers)

    @property
    def parts(self) -> frozenset[str]:
        """The servers of the stack that its processes and jobs need."""
        own = {process.name for process in self.processes}
        users: tuple[Process | Job, ...] = (*self.processes, *self.jobs)
        needed = {name for user in users for name in user.needs}
        return frozenset(needed - own)


RECOMMENDER = System(
    name="recommender",
    title="Recommender",
    question="On an item's page, suggest five more.",
    server=Process(
        name="recommender",
        role="Answers and shows the shop.",
        module="services.recommender.api",
        port_setting="RECOMMENDER_PORT",
        needs=("postgres",),
    ),
    jobs=(
        Job("load", "services.recommender.load", needs=("postgres",)),
        Job("train", "services.recommender.train", needs=("postgres", "mlflow")),
    ),
)

HEATMAP = System(
    name="heatmap",
    title="Live heat map",
    question="Which part of a page do visitors see and click, while they do?",
    server=Process(
        name="heatmap",
        role="Takes in what trackers send, shows what became of it.",
        module="services.heatmap.api",
        port_setting="HEATMAP_PORT",
        needs=("kafka", "valkey"),
    ),
    # The collector makes the topics, so the workers start after it.
    workers=(
        Process(
            name="heatmap worker",
            role="Folds events into grids.",
            module="services.heatmap.worker",
            port_setting="HEATMAP_WORKER_PORT",
            needs=("kafka", "valkey", "heatmap"),
        ),
        Process(
            name="heatmap archive",
            role="Keeps every event in Parquet.",
            module="services.heatmap.archive",
            port_setting="HEATMAP_ARCHIVE_PORT",
            needs=("kafka", "heatmap"),
        ),
        Process(
            name="heatmap visitors",
            role="Simulated people, reading and clicking.",
            module="services.heatmap.visitors",
            port_setting="HEATMAP_VISITORS_PORT",
            needs=("valkey", "heatmap"),
        ),
    ),
)

SYSTEMS = {system.name: system for system in (RECOMMENDER, HEATMAP)}
