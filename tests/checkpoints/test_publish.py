"""Published files hold what prediction needs and nothing else."""

import torch

from tcnn_mm.checkpoints.loading import load_safely
from tcnn_mm.checkpoints.publish import publish
from tests.support.small_checkpoint import write_small_checkpoint


def test_weights_and_meta_stay_and_the_rest_goes(tmp_path):
    """Equal weights, class names, config and record; no optimizer; the config can be left out."""
    write_small_checkpoint(tmp_path / 'a.pth')
    whole = load_safely(tmp_path / 'a.pth')
    number = publish(str(tmp_path / 'a.pth'), str(tmp_path / 'b.pth'))
    found = load_safely(tmp_path / 'b.pth')
    assert set(found) == {'meta', 'state_dict'} and number == len(whole['state_dict'])
    assert all(torch.equal(found['state_dict'][k], v) for k, v in whole['state_dict'].items())
    assert found['meta'] == whole['meta']
    publish(str(tmp_path / 'a.pth'), str(tmp_path / 'c.pth'), config=False)
    assert 'cfg' not in load_safely(tmp_path / 'c.pth')['meta']


def test_the_same_weights_give_the_same_file(tmp_path):
    """Byte for byte, whatever the order of the weights in the checkpoint."""
    write_small_checkpoint(tmp_path / 'a.pth')
    content = load_safely(tmp_path / 'a.pth')
    content['state_dict'] = dict(reversed(content['state_dict'].items()))
    torch.save(content, tmp_path / 'b.pth')
    files = []
    for name in 'ab':
        (tmp_path / f'of_{name}').mkdir()
        publish(str(tmp_path / f'{name}.pth'), str(tmp_path / f'of_{name}' / 'x.pth'))
        files.append((tmp_path / f'of_{name}' / 'x.pth').read_bytes())
    assert files[0] == files[1]
