"""browse_patches: drawn patches and the coverage table."""

import numpy as np
from PIL import Image

from tests.support.action_folder import draw_persons, write_action_folder
from tests.support.commands import config, run


def test_browse_patches_draws_and_reports(tmp_path):
    """One drawing per image, with its patches; --coverage prints the table instead."""
    done = run(
        'browse_patches.py', config('tcnn_minivoc.py'), '--out', 'p', '--limit', 2, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    drawings = sorted((tmp_path / 'p').glob('*.png'))
    assert len(drawings) == 2 and 'patches in the grid' in done.stdout
    pixels = np.asarray(Image.open(drawings[0])).reshape(-1, 3)
    for color in ((40, 200, 60), (230, 50, 40), (255, 255, 255)):
        assert (pixels == color).all(1).any(), color
    done = run('browse_patches.py', config('tcnn_minivoc.py'), '--coverage', cwd=tmp_path)
    assert (
        done.returncode == 0
        and 'never named' in done.stdout
        and not (tmp_path / 'patches').exists()
    )


def test_browse_patches_of_persons(tmp_path):
    """Actions: one drawing per person with its square."""
    persons = draw_persons(0, 6)
    root = tmp_path / 'VOCdevkit' / 'VOC2012'
    write_action_folder(root, persons, dict(train=list(persons)), class_files=False)
    done = run(
        'browse_patches.py', config('tcnn_voc12_action.py'), '--out', 'p', '--cfg-options',
        'model.backbone.fc_channels=64', 'model.head.in_channels=64',
        cwd=tmp_path, TCNN_DATA=str(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert '1 patches around a person, drawn 1 object + 0 background' in done.stdout
    assert sorted((tmp_path / 'p').glob('2012_*_1.png'))
