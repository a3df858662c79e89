_base_ = './_base_/experiments/source_1512.py'
