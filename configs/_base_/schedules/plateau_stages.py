# The paper's own rule: ÷10 when the training loss stops moving, the end after three stages.
# 400 epochs are only a bound.
_base_ = './three_stages.py'
train_cfg = dict(max_epochs=400)
param_scheduler = None
default_hooks = dict(plateau_stages=dict(type='tcnn_mm.PlateauStages'))
