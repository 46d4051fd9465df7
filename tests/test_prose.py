"""Every number in the notebooks' prose comes from somewhere: from a stored output, a stored run, or the code.

``prose/NAME.txt`` lists, for one notebook, the pieces of its prose that hold a number, a piece a line. Numbers stand
there as expressions in braces, which are computed here, and the piece with the results in it must stand there:

    Four pixels of five, {out("exactly 0:"):.1f} %, are empty.

A piece behind "= " holds numbers that are no results: a definition, a rule, an example worked out in the sentence.
Numbers of the kinds in ``FREE`` need no line. Lines that begin with # are comments.
"""

import json
import math
import re

import numpy as np
import pandas as pd
import pytest
from notebooks_as_data import NAMES, PATHS, ROOT, read_code, read_printed, read_prose

from lenet_utils import checkpoints, data, models, recipes, results, training

NUMBER = r"[-−]?\d[\d,_]*\.?\d*(?:e[-+]?\d+)?"
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
PLURALS = ["zeros", "ones", "twos", "threes", "fours", "fives", "sixes", "sevens", "eights", "nines"]
DIGIT = "two|three|four|five|six|seven|eight|nine"
NAMED = (  # a digit by its name; "ones" has other uses
    r"\b(?:zeros|twos|threes|fours|fives|sixes|sevens|eights|nines"
    rf"|(?:an?|this|every) (?:{DIGIT})(?! \w+s\b|-))\b"
)
FREE = (
    r"```.*?```", r"`[^`]*`", r"\$[^$]*\$", r"\[\d\d [^\]]*\]", r"\]\([^)]*\)", r"<[^>]*>",  # code, formulas, links
    r"(?<!\w)\d+(?: ?[x×] ?\d+)+", r"[Nn]otebooks? \d\d(?:(?:,| and| to) \d\d)*", r"\b(?:19|20)\d\d\b",
    r"^\*\*Where you are:\*\* .*", r"^\*\*\d+\.\*\*", r"^\d+\. ", r"[A-Za-z]-?\d+\b",  # exercises and lists, LeNet-5
)  # fmt: skip


def normalise(text: str) -> str:
    return " ".join(text.split())


class Sources:
    """What the expressions may use: ``out``, ``code``, ``word``, ``summary`` and the package's modules."""

    def __init__(self, path):
        self.printed, self.sources = read_printed(path), "\n".join(read_code(path))

    def names(self) -> dict:
        modules = {m.__name__.split(".")[-1]: m for m in (checkpoints, data, models, recipes, results, training)}
        read = {"root": ROOT, "json": json, "pd": pd, "np": np, "math": math, "summary": summarise}
        words = {"word": WORDS.__getitem__, "plural": PLURALS.__getitem__}
        return {**modules, **read, **words, "out": self.out, "code": self.code}

    def out(self, label: str, n: int = 1):
        """The n-th number behind these words in the stored outputs."""
        return find_number(self.printed, label, n)

    def code(self, label: str, n: int = 1):
        """The n-th number behind these words in the code."""
        return find_number(self.sources, label, n)


def find_number(text: str, label: str, n: int):
    position = text.find(label)
    assert position >= 0, f"{label!r} is not there"
    number = (
        re.findall(NUMBER, text[position + len(label) :])[n - 1]
        .replace(",", "")
        .replace("_", "")
        .replace("−", "-")
        .rstrip(".")
    )
    return float(number) if re.search(r"[.e]", number) else int(number)


def summarise(name: str) -> pd.Series:
    """The row of the results table for this recipe: mean, sd, min, max, seeds, seconds, parameters, published."""
    table = results.load_results()
    return results.summarise_results(table, {name: recipes.find_recipe(name)}).loc[name]


def read_lines(name: str) -> list[str]:
    file = ROOT / "tests" / "prose" / f"{name}.txt"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [line for line in lines if line.strip() and not line.startswith("#")]


def fill_in(line: str, names: dict) -> str:
    """Return the piece of prose with its numbers."""
    if line.startswith("= "):
        return normalise(line[2:])
    return normalise(eval(f"f'''{line}'''", names))  # our own file


def find_unlisted(path, separator=r"\Z") -> list[tuple[str, str]]:
    """Return each part of a notebook's prose, and what no line of its list covers of it; without blocks of code."""
    names = Sources(path).names()
    pieces = [fill_in(line, names) for line in read_lines(path.stem)]
    found = []
    for cell in read_prose(path):
        for part in re.split(separator, re.sub(r"```.*?```", "", cell, flags=re.S)):
            text = whole = normalise(part)
            for piece in pieces:
                text = text.replace(piece, "")
            found.append((whole, text))
    return found


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_numbers_in_prose_are_those_of_their_sources(path):
    prose = [normalise(text) for text in read_prose(path)]
    names, wrong = Sources(path).names(), []
    for line in read_lines(path.stem):
        piece = fill_in(line, names)
        if not any(piece in text for text in prose):
            wrong.append(f"{line}\n    gives: {piece}")
    assert not wrong, "not in the notebook:\n" + "\n".join(wrong)


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_every_number_in_prose_has_a_source(path):
    left = []
    for paragraph, text in find_unlisted(path, separator=r"\n(?=\n|\||- |\d+\. |\*\*|#)"):
        for pattern in FREE:
            text = re.sub(pattern, " ", text)
        left += [f"{number}   in: {paragraph[:150]}" for number in re.findall(r"\d[\d,.]*", text)]
    assert not left, f"{len(left)} numbers without a source:\n" + "\n".join(left)


@pytest.mark.parametrize("path", PATHS, ids=NAMES)
def test_every_digit_named_in_prose_has_a_source(path):
    """Zeros need the most ink: a result, too, though there is no number in it."""
    left = []
    for _, text in find_unlisted(path):
        left += [text[max(0, m.start() - 50) : m.end() + 50] for m in re.finditer(NAMED, text, re.I)]
    assert not left, f"{len(left)} digits without a source:\n" + "\n".join(left)


def test_a_number_is_found_behind_its_words():
    text = "exactly 0: 80.9 %\nall: 47,040,000 of 3e-05, −2"
    assert find_number(text, "exactly 0:", 1) == 80.9
    assert find_number(text, "all:", 1) == 47_040_000 and find_number(text, "all:", 2) == 3e-5
    assert find_number(text, "3e-05,", 1) == -2
    with pytest.raises(AssertionError):
        find_number(text, "nothing", 1)
