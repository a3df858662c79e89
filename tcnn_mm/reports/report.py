"""A run as one page that can be sent: results, curves, pictures, config, environment."""

import datetime
import os.path as osp
import platform
from html import escape

import numpy as np
import torch
from mmengine.registry import init_default_scope

import tcnn_mm
from tcnn_mm.analysis.prediction_cache import build_model, metric_settings
from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.errors import UserError
from tcnn_mm.patches.geometry import DAMPING
from tcnn_mm.reports import page as html
from tcnn_mm.reports.figures import Gallery, choose, pictures_and_labels
from tcnn_mm.reports.run_artifacts import read_work_dir
from tcnn_mm.visualization.curves import precision_recall_curve, to_svg, training_curve

METRICS = {
    'voc07': 'AP %, 11 points (VOC2007)',
    'voc10': 'AP %, area (VOC2010–12)',
    'voc_action': 'AP % of actions, area',
    'point': 'pointing AP %',
}
GROUP_TITLES = {
    'found': 'Best: has it, highest scores',
    'false alarms': 'Worst: has it not, highest scores',
    'missed': 'Worst: has it, lowest scores',
}
WORDS = {1: 'has it', 0: 'difficult only', -1: 'has it not'}


def write_report(work_dir, out=None, pictures=8, checkpoint=None, trust=False):
    """Write what a work dir holds as one HTML page without scripts or links to other files.

    Per class: AP, precision over recall, best and worst pictures with their score maps, best
    patches; of the run: training curves, config, environment, command. Where something is gone
    (pictures, checkpoint, logs) the page says so in its place.

    Args:
        work_dir (str): Of tools/train.py and tools/test.py.
        out (str, optional): The page. Defaults to report.html in the work dir.
        pictures (int): Of each class; each costs one pass of the network, once. 0: none.
            Defaults to 8.
        checkpoint (str, optional): Defaults to the one that was tested, else the newest.
        trust (bool): See :func:`load_safely`.

    Returns:
        str: Path of the page.

    Raises:
        UserError: The folder holds no run.
    """
    run = read_work_dir(work_dir)
    if checkpoint:
        run = run._replace(checkpoint=checkpoint)
    init_default_scope(run.config.get('default_scope', 'mmengine'))
    data, trouble = None, ''
    if run.scores:
        try:
            data = pictures_and_labels(run.config, run.scores)
        except UserError as error:
            trouble = str(error)
    title = osp.basename(run.path)
    body = '\n'.join(
        [
            _head(title, run),
            html.section('Results', 'results', *_results(run)),
            html.section('Precision and recall', 'curves', *_curves(run, data, trouble)),
            html.section('Training', 'training', *_training(run)),
            html.section('Pictures', 'pictures', *_pictures(run, data, trouble, pictures, trust)),
            html.section('How it was made', 'run', *_provenance(run)),
        ]
    )
    out = osp.abspath(out or osp.join(run.path, 'report.html'))
    with atomic_write(out) as file:
        file.write(html.page(f'{title}: report', body))
    return out


def _head(title, run):
    """Title, mean figures, links to the sections."""
    boxes = ''.join(
        f'<div><b>{100 * report["mAP"]:.1f}</b>{escape(report["metric"])} mAP %</div>'
        for report in run.reports
        if report['mAP'] is not None
    )
    if run.reports:
        boxes += f'<div><b>{run.reports[0]["images"]}</b>test pictures</div>'
    names = dict(results='Results', curves='Precision and recall', training='Training',
                 pictures='Pictures', run='How it was made')  # fmt: skip
    links = ''.join(f'<a href="#{name}">{text}</a> ' for name, text in names.items())
    return (
        f'<h1>{escape(title)}</h1>\n<p class="soft">Patches vote for a picture’s classes: transfer '
        f'of a pretrained network by tcnn_mm {tcnn_mm.__version__}.</p>\n'
        f'<nav>{links}</nav>\n<div class="figures">{boxes}</div>'
    )


def _results(run):
    """The table of voc_ap.json: a line a class."""
    if not run.reports:
        yield html.note(
            'No results: there is no voc_ap.json with an AP in this folder. Run tools/test.py with '
            'this --work-dir.'
        )
        return
    first = run.reports[0]['classes']
    titles = [METRICS.get(report['metric'], f'{report["metric"]} AP %') for report in run.reports]
    head = ''.join(f'<th scope="col">{escape(t)}</th>' for t in ('class', 'pictures with it',
                   'difficult only', *titles))  # fmt: skip
    lines = []
    for name, row in first.items():
        aps = [report['classes'].get(name, {}).get('ap') for report in run.reports]
        lines.append(
            f'<tr><th scope="row">{escape(name)}</th><td>{row["positives"]}</td>'
            f'<td>{row["difficult"]}</td>{"".join(map(html.cell, aps))}</tr>'
        )
    means = [('mean', [report['mAP'] for report in run.reports])]
    if 'subset' in run.reports[0]:
        name = f'mean of {", ".join(run.reports[0]["subset"])}'
        means.append((name, [report.get('mAP_subset') for report in run.reports]))
    foot = ''.join(
        f'<tr><th scope="row">{escape(name)}</th><td></td><td></td>'
        f'{"".join(map(html.cell, values))}</tr>'
        for name, values in means
    )
    yield (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody>'
        f'<tfoot>{foot}</tfoot></table></div>'
    )
    yield (
        '<p class="soft">A picture that has a class only as difficult objects counts neither for '
        'nor against it. A class without positives has no AP and is left out of the mean.</p>'
    )
    for report in run.reports:
        if report.get('hit_rate') is not None:
            yield (
                f'<p class="soft">{escape(report["metric"])}: the highest point of the class’s map '
                f'lies within {report["hit_tolerance"]:g} px of one of its objects in '
                f'{100 * report["hit_rate"]:.1f} % of the pictures that have it (the middle of the '
                f'picture: {100 * report["centre_hit_rate"]:.1f} %).</p>'
            )


