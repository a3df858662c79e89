"""What `tcnn env` says is what is installed and set."""

from importlib.metadata import PackageNotFoundError

import tcnn_mm
from tcnn_mm.benchmarks import environment


def test_versions_folders_and_instructions(monkeypatch, tmp_path):
    """Ours, the family of each mm package, whether the folders of the variables are there."""
    monkeypatch.setenv('TCNN_DATA', str(tmp_path))
    monkeypatch.setenv('TCNN_WEIGHTS', str(tmp_path / 'none'))
    said = environment.describe_environment()
    assert said['tcnn_mm'].startswith(tcnn_mm.__version__) and 'PyTorch' in said
    assert said['mmengine'].split()[0].endswith('mmengine')
    assert said['compiled mmcv ops'][:2] in ('ye', 'no') and said['bfloat16 instructions']
    assert said['TCNN_DATA'] == f'set; {tmp_path} found'
    assert said['TCNN_WEIGHTS'] == f'set; {tmp_path / "none"} not found'
    assert all('\n' not in value for value in said.values())


def test_two_families_of_one_name_are_told(monkeypatch):
    """Upstream beside the fork: both are named, and what to do."""

    def version(name):
        if name in ('mmcv-lite', 'onedl-mmcv', 'mmpretrain'):
            return '2.1.0'
        raise PackageNotFoundError(name)

    monkeypatch.setattr(environment, 'version', version)
    said = environment.package_family()
    assert said['mmcv'].startswith('onedl-mmcv 2.1.0 and mmcv-lite 2.1.0 (two of one name')
    assert said['mmpretrain'] == 'mmpretrain 2.1.0' and said['mmdet'] == 'not installed'
