"""Write strokes.json: twenty drawings of digits, two of each, as a hand moves. Written before any was read.

Each form is a list of strokes, each stroke a list of points (x, y) in a box of 1 by 1, y down, through which a smooth
curve goes; a point that stands twice is a corner. Each drawing is then slanted, turned, scaled, moved and made a
little unsteady, all at random within ``RANGES``. None is drawn anew because it is misread.

    python tests/draw_strokes.py
"""

import json
from pathlib import Path

import numpy as np

SEED = 12
RANGES = {
    "slant": (-0.05, 0.3),  # to the right, of the height
    "turn": (-6.0, 6.0),  # degrees
    "scale": (0.85, 1.05),
    "narrow": (0.85, 1.1),  # width by height
    "move": (-0.05, 0.05),
    "unsteady": (0.003, 0.007),  # of the box, and slowly changing
}
FORMS = {
    0: [
        [[(0.55, 0.15), (0.36, 0.22), (0.27, 0.5), (0.36, 0.8), (0.52, 0.85), (0.68, 0.75), (0.74, 0.48), (0.66, 0.22),
          (0.52, 0.15)]],
        [[(0.5, 0.17), (0.68, 0.2), (0.75, 0.45), (0.68, 0.76), (0.5, 0.85), (0.33, 0.76), (0.26, 0.5), (0.33, 0.24),
          (0.53, 0.16)]],
    ],
    1: [
        [[(0.5, 0.14), (0.5, 0.4), (0.49, 0.62), (0.49, 0.86)]],
        [[(0.38, 0.3), (0.52, 0.14), (0.52, 0.14), (0.51, 0.5), (0.5, 0.86)]],
    ],
    2: [
        [[(0.29, 0.3), (0.38, 0.17), (0.56, 0.15), (0.69, 0.26), (0.64, 0.45), (0.47, 0.66), (0.28, 0.84), (0.28, 0.84),
          (0.5, 0.83), (0.74, 0.83)]],
        [[(0.3, 0.27), (0.45, 0.15), (0.64, 0.2), (0.68, 0.36), (0.55, 0.57), (0.36, 0.77), (0.27, 0.78), (0.32, 0.7),
          (0.46, 0.76), (0.6, 0.85), (0.74, 0.79)]],
    ],
    3: [
        [[(0.3, 0.22), (0.46, 0.14), (0.64, 0.2), (0.65, 0.36), (0.46, 0.47), (0.46, 0.47), (0.66, 0.55), (0.7, 0.71),
          (0.54, 0.85), (0.29, 0.79)]],
        [[(0.32, 0.18), (0.52, 0.15), (0.67, 0.26), (0.58, 0.42), (0.44, 0.48), (0.6, 0.52), (0.72, 0.65), (0.62, 0.81),
          (0.44, 0.86), (0.28, 0.77)]],
    ],
    4: [
        [[(0.36, 0.16), (0.31, 0.36), (0.28, 0.54), (0.28, 0.54), (0.5, 0.55), (0.74, 0.53)],
         [(0.64, 0.2), (0.62, 0.5), (0.6, 0.86)]],
        [[(0.6, 0.14), (0.45, 0.36), (0.26, 0.6), (0.26, 0.6), (0.5, 0.61), (0.78, 0.59)],
         [(0.63, 0.4), (0.62, 0.62), (0.61, 0.87)]],
    ],
    5: [
        [[(0.7, 0.16), (0.52, 0.16), (0.36, 0.17), (0.36, 0.17), (0.34, 0.32), (0.32, 0.45), (0.32, 0.45), (0.5, 0.41),
          (0.68, 0.5), (0.7, 0.68), (0.55, 0.84), (0.29, 0.8)]],
        [[(0.39, 0.17), (0.37, 0.32), (0.35, 0.46), (0.35, 0.46), (0.52, 0.42), (0.68, 0.53), (0.68, 0.72),
          (0.52, 0.85), (0.3, 0.8)],
         [(0.39, 0.17), (0.55, 0.16), (0.71, 0.15)]],
    ],
    6: [
        [[(0.6, 0.14), (0.42, 0.3), (0.3, 0.55), (0.32, 0.77), (0.48, 0.86), (0.66, 0.77), (0.66, 0.6), (0.5, 0.52),
          (0.34, 0.62)]],
        [[(0.55, 0.15), (0.38, 0.38), (0.31, 0.63), (0.4, 0.83), (0.57, 0.85), (0.69, 0.71), (0.61, 0.56), (0.45, 0.56),
          (0.33, 0.7)]],
    ],
    7: [
        [[(0.27, 0.19), (0.5, 0.18), (0.73, 0.17), (0.73, 0.17), (0.61, 0.42), (0.51, 0.64), (0.44, 0.86)]],
        [[(0.28, 0.2), (0.5, 0.17), (0.72, 0.19), (0.64, 0.38), (0.52, 0.62), (0.47, 0.85)],
         [(0.4, 0.52), (0.55, 0.51), (0.69, 0.5)]],
    ],
    8: [
        [[(0.64, 0.24), (0.5, 0.15), (0.36, 0.24), (0.4, 0.4), (0.56, 0.5), (0.68, 0.66), (0.6, 0.82), (0.44, 0.85),
          (0.32, 0.73), (0.4, 0.55), (0.57, 0.42), (0.65, 0.28), (0.62, 0.21)]],
        [[(0.5, 0.48), (0.36, 0.36), (0.4, 0.19), (0.56, 0.15), (0.65, 0.28), (0.55, 0.44), (0.38, 0.58), (0.32, 0.74),
          (0.46, 0.86), (0.63, 0.8), (0.67, 0.65), (0.5, 0.48)]],
    ],
    9: [
        [[(0.67, 0.26), (0.53, 0.15), (0.36, 0.22), (0.33, 0.4), (0.46, 0.5), (0.62, 0.42), (0.67, 0.26), (0.67, 0.26),
          (0.65, 0.55), (0.6, 0.86)]],
        [[(0.66, 0.3), (0.56, 0.16), (0.38, 0.2), (0.32, 0.37), (0.44, 0.5), (0.6, 0.44), (0.67, 0.28), (0.68, 0.5),
          (0.6, 0.76), (0.42, 0.85)]],
    ],
}  # fmt: skip


