"""The catalogue that order lines imply: which codes are products, their families and categories."""

import re
from collections import Counter
from collections.abc import Mapping

OTHER = "other"
SMALLEST_CATEGORY = 5

_PRODUCT_CODE = re.compile(r"\d{5}[A-Za-z]{0,2}", re.ASCII)
_VARIANT = re.compile(r"(\d{3,})[A-Za-z]{1,2}", re.ASCII)
_TEALIGHT = re.compile(r"\bt[- ]?light")
# "glass jar with lid", "hook for keys": the article stands before the word, its parts after it.
_TAIL = re.compile(r"\b(?:with|for|in|of)\b|\bw/")
_WORD = re.compile(r"[a-z]{3,}")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that say how an article looks, how large it is or how many there are; never what it is.
_COLOURS = _words(
    """
    amber amethyst aqua black blue bright bronze brown clear colour coloured colourful
    copper coral cream dark emerald fuschia gold gray green grey ivory jade lilac lime mauve
    mint multi multicolour natural neon olive orange pale pastel pink purple red ruby silver
    topaz turq turquoise white yellow
    """
)
_SIZES = _words(
    """
    big double drop drops extra giant inch jumbo large long medium mini narrow oval piece
    pieces rectangle rectangular round short single size sizes slim small smaller square
    tall tier tiny triple wide
    """
)
_PACKS = _words(
    """
    and asst assorted boxed dozen from her his its new pack packs pair pcs per set sets six
    the this two you your
    """
)
_PATTERNS = _words(
    """
    antique check classic design designs dotcomgiftshop english faux floral folkart french
    gingham jack london paisley polka polkadot polkadots print printed retro retrospot shape
    shaped skull spaceboy spot spots spotty star stripe striped stripes style suki
    traditional union vintage woodland
    """
)
_MATERIALS = _words(
    """
    acrylic beaded ceramic cotton crystal diamante enamel felt flock girl girls glazed
    hanging lace metal painted porcelain scented velvet wicker wire wood wooden zinc
    """
)
_MOTIFS = _words(
    """
    alphabet babushka bird bunny butterfly chick daisy day dinosaur doily dolly flower font
    garden heart hen home leaf love pantry party rabbit rose skull toadstool
    """
)
_MODIFIERS = _COLOURS | _SIZES | _PACKS | _PATTERNS | _MATERIALS | _MOTIFS


def is_product_code(item_id: str) -> bool:
    """True for a UCI stock code of an article: five digits and at most two letters.

    What else is in that column is postage, samples, bank charges and manual corrections.
    """
    return _PRODUCT_CODE.fullmatch(item_id) is not None


def family_of(item_id: str) -> str:
    """The variant family of an item: colours and sizes of one article share it.

    It is the number in front of one or two closing letters (`85123A` and `85123b` are `85123`);
    an id of any other form is a family of its own.
    """
    variant = _VARIANT.fullmatch(item_id)
    return variant[1] if variant else item_id


def categories(titles: Mapping[str, str]) -> dict[str, str]:
    """A category for each item id, derived from the titles of the whole catalogue alone.

    A category is the head term of a title: the last word that names an article and is the head of
    at least `SMALLEST_CATEGORY` titles. Titles without such a word are in `other`.
    """
    words = {item_id: _candidates(title) for item_id, title in titles.items()}
    terms = {word for candidates in words.values() for word in candidates}
    while True:
        heads = {item_id: _head(candidates, terms) for item_id, candidates in words.items()}
        sizes = Counter(heads.values())
        small = {term for term in terms if sizes[term] < SMALLEST_CATEGORY}
        if not small:
            return heads
        terms -= _rarest(small, sizes)


def _candidates(title: str) -> list[str]:
    """The words of a title that may name the article, in order: of its head part, if any."""
    text = _TEALIGHT.sub("tealight", title.lower().replace("'s", ""))
    return _nouns(_TAIL.split(text)[0]) or _nouns(text)


def _nouns(text: str) -> list[str]:
    return [singular(word) for word in _WORD.findall(text) if word not in _MODIFIERS]


def _head(candidates: list[str], terms: set[str]) -> str:
    return next((word for word in reversed(candidates) if word in terms), OTHER)


def _rarest(terms: set[str], sizes: Counter[str]) -> set[str]:
    """The terms with the fewest titles: removed first, for their titles may enlarge the others."""
    fewest = min(sizes[term] for term in terms)
    return {term for term in terms if sizes[term] == fewest}


def singular(word: str) -> str:
    """An English noun without its plural ending, as far as spelling tells: `boxes` is `box`."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if re.search(r"(?:sh|ch|x|ss)es$", word):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("as", "ss", "us")):
        return word[:-1]
    return word
