# The paper's own rule: ÷10 when the training loss stops moving, the end after three stages.
# 400 epochs are an upper bound.
_base_ = './tcnn_voc07.py'
train_cfg = dict(max_epochs=400)
param_scheduler = None
custom_hooks = _base_.custom_hooks + [dict(type='tcnn_mm.PlateauStages')]
