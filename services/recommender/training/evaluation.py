"""One complete evaluation: the recommender and two simple ones, asked the same questions."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from services.common import tracking
from services.common.jdbc import Jdbc
from services.common.phases import Phases, say
from services.common.settings import Settings
from services.common.spark import spark_session
from services.recommender.protocol import Invoice, Report, Split
from services.recommender.recipe import Recipe
from services.recommender.training.fitting import Fitting, History
from services.recommender.training.job import clock
from services.recommender.training.publish import JobError, Statements
from services.recommender.training.registry import metrics_of
from services.recommender.training.scores import COSINE, POPULAR, SERVED
from services.recommender.training.trial import (
    FAMILY_CAP,
    NO_FAMILY_CAP,
    Trial,
    later_invoices,
    trial,
)

EXPERIMENT = "recommender-evaluation"


def evaluate(
    settings: Settings, statements: Statements, schema: str, name: str
) -> dict[str, Report]:
    """The report of each recommender on the orders of a schema; one run in MLflow called `name`.

    Fails with a JobError when nothing can be learned before the cut or asked after it.
    """
    recipe, phases, url = Recipe(), Phases(say), settings.postgres_url
    times, history = clock(url, schema, statements, recipe)
    invoices = later_invoices(url, schema, statements, times)
    _check(times, history, invoices)
    say(
        f"Training on the orders from {history.first:%F} to before {times.cut:%F}, asking about "
        f"all {len(invoices):,} orders of known customers to before {times.end:%F}."
    )
    client = tracking.connect(settings.mlflow_tracking_uri)
    everything = frozenset(invoice.order_id for invoice in invoices)
    with (
        tracking.tracked_run(client, EXPERIMENT, name) as run,
        spark_session(settings, "recommender evaluation", phases) as spark,
        trial(url, schema, statements, split=times, invoices=invoices, asked=everything) as shop,
    ):
        run.log(parameters=asdict(recipe) | {"orders": name, "cut": f"{times.cut:%F}"})
        fitting = Fitting(spark, statements, recipe, phases)
        past = Jdbc.of(url, shop.schema)
        reports = dict(_Contest(fitting, shop, past).reports(History(history.first, times.cut)))
        for recommender, report in reports.items():
            prefix = "" if recommender == SERVED else f"{recommender} "
            run.log(metrics={prefix + key: value for key, value in metrics_of(report).items()})
    return reports


@dataclass(frozen=True)
class _Contest:
    fitting: Fitting
    shop: Trial
    past: Jdbc

    def reports(self, history: History) -> Iterator[tuple[str, Report]]:
        """The simple recommenders are asked through the same function, with parts of it unused."""
        recipe = self.fitting.recipe
        alone = replace(recipe, history_items=0, history_weight=0.0, popularity_weight=0.0)
        fit = self.fitting.fit(self.past, history)
        self.fitting.write(fit.neighbours, self.past, self.shop.serve(recipe))
        yield SERVED, self._ask(SERVED, FAMILY_CAP)
        self.fitting.write(fit.by_customers_alone, self.past, self.shop.serve(alone))
        yield COSINE, self._ask(COSINE, NO_FAMILY_CAP)
        self.shop.serve(alone, without_neighbours=True)
        yield POPULAR, self._ask(POPULAR, NO_FAMILY_CAP)

    def _ask(self, name: str, family_cap: int) -> Report:
        with self.fitting.phases(name):
            report = self.shop.judge(family_cap)
        if report is None:
            raise JobError(
                "No order after the cut has two items of which one is new to its customer, so "
                "there is nothing to ask about."
            )
        return report


def _check(times: Split, history: History, invoices: Sequence[Invoice]) -> None:
    if history.first >= times.cut:
        raise JobError(
            f"All orders are from {history.first:%F} on, which is not before the cut at "
            f"{times.cut:%F}: an evaluation needs more than 31 days of orders."
        )
    if not invoices:
        raise JobError(
            f"No order of a known customer lies between {times.cut:%F} and {times.end:%F}: an "
            "evaluation needs orders that name their customers."
        )