def _curves(run, data, trouble):
    """A small figure a class that has positives."""
    if data is None:
        yield html.note(_why_no_labels(run, trouble))
        return
    _, _, labels = data
    figures = []
    for k, name in enumerate(run.scores.classes):
        if not (labels[:, k] == 1).any():
            continue
        ap = run.reports[0]['classes'].get(name, {}).get('ap') if run.reports else None
        said = '' if ap is None else f', AP {100 * ap:.1f} %'
        svg = to_svg(precision_recall_curve(run.scores.values[:, k], labels[:, k]))
        figures.append(
            html.figure(
                html.svg_picture(svg, f'Precision over recall of {name}{said}'), f'{name}{said}'
            )
        )
    yield html.grid(figures, 'small')
    yield (
        '<p class="soft">Grey: precision down the ranking. Blue: the best precision at this recall '
        'or above, from which AP is read. AP here is that of the table’s first column of AP.</p>'
    )


def _why_no_labels(run, trouble):
    if run.scores is None:
        return 'There is no image_scores.csv in this folder; tools/test.py writes it.'
    return f'The labels of the test set could not be read: {trouble}'


def _training(run):
    """Loss, accuracy of patches, learning rate; the AP of validations."""
    rows = run.scalars
    aps = {key: key for row in rows for key in row if key.endswith('/mAP')}
    accuracy = dict(object_accuracy='accuracy on object patches',
                    background_share='share of background patches')  # fmt: skip
    curves = (
        ('Loss', training_curve(rows, dict(loss='loss', loss_context='loss of the context'),
                                'loss')),
        ('Patches', training_curve(rows, accuracy, 'fraction')),
        ('Validation', training_curve(rows, aps, 'mAP %')),
        ('Learning rate', training_curve(rows, dict(lr='learning rate'), 'learning rate', True)),
    )  # fmt: skip
    figures = [
        html.figure(
            html.svg_picture(to_svg(figure), f'{title} over {rows[-1]["step"]} training steps'),
            title,
        )
        for title, figure in curves
        if figure is not None
    ]
    if figures:
        yield html.grid(figures, 'wide')
    else:
        yield html.note('No training log (vis_data/scalars.json) in this folder.')


def _pictures(run, data, trouble, count, trust):
    """Best and worst pictures of each class, and the best patches of these."""
    if not count:
        yield html.note('Left out: the report was written with pictures=0.')
        return
    if data is None:
        yield html.note(_why_no_labels(run, trouble))
        return
    if run.checkpoint is None:
        yield html.note(
            'The checkpoint is gone, so there are no score maps: name one with --checkpoint.'
        )
        return
    dataset, numbers, labels = data
    scores, classes = run.scores.values, run.scores.classes
    pointing = metric_settings(run.config, 'PointLocalization')
    damping = pointing.get('damping', 0) if pointing else DAMPING
    chosen = {
        k: choose(scores[:, k], labels[:, k], count)
        for k in range(len(classes))
        if (labels[:, k] == 1).any()
    }
    try:
        model = build_model(run.config, run.checkpoint, trust)
        shown, sheets = Gallery(model, dataset, classes, damping).draw(
            chosen, numbers, scores, labels
        )
    except UserError as error:
        yield html.note(f'Pictures could not be drawn: {error}')
        return
    yield (
        '<p>Colour is the mean score of the patches that cover a pixel; the cross is its maximum, '
        'green boxes are the annotated objects of the class. The scale of each map is beside it.'
        + (f' Maps are damped by {damping:g}.' if damping else '')
        + '</p>'
    )
    for k, groups in shown.items():
        yield f'<h3>{escape(classes[k])}</h3>'
        if k in sheets:
            alt = f'Contact sheet: patches with the highest scores for {classes[k]}'
            yield html.figure(
                html.jpeg_picture(sheets[k], alt),
                f'Best patches for {classes[k]} in the pictures of the highest scores below, one '
                'of each place. Frame: green, the picture has the class; red, it has not.',
                'sheet',
            )
        for group, pictures in groups.items():
            if pictures:
                yield f'<h4>{GROUP_TITLES[group]}</h4>'
                yield html.grid([_picture(run, classes[k], each, len(scores)) for each in pictures])


def _picture(run, name, shown, total):
    image_id = run.scores.ids[shown.row]
    where = f'{image_id}, rank {shown.rank} of {total}, {WORDS[shown.label]}'
    alt = f'Score map of {name} over picture {where}; image score {shown.score:.2g}'
    return html.figure(html.jpeg_picture(shown.drawing, alt), where)


def _provenance(run):
    """Command, checkpoint, environment, config."""
    config = run.training or run.config
    now = datetime.datetime.now().astimezone()
    yield html.facts(
        {
            'trained with': (run.training or {}).get('command', 'not recorded'),
            'tested with': _test_command(run),
            'work dir': run.path,
            'checkpoint': run.checkpoint or 'gone',
            'page written': f'{now:%Y-%m-%d %H:%M %Z}, tcnn_mm {tcnn_mm.__version__}, torch '
            f'{torch.__version__}, numpy {np.__version__}, Python {platform.python_version()}',
        }
    )
    if run.environment:
        yield html.folded('Environment of the run', html.facts(run.environment))
    else:
        yield html.note('No log of the run, so its environment is not known.')
    yield html.folded('Config of the run', f'<pre>{escape(config.pretty_text)}</pre>')


def _test_command(run):
    command = run.config.get('command', '')
    return command if run.reports and 'test.py' in command else 'not recorded'
