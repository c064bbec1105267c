"""A visitor who asks for five items over and over, and keeps what they were told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2

LONGEST_ANSWER_S = 10


@dataclass
class Visitor:
    """Asks for five items over and over, and keeps what it was told."""

    url: str
    answers: list[tuple[int, str]] = field(default_factory=list)
    no_answer: list[httpx2.HTTPError] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> int:
        try:
            answer = httpx2.get(self.url, timeout=LONGEST_ANSWER_S)
        except httpx2.TransportError as error:
            self.no_answer.append(error)
            return 0
        self.answers.append((answer.status_code, answer.text))
        return answer.status_code

    def ask_on(self) -> None:
        while not self.stopped.wait(0.02):
            self.ask()

    def refusals(self) -> list[str]:
        return [text for status, text in self.answers if status != 200]


@contextmanager
def visiting(url: str) -> Iterator[Visitor]:
    """A visitor of the most popular item of the recommender at `url`, asking until the end."""
    first = httpx2.get(f"{url}/v1/items", params={"limit": 1}).json()["items"][0]["item_id"]
    visitor = Visitor(f"{url}/v1/items/{first}/recommendations")
    thread = threading.Thread(target=visitor.ask_on)
    thread.start()
    try:
        yield visitor
    finally:
        visitor.stopped.set()
        thread.join()
