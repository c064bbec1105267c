"""The constants of a model: everything that a training can be repeated from, beside the data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """What training computes with, what serving adds, and how a model is judged before it serves.

    Chosen on the month before the test month of the protocol. The optimum is flat: differences of
    0.003 in the hit rate are noise.
    """

    neighbours: int = 50  # kept per item
    customer_items: int = 200  # newest items that a customer counts with
    basket_items: int = 100  # items that an order counts with
    min_support: int = 2  # customers, or orders, that must have both items of a pair
    shrinkage: float = 20.0  # customers, or orders, added to the denominator of a cosine
    half_life_days: float = 90.0  # age at which an order counts half
    content_weight: float = 0.2  # of the features beside the purchases

    history_items: int = 20  # newest purchases that take part in an answer
    history_weight: float = 0.5  # of all of them together beside the seed
    popularity_weight: float = 0.15  # of the most popular item of the last 28 days

    evaluation_days: int = 30  # between the cut and the day of the newest order
    evaluation_invoices: int = 400  # sampled when training; an evaluation asks about all
    sample_seed: int = 5
