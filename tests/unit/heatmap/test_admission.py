import pytest

from services.common.reading import RefusedError
from services.heatmap.admission import Admission

TODAY_MS = 1_700_000_000_000
DAY_MS = 86_400_000


def filled() -> Admission:
    """Two pages are let in, with two versions each."""
    admission = Admission(pages_max=2, versions_max=2)
    admission.require("demo", "/a", "", TODAY_MS)
    admission.require("demo", "/a", "b", TODAY_MS)
    admission.require("demo", "/b", "", TODAY_MS)
    return admission


def test_a_known_page_is_let_in_however_many_there_are() -> None:
    filled().require("demo", "/a", "b", TODAY_MS)


def test_one_page_too_many_is_refused_with_a_sentence() -> None:
    with pytest.raises(RefusedError) as refused:
        filled().require("demo", "/c", "", TODAY_MS)

    assert str(refused.value) == (
        "The site 'demo' has had 2 pages today, as many as are kept; '/c' would be one more."
    )


def test_one_version_too_many_is_refused_with_a_sentence() -> None:
    with pytest.raises(RefusedError) as refused:
        filled().require("demo", "/a", "c", TODAY_MS)

    assert str(refused.value) == (
        "The page '/a' has had 2 versions today, as many as are kept; 'c' would be one more."
    )


def test_another_site_has_pages_of_its_own() -> None:
    filled().require("shop", "/c", "", TODAY_MS)


def test_the_next_day_begins_anew() -> None:
    filled().require("demo", "/c", "", TODAY_MS + DAY_MS)
