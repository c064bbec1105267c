"""Titles as people read them: the data set shouts, the page should not."""

import re
from functools import lru_cache

_TOKEN = re.compile(r"[A-Za-z']+")
_NAMES_TEXT = """
african alice american april asian austria berlin betty boris brazil britain
british bollywood charlie charlotte chinese christmas delft denmark dolly dotcomgiftshop
easter eiffel elvis england english europe european february feltcraft florence france french
friday georgian german gothic greek halloween hawaiian india indian ireland irish italian
jack january japan japanese july june london lucy march mexican monday moroccan morocco
november october olivia paris parisian parisienne paris poppy portobello regency rome russian
santa saturday scandinavian scottish september spanish sunday swedish swiss thursday tuesday
turkish tuscan valentine valentines vegas venetian venice victorian vienna wednesday
york
"""
_NAMES = frozenset(_NAMES_TEXT.split())
_CAPITALS = frozenset({"cd", "diy", "dvd", "gb", "ii", "iii", "led", "mp", "tv", "uk", "usb"})
_SINGLE = frozenset({"a", "s", "w", "x", "c", "m"})


@lru_cache(maxsize=8192)
def readable(title: str) -> str:
    """A title in capitals as a sentence, names kept; one with small letters only loses spaces.

    >>> readable("WHITE HANGING HEART T-LIGHT HOLDER")
    'White hanging heart T-light holder'
    """
    tidy = " ".join(title.split())
    if tidy != tidy.upper():
        return tidy
    small = _TOKEN.sub(_word, tidy)
    first = next((i for i, letter in enumerate(small) if letter.isalnum()), 0)
    return small[:first] + small[first : first + 1].upper() + small[first + 1 :]


def _word(match: re.Match[str]) -> str:
    word = match[0].lower()
    stem = word.removesuffix("'s")
    if word in _CAPITALS:
        return word.upper()
    if stem in _NAMES or (word == "union" and match.string[match.end() :].startswith(" JACK")):
        return word.capitalize()
    return word.upper() if len(word) == 1 and word not in _SINGLE else word
