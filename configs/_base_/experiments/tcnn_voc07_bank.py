# tcnn_voc07 with the training patches' FC7 features from a bank: patches of all pictures shuffled.
_base_ = [
    '../models/tcnn_alexnet.py',
    '../datasets/voc07_bank.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
# A bank takes a picture's whole set, not a few patches an epoch.
model = dict(frozen_dtype='bfloat16', sampler=dict(num_patches=None))
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_voc07'))
train_cfg = dict(max_epochs=12)
param_scheduler = dict(milestones=[8, 11])
