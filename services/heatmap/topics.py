"""The topics of the heat map: batches that are valid, and what of others was rejected and why."""

from services.common.kafka import Topic

DAY_MS = 86_400_000
EVENTS = Topic("heat-events", DAY_MS)
DEAD = Topic("heat-events-dead", 7 * DAY_MS)
TOPICS = (EVENTS, DEAD)
