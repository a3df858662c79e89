"""The page of an audit: each check with its image, the given boxes and the patch that says so."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

import tcnn_mm
from tcnn_mm.datasets.source_images import SizedDataset
from tcnn_mm.labelling.audit import Check
from tcnn_mm.labelling.audit_table import WHAT_IT_MEANS, counts, reason
from tcnn_mm.labelling.held_out_run import HeldOutRun
from tcnn_mm.reports.facts import Figure
from tcnn_mm.reports.render import environment
from tcnn_mm.visualization.contact_sheet import crop_box

GIVEN, SAYS_SO = '#2e8b57', '#e67e22'
# Pixels of the drawing of an image, and of the patch beside it.
LONG_SIDE, PATCH_SIDE = 340, 150


@dataclass(frozen=True)
class ShownCheck:
    """One check on the page: rank from 1, score, kind with classes, id of its image, drawing."""

    rank: int
    score: float
    what: str
    image_id: str
    figure: Figure


@dataclass(frozen=True)
class AuditPage:
    """All that the page shows.

    Attributes:
        title (str): Name of the fit.
        version (str): Of tcnn_mm.
        images (int): That were scored.
        headline (list[tuple]): Number of checks of each kind, and its name.
        meanings (dict): Kind → what it means.
        checks (list[ShownCheck]): The surest errors first.
        left_out (str): How many checks are not shown, in words.
        notes (list[str]): What was not judged.
    """

    title: str
    version: str
    images: int
    headline: list[tuple[int, str]]
    meanings: dict[str, str]
    checks: list[ShownCheck]
    left_out: str
    notes: list[str]


def audit_page(
    title: str,
    checks: Sequence[Check],
    run: HeldOutRun,
    images: SizedDataset,
    count: int,
    notes: Sequence[str],
    table: str,
) -> str:
    """The page as HTML.

    Args:
        title: Name of the fit.
        checks: In their order.
        run: The fit.
        images: The images of the run; item n is image n.
        count: How many checks are drawn.
        notes: Sentences on what was not judged.
        table: Name of the file that has all checks.
    """
    shown = [
        shown_check(rank, check, run, pixels_of(images, check.image))
        for rank, check in enumerate(checks[:count], 1)
    ]
    more = len(checks) - len(shown)
    page = AuditPage(
        title=title,
        version=tcnn_mm.__version__,
        images=len(run.images),
        headline=[(number, kind) for kind, number in counts(checks).items()],
        meanings=WHAT_IT_MEANS,
        checks=shown,
        left_out=f'{more} more are in {table}.' if more else '',
        notes=list(notes),
    )
    return environment().get_template('audit.html.j2').render(page=page)


def pixels_of(images: SizedDataset, number: int) -> np.ndarray:
    """(H, W, 3) uint8 RGB of an image, as the fit read it."""
    return np.ascontiguousarray(images[number]['inputs'].permute(1, 2, 0).numpy())


def shown_check(rank: int, check: Check, run: HeldOutRun, pixels: np.ndarray) -> ShownCheck:
    """A check with its drawing."""
    image, why = run.images[check.image], reason(check, run.classes)
    label = '' if check.label is None else run.classes[check.label]
    instead = '' if check.instead is None else run.classes[check.instead]
    arrow = f'{label} → {instead}' if label and instead and label != instead else label or instead
    what = f'{check.kind}: {arrow}'
    drawing = draw_check(pixels, image.boxes, check.box, check.patch)
    alt = f'Image {check.image_id}, {what}; patch {[round(v) for v in check.patch]}'
    return ShownCheck(rank, check.score, what, check.image_id, Figure(drawing, alt, why))


def draw_check(
    pixels: np.ndarray,
    boxes: np.ndarray,
    box: int | None,
    patch: Sequence[float],
) -> np.ndarray:
    """Draw an image with its boxes and a patch, and the patch enlarged beside it.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        boxes: (M, 4) xyxy pixels.
        box: Number of the box in question.
        patch: xyxy pixels; nan for none.

    Returns:
        (h, w, 3) uint8 RGB on white.
    """
    height, width = pixels.shape[:2]
    scale = LONG_SIDE / max(height, width)
    small = Image.fromarray(pixels).resize(
        (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BICUBIC
    )
    pen = ImageDraw.Draw(small)
    for m, corners in enumerate(boxes):
        pen.rectangle(_scaled(corners, scale), outline=GIVEN, width=4 if m == box else 1)
    gap = 6
    sheet = Image.new(
        'RGB', (small.width + gap + PATCH_SIDE, max(small.height, PATCH_SIDE)), 'white'
    )
    if not np.isnan(patch).any():
        pen.rectangle(_scaled(patch, scale), outline=SAYS_SO, width=3)
        crop = Image.fromarray(crop_box(pixels, patch))
        sheet.paste(
            crop.resize((PATCH_SIDE, PATCH_SIDE), Image.Resampling.BICUBIC), (small.width + gap, 0)
        )
        right = small.width + gap
        ImageDraw.Draw(sheet).rectangle(
            (right, 0, right + PATCH_SIDE - 1, PATCH_SIDE - 1), outline=SAYS_SO, width=3
        )
    sheet.paste(small, (0, 0))
    return np.asarray(sheet)


def _scaled(box: Sequence[float] | np.ndarray, scale: float) -> tuple[float, float, float, float]:
    """A box in the pixels of the drawing, its right and lower edge inside it."""
    x1, y1, x2, y2 = (float(value) * scale for value in box)
    return x1, y1, max(x1, x2 - 1), max(y1, y2 - 1)
