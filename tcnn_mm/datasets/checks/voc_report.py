"""The findings in a VOC folder as lines of text."""

from tcnn_mm.datasets.checks.find_voc import SIZES
from tcnn_mm.datasets.checks.voc_folder import VOCFindings
from tcnn_mm.datasets.voc import VOC_CLASSES


def voc_report(
    folder: str, year: int | None, findings: VOCFindings, max_problems: int = 20
) -> list[str]:
    """Images per list, objects and images per class, notes and problems.

    Args:
        max_problems: Notes, and problems, to list; the rest is counted.
    """
    lines = [folder]
    for split, ids in findings.lists.items():
        full = SIZES.get(year or 0, {}).get(split)
        lines.append(f'{split}: {len(ids)} images' + (f' (full VOC{year}: {full})' if full else ''))
    for split, (persons, images) in findings.persons.items():
        lines.append(f'Action/{split}: {persons} persons of {images} images')
    names = list(VOC_CLASSES) if year else sorted(findings.objects)
    names += sorted(set(findings.objects) - set(names))
    lines += _table(names, findings)
    if not year and names:
        lines.append(f'for the config: metainfo=dict(classes={tuple(names)})')
    for kind, found in (('note', findings.notes), ('problem', findings.problems)):
        lines += [f'{kind}: {text}' for text in found[:max_problems]]
        if len(found) > max_problems:
            lines.append(f'… and {len(found) - max_problems} more {kind}s (--max-problems)')
    problems = len(findings.problems)
    lines.append(f'{problems} problems' if problems else 'sound')
    return [lines[0], *(f'  {line}' for line in lines[1:])]


def _table(names: list[str], findings: VOCFindings) -> list[str]:
    """One line per class."""
    wide = max([len(name) for name in names] + [5])
    columns = [(split, max(len(split), 6)) for split in findings.lists]
    lines = [
        f'{"":{wide}}  {"objects of all lists":>20}  images with the class, not difficult',
        f'{"class":{wide}}  {"all":>9}  {"difficult":>9}'
        + ''.join(f'  {split:>{w}}' for split, w in columns),
    ]
    for name in names:
        lines.append(
            f'{name:{wide}}  {findings.objects[name]:9d}  {findings.difficult[name]:9d}'
            + ''.join(f'  {findings.images[split, name]:{w}d}' for split, w in columns)
        )
    return lines
