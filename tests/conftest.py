"""A browser, and JupyterLab on a copy of the notebooks. Without Chromium and Playwright these tests are skipped.

``LENET_BROWSER=1`` makes a skip a failure. Playwright comes by ``pip install playwright``; the browser is the system's.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from notebooks_as_data import ROOT

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
TOKEN = "course"


@pytest.fixture(scope="session")
def browser():
    program = shutil.which("chromium") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        sync_playwright = None
    if not (program and sync_playwright):
        missing = "Chromium" if not program else "Playwright (pip install playwright)"
        (pytest.fail if os.environ.get("LENET_BROWSER") == "1" else pytest.skip)(f"{missing} is not installed.")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=QUIET)


@pytest.fixture
def open_page(browser):
    """Return a function that opens an address; at the end of the test no page may have thrown an error."""
    pages, errors = [], []

    def open_address(address, width=1280, height=900, **settings):
        page = browser.new_page(viewport={"width": width, "height": height}, **settings)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address, timeout=120_000)
        pages.append(page)
        return page

    yield open_address
    for page in pages:
        page.close()
    assert not errors


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Start JupyterLab on a fresh copy of what git knows, as after a clone; the value is its address."""
    folder = tmp_path_factory.mktemp("course")
    for name in ("notebooks", "lenet_utils", "data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    settings = [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}"]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / ".config"), "JUPYTER_DATA_DIR": str(folder / ".data"),
        "LENET_FAST": "1", "LENET_DEVICE": "cpu", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    address = f"http://127.0.0.1:{port}/lab"
    with subprocess.Popen(command + settings, cwd=folder, env=environment, stderr=subprocess.DEVNULL) as server:
        for _ in range(120):
            time.sleep(0.5)
            try:
                urllib.request.urlopen(f"{address}?token={TOKEN}")
                break
            except OSError:
                assert server.poll() is None, "JupyterLab has ended"
        yield address
        server.terminate()


@pytest.fixture
def open_notebook(lab, open_page):
    """Return a function that opens a notebook of the copy in JupyterLab, without running it."""

    def open_it(name, **settings):
        page = open_page(f"{lab}/workspaces/{name[:2]}/tree/notebooks/{name}.ipynb?token={TOKEN}&reset", **settings)
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=120_000)
        return page

    return open_it
