"""Run in a notebook's kernel before its first cell: keep every figure that the notebook shows, for the checks."""

import sys

from IPython import get_ipython

CELL_SOURCES = []  # of the notebook's code cells: conftest.py fills them in
SHOWN = []  # figures, in the order in which the notebook showed them


def keep_figures():
    if "matplotlib.pyplot" in sys.modules:
        plt = sys.modules["matplotlib.pyplot"]
        SHOWN.extend(figure for number in plt.get_fignums() if (figure := plt.figure(number)) not in SHOWN)


get_ipython().events.register("post_execute", keep_figures)


def find_axes(title):
    """Return the one Axes shown whose title, or whose figure's title, contains these words."""
    found = [
        ax for figure in SHOWN for ax in figure.axes
        if title in ax.get_title() or title in (figure.get_suptitle() or "") and ax.has_data()
    ]  # fmt: skip
    assert len(found) == 1, f"{len(found)} axes with the title {title!r}"
    return found[0]


def find_figure(title):
    """Return the one figure shown that has an Axes, or a title of its own, with these words."""
    found = [
        figure for figure in SHOWN
        if title in (figure.get_suptitle() or "") or any(title in ax.get_title() for ax in figure.axes)
    ]  # fmt: skip
    assert len(found) == 1, f"{len(found)} figures with the title {title!r}"
    return found[0]


def axis_labels(ax):
    """Return the labels of both axes."""
    return ax.get_xlabel(), ax.get_ylabel()


def find_line(ax, label):
    """Return x and y, as arrays, of the line with this label."""
    import numpy as np

    (line,) = (line for line in ax.lines if line.get_label() == label)
    return np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)


def images_of(ax_or_figure):
    """Return the pixels of every picture drawn, as arrays."""
    import numpy as np

    axes = getattr(ax_or_figure, "axes", None)
    axes = axes if isinstance(axes, list) else [ax_or_figure]
    return [np.asarray(image.get_array(), dtype=float) for ax in axes for image in ax.images]


def find_numbers(text):
    """Return every number in a text, as floats; commas between digits are no signs of their own."""
    import re

    return [float(number.replace(",", "")) for number in re.findall(r"-?\d[\d,]*\.?\d*", text)]


def print_again(words, **changed):
    """Run the one cell that holds these words again, beside the notebook's names, and return what it prints."""
    import contextlib
    import io

    (source,) = (source for source in CELL_SOURCES if words in source)
    with contextlib.redirect_stdout(io.StringIO()) as text:
        exec(source, globals() | changed)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")  # what is drawn here was not shown by the notebook
    return text.getvalue()


def read_histories(name):
    """Return the five stored runs of a recipe, an epoch a row and a seed a column of test accuracies."""
    import pandas as pd

    from lenet_utils.files import find_data_root

    files = sorted(find_data_root().glob(f"runs/{name}-[0-9]/history.csv"))
    assert len(files) == 5
    return pd.concat([pd.read_csv(file, index_col="epoch").test_accuracy for file in files], axis=1)
