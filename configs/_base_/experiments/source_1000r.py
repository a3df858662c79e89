# The classes of a list in place of ILSVRC's, each a folder of imagenet/train or else of
# imagenet22k (all of ImageNet, unpacked by wnid); 50 images per class are held out.
_base_ = './source_in1k.py'
classes = dict(
    type='tcnn_mm.ClassFolders',
    class_list='{{ fileDirname }}/../datasets/source_classes/1000r.txt',
    roots=['{{$TCNN_DATA:data}}/imagenet/train', '{{$TCNN_DATA:data}}/imagenet22k'],
    num_classes=1000,
)
train_dataloader = dict(
    dataset=dict(_delete_=True, **classes, split='train', pipeline={{_base_.train_pipeline}})
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True, **classes, split='val', pipeline={{_base_.test_pipeline}}, test_mode=True
    )
)
test_dataloader = val_dataloader
