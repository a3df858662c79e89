"""Train a config: `tcnn train` as a script, for launchers.

python tools/train.py configs/tcnn_minivoc.py
"""

from tcnn_mm.cli.main import run_script

if __name__ == '__main__':
    run_script('train')
