# The paper's source task 1000R: 1000 classes drawn at random from all of ImageNet.
#
#   export TCNN_DATA=…     (holds imagenet22k/<wnid>/*.JPEG, the autumn 2011 release)
#   tcnn train source_1000r --amp
#   python tools/model_converters/publish_model.py work_dirs/source_1000r/epoch_N.pth \
#       $TCNN_WEIGHTS/source_1000r.pth
#
# The list of classes that ships (_base_/datasets/source_classes/1000r.txt) was drawn by
#   python tools/dataset_converters/make_source_classes.py random --available imagenet22k.txt \
#       --seed 0 --out …
# from the 21,841 wnids of the release; 43 of its classes are ILSVRC's. The paper's own draw is
# unknown. Another list: --cfg-options train_dataloader.dataset.class_list=…, and the same of val_
# and test_dataloader; another number of classes also as num_classes of each and of model.head.
# Expected: the paper trains on about 0.9 million images and gives no error rate; VOC 2012 from it
# has 76.3 mAP. Ours is not measured.
# 50 images per class (at most a fifth) are held out for validation.
_base_ = './_base_/experiments/source_1000r.py'
