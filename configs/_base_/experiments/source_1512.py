# ILSVRC's classes and the 512 under five WordNet nodes; FC6 and FC7 are 6144 wide.
_base_ = './source_1000r.py'
classes = dict(class_list='{{ fileDirname }}/../datasets/source_classes/1512.txt', num_classes=1512)
train_dataloader = dict(dataset=classes)
val_dataloader = dict(dataset=classes)
test_dataloader = val_dataloader
model = dict(backbone=dict(fc_channels=6144), head=dict(num_classes=1512, in_channels=6144))
