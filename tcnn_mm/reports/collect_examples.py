"""Collect the example images of a report, with captions, or a note on what is missing."""

import numpy as np

from tcnn_mm.engine.fold_heads import FoldHeads
from tcnn_mm.errors import UserError
from tcnn_mm.inference.trained_model import load_trained_model
from tcnn_mm.reports.bank_features import read_bank_features
from tcnn_mm.reports.examples import TestImages, choose_per_class, shown_classes
from tcnn_mm.reports.facts import ClassExamples, Examples, Figure
from tcnn_mm.reports.gallery import ClassGallery, Example, draw_examples
from tcnn_mm.reports.run_artifacts import RunArtifacts, Scores
from tcnn_mm.visualization.map_values import class_title

GROUP_TITLES = {
    'found': 'Best: positive images with the highest scores',
    'false alarms': 'Worst: negative images with the highest scores',
    'missed': 'Worst: positive images with the lowest scores',
}
LABELS = {1: 'positive', 0: 'difficult only', -1: 'negative'}


def collect_examples(
    run: RunArtifacts, images: TestImages | None, trouble: str, count: int, trust: bool
) -> Examples:
    """Collect the best and worst images of each class with their maps and best patches.

    Args:
        run: Of the work directory.
        images: Of the test; None where they could not be read.
        trouble: Why they could not be read.
        count: Images per class; 0 for none.
        trust: See :func:`load_safely`.
    """
    if not count:
        return Examples(note='Left out: the report was written with 0 images per class.')
    if images is None or run.scores is None:
        return Examples(note=trouble)
    if run.checkpoint is None:
        return Examples(
            note='The checkpoint is missing, so there are no localization maps: give one: '
            'tcnn report WORK_DIR --checkpoint FILE'
        )
    heads = run.held_out and FoldHeads(run.held_out.checkpoints, run.held_out.fold_of)
    heads = heads if run.cross_validated else None
    shown, left_out = classes_of_page(run, images)
    gone = images.gone()
    if gone.any():
        left_out = f'{left_out} {gone.sum()} images are not drawn: their files are gone.'.strip()
    drawable = np.where(gone[:, None], 0, images.labels)
    chosen = choose_per_class(run.scores.values, drawable, count, shown)
    try:
        trained = load_trained_model(
            run.checkpoint, run.config, classes=run.scores.classes, trust=trust
        )
        features = read_bank_features(run.config, run.scores) if run.tested else None
        drawn = draw_examples(
            trained.model,
            images,
            chosen,
            run.scores,
            trained.damping,
            features,
            heads,
            trained.calibration,
        )
    except UserError as error:
        return Examples(note=f'Images could not be drawn: {error}')
    return Examples(
        [class_examples(run.scores, k, gallery) for k, gallery in drawn.items()],
        trained.damping,
        calibrated=bool(trained.calibration),
        left_out=left_out,
        said='Scores and maps are of the head that did not see the image.' if heads else '',
    )


def classes_of_page(run: RunArtifacts, images: TestImages) -> tuple[list[int], str]:
    """The classes that the page draws (:func:`shown_classes`), and which it leaves out, in words.

    Args:
        run: Of the work directory, with scores.
        images: Of the test.
    """
    assert run.scores is not None
    rows = run.reports[0]['classes'] if run.reports else {}
    aps = [rows.get(name, {}).get('ap') for name in run.scores.classes]
    shown = shown_classes(aps, images.labels)
    number = int((images.labels == 1).any(0).sum())
    if len(shown) == number:
        return shown, ''
    return shown, (
        f'{len(shown)} of {number} classes are drawn: those of the highest and of the lowest AP. '
        'The table has all.'
    )


def class_examples(scores: Scores, k: int, gallery: ClassGallery) -> ClassExamples:
    """The drawings of class `k` with their captions."""
    name, sheet = scores.classes[k], gallery.sheet()
    return ClassExamples(
        name,
        None
        if sheet is None
        else Figure(
            sheet,
            f'Contact sheet: patches with the highest scores for {name}',
            f'Best patches for {name} in the images of the highest scores below, without '
            'overlapping ones. Frame: green, a positive image; red, a negative one.',
        ),
        [
            (GROUP_TITLES[group], [example_figure(name, each, len(scores.ids)) for each in found])
            for group, found in gallery.groups.items()
            if found
        ],
    )


def example_figure(name: str, example: Example, total: int) -> Figure:
    """One drawing with its image id, rank among `total` images and label."""
    where = f'{example.image_id}, rank {example.rank} of {total}, {LABELS[example.label]}'
    title = class_title(name, example.score, example.probability)
    alt = f'Localization map over image {where}: {title}'
    return Figure(example.drawing, alt, where)
