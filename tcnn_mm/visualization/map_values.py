"""What the colours of localization maps mean: one fixed scale for all images and classes.

With the calibrated probability p of the class, a cell has p × its mean patch score ÷ the largest
mean patch score of the map: the best cell has p, the others their share of it, and a class that is
absent leaves the image as it is. Without calibration a cell has its mean patch score, whose hottest
colour is 0.5: the mean over large and small patches is seldom higher.

Letters: C maps, (h, w) cells.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Values up to which a map is transparent.
FLOOR = 0.05
# Mean patch score of the hottest colour, and of those above it.
TOP_SCORE = 0.5


class MapValues(NamedTuple):
    """What is drawn of maps.

    Attributes:
        values (ndarray): (C, h, w) float32 from 0 on.
        top (float): The value of the hottest colour, and of those above it; 0 has the coldest.
        floor (float): Up to it a map is transparent.
        label (str): Of the colour bar.
    """

    values: np.ndarray
    top: float
    floor: float
    label: str

    def opacity(self) -> np.ndarray:
        """Opacity (C, h, w) of each cell in [0, 1]: 0 up to the floor, 1 from the top on."""
        share = (self.values - self.floor) / (self.top - self.floor)
        return np.sqrt(np.clip(share, 0, 1))


def map_values(
    maps: np.ndarray,
    probabilities: Sequence[float | None] | None = None,
    damping: float = 0,
    stretch: bool = False,
) -> MapValues:
    """Turn maps into the values that their colours mean.

    Args:
        maps: (C, h, w) mean patch scores in [0, 1].
        probabilities: C calibrated probabilities of the classes in this image; None for one
            without. Defaults to none at all.
        damping: Of the maps, for the label.
        stretch: Give the hottest colour to the largest value of these maps, and do not read
            `probabilities`: colours of two images, or of an absent and a present class that are
            not drawn together, then mean different values.
    """
    values = np.array(maps, np.float32)
    known = [None] * len(values) if probabilities is None or stretch else list(probabilities)
    for c, p in enumerate(known):
        if p is not None:
            values[c] = scaled(values[c], p)
    damped = f', damped by {damping:g}' if damping else ''
    score = f'mean patch score{damped}'
    if stretch:
        top = max(float(values.max(initial=0)), 1e-3)
        return MapValues(values, top, FLOOR * top, f'{score}; hottest: maximum of this image')
    if None not in known and known:
        return MapValues(values, 1.0, FLOOR, 'probability × share of the maximum')
    if any(p is not None for p in known):
        return MapValues(values, 1.0, FLOOR, f'probability × share; uncalibrated: {score}')
    return MapValues(values, TOP_SCORE, FLOOR, score)


def scaled(score_map: np.ndarray, probability: float) -> np.ndarray:
    """A map (h, w) whose maximum is the probability of its class; 0 where it is 0 everywhere."""
    largest = score_map.max(initial=0)
    # Divided first: of scores near the smallest number the quotient of the two is infinite.
    return score_map / largest * np.float32(probability) if largest > 0 else score_map * 0


def class_title(name: str, score: float, probability: float | None, note: str = '') -> str:
    """Title of a map: the class, its probability (else the image score), and a note."""
    value = f'image score {score:.2g}' if probability is None else f'probability {probability:.0%}'
    return f'{name}, {value}{note}'
