"""Moving pictures in a real browser: still where no script may run, and moving where it may."""

import base64
import io

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from nbconvert import HTMLExporter
from notebooks_as_data import PATHS, read_outputs
from PIL import Image

from lenet_utils.moving import play

pytestmark = pytest.mark.slow

MOVING = [
    path for path in PATHS
    if any("moving-" in "".join(output.get("data", {}).get("text/html", [])) for output in read_outputs(path))
]  # fmt: skip
FRAME = "[...document.querySelectorAll('%s img')].map(i => [i.alt, i.naturalWidth])"


def count_moving(path):
    return sum("moving-" in "".join(output.get("data", {}).get("text/html", [])) for output in read_outputs(path))


@pytest.mark.parametrize("path", MOVING, ids=lambda path: path.stem)
def test_an_untrusted_notebook_shows_the_stills(path, open_notebook):
    page = open_notebook(path.stem)
    seen = {}
    for _ in range(300):  # JupyterLab draws only what is on the screen
        page.wait_for_timeout(100)
        for alt, width in page.evaluate(FRAME % ".jp-OutputArea-output"):
            if alt.startswith("A moving picture"):
                seen[alt] = width
        if len(seen) == count_moving(path):
            break
        page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollBy(0, 600)")
    assert len(seen) == count_moving(path) and min(seen.values()) > 300
    assert page.locator(".jp-OutputArea-output button").count() == 0


def watch(page, picture):
    """Press every button of a moving picture, and look at what it shows; return its frames, as their addresses."""
    play, back, step = (picture.locator("button").nth(i) for i in range(3))
    play.wait_for(timeout=20_000)
    slider, image = picture.locator("input"), picture.locator("img")
    last = int(slider.get_attribute("max"))
    sources = []
    for frame in range(last + 1):
        slider.fill(str(frame))
        assert picture.locator("span").inner_text().strip() == f"{frame + 1} of {last + 1}"
        sources.append(image.get_attribute("src"))
    back.click()
    assert image.get_attribute("src") == sources[-2]
    step.click()
    assert image.get_attribute("src") == sources[-1]
    play.click()  # from the last frame it begins anew
    assert play.inner_text() == "pause" and int(slider.input_value()) < last
    page.wait_for_function("box => +box.querySelector('input').value >= 2", arg=picture.element_handle())
    play.click()
    assert play.inner_text() == "play"
    stopped = slider.input_value()
    page.wait_for_timeout(700)
    assert slider.input_value() == stopped
    return sources


@pytest.mark.parametrize("path", MOVING, ids=lambda path: path.stem)
def test_an_exported_page_plays_pauses_and_steps(path, open_page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(HTMLExporter().from_filename(str(path))[0], "utf-8")
    page = open_page(file.as_uri())
    pictures = page.locator("div[class^=moving-]")
    assert pictures.count() == count_moving(path)
    for number in range(pictures.count()):
        frames = watch(page, pictures.nth(number))
        assert len(set(frames)) > len(frames) / 2  # it moves


@pytest.fixture
def made(tmp_path):
    """The address of a page with the same moving picture twice, of a bar that rises, and its frames."""
    figure, ax = plt.subplots(figsize=(3, 2), layout="constrained")
    (bar,) = ax.bar([0], [0])
    ax.set_ylim(0, 10)
    moving = play(figure, bar.set_height, frames=8, still=5, seconds=0.2)
    (tmp_path / "page.html").write_text(2 * moving._repr_html_(), "utf-8")
    return (tmp_path / "page.html").as_uri(), moving.frames


def test_a_player_shows_the_frames_that_were_drawn(open_page, made):
    address, drawn = made
    page = open_page(address)
    pictures = page.locator("div[class^=moving-]")
    assert pictures.count() == 2 and pictures.nth(1).locator("span").inner_text().strip() == "6 of 8"
    for number in range(2):  # two equal pictures do not press each other's buttons
        assert pictures.nth(number).locator("button").count() == 3
        for source, frame in zip(watch(page, pictures.nth(number)), drawn):
            shown = Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).convert("RGB")
            assert np.array_equal(np.asarray(shown), np.asarray(frame))


def test_a_player_stops_at_its_end(open_page, made):
    page = open_page(made[0])
    picture = page.locator("div[class^=moving-]").first
    play = picture.locator("button").first
    play.wait_for()
    play.click()
    page.wait_for_function("box => box.querySelector('button').textContent === 'play'", arg=picture.element_handle())
    assert picture.locator("span").inner_text().strip() == "8 of 8"


def test_a_page_prints_the_still_alone(open_page, made):
    page = open_page(made[0])
    bar = page.locator("div[class^=moving-] p").first
    bar.wait_for()
    assert bar.is_visible()
    page.emulate_media(media="print")
    assert not bar.is_visible() and page.locator("div[class^=moving-] img").first.is_visible()


def test_nothing_moves_by_itself(open_page, made):
    page = open_page(made[0])
    count = page.locator("div[class^=moving-] span").first
    count.wait_for()
    page.wait_for_timeout(1500)
    assert count.inner_text().strip() == "6 of 8"
