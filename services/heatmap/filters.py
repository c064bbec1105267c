"""The filters that questions about a page have in common, out of the query."""

import time
from typing import Annotated

from fastapi import Depends, HTTPException, Query
from pydantic import AfterValidator

from services.heatmap import ranges
from services.heatmap.answers import K_MAX, Audience, ViewClass
from services.heatmap.asking import Asked
from services.heatmap.ranges import Span, SpanError


def _k(value: int) -> int:
    if value == 1:
        raise ValueError("should be 0, which is off, or lie between 2 and 10")
    return value


K = Annotated[
    int,
    Query(ge=0, le=K_MAX, description="least visitors in a cell that is shown; 0: all"),
    AfterValidator(_k),
]
Last = Annotated[
    str | None, Query(description="60s, 30m, 1h, 7d ... or today (UTC)", examples=["60s"])
]
Moment = Annotated[int | None, Query(ge=0, description="UTC in milliseconds")]
Site = Annotated[str, Query(max_length=64, examples=["demo"])]
Address = Annotated[str, Query(max_length=512, description="its path", examples=["/article"])]
Version = Annotated[
    str,
    Query(
        pattern=r"^[A-Za-z0-9._-]{0,32}$",
        description="of the page; empty: all, -none-: pages that name none",
    ),
]


def asked(
    site: Site,
    page: Address,
    *,
    view_class: Annotated[
        ViewClass, Query(alias="class", description="of the window's width; empty: all")
    ] = "",
    version: Version = "",
    audience: Audience = "human",
    k: K = 0,
) -> Asked:
    """The filters that all questions about a page have."""
    return Asked(site, page, view_class, version, audience, k)


def span(
    last: Last = None,
    from_ms: Annotated[Moment, Query(alias="from")] = None,
    to_ms: Annotated[Moment, Query(alias="to")] = None,
) -> Span:
    """The time asked for; without any it is the last 60 s."""
    try:
        return ranges.asked(last, from_ms, to_ms, int(time.time() * 1000))
    except SpanError as error:
        raise HTTPException(422, str(error)) from error


AskedFor = Annotated[Asked, Depends(asked)]
SpanFor = Annotated[Span, Depends(span)]
