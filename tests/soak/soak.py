"""Run everything for hours in one process, and judge whether it holds more and more.

    python -m tests.soak.soak --minutes 120 --out work_dirs/soak

Writes OUT/usage.csv (a row per cycle), OUT/growth.json and OUT/usage.png. Status 1 where something
grows. On macOS and Windows /dev/shm is not measured.
"""

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tcnn_mm.cli.numbers import real
from tests.soak.flatness import Growth, judge_all
from tests.soak.usage import Usage, measure_usage


def read_usage(path: Path) -> list[dict[str, float]]:
    """Read the table of a soak: {column: value} per row."""
    with path.open(newline='') as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def soak(minutes: float, out: Path) -> list[Growth]:
    """Repeat cycles until `minutes` are over (at least 5); returns the judgement."""
    from tests.soak.activities import one_cycle, write_images
    from tests.support.small_bank import write_data
    from tests.support.small_checkpoint import write_small_checkpoint

    temporary = out / 'temporary'
    temporary.mkdir(parents=True)
    tempfile.tempdir = os.environ['TMPDIR'] = str(temporary)
    os.environ['TCNN_CACHE'] = str(out / 'cache')
    readable = write_images(out / 'images')
    records = write_data(out / 'data')
    write_small_checkpoint(out / 'model.pth')
    start, images, cycle = time.monotonic(), 0, 0
    with (out / 'usage.csv').open('w', newline='') as file:
        table = csv.writer(file)
        table.writerow(Usage._fields)
        while time.monotonic() - start < 60 * minutes or cycle < 5:
            images += one_cycle(out / 'cycle', out / 'model.pth', out / 'images', readable, records)
            cycle += 1
            table.writerow(measure_usage(time.monotonic() - start, cycle, images))
            file.flush()
    growths = judge_all(read_usage(out / 'usage.csv'))
    (out / 'growth.json').write_text(json.dumps([g._asdict() for g in growths], indent=1))
    return growths


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=real(0), default=120)
    parser.add_argument('--out', type=Path, required=True, help='a new folder')
    args = parser.parse_args()
    growths = soak(args.minutes, args.out.absolute())
    from tests.soak.plot import plot_usage

    plot_usage(read_usage(args.out / 'usage.csv'), args.out / 'usage.png')
    for g in growths:
        print(f'{g.name:16} {g.verdict:10} {g.growth:+.2f} ({g.low:+.2f} to {g.high:+.2f})')
    sys.exit(any(g.verdict == 'grows' for g in growths))


if __name__ == '__main__':
    main()
