"""The helpers that the notebooks of this course share.

Small modules, one job each, in the order in which a reader needs them:

- ``data``: the MNIST files, verified; images as tensors; batches.
- ``models``: the networks of the course.
- ``evaluation``: how good a model is, on images it was not trained on.
- ``training``: the device, the training loop and its history.
- ``checkpoints``: a trained model on disk and back.
- ``plotting``: every picture; takes arrays and numbers only.
- ``recipes``: every recipe of the documents behind the course, as data.
- ``runs``: train a recipe, interrupted or not, once or with many seeds.
- ``images``: image files brought to MNIST's form.
- ``__main__``: the command line, ``python -m lenet_utils``.

``exercises`` checks the answers to the notebooks' exercises. Importing the package does nothing: write
``from lenet_utils.data import load_mnist`` and so on, so that every name shows where it comes from.
"""
