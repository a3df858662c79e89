"""Images and boxes in, frozen features of patches out."""
