_base_ = './_base_/experiments/source_1000r.py'
