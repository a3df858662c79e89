"""The page of suggestions: thumbnails with reasons, and the patch that is uncertain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

import tcnn_mm
from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError
from tcnn_mm.inference.inputs import ReadLog, read_image
from tcnn_mm.labelling.suggest_choice import TYPICAL, UNCERTAIN
from tcnn_mm.labelling.suggest_table import Suggestion, reason
from tcnn_mm.reports.facts import Figure
from tcnn_mm.reports.render import environment
from tcnn_mm.visualization.contact_sheet import crop_box

PATCH = '#e67e22'
# Pixels of a thumbnail, and of the patch in its corner.
LONG_SIDE, PATCH_SIDE = 300, 90


@dataclass(frozen=True)
class ShownSuggestion:
    """One image on the page: rank from 1, kind, drawing with its reason, likely classes, path."""

    rank: int
    kind: str
    figure: Figure
    likely: str
    path: str


@dataclass(frozen=True)
class SuggestionPage:
    """All that the page shows.

    Attributes:
        title (str): Of the fit or the network.
        version (str): Of tcnn_mm.
        facts (dict[str, str]): What the choice is made of.
        headline (list[tuple]): Number of images of each kind, and its name.
        images (list[ShownSuggestion]): The most useful first.
        notes (list[str]): What was left out, in sentences.
    """

    title: str
    version: str
    facts: dict[str, str]
    headline: list[tuple[int, str]]
    images: list[ShownSuggestion]
    notes: list[str]


def suggestion_page(
    title: str,
    suggestions: Sequence[Suggestion],
    classes: Sequence[str],
    labelled: int,
    upright: bool,
    facts: dict[str, str],
    notes: Sequence[str],
) -> str:
    """The page as HTML.

    Args:
        title: Of the fit or the network.
        suggestions: In their order.
        classes: K names.
        labelled: Number of labelled images.
        upright: Apply the EXIF rotation, as the features do.
        facts: What the choice is made of.
        notes: What was left out.
    """
    kinds = [suggestion.pick.kind for suggestion in suggestions]
    headline = [
        (kinds.count(TYPICAL), 'typical and different'),
        (kinds.count(UNCERTAIN), UNCERTAIN),
    ]
    shown = [
        _shown(rank, suggestion, classes, labelled, upright)
        for rank, suggestion in enumerate(suggestions, 1)
    ]
    page = SuggestionPage(title, tcnn_mm.__version__, facts, headline, shown, list(notes))
    return environment().get_template('suggestions.html.j2').render(page=page)


def _shown(
    rank: int, suggestion: Suggestion, classes: Sequence[str], labelled: int, upright: bool
) -> ShownSuggestion:
    pixels = read_image(suggestion.path, 'rgb', upright, ReadLog())
    if isinstance(pixels, UserError):
        raise pixels
    found, why = suggestion.judgement, reason(suggestion, classes, labelled)
    drawing = draw_suggestion(pixels, found.patch if found else None)
    likely = (
        ''
        if found is None
        else ', '.join(f'{classes[p.label]} ({p.probability:.2f})' for p in found.proposals)
        or 'no class'
    )
    alt = f'Image {rank}: {why}'
    path = printable(suggestion.path)
    return ShownSuggestion(rank, suggestion.pick.kind, Figure(drawing, alt, why), likely, path)


def draw_suggestion(pixels: np.ndarray, patch: Sequence[float] | None) -> np.ndarray:
    """Draw a thumbnail of an image, a frame around a patch, and the patch in the corner.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        patch: xyxy pixels; None for none.

    Returns:
        (h, w, 3) uint8 RGB, at most 300 pixels on a side.
    """
    height, width = pixels.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    if patch is None:
        return np.asarray(small)
    x1, y1, x2, y2 = (float(value) * scale for value in patch)
    pen = ImageDraw.Draw(small)
    pen.rectangle((x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)), outline=PATCH, width=3)
    side = min(PATCH_SIDE, *size)
    crop = Image.fromarray(crop_box(pixels, patch)).resize((side, side), Image.Resampling.BICUBIC)
    ImageDraw.Draw(crop).rectangle((0, 0, side - 1, side - 1), outline=PATCH, width=2)
    small.paste(crop, (size[0] - side, size[1] - side))
    return np.asarray(small)
