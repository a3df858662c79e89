"""Checks of annotated data in a folder: what is there, and what is wrong with it."""
