import json
import subprocess
import sys

# In a process of its own, because Locust patches the sockets of the one that imports it.
CUT_ONE = """
import json
from tests.load.heatmap import CROWD, batches

visit = CROWD.next_visit()
bodies = [json.loads(one.body(visit.ends_ms)) for one in batches(visit)]
print(json.dumps({"ends_ms": visit.ends_ms, "bodies": bodies}))
"""


def test_a_visit_is_posted_as_batches_of_five_seconds_that_have_just_happened() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CUT_ONE], capture_output=True, text=True, check=True
    )

    told = json.loads(done.stdout)
    bodies = told["bodies"]
    assert [body["n"] for body in bodies] == list(range(-(-told["ends_ms"] // 5_000)))
    assert [body.get("bye") for body in bodies] == [None] * (len(bodies) - 1) + [1]
    assert bodies[0]["age"] == told["ends_ms"]
