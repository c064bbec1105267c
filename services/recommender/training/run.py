"""One training from its first line to the move of the alias; started by the command in train.py."""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from psycopg import Connection

from services.common import tracking
from services.common.jdbc import Jdbc
from services.common.phases import Phases, say
from services.common.settings import Settings
from services.common.spark import spark_folder, spark_session
from services.recommender.protocol import Report, Split, sample
from services.recommender.recipe import Recipe
from services.recommender.training import publish, registry
from services.recommender.training.fitting import Fit, Fitting, History
from services.recommender.training.job import clock, job
from services.recommender.training.publish import Statements
from services.recommender.training.trial import later_invoices, trial

SHOP = "public"
EXPERIMENT = "recommender"
DONE = 0
NOT_PUBLISHED = 3


def train(
    settings: Settings, connection: Connection, statements: Statements, *, force: bool
) -> int:
    """Train once, publish if the model is not worse than the serving one; give the exit status."""
    recipe, phases = Recipe(), Phases(say)
    with job(settings, connection, statements):
        times, history = clock(settings.postgres_url, SHOP, statements, recipe)
        client = tracking.connect(settings.mlflow_tracking_uri)
        mend_champion(client, publish.serving(connection, statements))
        say(f"Training on the orders from {history.first:%F} to before {history.before:%F}.")
        name = f"orders before {history.before:%F}"
        with (
            tracking.tracked_run(client, EXPERIMENT, name) as run,
            spark_session(settings, "recommender training", phases) as spark,
        ):
            fitting = Fitting(spark, statements, recipe, phases)
            training = _Training(settings, connection, statements, fitting, run)
            return training.run(times, history, force=force)


@dataclass(frozen=True)
class _Training:
    settings: Settings
    connection: Connection
    statements: Statements
    fitting: Fitting
    run_: tracking.Run

    def run(self, times: Split, history: History, *, force: bool) -> int:
        self._log_parameters(times, history)
        judged = self._judge(times, history)
        metrics = registry.metrics_of(judged) if judged else {}
        self.run_.log(metrics=metrics)
        measured = judged.overall.hr_at_5 if judged else None
        say(f"Hit rate at 5: {measured or 'not measured, no later order gave a case'}.")
        worse = publish.refusal(measured, publish.serving(self.connection, self.statements))
        if worse and not force:
            self.run_.log(tags={"published": "no"})
            say(f"Not published: {worse}. `--force` publishes it all the same.")
            return NOT_PUBLISHED
        self._publish(history, metrics)
        return DONE

    def _judge(self, times: Split, history: History) -> Report | None:
        """Fit the shop as it was at the cut, and ask it about a sample of what came later."""
        recipe, url = self.fitting.recipe, self.settings.postgres_url
        invoices = later_invoices(url, SHOP, self.statements, times)
        asked = sample(invoices, recipe.evaluation_invoices, recipe.sample_seed)
        if not asked or times.cut <= history.first:
            return None
        say(
            f"First as of {times.cut:%F}, judged by {len(asked):,} of the {len(invoices):,} "
            "orders of known customers that followed:"
        )
        with trial(url, SHOP, self.statements, split=times, invoices=invoices, asked=asked) as shop:
            past = Jdbc.of(url, shop.schema)
            fit = self.fitting.fit(past, History(history.first, times.cut))
            self.fitting.write(fit.neighbours, past, shop.serve(recipe))
            with self.fitting.phases("evaluating"):
                return shop.judge()

    def _publish(self, history: History, metrics: Mapping[str, float]) -> None:
        say("Now on all orders:")
        shop, phases = Jdbc.of(self.settings.postgres_url, SHOP), self.fitting.phases
        fit = self.fitting.fit(shop, history)
        version = publish.new_version(self.connection, self.statements, self.run_.run_id)
        self.fitting.write(fit.neighbours, shop, version)
        self.connection.execute(self.statements["analyze_neighbours"])
        with phases("registering"):
            self._register(fit, version, history, metrics)
        with phases("publishing"):
            publish.publish(
                self.connection,
                self.statements,
                version=version,
                recipe=self.fitting.recipe,
                as_of=history.before,
                metrics=metrics,
            )
        say(f"Published: version {version} of the model serves.")
        self._crown()
        publish.forget_old(self.connection, self.statements)

    def _log_parameters(self, times: Split, history: History) -> None:
        spark = self.fitting.spark
        self.run_.log(
            parameters=asdict(self.fitting.recipe)
            | {
                "orders_from": history.first.isoformat(),
                "orders_before": history.before.isoformat(),
                "evaluation_cut": times.cut.isoformat(),
                "spark_version": spark.version,
                "spark_master": self.settings.spark_master,
            }
        )

    def _register(
        self, fit: Fit, version: int, history: History, metrics: Mapping[str, float]
    ) -> None:
        seconds = {f"seconds {name}": spent for name, spent in self.fitting.phases.seconds.items()}
        counts = {f"count {name}": float(count) for name, count in fit.counts.items()}
        self.run_.log(metrics=seconds | counts, tags={"model_version": str(version)})
        facts = {**fit.counts, "before": f"{history.before:%F}", "judged": _in_words(metrics)}
        with tempfile.TemporaryDirectory(dir=spark_folder(self.settings)) as folder:
            registry.write_artifacts(Path(folder), fit.neighbours, self.fitting.recipe, facts)
            self.run_.log_files(Path(folder))
        self.run_.register(registry.MODEL, f"model_version {version} in PostgreSQL")

    def _crown(self) -> None:
        """Move MLflow's alias after PostgreSQL's, which is the one that serves."""
        try:
            self.run_.log(tags={"published": "yes"})
            registry.crown(self.run_.client, self.run_.run_id)
        except MlflowException as error:
            say(f"MLflow's alias did not move, the next training mends it: {error}")


def mend_champion(client: MlflowClient, served: publish.Serving | None) -> None:
    """Let MLflow's alias follow PostgreSQL's where an earlier training could not move it."""
    if served is None or registry.champion_is(client, served.run_id):
        return
    if registry.crown(client, served.run_id):
        say(f"MLflow's alias moved to version {served.version}, which serves.")


def _in_words(metrics: Mapping[str, float]) -> str:
    if not metrics:
        return "nothing: there was no later order of a known customer"
    return (
        f"{metrics['evaluated_invoices']:.0f} later orders: hit rate at 5 "
        f"{metrics['hr_at_5']:.4f} ± {metrics['hr_at_5_95']:.4f}"
    )
