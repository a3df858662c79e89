"""Test a checkpoint: `tcnn test` as a script, for launchers.

python tools/test.py configs/tcnn_minivoc.py work_dirs/tcnn_minivoc/epoch_100.pth
"""

from tcnn_mm.cli.main import run_script

if __name__ == '__main__':
    run_script('test')
