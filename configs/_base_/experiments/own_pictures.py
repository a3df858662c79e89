# The former name of own_images.py: configs that `fit` has written name it.
_base_ = './own_images.py'
