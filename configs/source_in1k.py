_base_ = './_base_/experiments/source_in1k.py'
