# Windows as for objects, labelled by the boxes and actions of persons in training; no box at test.
# A person who does none of the ten actions is background.
_base_ = [
    '../models/tcnn_1512.py',
    '../datasets/voc12_action.py',
    '../schedules/three_stages.py',
    '../default_runtime.py',
]
model = dict(head=dict(num_classes=10))
train_dataloader = dict(batch_size=32, dataset=dict(view='image', other=False))
test_dataloader = dict(batch_size=8, dataset=dict(view='image', other=False))
# Does anybody in the image do the action?
test_evaluator = [dict(type='tcnn_mm.VOCDevkitAP', mode='voc10')]
server = None  # the server scores persons
