"""Train recipes with many seeds: each run owns a folder, which is locked while it is trained.

A folder holds ``history.csv``, ``predictions.npy`` (of the test digits, (10000,) uint8), perhaps ``model.pt``, and
``run.json``, the record, which is written last: where it is, the run is complete. Until then there is ``state.pt``.
"""

import datetime
import io
import json
import platform
import re
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock, Timeout

from lenet_utils.checkpoints import save_checkpoint
from lenet_utils.data import make_loader
from lenet_utils.evaluation import evaluate, predict_logits
from lenet_utils.files import find_data_root, shorten, write_atomically
from lenet_utils.models import count_parameters
from lenet_utils.recipes import Recipe1998, find_recipe
from lenet_utils.results import RECORD, load_record
from lenet_utils.studies.runs import STATE, Run, load_owners, load_runs, train_to_the_end

LOCK = ".lock"


def study(names: list[str], seeds: int, root: Path | None = None) -> None:
    """Train each recipe in full with the seeds 0, 1, ..., and save each run in ``runs/RECIPE-SEED``.

    Complete runs are not trained again, interrupted ones go on first. The seeds of a recipe of 1998 are trained in
    parallel. Several processes may do this at once: each trains the seeds that no other is training.

    Args:
        names: of recipes, as ``recipes.find_recipe`` knows them.
        seeds: how many seeds, from 0.
        root: the folder to write to; the course's ``data`` if not given.
    """
    folder = (root or find_data_root()) / "runs"
    recipes = {name: find_recipe(name) for name in names}  # fail now, not after hours of training
    for name, recipe in recipes.items():
        left: set[int] = set()
        while True:
            with ExitStack() as locks:
                chosen = _choose_seeds(name, seeds, folder, locks, left)
                if not chosen:
                    break
                print(f"{name}: training {_list_seeds(chosen)}", flush=True)
                state_file = folder / f"{name}-{chosen[0]}" / STATE
                runs = load_runs(state_file)[0] if state_file.exists() else [Run(name, seed) for seed in chosen]
                train_to_the_end(runs, recipe.epochs, state_file)
                for run in runs:
                    save_run(run, folder / f"{name}-{run.seed}", recipe.save_weights)
                state_file.unlink()
        print(f"{name}: left to other processes: {_list_seeds(left)}" if left else f"{name}: done")


def save_run(run: Run, folder: Path, save_weights: bool) -> None:
    """Write what a complete run left, and at last its record."""
    predictions = io.BytesIO()
    np.save(predictions, predict_logits(run.model, run.test_images).argmax(dim=1).numpy().astype(np.uint8))
    history = run.history.epochs.round(6).to_csv(index=False, lineterminator="\n")
    write_atomically(folder / "history.csv", history.encode())
    write_atomically(folder / "predictions.npy", predictions.getvalue())
    if save_weights:
        save_checkpoint(folder / "model.pt", run.model, run.recipe.inputs)
    test_loss, test_accuracy = evaluate(run.model, run.test_loader)
    _, train_accuracy = evaluate(run.model, make_loader(run.train_images, run.train_labels, 200, shuffle=False))
    record = {
        "recipe": run.name,
        "seed": run.seed,
        "epochs": len(run.history),
        "test_accuracy": round(test_accuracy, 4),
        "test_loss": round(test_loss, 6),
        "train_accuracy": round(train_accuracy, 4),
        "parameters": count_parameters(run.model),
        "train_seconds": round(float(run.history.epochs.seconds.sum()), 1),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__.split("+")[0],
        "processor": _name_processor(),
        "date": datetime.date.today().isoformat(),
    }
    write_atomically(folder / RECORD, (json.dumps(record, indent=1) + "\n").encode())


def lock_folders(*folders: Path) -> ExitStack | None:
    """Lock the folders of runs, made where they are missing; None, and none locked, if another process has one."""
    with ExitStack() as locks:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            try:
                locks.enter_context(FileLock(folder / LOCK, timeout=0))
            except Timeout:
                return None
        return locks.pop_all()


def check_folder(folder: Path, name: str, *seeds: int) -> None:
    """A ValueError if a folder holds, complete or interrupted, another run than those of these seeds."""
    owners = []
    if (folder / RECORD).exists():
        record = load_record(folder / RECORD)
        owners.append((record["recipe"], record["seed"]))
    if (folder / STATE).exists():
        owners += load_owners(folder / STATE)
    for owner, seed in owners:
        if owner != name or seed not in seeds:
            raise ValueError(f"{shorten(folder)} holds another run: {owner}, seed {seed}, not {name}, seed {seeds[0]}.")


def _choose_seeds(name: str, seeds: int, folder: Path, locks: ExitStack, left: set[int]) -> list[int]:
    """Return the seeds to train next, and lock their folders; add to ``left`` those that another process trains."""
    found = (re.fullmatch(rf"{name}-(\d+)", path.parent.name) for path in folder.glob(f"*/{STATE}"))
    interrupted = sorted(int(match[1]) for match in found if match)
    chosen: list[int] = []
    busy: set[int] = set()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):  # one process chooses at a time
        for seed in [*interrupted, *range(seeds)]:
            own = folder / f"{name}-{seed}"
            try:
                group = [owner[1] for owner in load_owners(own / STATE)]
            except FileNotFoundError:  # not begun, or complete
                group = [seed]
            locked = None if busy & set(group) else lock_folders(*(folder / f"{name}-{member}" for member in group))
            if locked is None:
                busy.update(group)
                continue
            locks.enter_context(locked)
            check_folder(own, name, seed, *group[1:])
            if (own / STATE).exists():
                chosen = group
                break
            if (own / RECORD).exists():
                locked.close()
                continue
            chosen.append(seed)
            if not isinstance(find_recipe(name), Recipe1998):
                break
    for seed in sorted(busy - left):
        print(f"{name}, seed {seed}: another process is training it", flush=True)
    left |= busy
    left -= set(chosen)
    return chosen


def _list_seeds(seeds: Collection[int]) -> str:
    return ("seed " if len(seeds) == 1 else "seeds ") + ", ".join(map(str, sorted(seeds)))


def _name_processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")  # Linux; elsewhere Python knows
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
