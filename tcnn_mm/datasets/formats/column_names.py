"""Usual names of the columns of a table, as `plain_name` writes them."""

FILE_NAMES = {
    'file', 'filename', 'filepath', 'filepaths', 'files', 'image', 'images', 'imagename',
    'imagefile', 'imagefilename', 'imagepath', 'imageid', 'img', 'imgname', 'imgpath', 'imgid',
    'imgfile', 'path', 'paths', 'id', 'fname', 'photo', 'picture', 'uri', 'url',
}  # fmt: skip
LABEL_NAMES = {
    'label', 'labels', 'labelname', 'class', 'classes', 'classname', 'classid',
    'category', 'categories', 'categoryname', 'categoryid', 'tag', 'tags', 'target', 'targets',
    'labelid', 'choice', 'choices', 'groundtruth', 'annotation',
}  # fmt: skip
PART_NAMES = {
    'split', 'splits', 'subset', 'set', 'part', 'partition', 'fold', 'phase', 'usage', 'dataset',
    'mluse', 'mode', 'stage', 'splitname',
}  # fmt: skip
# Columns of 0 and 1: the part of the images with 1, and of those with 0.
FLAG_PARTS = {
    'istrain': ('train', 'test'), 'istraining': ('train', 'test'),
    'istrainingimage': ('train', 'test'), 'istest': ('test', 'train'),
    'isvalid': ('val', 'train'), 'isval': ('val', 'train'), 'isvalidation': ('val', 'train'),
}  # fmt: skip
SCORE_NAMES = {
    'score', 'scores', 'confidence', 'conf', 'prob', 'probability', 'proba', 'certainty',
}  # fmt: skip
INDEX_NAMES = {
    '', 'unnamed', 'index', 'level', 'idx', 'row', 'rownumber', 'no', 'nr', 'id', 'number',
}  # fmt: skip
VIA_COLUMNS = {'region_shape_attributes', 'region_attributes'}
