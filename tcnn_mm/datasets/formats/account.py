"""The account of a reading: what was repaired, what was left out and why, in one table."""

from collections.abc import Iterable

from tcnn_mm.datasets.image_ids import printable
from tcnn_mm.errors import UserError, first_names

# The share of images, or of objects, that may be left out before reading stops.
MAX_LOSS = 0.02
EXAMPLES = 3


class Entry(list[str]):
    """The places of all cases of one reason."""

    def __str__(self) -> str:
        more = ', …' if len(self) > EXAMPLES else ''
        return f'{", ".join(map(printable, self[:EXAMPLES]))}{more}'


class Account:
    """Counts what a reader repairs, leaves out and does not use.

    A reason is a short phrase in words of the reader's format ('box has no area'). A place says
    file and line, key or object ('a.xml: object 2 (cat)').

    Attributes:
        repairs (dict[str, Entry]): Reason → images or objects that are used after a repair.
        lost_images, lost_objects (dict[str, Entry]): Reason → what is annotated but not used.
        unused (dict[str, Entry]): Reason → files that no annotation names.
        notes (list[str]): What is unusual but allowed, one sentence each.
    """

    def __init__(self) -> None:
        self.repairs: dict[str, Entry] = {}
        self.lost_images: dict[str, Entry] = {}
        self.lost_objects: dict[str, Entry] = {}
        self.unused: dict[str, Entry] = {}
        self.notes: list[str] = []

    def repair(self, reason: str, where: str) -> None:
        """Count something that is used after a documented repair."""
        self.repairs.setdefault(reason, Entry()).append(where)

    def lose_image(self, reason: str, where: str) -> None:
        """Count an annotated image that is not used."""
        self.lost_images.setdefault(reason, Entry()).append(where)

    def lose_object(self, reason: str, where: str) -> None:
        """Count an annotated object that is not used."""
        self.lost_objects.setdefault(reason, Entry()).append(where)

    def leave_unused(self, reason: str, where: str) -> None:
        """Count a file that no annotation names."""
        self.unused.setdefault(reason, Entry()).append(where)

    def note(self, text: str) -> None:
        """Add a sentence to the report, once."""
        if text not in self.notes:
            self.notes.append(text)

    def merge(self, other: 'Account', prefix: str) -> None:
        """Add another account, with a prefix before its places: of one root of several."""
        for mine, theirs in (
            (self.repairs, other.repairs),
            (self.lost_images, other.lost_images),
            (self.lost_objects, other.lost_objects),
            (self.unused, other.unused),
        ):
            for reason, entry in theirs.items():
                mine.setdefault(reason, Entry()).extend(f'{prefix}{place}' for place in entry)
        for text in other.notes:
            self.note(text)

    def lines(self) -> list[str]:
        """The table: one line per reason with the number of cases and the first place."""
        found = [
            (str(len(entry)), f'{what}: {reason}', entry[0])
            for what, entries in (
                ('repaired', self.repairs),
                ('image left out', self.lost_images),
                ('object left out', self.lost_objects),
                ('file not used', self.unused),
            )
            for reason, entry in entries.items()
        ]
        wide = max([len(count) for count, _, _ in found], default=0)
        rows = [f'{count:>{wide}}  {text} ({first})' for count, text, first in found]
        return [printable(row) for row in (*rows, *(f'note: {text}' for text in self.notes))]

    def check(self, root: str, images: int, objects: int, allow_missing: bool = False) -> None:
        """Stop where more than :data:`MAX_LOSS` of the images or objects is left out.

        Args:
            root: Of the data, for the error.
            images, objects: Those that are used.
            allow_missing: Do not stop, unless nothing is left.

        Raises:
            UserError: The loss is larger; lists the reasons with the first places.
        """
        losses = (
            ('images', images, self.lost_images),
            ('objects', objects, self.lost_objects),
        )
        for what, used, entries in losses:
            lost = total(entries)
            if not lost or (used and (allow_missing or lost <= MAX_LOSS * (used + lost))):
                continue
            reasons = '; '.join(
                f'{len(entry)} × {reason} ({entry})' for reason, entry in entries.items()
            )
            remedy = 'fix them' if not used else 'fix them, or leave them out: --allow-missing'
            raise UserError(
                f'{root}: {lost} of {used + lost} annotated {what} cannot be used: {reasons}; '
                f'{remedy}'
            )


def total(entries: dict[str, Entry]) -> int:
    """Number of cases of all reasons."""
    return sum(map(len, entries.values()))


def named(values: Iterable[str], most: int = 5) -> str:
    """A list for a message: 'a, b, c … (12 in all)', in printable text."""
    return first_names([printable(value) for value in values], most)
