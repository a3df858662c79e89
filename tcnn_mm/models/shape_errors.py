"""torch's errors of sizes that do not fit, as one line with the key to set."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from tcnn_mm.errors import InvalidValueError

# Of matrix products, convolutions and pooling; both sizes are in torch's text.
_SHAPES = re.compile(
    r'shapes cannot be multiplied|expected input|[Kk]ernel size|[Oo]utput size is too small|'
    r'must match the size|Expected more than 1 value|normalized_shape|mat1 and mat2'
)


@contextmanager
def shape_errors(what: str, remedy: str) -> Iterator[None]:
    """Raise torch's error of sizes as an InvalidValueError: `what: torch's words; remedy`."""
    try:
        yield
    except InvalidValueError:
        raise
    except (RuntimeError, ValueError) as error:
        text = ' '.join(str(error).split())
        if not _SHAPES.search(text):
            raise
        raise InvalidValueError(f'{what}: {text[:300].rstrip(".")}; {remedy}') from error
