"""Moving pictures in a real browser: still where no script may run, and moving where it may."""

import re

import pytest
from nbconvert import HTMLExporter
from notebooks_as_data import PATHS, read_outputs

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
    for _ in range(400):  # JupyterLab draws only what is on the screen
        for alt, width in page.evaluate(FRAME % ".jp-OutputArea-output"):
            if alt.startswith("A moving picture"):
                seen[alt] = width
        if len(seen) == count_moving(path):
            break
        page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollBy(0, 500)")
        page.wait_for_timeout(60)
    assert len(seen) == count_moving(path) and min(seen.values()) > 300
    assert page.locator(".jp-OutputArea-output button").count() == 0


@pytest.mark.parametrize("path", MOVING, ids=lambda path: path.stem)
def test_an_exported_page_plays_pauses_and_steps(path, open_page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(HTMLExporter().from_filename(str(path))[0], "utf-8")
    page = open_page(file.as_uri())
    pictures = page.locator("div[class^=moving-]")
    assert pictures.count() == count_moving(path)
    for number in range(pictures.count()):
        picture = pictures.nth(number)
        play, back, step = (picture.locator("button").nth(i) for i in range(3))
        play.wait_for(timeout=20_000)
        slider, image = picture.locator("input"), picture.locator("img")
        last = int(slider.get_attribute("max"))
        sources = []
        for frame in range(last + 1):
            slider.fill(str(frame))
            assert picture.locator("span").inner_text().strip() == f"{frame + 1} of {last + 1}"
            sources.append(image.get_attribute("src"))
        assert len(set(sources)) > last / 2  # it moves
        back.click()
        assert image.get_attribute("src") == sources[-2]
        step.click()
        assert image.get_attribute("src") == sources[-1]
        play.click()  # from the last frame it begins anew
        assert play.inner_text() == "pause"
        page.wait_for_function("box => +box.querySelector('input').value >= 2", arg=picture.element_handle())
        play.click()
        assert play.inner_text() == "play"
        stopped = slider.input_value()
        page.wait_for_timeout(700)
        assert slider.input_value() == stopped


def test_a_page_prints_the_still_alone(open_page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(HTMLExporter().from_filename(str(MOVING[0]))[0], "utf-8")
    page = open_page(file.as_uri())
    bar = page.locator("div[class^=moving-] p").first
    bar.wait_for()
    page.emulate_media(media="print")
    assert not bar.is_visible() and page.locator("div[class^=moving-] img").first.is_visible()


def test_nothing_moves_by_itself(open_page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(HTMLExporter().from_filename(str(MOVING[0]))[0], "utf-8")
    page = open_page(file.as_uri())
    count = page.locator("div[class^=moving-] span").first
    count.wait_for()
    before = count.inner_text()
    page.wait_for_timeout(1500)
    assert count.inner_text() == before and re.fullmatch(r"\d+ of \d+", before.strip())
