import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommender.titles import readable


@pytest.mark.parametrize(
    ("shouted", "said"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "White hanging heart T-light holder"),
        ("PAPER CHAIN KIT 50'S CHRISTMAS ", "Paper chain kit 50's Christmas"),
        ("HAND WARMER UNION JACK", "Hand warmer Union Jack"),
        ("POPPY'S PLAYHOUSE BEDROOM ", "Poppy's playhouse bedroom"),
        ("SET/6 WOODEN SKITTLES IN COTTON BAG", "Set/6 wooden skittles in cotton bag"),
        ("12 PENCILS SMALL TUBE SKULL", "12 pencils small tube skull"),
        ("  RED   MUG", "Red mug"),
        ("Bag 500g Swirly Marbles", "Bag 500g Swirly Marbles"),
        ("", ""),
    ],
)
def test_a_title_in_capitals_becomes_a_sentence(shouted: str, said: str) -> None:
    assert readable(shouted) == said


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_reading_twice_changes_nothing_more(title: str) -> None:
    assert readable(readable(title)) == readable(title)


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_only_case_and_spaces_change(title: str) -> None:
    assert readable(title).upper() == " ".join(title.split()).upper()
