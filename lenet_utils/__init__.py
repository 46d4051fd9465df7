"""The helpers that the notebooks of this course share.

What the lessons import, in the order in which a reader needs it:

- ``data``: the MNIST files, verified; images as tensors; batches.
- ``models``: the networks of the course.
- ``evaluation``: how good a model is, on images it was not trained on.
- ``training``: the device, the training loop and its history.
- ``claims``: what a notebook claims, checked while it runs.
- ``checkpoints``: a trained model on disk and back.
- ``plotting``: curves, bars and tables; ``pictures``: images, kernels, feature maps. They take arrays and numbers.
- ``diagrams``: a network, and a step of its training, drawn from the network itself.
- ``figures``: how all of these look, and how a notebook stores them; ``moving``: figures that move.
- ``recipes``: every recipe of the documents behind the course, as data.
- ``results``: what the stored runs of these recipes gave.
- ``drawings``: strokes to ink, and ink to MNIST's form; ``images``: image files brought to it;
  ``photographs``: how the digit is found in them.
- ``files``: where the data are, and writing a file whole or not at all.

Apart from it: ``pad`` (a pad to draw digits on, in notebooks and as a page), ``exercises`` (the checkers: the answer
key), ``lenet1998`` (the network of 1998, its training and what was tried) and ``studies`` (many runs, and the command
line, ``python -m lenet_utils``).

Write ``from lenet_utils.data import load_mnist`` and so on, so that every name shows where it comes from.
"""

import os
import sys

# PyTorch's threads spin while they wait for each other. A second one makes an epoch of LeNet-5 on two cores a fifth
# faster when nothing else runs, and three times slower beside one busy program. Whoever sets the variable has it so.
if "OMP_NUM_THREADS" not in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is loaded
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