def smooth(points: np.ndarray, steps: int = 8) -> np.ndarray:
    """A curve of Catmull and Rom through the points, (P, 2); it stops where two of them are equal."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.arange(steps)[:, None] / steps
    curve = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:]):
        a, d = (2 * b - c if (a == b).all() else a), (2 * c - b if (c == d).all() else d)
        if (b != c).any():
            curve.append(b + t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * (b - c) + d - a))) / 2)
    return np.concatenate([*curve, points[-1:]])


def vary(strokes: list[np.ndarray], random: np.random.Generator) -> list[np.ndarray]:
    """The same strokes by another hand."""
    slant, turn, scale, narrow, unsteady = (
        random.uniform(*RANGES[name]) for name in ("slant", "turn", "scale", "narrow", "unsteady")
    )
    move = random.uniform(*RANGES["move"], size=2)
    sine, cosine = np.sin(np.radians(turn)), np.cos(np.radians(turn))
    matrix = scale * np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[narrow, -slant], [0, 1]])
    drawn = []
    for points in strokes:
        noise = random.normal(size=(len(points) + 6, 2))
        noise = np.stack([np.convolve(column, np.ones(7) / 7**0.5, "valid") for column in noise.T], axis=1)
        drawn.append(np.clip(0.5 + (points - 0.5) @ matrix.T + move + unsteady * noise, 0.06, 0.94))
    return drawn


def draw_all() -> list[dict]:
    random = np.random.default_rng(SEED)
    drawings = []
    for digit, forms in FORMS.items():
        for form in forms:
            strokes = vary([smooth(np.array(points)) for points in form], random)
            drawings.append({"digit": digit, "strokes": [points.round(3).tolist() for points in strokes]})
    return drawings


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(drawing, separators=(",", ":")) for drawing in draw_all())
    Path(__file__).with_name("strokes.json").write_text(f"[\n{lines}\n]\n", "utf-8")
