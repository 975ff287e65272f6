"""Faces in space: a morphable model, its weights in ARKit's names, and what finds them."""
