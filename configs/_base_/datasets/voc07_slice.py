# 320 + 320 pictures of VOC2007, drawn from the lists of a 1,907-picture subset by
# `tools/draw_slice.py … --count 320 --seed 0`; anybody with the whole VOC2007 has them.
_base_ = './voc07.py'
train_dataloader = dict(dataset=dict(ids='{{fileDirname}}/voc07_slice/trainval.txt'))
test_dataloader = dict(dataset=dict(ids='{{fileDirname}}/voc07_slice/test.txt'))
main_classes = ('bus', 'car', 'cat', 'person', 'train')
test_evaluator = [
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc07', subset=main_classes),
    dict(type='tcnn_mm.VOCDevkitAP', mode='voc10', subset=main_classes),
]
