"""What a prediction of many images wrote, and its summary in words."""

import os.path as osp
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError, first_names
from tcnn_mm.evaluation.drift import drift_lines
from tcnn_mm.evaluation.unfamiliar import UNLIKE
from tcnn_mm.inference.results import ImageResult

# Images that a summary names.
NAMED = 10


def shown_value(result: ImageResult, name: str) -> str:
    """The probability of a class in words, else its image score."""
    p = (result.get('probabilities') or {}).get(name)
    return f'{result["scores"][name]:.2g}' if p is None else f'probability {p:.0%}'


@dataclass(frozen=True)
class Predictions:
    """What a prediction wrote.

    Attributes:
        path (str): The JSON.
        results (list[dict]): One per image, as in the JSON; unreadable ones have an `error`.
        label_rule (str): How the labels were chosen, in words.
        reference (int, optional): Images that `unfamiliar` ranks among; None where the checkpoint
            keeps none.
    """

    path: str
    results: list[ImageResult]
    label_rule: str
    reference: int | None = None

    def summary(self) -> str:
        """Labels of up to ten images, else images per label; those unlike training; the path."""
        good = [result for result in self.results if 'error' not in result]
        lines = []
        if len(good) <= NAMED:
            for result in good:
                labels = ', '.join(f'{n} ({shown_value(result, n)})' for n in result['labels'])
                value = f', unfamiliar {result["unfamiliar"]:.2f}' if self.reference else ''
                path = printable(str(result['img_path']))
                lines.append(f'{path}: {labels or "no class"}{value}')
        else:
            counts = Counter(name for result in good for name in result['labels'] or ['no class'])
            lines.append(', '.join(f'{name}: {n} images' for name, n in counts.most_common()))
        where = f'{len(good)} images: {printable(self.path)}'
        return '\n'.join([*lines, f'labels: {self.label_rule}', *self._unfamiliar(good), where])

    def _unfamiliar(self, results: Sequence[ImageResult]) -> list[str]:
        """Which images look unlike the training images, and whether all together do."""
        if self.reference is None:
            return [
                'unfamiliar: unknown; the checkpoint keeps no training images (those of `tcnn fit` '
                'do, from 20 images on)'
            ]
        lines = drift_lines([result['unfamiliar'] for result in results], self.reference)
        unlike = sorted(
            (result for result in results if result['unfamiliar'] >= UNLIKE),
            key=lambda result: -result['unfamiliar'],
        )
        if unlike and len(results) > NAMED:
            names = [printable(osp.basename(str(result['img_path']))) for result in unlike]
            lines.insert(1, f'most unlike first: {first_names(names, NAMED)}')
        return lines

    def raise_for_errors(self) -> None:
        """Raise one UserError that lists the images without result, if there are any."""
        errors = [result['error'] for result in self.results if 'error' in result]
        if errors:
            listed = '\n'.join(errors)
            raise UserError(
                f'{len(errors)} of {len(self.results)} images could not be predicted:\n{listed}'
            )
