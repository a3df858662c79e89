"""Limits on what one image may cost; an environment variable of the same name raises each.

TCNN_MAX_PIXELS: pixels of an image that is decoded; a file of a few kB may declare billions.
TCNN_MAX_PATCHES: patches of an image's grid; a very long image has millions.
"""

import os

from tcnn_mm.errors import InvalidValueError

LIMITS = {'TCNN_MAX_PIXELS': 500_000_000, 'TCNN_MAX_PATCHES': 100_000}


def limit(name: str) -> int:
    """The value of a limit: that of its environment variable, else the default.

    Raises:
        InvalidValueError: The variable is no whole number above 0.
    """
    text = os.environ.get(name)
    if text is None:
        return LIMITS[name]
    if not text.strip().isdecimal() or not int(text):
        raise InvalidValueError(
            f'{name}={text}: not a whole number above 0; default: {LIMITS[name]}; unset {name}'
        )
    return int(text)
