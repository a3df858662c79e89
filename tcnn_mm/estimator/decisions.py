"""What a fit decided and why, in words: the top of its config and of its report."""

from collections.abc import Mapping

from tcnn_mm.estimator.fit_data import folds_line
from tcnn_mm.estimator.plan import FitPlan
from tcnn_mm.patches.scale_choice import dense_cost

ROLES = dict(
    train='train the head',
    val='choose the thresholds of best F1',
    test='are tested once',
)


def decision_lines(plan: FitPlan, epochs: int, batch: int) -> dict[str, str]:
    """The decisions of a plan.

    Args:
        plan: The plan.
        epochs: Of the training.
        batch: Patches (images if weak) per step.

    Returns:
        Subject → what was decided and why, in the order of the page.
    """
    data = plan.data
    parts = [f'{data.counts[role]} {use}' for role, use in ROLES.items() if role in data.counts]
    if data.folds:
        parts[0] += ', and choose the thresholds by heads that did not see them'
    lines = {'Data': data.description, 'Images': ', '.join(parts)}
    if plan.earlier:
        lines['Grown'] = f'goes on from {plan.earlier}: its network, its scales, its features'
    if data.folds:
        lines['Cross-validation'] = folds_line(data.folds)
    lines['Annotations'] = (
        'no boxes: weak training, which compares the best window of an image with its labels'
        if data.weak
        else 'boxes: each patch is labelled by the object in it'
    )
    lines['Network'] = f'{plan.backbone}, frozen; weights {plan.weights.said}'
    lines['Scales'] = f'λ = {", ".join(f"{scale:g}" for scale in plan.scales)}: ' + '; '.join(
        plan.reasons or ['image labels cannot ask for others']
    )
    if plan.maps:
        share = dense_cost(plan.maps) / dense_cost(plan.scales)
        lines['Maps'] = (
            f'λ = {", ".join(f"{scale:g}" for scale in plan.maps)}: a patch is read from the map '
            f'of its own λ or of a little smaller one; {share:.0%} of the pixels of one map per λ'
        )
    kind = 'images' if data.weak else 'patches'
    lines['Training'] = (
        f'{epochs} epochs of {plan.rows} {kind}, {batch} per step: '
        f'{epochs * -(-plan.rows // batch)} steps'
    )
    if 'test' in data.counts or data.folds:
        lines['Localization'] = _localization(plan)
    if plan.quick:
        lines['Quick'] = (
            'a first look: three scales and a quarter of the steps; expect a lower AP than without '
            '--quick'
        )
    return lines


def _localization(plan: FitPlan) -> str:
    """Whether pointing is measured, and why not."""
    tested = 'test' if 'test' in plan.data.counts else 'held-out'
    if plan.data.weak:
        return 'not measured: there are no boxes to compare with'
    if not plan.data.pointing:
        return f'not measured: some {tested} images have a label without a box'
    return f'measured on the boxes of the {tested} images'


def decision_entries(lines: Mapping[str, str]) -> list[str]:
    """The decisions as an assignment in Python source, one entry per line."""
    return [
        '# What was decided, and why; the report begins with it.',
        'decisions = [',  # a copy of the config that the toolbox writes sorts the keys of dicts
        *[f'    ({subject!r}, {text!r}),' for subject, text in lines.items()],
        ']',
    ]
