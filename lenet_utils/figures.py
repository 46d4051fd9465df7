"""How the course's figures look, and how a notebook stores them: sharp, small, and described in words."""

import html
import io

import matplotlib.pyplot as plt
from IPython import get_ipython
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

COLOURS = 128  # of a stored figure, a quarter of the size of all colours, and the eye sees no difference


class Diagram(Figure):
    """A figure of lines and words, stored as vectors (SVG), too; JupyterLab shows these where it trusts a notebook."""

    def _repr_svg_(self) -> str:
        file = io.StringIO()
        with plt.rc_context({"svg.hashsalt": "course", "svg.fonttype": "none"}):  # repeatable; words as words
            self.savefig(file, format="svg", bbox_inches="tight", facecolor="white", metadata={"Date": None})
        drawing = file.getvalue()[file.getvalue().index("<svg ") :]  # a page of HTML has a head of its own
        return drawing.replace("<svg ", f'<svg role="img" aria-label="{html.escape(describe_figure(self))}" ', 1)


def set_style() -> None:
    """Let this notebook draw as the others do, and store figures as :func:`encode_figure` makes them."""
    plt.rcParams.update(
        {
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlesize": 11,
            "axes.titleweight": "bold",
            "figure.titlesize": 11,
            "figure.titleweight": "bold",
            "legend.fontsize": 9,
            "legend.frameon": False,
        }
    )
    plt.switch_backend(plt.get_backend())  # which sets formatters of its own, and not again
    if shell := get_ipython():
        shell.display_formatter.formatters["image/png"].for_type(Figure, encode_figure)


def encode_figure(figure: Figure) -> tuple[bytes, dict]:
    """Return a figure as the bytes of a PNG, and what a notebook stores beside it: its size and its description.

    The PNG has two pixels where a screen of 1 x has one, and a white ground under dark pages, too. The description
    becomes the alternative text of the picture in exported pages.
    """
    drawn, stored = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, dpi=2 * figure.dpi, bbox_inches="tight", facecolor="white", transparent=False)
    colours = COLOURS // 2 if isinstance(figure, Diagram) else COLOURS
    picture = Image.open(drawn).convert("RGB").quantize(colours, Image.Quantize.MAXCOVERAGE)
    picture.save(stored, "png", optimize=True)
    width, height = (round(side / 2) for side in picture.size)
    return stored.getvalue(), {"width": width, "height": height, "alt": describe_figure(figure)}


def describe_figure(figure: Figure) -> str:
    """Return a sentence for each part of a figure: its title, what its axes count, and what its legend names."""
    parts = [figure.get_suptitle(), *map(_describe_axes, figure.axes)]
    return " ".join(f"{part}." for part in dict.fromkeys(parts) if part) or "A picture without words."


def _describe_axes(ax: Axes) -> str:
    legend = ax.get_legend()
    words = {
        "": [ax.get_title() or ax.get_title("left")],
        "across: ": [ax.get_xlabel()],
        "up: ": [ax.get_ylabel()],
        "drawn: ": [text.get_text() for text in legend.get_texts()] if legend else [],
    }
    return "; ".join(name + ", ".join(texts).replace("\n", " ") for name, texts in words.items() if any(texts))
