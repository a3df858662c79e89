"""What the page and its HTTP API answer for one image: plain data, a table, figures."""

import os.path as osp
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import jinja2
import numpy as np
import torch

from tcnn_mm.errors import UserError, first_names
from tcnn_mm.evaluation.unfamiliar import UNLIKE
from tcnn_mm.inference.inferencer import TCNNInferencer
from tcnn_mm.inference.inputs import ReadLog
from tcnn_mm.inference.overlay import map_probabilities, map_titles, resize_rgb
from tcnn_mm.inference.results import ImageResult
from tcnn_mm.patches.peaks import map_peaks, peaks_to_points
from tcnn_mm.visualization.score_map import ScoreMapVisualizer

MOST_FIGURES = 12  # per image: each holds its map and a PNG
MOST_ROWS = 25  # of the table; the API has all classes
TOP_PATCHES = 5

TABLE = jinja2.Environment(autoescape=True).from_string("""\
<table class="scores"><thead><tr><th>class</th><th>score</th><th>threshold</th>\
{% if calibrated %}<th>probability</th>{% endif %}<th></th></tr>\
</thead><tbody>{% for row in rows %}<tr{% if row.label %} class="label"{% endif %}>\
<td>{{ row.name }}</td><td>{{ '%.3g' % row.score }}</td>\
<td>{{ '–' if row.threshold is none else '%.3g' % row.threshold }}</td>\
{% if calibrated %}\
<td>{{ '–' if row.probability is none else '%.0f %%' % (100 * row.probability) }}</td>{% endif %}\
<td>{{ 'label' if row.label }}</td></tr>{% endfor %}</tbody></table>\
<p>{% if more %}{{ more }} more classes have lower scores. {% endif %}Labels: {{ rule }}.\
{% for note in notes %}<br>{{ note }}{% endfor %}</p>""")


class Answer(NamedTuple):
    """The result for one image.

    Attributes:
        result: With `maps` and `image`.
        shown: The classes whose patches and maps it holds.
        notes: About the image, one sentence each.
    """

    result: ImageResult
    shown: list[str]
    notes: list[str]


def answer(
    inferencer: TCNNInferencer,
    path: str | None,
    classes: Sequence[str] = (),
    score_maps: bool = True,
) -> Answer:
    """Predict on an uploaded image.

    Args:
        inferencer: The trained model.
        path: Of the file; None where none was given.
        classes: Whose patches and maps are wanted; none: of the labels, else of the best class.
        score_maps: Make maps.

    Raises:
        UserError: No image, one that cannot be read, an unknown class, too many classes.
    """
    if not path:
        raise UserError('no image was given: drop one, or choose a file')
    options = inferencer.result_options(
        list(classes) or None, score_maps=score_maps, keep_image=True, top_patches=TOP_PATCHES
    )
    if not classes:
        options = replace(options, shown=None)
    elif score_maps and len(classes) > MOST_FIGURES:
        raise UserError(f'{len(classes)} classes were chosen: choose at most {MOST_FIGURES}')
    log = ReadLog()
    (result,) = inferencer.predict_batch([path], options, log)
    if 'error' in result:
        raise UserError(result['error'].replace(path, osp.basename(path)))
    notes = []
    value = result.get('unfamiliar', 0)
    if value >= UNLIKE:
        notes.append(
            'Perhaps none of these classes: this image is more unlike the training images than '
            f'{value:.0%} of them are (unfamiliar {value:.2f})'
        )
    if log.rotated:
        notes.append('The EXIF rotation of this file was ignored, as in training')
    return Answer(result, list(result['patches']), notes)


def as_json(inferencer: TCNNInferencer, found: Answer) -> dict[str, Any]:
    """The answer of the API `/predict`, in JSON's types."""
    height, width = found.result['image'].shape[:2]
    return dict(
        labels=found.result['labels'],
        label_rule=inferencer.label_rule,
        scores=found.result['scores'],
        probabilities=found.result.get('probabilities'),
        unfamiliar=found.result.get('unfamiliar'),
        thresholds=inferencer.thresholds,
        patches=found.result['patches'],
        image=dict(width=width, height=height),
        notes=found.notes,
    )


def as_table(inferencer: TCNNInferencer, found: Answer) -> str:
    """Classes, scores and thresholds as HTML, best first; any name of a class is text."""
    scores, thresholds = found.result['scores'], inferencer.thresholds or {}
    probabilities = found.result.get('probabilities') or {}
    ranked = sorted(scores, key=lambda name: scores[name], reverse=True)
    # A label may have a lower score than many other classes.
    first = found.result['labels'][:MOST_ROWS]
    first += [name for name in ranked if name not in first][: MOST_ROWS - len(first)]
    rows = [
        dict(
            name=name,
            score=scores[name],
            threshold=thresholds.get(name),
            probability=probabilities.get(name),
            label=name in found.result['labels'],
        )
        for name in first
    ]
    return TABLE.render(
        rows=rows,
        calibrated=bool(probabilities),
        more=len(ranked) - len(rows),
        rule=inferencer.label_rule,
        notes=found.notes,
    )


def as_figures(inferencer: TCNNInferencer, found: Answer) -> list[tuple[np.ndarray, str]]:
    """One figure per class: the image with its best patches, and beside it the map.

    Returns:
        (h, w, 3) uint8 RGB and a caption each, at most :data:`MOST_FIGURES`.
    """
    figures = []
    for name in found.shown[:MOST_FIGURES]:
        (title,) = map_titles(found.result, [name])
        figures.append((_figure(inferencer, found.result, name, title), title))
    return figures


def more_than_shown(found: Answer) -> str:
    """A sentence for labels without figure; '' where all have one."""
    left = found.shown[MOST_FIGURES:]
    return f'No figure for {first_names(left, 3)}: choose these classes to see them' if left else ''


def _figure(inferencer: TCNNInferencer, result: ImageResult, name: str, title: str) -> np.ndarray:
    score_map = result['maps'][name]
    height, width = score_map.shape
    stored = result['image'].shape[:2]
    ratio = np.array([width / stored[1], height / stored[0]] * 2)
    patches = result['patches'][name]
    peak = map_peaks(torch.from_numpy(score_map)[None])
    return ScoreMapVisualizer().draw_score_maps(
        resize_rgb(result['image'], height, width),
        score_map[None],
        [title],
        boxes=[list(np.array(patch['box']) * ratio) for patch in patches],
        box_names=[f'{patch["score"]:.2f}' for patch in patches],
        points=peaks_to_points(peak, (height, width), (height, width)).numpy(),
        damping=inferencer.damping,
        first_title='best patches',
        probabilities=map_probabilities(result, [name]),
    )
