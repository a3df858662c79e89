"""Collect the facts of a report from what a run left in its work directory."""

import datetime
import os.path as osp
import platform
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

import tcnn_mm
from tcnn_mm.errors import UserError
from tcnn_mm.reports.collect_examples import classes_of_page, collect_examples
from tcnn_mm.reports.collect_results import collect_results, headline
from tcnn_mm.reports.consistency import check_one_test
from tcnn_mm.reports.examples import TestImages, read_test_images
from tcnn_mm.reports.facts import Figure, Figures, Provenance, Report
from tcnn_mm.reports.next_steps import collect_next_steps
from tcnn_mm.reports.probabilities import (
    collect_intervals,
    collect_probabilities,
    fold_intervals,
)
from tcnn_mm.reports.run_artifacts import RunArtifacts
from tcnn_mm.reports.unlike_images import unlike_images
from tcnn_mm.visualization.curves import precision_recall_curve, to_svg, training_curve


def collect_report(run: RunArtifacts, image_count: int = 8, trust: bool = False) -> Report:
    """Collect everything that the page shows.

    Args:
        run: Of the work directory.
        image_count: Example images per class; 0 for none.
        trust: See :func:`load_safely`.

    Raises:
        UserError: Results and scores are of two tests.
    """
    run, images, trouble = run.judged(), None, ''
    held_out = run.held_out
    if run.scores:
        try:
            images = read_test_images(run.config, run.scores)
        except UserError as error:
            trouble = f'The labels of the test set could not be read: {error}'
        else:
            if not run.cross_validated or held_out is None or held_out.summary['repeats'] == 1:
                check_one_test(run, images.labels)
    else:
        trouble = 'There is no image_scores.csv in this folder; tcnn test writes it.'
    tested = None if run.cross_validated else collect_intervals(run, images)
    folds, of_folds, results = None, None, None
    if held_out is not None:
        of_folds = collect_results(held_out.mean_reports(), fold_intervals(held_out), held_out.said)
    if run.cross_validated and held_out is not None and run.scores is not None:
        folds = np.array([held_out.fold_of[name] for name in run.scores.ids])
        results, of_folds = of_folds, None
    elif run.reports:
        results = collect_results(run.reports, tested)
    intervals = fold_intervals(held_out) if held_out and run.cross_validated else tested
    return Report(
        title=osp.basename(run.path),
        version=tcnn_mm.__version__,
        headline=headline(
            run.reports, 'cross-validated images' if run.cross_validated else 'test images'
        ),
        results=results,
        curves=_curves(run, images, trouble),
        probabilities=collect_probabilities(run, images, trouble, trust, folds),
        training=_training(run.scalars),
        examples=collect_examples(run, images, trouble, image_count, trust),
        provenance=_provenance(run),
        decisions=_decisions(run.config),
        cross_validation=of_folds,
        unlike=unlike_images(run, trust),
        next_steps=collect_next_steps(run, images, intervals, trust),
    )


def _decisions(config: Config) -> dict[str, str]:
    """What `tcnn fit` wrote into its config; empty for other configs."""
    return {str(subject): str(text) for subject, text in config.get('decisions') or ()}


def _curves(run: RunArtifacts, images: TestImages | None, trouble: str) -> Figures:
    """Precision over recall of each class that has positives."""
    if images is None or run.scores is None:
        return Figures(note=trouble)
    figures = []
    shown, left_out = classes_of_page(run, images)
    for k in shown:
        name, labels = run.scores.classes[k], images.labels[:, k]
        ap = run.reports[0]['classes'].get(name, {}).get('ap') if run.reports else None
        title = name if ap is None else f'{name}, AP {100 * ap:.1f} %'
        svg = to_svg(precision_recall_curve(run.scores.values[:, k], labels))
        figures.append(Figure(svg, f'Precision over recall of {title}', title))
    return Figures(figures, left_out=left_out)


def _training(scalars: list[dict[str, Any]]) -> Figures:
    """Loss, accuracy of patches, learning rate, and the AP of validations over the steps."""
    loss = dict(loss='loss', loss_context='loss of the context')
    accuracy = dict(
        object_accuracy='accuracy on object patches', background_share='share of background patches'
    )
    aps = {key: key for row in scalars for key in row if key.endswith('/mAP')}
    curves = [
        ('Loss', training_curve(scalars, loss, 'loss')),
        ('Patches', training_curve(scalars, accuracy, 'fraction')),
        ('Validation', training_curve(scalars, aps, 'mAP %')),
        ('Learning rate', training_curve(scalars, dict(lr='learning rate'), 'learning rate', True)),
    ]
    figures = [
        Figure(to_svg(curve), f'{title} over {scalars[-1]["step"]} training steps', title)
        for title, curve in curves
        if curve is not None
    ]
    return Figures(
        figures,
        '' if figures else 'No training log (vis_data/scalars.json) in this folder.',
    )


def _provenance(run: RunArtifacts) -> Provenance:
    """Commands, checkpoint, versions, environment and config."""
    now = datetime.datetime.now().astimezone()
    tested = run.config.get('command', '')
    commands = {
        'trained with': (run.training or {}).get('command', 'not recorded'),
        'tested with': tested if run.reports and _is_test(tested) else 'not recorded',
        'work directory': run.path,
        'checkpoint': run.checkpoint or 'missing',
        'page written': f'{now:%Y-%m-%d %H:%M %Z}, tcnn_mm {tcnn_mm.__version__}, torch '
        f'{torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}',
    }
    return Provenance(commands, run.environment, (run.training or run.config).pretty_text)


def _is_test(command: str) -> bool:
    """Whether a recorded command line is one of `tcnn test` or `tools/test.py`."""
    return 'test.py' in command or 'tcnn test' in command
