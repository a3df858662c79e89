"""A suggestion with its reason in words; all of them as a table (CSV) and as a list of paths."""

import csv
from collections.abc import Sequence
from typing import Any, NamedTuple

from tcnn_mm.checkpoints.atomic_write import atomic_write
from tcnn_mm.datasets.image_ids import is_encodable, printable
from tcnn_mm.labelling.suggest_choice import TYPICAL, Pick
from tcnn_mm.labelling.suggest_votes import Judgement

CORNERS = ('x1', 'y1', 'x2', 'y2')
COLUMNS = (
    'rank', 'image', 'kind', 'reason', 'class', 'probability', 'bits', 'stands_for',
    *(f'patch_{corner}' for corner in CORNERS), 'likely',
)  # fmt: skip


class Suggestion(NamedTuple):
    """An image to label.

    Attributes:
        path (str): Of the image.
        pick (Pick): Why it was chosen.
        judgement (Judgement, optional): What the heads say of it; None of a network alone.
    """

    path: str
    pick: Pick
    judgement: Judgement | None


def reason(suggestion: Suggestion, classes: Sequence[str], labelled: int) -> str:
    """Why this image, in one sentence.

    Args:
        suggestion: The image.
        classes: K names.
        labelled: Number of labelled images.
    """
    pick, found = suggestion.pick, suggestion.judgement
    others = pick.stands_for - 1
    alike = (
        f'{others} other unlabelled {"image is" if others == 1 else "images are"} most like it'
        if others > 0
        else 'no other unlabelled image is as much like it'
    )
    unlike = ', unlike the labelled ones' if labelled else ''
    typical = f'typical and different: {alike}{unlike}'
    if found is None:
        return typical
    chance = found.probabilities[:, found.doubt]
    range_ = (
        f' (heads from {chance.min():.2f} to {chance.max():.2f})'
        if chance.max() - chance.min() >= 0.01
        else ''
    )
    doubt = (
        f'{classes[found.doubt]} with probability {chance.mean():.2f}{range_}; the patch votes '
        f'{found.vote:.2f} for it'
    )
    if pick.kind == TYPICAL:
        return f'{typical}; least sure: {doubt}'
    return f'uncertain: {doubt}; {alike}'


def table_row(
    rank: int, suggestion: Suggestion, classes: Sequence[str], labelled: int
) -> dict[str, Any]:
    """A row, by :data:`COLUMNS`; '' where something is not known."""
    pick, found = suggestion.pick, suggestion.judgement
    row: dict[str, Any] = dict.fromkeys(COLUMNS, '')
    row.update(
        rank=rank,
        image=suggestion.path,
        kind=pick.kind,
        reason=reason(suggestion, classes, labelled),
        stands_for=pick.stands_for,
    )
    if found is not None:
        row.update(
            {
                'class': classes[found.doubt],
                'probability': f'{found.probabilities[:, found.doubt].mean():.4f}',
                'bits': f'{found.bits.sum():.4f}',
                'likely': '; '.join(
                    f'{classes[each.label]} {each.probability:.2f}' for each in found.proposals
                ),
            }
        )
        for corner, value in zip(CORNERS, found.patch, strict=True):
            row[f'patch_{corner}'] = f'{value:.1f}'
    return row


def write_table(
    path: str, suggestions: Sequence[Suggestion], classes: Sequence[str], labelled: int
) -> None:
    """Write a row per suggestion as CSV."""
    with atomic_write(path, errors='backslashreplace') as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator='\n')
        writer.writeheader()
        writer.writerows(
            table_row(rank, each, classes, labelled) for rank, each in enumerate(suggestions, 1)
        )


def write_list(path: str, suggestions: Sequence[Suggestion]) -> None:
    """Write the paths of images, one per line."""
    with atomic_write(path, errors='backslashreplace') as file:
        file.writelines(f'{list_line(each.path)}\n' for each in suggestions)


def list_line(path: str) -> str:
    """A path as a line of the list: as it is; one that no text file holds, printable."""
    return path if is_encodable(path) and '\n' not in path else printable(path)
