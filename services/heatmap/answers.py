"""What the heat map's API takes and gives; no I/O."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

PER_MINUTE_MAX = 6000
K_MAX = 10

Audience = Literal["human", "bot", "staff", "all"]
ViewClass = Literal["", "xs", "s", "m", "l", "xl", "xxl"]
Layer = Literal["move", "click", "rage", "dead", "view", "reach"]
Cell = tuple[int, int]
Spot = tuple[int, int, int, int, int, int]

Cells = Annotated[
    list[Cell],
    Field(
        description="cell and count; cell = row * 64 + column of 200 rows and 64 columns",
        examples=[[[3234, 12]]],
    ),
]
Rows = Annotated[list[int], Field(min_length=200, max_length=200)]
Spots = Annotated[
    list[Spot],
    Field(
        description="[layer, element, p, q, cell, count]: the clicks (layer 1), rage clicks (2) "
        "and dead clicks (3) of `layers`, placed inside elements: p and q are 0 to 1023 across and "
        "down the element's box. Where `elements` does not name the element, the cell holds",
        examples=[[[1, 51234567, 512, 300, 3234, 12]]],
    ),
]


class Points(BaseModel):
    """What happened at points of the page, by cell; only cells in which something did."""

    move: Cells = Field(description="samples of where the pointer was")
    click: Cells
    rage: Cells = Field(description="third clicks in a second on nearly one place")
    dead: Cells = Field(description="clicks after which nothing changed")


class Heat(BaseModel, populate_by_name=True):
    """A page in a span of time."""

    site: str = Field(examples=["demo"])
    page: str = Field(examples=["/article"])
    view_class: ViewClass = Field(
        alias="class", description="of the window's width; empty: all", examples=["l"]
    )
    version: str = Field(description="empty: of all versions")
    audience: Audience
    k: int = Field(examples=[0])
    from_ms: int = Field(
        description="where the oldest bucket begins, UTC", examples=[1782000000000]
    )
    to_ms: int = Field(description="where the newest bucket ends, UTC", examples=[1782000065000])
    level: str = Field(
        description="the finest buckets that were read: 5s, 1m, 1h or 1d", examples=["5s"]
    )
    visits: int = Field(description="page views that began", examples=[128])
    visitors_at_least: int = Field(
        description="so many different visitors are proven, of at most 64", examples=[41]
    )
    late: int = Field(
        description="events of this page, ever, that came over an hour late: in the archive, "
        "not in any map",
        examples=[0],
    )
    layers: Points
    view_ms: Rows = Field(description="milliseconds on screen, by row, all visitors together")
    reach: Rows = Field(description="page views that got as far as this row")
    spots: Spots
    spots_left_out: int = Field(description="counts of spots beyond the largest 4,000")
    hidden_cells: int = Field(description="cells left out by k")
    elements: dict[int, str] = Field(
        description="the selectors of the spots' elements", examples=[{51234567: "#buy"}]
    )
    here: int = Field(description="people who have the page open now", examples=[12])
    bands: Rows = Field(description="of those, by row, on whose screen it is now")


class Kind(BaseModel, populate_by_name=True):
    """One kind of visits to a page that is counted apart."""

    view_class: str = Field(alias="class", examples=["l"])
    audience: str = Field(examples=["human"])
    version: str = Field(examples=["b"])


class Page(BaseModel):
    page: str = Field(examples=["/article"])
    last_hour_ms: int = Field(
        description="beginning of the last hour with visits, UTC", examples=[1782000000000]
    )
    here: int = Field(description="people who have it open now", examples=[12])
    variants: list[Kind]


class Sites(BaseModel):
    sites: list[str] = Field(examples=[["demo", "shop"]])


class Pages(BaseModel):
    site: str = Field(examples=["demo"])
    pages: list[Page] = Field(description="the last visited first")


class Dial(BaseModel, extra="forbid"):
    """How many simulated visitors come."""

    per_minute: int = Field(ge=0, le=PER_MINUTE_MAX, strict=True, examples=[60])


class PartitionLag(BaseModel):
    partition: int
    next_offset: int = Field(description="the first record that is not in the grids yet")
    end_offset: int = Field(description="where the next record will be written")
    behind: int = Field(description="records that are acknowledged and not in the grids yet")


class Lag(BaseModel):
    """How far the grids are behind what was acknowledged."""

    behind: int = Field(examples=[0])
    partitions: list[PartitionLag]
