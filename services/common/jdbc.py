"""PostgreSQL as Spark's executors reach it: the same database, by its JDBC driver."""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict
from pyspark.sql import DataFrame, SparkSession

READ_PARTITIONS = 4
FETCH_ROWS = 10_000
BATCH_ROWS = 10_000


@dataclass(frozen=True)
class TimeRange:
    """Rows are read in slices of `column`; a row outside of the range is read all the same."""

    column: str
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Jdbc:
    """One schema of one database."""

    url: str
    user: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, postgres_url: str, schema: str) -> "Jdbc":
        """The same address as psycopg takes it."""
        parts = conninfo_to_dict(postgres_url)
        place = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts['dbname']}"
        options = f"currentSchema={quote(schema)}&reWriteBatchedInserts=true"
        return cls(
            url=f"jdbc:postgresql://{place}?{options}",
            user=str(parts.get("user", "")),
            password=str(parts.get("password", "")),
        )

    def read(self, spark: SparkSession, query: str, slices: TimeRange | None = None) -> DataFrame:
        """The rows of a query, over several connections where `slices` says how."""
        reader = spark.read.format("jdbc").options(**self._options())
        reader = reader.option("dbtable", f"({query}) query").option("fetchsize", FETCH_ROWS)
        if slices is not None:
            reader = reader.options(
                partitionColumn=slices.column,
                lowerBound=slices.first.isoformat(sep=" "),
                upperBound=slices.last.isoformat(sep=" "),
                numPartitions=READ_PARTITIONS,
            )
        return reader.load()

    def append(self, rows: DataFrame, table: str) -> None:
        """Insert rows; each partition is a transaction of its own, so readers must not look yet."""
        writer = rows.write.format("jdbc").mode("append").options(**self._options())
        writer.option("dbtable", table).option("batchsize", BATCH_ROWS).save()

    def _options(self) -> dict[str, str]:
        return {
            "url": self.url,
            "user": self.user,
            "password": self.password,
            "driver": "org.postgresql.Driver",
        }
