"""The command line: python -m lenet_utils COMMAND. Each command says what it does with --help."""

import argparse
import glob
import os
import sys
from functools import partial
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt

from lenet_utils.checkpoints import load_checkpoint
from lenet_utils.data import load_mnist, prepare_images
from lenet_utils.evaluation import (
    compute_accuracy,
    compute_confusion_matrix,
    compute_per_digit_accuracy,
    compute_report,
    predict_logits,
    predict_with_confidence,
)
from lenet_utils.files import find_data_root, shorten, write_atomically
from lenet_utils.images import is_sure, read_digit
from lenet_utils.pictures import plot_images
from lenet_utils.plotting import plot_confusion_matrix, plot_history
from lenet_utils.recipes import AS_WRITTEN, RECIPES, RECIPES_1998, find_recipe
from lenet_utils.results import RECORD, load_results, summarise_results
from lenet_utils.studies.runs import STATE, Run, load_owners, load_runs, train_to_the_end
from lenet_utils.studies.study import LOCK, check_folder, lock_folders, save_run, study
from lenet_utils.training import find_device


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str):
        raise ValueError(f"{message} (see: {self.prog} --help)")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status: 0 when done, 2 after a mistake in the call, 130 when stopped."""
    matplotlib.use("Agg")  # draws into files, not on a screen
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a file's name may hold letters that a terminal has not
    try:
        options = build_parser().parse_args(arguments)
        status = options.run(options) or 0
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def build_parser() -> Parser:
    parser = Parser(prog="python -m lenet_utils", description="Recipes for reading handwritten digits.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("recipes", help="show all recipes: what was published, and what was measured")
    command.set_defaults(run=show_recipes)

    command = commands.add_parser("train", help="train one recipe, or go on with an interrupted run")
    command.add_argument("recipe", nargs="?", help="its name, as 'recipes' shows it")
    command.add_argument("--epochs", type=partial(parse_count, minimum=1), help="the recipe's if not given")
    command.add_argument("--seed", type=partial(parse_count, minimum=0), help="0 if not given")
    command.add_argument("--out", type=Path, metavar="DIR", help="where to write; runs/RECIPE-SEED if not given")
    command.add_argument("--device", help="cpu, cuda or mps (1998: always cpu); the fastest there is if not given")
    command.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in DIR")
    command.add_argument("--force", action="store_true", help="replace the run in DIR")
    command.set_defaults(run=train)

    command = commands.add_parser("evaluate", help="evaluate a checkpoint on the 10,000 test digits")
    command.add_argument("checkpoint", type=Path)
    command.add_argument("--figure", type=Path, metavar="FILE", help="draw the confusion matrix")
    command.add_argument("--force", action="store_true", help="replace FILE")
    command.set_defaults(run=evaluate_checkpoint)

    command = commands.add_parser("predict", help="read the digits in image files, one in each")
    command.add_argument("checkpoint", type=Path)
    command.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    command.add_argument("--show", type=Path, metavar="FILE", help="draw what the network saw")
    command.add_argument("--force", action="store_true", help="replace FILE")
    command.set_defaults(run=predict)

    command = commands.add_parser("study", help="train recipes with several seeds and keep the results")
    command.add_argument("recipes", nargs="+", metavar="RECIPE")
    command.add_argument(
        "--seeds", type=partial(parse_count, minimum=1), default=5, help="how many, from 0; default: 5"
    )
    command.set_defaults(run=run_study)

    command = commands.add_parser("results", help="write data/results.csv, the table of all runs in data/runs")
    command.set_defaults(run=write_results)
    return parser


def parse_count(text: str, minimum: int) -> int:
    if not (text.isdecimal() and minimum <= int(text) < 2**32):
        raise argparse.ArgumentTypeError(f"must be a whole number from {minimum}, not {text!r}")
    return int(text)


def show_recipes(options: argparse.Namespace) -> None:
    recipes = RECIPES | AS_WRITTEN | RECIPES_1998
    print(f"{'recipe':22} {'published':>9}  {'mean +- sd':13}  {'seeds':5}  {'verdict':14}  document")
    for name, row in summarise_results(load_results(), recipes).iterrows():
        published = "" if recipes[name].published is None else f"{row.published:.2f}"
        mean = f"{row['mean']:.2f}" if row.seeds else ""
        sd = f" +- {row.sd:.2f}" if row.seeds > 1 else ""
        print(f"{name:22} {published:>9}  {mean + sd:13}  {row.seeds:5}  {row.verdict:14}  {recipes[name].document}")


def train(options: argparse.Namespace) -> int:
    of_new_runs = (options.recipe, options.epochs, options.seed, options.out, options.force or None)
    given = [value is not None for value in of_new_runs]
    if any(given) if options.resume else options.recipe is None:
        raise ValueError("give a recipe, perhaps --epochs, --seed, --out and --force; or --resume DIR without them.")
    if options.resume:
        folder = options.resume
        name, seed = load_owners(folder / STATE)[0]
    else:
        name, seed = options.recipe, options.seed or 0
        folder = options.out or Path("runs") / f"{name}-{seed}"
    recipe, device = find_recipe(name), find_device(options.device)
    if not options.resume and not (folder / LOCK).exists():
        check_empty(folder, options.force)  # before a lock is made there
    locks = lock_folders(folder)
    if locks is None:
        raise ValueError(f"another process is training in {folder}.")
    with locks:
        if not options.resume:
            check_empty(folder, options.force)
            for file in (RECORD, STATE):
                (folder / file).unlink(missing_ok=True)
        check_folder(folder, name, seed)
        try:
            if options.resume:
                (run,), epochs = load_runs(folder / STATE, device)
            else:
                run, epochs = Run(name, seed, device), options.epochs or recipe.epochs
            train_to_the_end([run], epochs, folder / STATE)
            plot_history(run.history.epochs)
            plt.savefig(folder / "curves.png", dpi=150)
            save_run(run, folder, save_weights=True)
            (folder / STATE).unlink()
        except KeyboardInterrupt:
            saved = (folder / STATE).exists()
            print(f"\nGo on with: python -m lenet_utils train --resume {folder}" if saved else "\nNo epoch is saved.")
            return 130
    print(f"written to {folder}: model.pt, history.csv, curves.png, predictions.npy, {RECORD}")
    return 0


def check_empty(folder: Path, force: bool) -> None:
    if folder.is_dir() and any(path.name != LOCK for path in folder.iterdir()) and not force:
        raise ValueError(f"{folder} is not empty: choose another --out, or --force to replace what is in it.")


def evaluate_checkpoint(options: argparse.Namespace) -> None:
    check_new_file(options.figure, options.force)
    model, inputs = load_checkpoint(options.checkpoint, find_device())
    test_set = load_mnist(train=False)
    predictions = predict_logits(model, prepare_images(test_set.data, **inputs)).argmax(dim=1)
    labels = test_set.targets
    matrix = compute_confusion_matrix(labels, predictions)
    print(f"Accuracy on test images: {compute_accuracy(labels, predictions):.2f} %")
    for digit, accuracy in enumerate(compute_per_digit_accuracy(labels, predictions)):
        print(f"Accuracy of {digit}: {accuracy:.2f} %")
    print(f"\nConfusion matrix (rows: true digits, columns: predicted digits):\n{matrix}")
    print(f"\nClassification report:\n{compute_report(labels, predictions)}")
    if options.figure:
        plot_confusion_matrix(matrix)
        plt.savefig(options.figure, dpi=150)
        print(f"written: {options.figure}")


def predict(options: argparse.Namespace) -> int:
    check_new_file(options.show, options.force)
    model, inputs = load_checkpoint(options.checkpoint, find_device())
    digits, titles, status = [], [], 0
    for path in expand_patterns(options.images):
        try:
            digit = read_digit(path)
        except (ValueError, OSError) as error:  # the other files are still read
            print(f"error: {error}", file=sys.stderr)
            status = 2
            continue
        number, confidence = predict_with_confidence(model, prepare_images(digit[None], **inputs))
        answer = f"{number.item()} ({100 * confidence.item():.1f} % sure)"
        if not is_sure(digit, confidence.item()):
            answer = f"not sure, perhaps {number.item()} ({100 * confidence.item():.1f} %)"
        print(f"{path}: {answer}")
        digits.append(digit.numpy())
        name = path.name.encode(errors="replace").decode()  # some names are no text
        titles.append(
            f"{name}: {answer.partition(' (')[0]}".replace("$", r"\$")
        )  # between dollars matplotlib reads TeX
    if options.show and digits:
        plot_images(digits, titles, columns=5, scale=1.8)
        plt.savefig(options.show, dpi=150)
        print(f"written: {options.show}")
    return status


def expand_patterns(paths: list[Path]) -> list[Path]:
    """The files that fit a pattern such as ``*.png``, where the shell has not looked for them."""
    found = (
        [path] if path.exists() else sorted(Path(name) for name in glob.glob(str(path))) or [path] for path in paths
    )
    return [path for group in found for path in group]


def run_study(options: argparse.Namespace) -> int:
    try:
        study(options.recipes, options.seeds)
    except KeyboardInterrupt:
        print("\nStopped. Complete runs and epochs are saved, and the same command goes on.")
        return 130
    return 0


def write_results(options: argparse.Namespace) -> None:
    path = find_data_root() / "results.csv"
    write_atomically(path, load_results().to_csv(index=False, lineterminator="\n").encode())
    print(f"written: {shorten(path)}")


def check_new_file(path: Path | None, force: bool) -> None:
    """A ValueError, before any work is done, where a figure could not or must not be written."""
    if path is None:
        return
    if (path.exists() and not force) or not path.parent.is_dir() or path.suffix.lower() not in (".png", ".pdf", ".svg"):
        raise ValueError(
            f"{path} cannot be written: name a new file (or give --force) in a folder that exists, .png, .pdf or .svg."
        )
