"""Moving pictures: a player where scripts run, and a still frame in print and where they do not."""

import base64
import hashlib
import html
import io
from collections.abc import Callable

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from lenet_utils.figures import COLOURS, describe_figure

SCALE = 1.5  # pixels of a frame for each of a plain screen

PLAYER = """<div class="%(name)s" style="max-width: %(width)dpx">
<img src="data:image/png;base64,%(still)s" alt="%(alt)s" style="width: 100%%">
</div>
<style>@media print {.%(name)s p {display: none}}</style>
<script>
setTimeout(() => document.querySelectorAll("div.%(name)s").forEach((box) => {
  if (box.dataset.ready) return;  // it has its buttons
  box.dataset.ready = true;
  const picture = box.querySelector("img"), last = %(last)d, bar = document.createElement("p");
  const film = new Image(), page = document.createElement("canvas"), pen = page.getContext("2d");
  film.onload = () => {
    [page.width, page.height] = [film.width, film.height / (last + 1)];
    const add = (kind, properties) => bar.appendChild(Object.assign(document.createElement(kind), properties));
    let timer = null, frame = %(start)d;
    const show = (i) => {
      frame = Math.min(Math.max(i, 0), last);
      pen.drawImage(film, 0, -frame * page.height);
      picture.src = page.toDataURL();
      slider.value = frame;
      count.textContent = ` ${frame + 1} of ${last + 1}`;
    };
    const pause = () => { clearInterval(timer); timer = null; play.textContent = "play"; };
    const tick = () => frame < last ? show(frame + 1) : pause();
    const play = add("button", {onclick: () => {
      if (timer) return pause();
      if (frame === last) show(0);
      timer = setInterval(tick, %(milliseconds)d);
      play.textContent = "pause";
    }});
    add("button", {textContent: "step back", onclick: () => { pause(); show(frame - 1); }});
    add("button", {textContent: "step", onclick: () => { pause(); show(frame + 1); }});
    const slider = add("input", {type: "range", max: last, oninput: () => { pause(); show(+slider.value); }});
    slider.ariaLabel = "frame";
    const count = add("span", {});
    box.append(bar);
    pause();
    show(frame);
  };
  film.src = "data:image/webp;base64,%(film)s";
}));
</script>"""


class MovingPicture:
    """What :func:`play` drew: ``frames``, RGB images of one size, and ``alt``, the still frame in words.

    A notebook stores it as HTML. Nothing moves until the reader presses a button. JupyterLab runs no scripts in a
    notebook that was not run on this computer; there, as in print, the still frame is what is seen.
    """

    def __init__(self, frames: list[Image.Image], alt: str, still: int, seconds: float):
        width, height = frames[0].size
        film = Image.new("RGB", (width, height * len(frames)))  # one below the other, so that WebP finds repeats
        for number, frame in enumerate(frames):
            film.paste(frame, (0, number * height))
        self._film = film.quantize(COLOURS, Image.Quantize.MAXCOVERAGE).convert("RGB")
        self.frames = [self._film.crop((0, top, width, top + height)) for top in range(0, film.height, height)]
        self.alt, self.still, self.seconds = alt, still, seconds

    def __repr__(self) -> str:
        return f"A moving picture of {len(self.frames)} frames, of which this is number {self.still + 1}: {self.alt}"

    def _repr_html_(self) -> str:
        stored = _encode(self._film, "webp", lossless=True, quality=100, method=4)
        return PLAYER % {
            "name": f"moving-{hashlib.sha256(stored.encode()).hexdigest()[:8]}",
            "width": round(self._film.width / SCALE),
            "still": _encode(self.frames[self.still].quantize(COLOURS), "png", optimize=True),
            "film": stored,
            "alt": html.escape(repr(self)),
            "last": len(self.frames) - 1,
            "start": self.still,
            "milliseconds": round(1000 * self.seconds),
        }


def play(
    figure: Figure, draw: Callable[[int], object], frames: int, still: int = -1, seconds: float = 0.3
) -> MovingPicture:  # fmt: skip
    """Return a moving picture of a figure: a cell whose last line it is shows it.

    Args:
        figure: has its final size, and what does not move.
        draw: takes the number of a frame, from 0, and changes what stands in the figure, its title included.
        frames: how many; together at most 16,383 pixels high (what WebP can hold), such as 27 of four inches.
        still: the number of the frame to show at first, by default the last.
        seconds: how long each frame is to be seen.
    """
    drawn = []
    for number in range(frames):
        draw(number)
        file = io.BytesIO()
        figure.savefig(file, dpi=SCALE * figure.dpi, facecolor="white", bbox_inches=None)
        figure.set_layout_engine("none")  # from now on everything stays at its place
        drawn.append(Image.open(file).convert("RGB"))
    draw(still % frames)  # so that the description fits the frame
    plt.close(figure)  # or the notebook would show it once more
    return MovingPicture(drawn, describe_figure(figure), still % frames, seconds)


def _encode(picture: Image.Image, kind: str, **settings) -> str:
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return base64.b64encode(file.getvalue()).decode()
