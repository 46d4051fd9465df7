"""How pytest runs the course: short, on the CPU, with this environment's kernel."""

import os

import pytest

# Shortened runs, unless somebody asks for full ones (LENET_FAST=0) or for another device.
os.environ.setdefault("LENET_FAST", "1")
os.environ.setdefault("LENET_DEVICE", "cpu")
if "PYTEST_XDIST_WORKER" in os.environ:  # with -n: processes share the cores, threads would fight
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config):
    if hasattr(config.option, "nbval_lax"):  # the options of pytest --nbval-lax
        config.option.nbval_current_env = True
        config.option.nbval_cell_timeout = 900  # seconds


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With -n: one notebook, one worker, its cells in order."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)
