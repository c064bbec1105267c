import threading

import pytest

from services.common.worker import Background

LONG_S = 60


def test_work_goes_on_until_it_is_told_to_stop() -> None:
    began, ended, failures = threading.Event(), threading.Event(), list[str]()

    def work(stopping: threading.Event) -> None:
        began.set()
        stopping.wait(LONG_S)
        ended.set()

    background = Background("test", work, lambda: failures.append("failed"))
    background.start()
    assert began.wait(LONG_S)
    background.stop()

    assert ended.is_set()
    assert failures == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_fails_is_told_of() -> None:
    failed = threading.Event()

    def work(_: threading.Event) -> None:
        raise OSError("The disk is gone.")

    background = Background("test", work, failed.set)
    background.start()

    assert failed.wait(LONG_S)
    background.stop()
