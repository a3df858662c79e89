"""Types of arguments that are numbers of a range: a wrong one is one line, before anything runs."""

import argparse
import math
from collections.abc import Callable


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """A whole number of at least `least`, and at most `most`."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f'{text}: not a whole number') from None
        _check_range(text, value, least, most)
        return value

    return parse


def real(least: float, most: float | None = None) -> Callable[[str], float]:
    """A finite number of at least `least`, and at most `most`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f'{text}: not a number') from None
        if not math.isfinite(value):
            raise argparse.ArgumentTypeError(f'{text}: not a finite number')
        _check_range(text, value, least, most)
        return value

    return parse


def listed(parse: Callable[[str], float]) -> Callable[[str], list[float]]:
    """Numbers of a range, separated by commas."""
    return lambda text: [parse(part.strip()) for part in text.split(',')]


def _check_range(text: str, value: float, least: float, most: float | None) -> None:
    if value < least:
        raise argparse.ArgumentTypeError(f'{text}: it must be at least {least:g}')
    if most is not None and value > most:
        raise argparse.ArgumentTypeError(f'{text}: it must be at most {most:g}')


# Seeds that numpy and torch take.
seed = whole(0, 2**32 - 1)
