# tcnn_voc07 with FC7 of the training patches from a bank: patches of all images are shuffled.
_base_ = [
    '../models/tcnn_alexnet.py',
    '../datasets/voc07_bank.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
# A bank holds all sampled patches of an image, not a few per epoch.
model = dict(frozen_dtype='bfloat16', sampler=dict(num_patches=None))
train_dataloader = dict(dataset=dict(bank='work_dirs/banks/tcnn_voc07'))
train_cfg = dict(max_epochs=12)
param_scheduler = dict(milestones=[8, 11])
