"""The command line: python -m lenet_utils COMMAND. Each command says what it does with --help."""

import argparse
import os
import sys
from pathlib import Path

import matplotlib

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
from lenet_utils.images import read_digit
from lenet_utils.recipes import RECIPES, RECIPES_1998, find_recipe
from lenet_utils.results import load_results, summarise_results
from lenet_utils.studies.runs import Run, load_runs, study
from lenet_utils.training import find_device


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str):
        raise ValueError(f"{message} (see: {self.prog} --help)")


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status: 0 when done, 2 after a mistake in the call, 130 when stopped."""
    try:
        options = build_parser().parse_args(arguments)
        return options.run(options) or 0
    except BrokenPipeError:  # the reader, such as head, has seen enough
        return 0
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
    command.add_argument("--epochs", type=int, help="the recipe's if not given")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--out", type=Path, metavar="DIR", help="where to write; runs/RECIPE-SEED if not given")
    command.add_argument("--device", help="cpu, cuda or mps (1998: always cpu); the fastest there is if not given")
    command.add_argument("--resume", type=Path, metavar="DIR", help="go on with the run in DIR")
    command.add_argument("--force", action="store_true", help="replace what is in DIR")
    command.set_defaults(run=train)

    command = commands.add_parser("evaluate", help="score a checkpoint on the 10,000 test digits")
    command.add_argument("checkpoint", type=Path)
    command.add_argument("--figure", type=Path, metavar="FILE", help="draw the confusion matrix")
    command.add_argument("--force", action="store_true", help="replace FILE")
    command.set_defaults(run=score)

    command = commands.add_parser("predict", help="read the digits in image files")
    command.add_argument("checkpoint", type=Path)
    command.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    command.add_argument("--show", type=Path, metavar="FILE", help="draw what the network saw")
    command.add_argument("--force", action="store_true", help="replace FILE")
    command.set_defaults(run=predict)

    command = commands.add_parser("study", help="train recipes with several seeds and keep the results")
    command.add_argument("recipes", nargs="+", metavar="RECIPE")
    command.add_argument("--seeds", type=int, default=5, help="how many, from 0 (default: 5)")
    command.set_defaults(run=run_study)
    return parser


def show_recipes(options: argparse.Namespace) -> None:
    recipes = RECIPES | RECIPES_1998
    table = summarise_results(load_results(), recipes)
    print(f"{'recipe':22} {'published':>7}  {'measured (mean +- sd of seeds)':30}  {'verdict':11}  document")
    for name, row in table.iterrows():
        published = "none" if recipes[name].published is None else f"{row.published:.2f}"
        measured = f"{row['mean']:.2f} +- {row.sd:.2f} ({row.seeds} seeds)"
        if row.seeds < 2:
            measured = f"{row['mean']:.2f} (1 seed)" if row.seeds else "not run yet"
        print(f"{name:22} {published:>7}  {measured:30}  {row.verdict:11}  {recipes[name].document}")


def train(options: argparse.Namespace) -> int:
    if (options.recipe is None) == (options.resume is None):
        raise ValueError("give either a recipe's name or --resume DIR.")
    device = find_device(options.device)
    if options.resume:
        folder = options.resume
        if not (folder / "state.pt").is_file():
            raise ValueError(f"{folder} holds no interrupted run: there is no state.pt in it.")
        (run,), epochs = load_runs(folder / "state.pt", device)
    else:
        recipe = find_recipe(options.recipe)
        epochs = recipe.epochs if options.epochs is None else options.epochs
        if epochs < 1:
            raise ValueError(f"--epochs must be 1 or more, not {epochs}.")
        folder = options.out or Path("runs") / f"{options.recipe}-{options.seed}"
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{folder} is a file, not a folder: choose another --out.")
        if folder.exists() and any(folder.iterdir()) and not options.force:
            raise ValueError(f"{folder} is not empty: choose another --out, or --force to replace what is in it.")
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise ValueError(f"{folder} cannot be written to: choose another --out.")
        run = Run(options.recipe, options.seed, device)
    try:
        run.train(epochs, folder / "state.pt")
    except KeyboardInterrupt:
        done = len(run.history.epochs) if run.history else 0
        advice = f" Go on with: python -m lenet_utils train --resume {folder}" if done else ""
        print(f"\nStopped after {done} of {epochs} epochs.{advice}")
        return 130
    write_run(run, folder)
    return 0


def write_run(run: Run, folder: Path) -> None:
    """Write checkpoint, history and curves; then the state is no longer needed."""
    plotting = import_plotting()
    run.save_model(folder / "model.pt")
    run.history.epochs.to_csv(folder / "history.csv", index=False)
    plotting.plot_history(run.history.epochs).savefig(folder / "curves.png", dpi=150)
    (folder / "state.pt").unlink(missing_ok=True)
    print(f"written to {folder}: model.pt, history.csv, curves.png")


def score(options: argparse.Namespace) -> None:
    check_new_file(options.figure, options.force)
    model, inputs = load_checkpoint(options.checkpoint, find_device())
    test_set = load_mnist(train=False)
    predictions = predict_logits(model, prepare_images(test_set.data, **inputs)).argmax(dim=1)
    labels = test_set.targets
    matrix = compute_confusion_matrix(labels, predictions)
    print(f"Accuracy on test images: {compute_accuracy(labels, predictions):.2f} %")
    for digit, accuracy in enumerate(compute_per_digit_accuracy(labels, predictions)):
        print(f"Accuracy of {digit}: {accuracy:.2f} %")
    print("\nConfusion matrix (rows: true digits, columns: predicted digits):")
    print(matrix)
    print("\nClassification report:")
    print(compute_report(labels, predictions))
    if options.figure:
        plotting = import_plotting()
        plotting.plot_confusion_matrix(matrix).figure.savefig(options.figure, dpi=150)
        print(f"written: {options.figure}")


def predict(options: argparse.Namespace) -> int:
    check_new_file(options.show, options.force)
    model, inputs = load_checkpoint(options.checkpoint, find_device())
    digits, titles, status = [], [], 0
    for path in options.images:
        try:
            digit = read_digit(path)
        except (ValueError, OSError) as error:  # the other files are still read
            print(f"error: {error}", file=sys.stderr)
            status = 2
            continue
        number, confidence = predict_with_confidence(model, prepare_images(digit[None], **inputs))
        print(f"{path}: {number.item()} ({100 * confidence.item():.1f} % sure)")
        digits.append(digit.numpy())
        titles.append(f"{path.name}: {number.item()}")
    if options.show and digits:
        plotting = import_plotting()
        plotting.plot_images(digits, titles, columns=5, scale=1.8).savefig(options.show, dpi=150)
        print(f"written: {options.show}")
    return status


def run_study(options: argparse.Namespace) -> int:
    if options.seeds < 1:
        raise ValueError(f"--seeds must be 1 or more, not {options.seeds}.")
    try:
        study(options.recipes, options.seeds)
    except KeyboardInterrupt:
        print("\nStopped. Finished runs are kept, and the same command does the others.")
        return 130
    return 0


def check_new_file(path: Path | None, force: bool) -> None:
    """Raise a ValueError, before any work is done, where ``path`` could not or must not be written."""
    if path is None:
        return
    if path.exists() and not force:
        raise ValueError(f"{path} is there already: choose another name, or --force to replace it.")
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise ValueError(f"{path} cannot be written: its folder is not there, or is closed to you.")
    supported = {f".{kind}" for kind in import_plotting().plt.figure().canvas.get_supported_filetypes()}
    if path.suffix.lower() not in supported:
        raise ValueError(f"{path}: choose a name that ends in .png, .pdf or .svg.")


def import_plotting():
    """Import the module of pictures, set to draw into files, not on a screen."""
    matplotlib.use("Agg")
    from lenet_utils import plotting

    return plotting
