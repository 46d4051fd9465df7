"""Claims: said where they hold, an error in strict runs and a remark in others where they do not."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from lenet_utils.claims import holds


@pytest.mark.parametrize("condition", [True, np.bool_(True), torch.tensor(True)])
def test_a_true_claim_is_said(condition, capsys):
    holds("the earth is round", condition)
    assert capsys.readouterr().out == "holds: the earth is round\n"


@pytest.mark.parametrize("condition", [False, np.bool_(False), torch.tensor(False)])
def test_a_false_claim_is_an_error_in_strict_runs(condition, monkeypatch):
    monkeypatch.setenv("LENET_STRICT", "1")
    with pytest.raises(AssertionError, match="does not hold: the earth is flat"):
        holds("the earth is flat", condition)


@pytest.mark.parametrize("value", [None, "", "0"])
def test_a_reader_goes_on(value, monkeypatch, capsys):
    monkeypatch.delenv("LENET_STRICT")
    if value is not None:
        monkeypatch.setenv("LENET_STRICT", value)
    holds("the earth is flat", False)
    assert capsys.readouterr().out == "does not hold here: the earth is flat\n"


@pytest.mark.parametrize("condition", [True, False])
def test_a_claim_about_the_full_run_is_passed_over_in_shortened_ones(condition, monkeypatch, capsys):
    monkeypatch.setenv("LENET_FAST", "1")
    holds("it ends above 98 %", condition, full_run=True)
    assert capsys.readouterr().out == "passed over in a shortened run: it ends above 98 %\n"


def test_a_claim_about_the_full_run_is_checked_in_full_runs(monkeypatch):
    monkeypatch.setenv("LENET_FAST", "0")
    with pytest.raises(AssertionError, match="above 98 %"):
        holds("it ends above 98 %", False, full_run=True)


@pytest.mark.parametrize("imports", ["lenet_utils.data, torch", "torch, lenet_utils.data"])
@pytest.mark.parametrize("wish, threads", [({}, "1"), ({"OMP_NUM_THREADS": "2"}, "2")])
def test_one_thread_computes_unless_somebody_asks_for_more(imports, wish, threads):
    command = [sys.executable, "-c", f"import {imports}; print(torch.get_num_threads())"]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    result = subprocess.run(command, env=environment | wish, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == threads
