"""Run in the kernel of notebook 06 after its last cell: its numbers and figures, worked out once more by other ways."""

from itertools import product
from zlib import crc32

import numpy as np
import torch
from matplotlib.colors import to_hex
from scipy import stats
from sklearn import metrics as sk

from lenet_utils import checkpoints, evaluation, plotting, recipes
from lenet_utils.data import load_mnist as load_again
from lenet_utils.data import prepare_images as prepare_again
from lenet_utils.files import find_data_root

blue, green, grey, orange = plotting.BLUE, plotting.GREEN, plotting.GREY, plotting.ORANGE
DIGITS, RUNS = load_again(train=False), find_data_root() / "runs"
PIXELS, truth = DIGITS.data.numpy(), DIGITS.targets.numpy()
kept_model, kept_inputs = checkpoints.load_checkpoint(find_data_root() / "checkpoints" / "lenet5.pt")
with torch.no_grad():
    LOGITS = torch.cat([kept_model(part) for part in prepare_again(DIGITS.data, **kept_inputs).split(500)]).double()
PROBABILITIES = (LOGITS - LOGITS.logsumexp(dim=1, keepdim=True)).exp().numpy()
answers, sureness = PROBABILITIES.argmax(axis=1), PROBABILITIES.max(axis=1)
CORRECT = answers == truth
COUNTS = sk.confusion_matrix(truth, answers)
OF_EACH = np.array([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])


def near(a, b, atol=1e-4):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=atol)


def read_run(name, seed):
    return np.load(RUNS / f"{name}-{seed}" / "predictions.npy")


def wilson(hits_of, count_of):
    low_end, high_end = stats.binomtest(int(hits_of), int(count_of)).proportion_ci(0.95, method="wilson")
    return 100 * low_end, 100 * high_end


def grids():
    """The figures that show digits alone, as lists of (pixels, title, colour of the title)."""
    return [
        [(images_of(ax)[0], ax.get_title(), to_hex(ax.title.get_color()).upper()) for ax in figure.axes if ax.images]
        for figure in SHOWN if figure.axes and not any(ax.lines or ax.patches or ax.collections for ax in figure.axes)
    ]  # fmt: skip


def assert_grid(grid, places, say, colour=None):
    assert len(grid) == len(places)
    for (pixels, title, shown_colour), i in zip(grid, places):
        assert (pixels == PIXELS[i]).all(), f"another digit than the {i}th"
        assert title == say(i), (title, say(i))
        assert colour is None or shown_colour == colour(i).upper()


def mark(i):
    return "✓" if CORRECT[i] else "✗"


def mark_colour(i):
    return green if CORRECT[i] else orange


def heat(ax):
    """What a heat map shows: values (0 where masked), the numbers written, its two ends of colour."""
    (mesh,) = ax.collections
    values = np.ma.filled(np.ma.asarray(mesh.get_array(), dtype=float), 0).reshape(10, 10)
    written = np.full((10, 10), "", dtype=object)
    for text in ax.texts:
        if text.get_visible():
            x, y = text.get_position()
            written[int(y), int(x)] = text.get_text()
    assert axis_labels(ax) == ("predicted digit", "true digit")
    for labels_of in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text() for label in labels_of] == list("0123456789")
    assert ax.yaxis_inverted() and not ax.xaxis_inverted()  # row 0 at the top, column 0 on the left
    assert mesh.get_cmap().name == "Blues"
    return values, written, mesh.get_clim()


def assert_bars(figure, i):
    left_side, right_side = figure.axes
    assert (images_of(left_side)[0] == PIXELS[i]).all()
    assert left_side.get_title() == f"true digit: {truth[i]}"
    assert near([bar.get_width() for bar in right_side.patches], 100 * PROBABILITIES[i], atol=0.01)
    assert [to_hex(bar.get_facecolor()).upper() for bar in right_side.patches] == [
        (blue if digit == answers[i] else grey).upper() for digit in range(10)
    ]
    assert right_side.get_title().startswith(f"read as {answers[i]}, ")
    assert axis_labels(right_side) == ("probability (%)", "digit")


def points_of(container):
    """x, y, and both ends of the vertical bars of an error bar container."""
    line, _, (bars,) = container
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    return line.get_xdata(), line.get_ydata(), ends.T


# ---- one image, all images ----


def test_the_network_and_its_images():
    assert type(model).__name__ == "LeNet5" and not model.training
    assert inputs == kept_inputs == recipes.RECIPES["lenet5-adam"].inputs
    assert torch.equal(test_images, prepare_again(DIGITS.data, **kept_inputs))
    assert torch.equal(test_labels, DIGITS.targets) and len(test_set) == 10_000
    assert (np.bincount(truth) == OF_EACH).all()
    assert all(torch.equal(a.cpu(), b) for a, b in zip(model.parameters(), kept_model.parameters()))


def test_one_image():
    unclear = np.flatnonzero(~CORRECT)[:15]
    for i in (*range(25), *unclear):
        assert predict_image(test_images[i], model) == answers[i]
    assert first_25 == answers[:25].tolist()
    assert wrong_of_25 == (~CORRECT[:25]).sum() < 6
    assert make_title(3, 3) == "✓ Pred 3, True 3" and make_title(3, 5) == "✗ Pred 3, True 5"


def test_all_images():
    assert (
        near(logits, LOGITS, atol=1e-3) and (predictions.numpy() == answers).all() and (right.numpy() == CORRECT).all()
    )
    assert abs(accuracy - 100 * sk.accuracy_score(truth, answers)) < 1e-9 and 98.0 < accuracy < 99.3
    assert wrong_in_halves == [(~CORRECT[:5_000]).sum(), (~CORRECT[5_000:]).sum()]
    assert wrong_in_halves[0] > 2 * wrong_in_halves[1]
    halves = [[(read_run("lenet5-adam", seed) != truth)[part].sum() for seed in range(5)]
              for part in (slice(5_000), slice(5_000, None))]  # fmt: skip
    assert min(halves[0]) > 1.5 * max(halves[1])  # with every seed


def test_confidences():
    assert near(probabilities, PROBABILITIES, atol=1e-5) and near(confidences, sureness, atol=1e-5)
    assert (digits.numpy() == answers).all() and torch.equal(digits, predictions) and confidences.min() > 0.1
    assert (digits_4_to_9.numpy() == answers[4:10]).all() and near(confidences_4_to_9, sureness[4:10], atol=1e-5)
    package_digits, package_confidences = evaluation.predict_with_confidence(kept_model, test_images)
    assert torch.equal(package_digits, digits) and torch.allclose(package_confidences, confidences)
    assert (rounds_to_100.numpy() == (sureness >= 0.995)).mean() > 0.9999 and rounds_to_100.float().mean() > 0.8
    assert confidences[sure] > 0.999 and confidences[unsure] < 0.6
    assert sure == sureness.argmax() or sureness[sure] > 0.999999
    assert unsure == sureness.argmin()


def test_digits_drawn():
    shown = grids()
    assert [len(grid) for grid in shown] == [25, 14, 6, 3 * min(4, errors[a, b]), 12, 12]
    wrong = np.flatnonzero(~CORRECT)
    assert_grid(shown[0], range(25), lambda i: f"{mark(i)} Pred {answers[i]}, True {truth[i]}", mark_colour)
    assert_grid(shown[1], wrong[:14], lambda i: f"✗ Pred {answers[i]}\nTrue {truth[i]}", mark_colour)
    for (pixels, title, _), i in zip(shown[2], range(4, 10)):
        assert (pixels == PIXELS[i]).all() and title.startswith(f"{mark(i)} {answers[i]}: ")
        assert abs(float(title.split(": ")[1].rstrip(" %")) - 100 * sureness[i]) < 0.002
    for grid, (true, read) in ((shown[3], (a, b)), (shown[4], (7, 2))):
        rows_drawn = [sorted_by_confidence(*kind) for kind in ((true, true), (true, read), (read, read))]
        width = min(4, len(rows_drawn[1]))
        for n, (pixels, title, colour) in enumerate(grid):
            kind = ((true, true), (true, read), (read, read))[n // width]
            i = next(i for i in rows_drawn[n // width] if (PIXELS[i] == pixels).all())  # of that kind
            assert sureness[i] >= sureness[rows_drawn[n // width][width - 1]] - 1e-6  # and among the surest
            assert (truth[i], answers[i]) == kind and colour == mark_colour(i).upper()
            assert title == f"{mark(i)} {truth[i]} read as {answers[i]}"
        drawn = [title for _, title, _ in grid]
        assert len(drawn) == 3 * width
    confident = wrong[np.argsort(-sureness[wrong])][:12]
    assert_grid(
        shown[5], confident, lambda i: f"✗ Pred {answers[i]}, {100 * sureness[i]:.2f} %\nTrue {truth[i]}", mark_colour
    )


def sorted_by_confidence(true, read):
    places_of = np.flatnonzero((truth == true) & (answers == read))
    return places_of[np.argsort(-sureness[places_of])]


def test_probabilities_drawn():
    bars = [figure for figure in SHOWN if any("true digit: " in ax.get_title() for ax in figure.axes)]
    assert len(bars) == 3
    for figure, i in zip(bars, (sure, unsure, 18)):
        assert_bars(figure, i)
    assert CORRECT[18] and truth[18] == 3 and PROBABILITIES[18].argsort()[-2] == 8  # what the text says of it
    before = len(plt.get_fignums())
    ask(4_000)
    assert len(plt.get_fignums()) == before + 1
    assert_bars(plt.gcf(), 4_000)
    plt.close()


# ---- matrix, recall, precision ----


def test_digit_by_digit():
    recalls_again = 100 * sk.recall_score(truth, answers, average=None)
    assert (totals == OF_EACH).all() and (hits == COUNTS.diagonal()).all() and near(per_digit, recalls_again, 1e-9)
    assert near(per_digit, evaluation.compute_per_digit_accuracy(test_labels, predictions), 1e-9)
    assert hits.sum() == CORRECT.sum() and totals.sum() == 10_000
    assert digit_table.columns.tolist() == ["images", "right", "accuracy (%)"] and digit_table.index.name == "digit"
    assert (digit_table.images == OF_EACH).all() and (digit_table.right == COUNTS.diagonal()).all()
    assert near(digit_table["accuracy (%)"], recalls_again, 0.0051)


def test_confusion_matrix():
    assert (toy == sk.confusion_matrix([0, 0, 1, 1, 1, 2], [0, 1, 1, 1, 2, 2])).all()
    for counted in (matrix, at_once, by_sklearn, by_package):
        assert (counted == COUNTS).all()
    assert trap.max() == 1 and (trap == (COUNTS > 0)).all()
    assert (errors == COUNTS * (1 - np.eye(10, dtype=int))).all() and errors.sum() == (~CORRECT).sum()
    assert errors[often_true, often_read] == errors.max()
    assert (missed == OF_EACH - COUNTS.diagonal()).all() and (given == np.bincount(answers) - COUNTS.diagonal()).all()


def test_matrices_drawn():
    values, written, _ = heat(find_axes("Confusion matrix of LeNet-5, counts"))
    assert (values == COUNTS).all()
    assert all(written[i, j] == (str(COUNTS[i, j]) if COUNTS[i, j] else "") for i, j in product(range(10), repeat=2))
    per_row = 100 * sk.confusion_matrix(truth, answers, normalize="true")
    assert near(shares, per_row, 1e-9) and near(shares.sum(axis=1), np.full(10, 100)) and near(
        shares.diagonal(), per_digit)  # fmt: skip
    values, written, _ = heat(find_axes("Each row in percent"))
    assert near(values, per_row, 1e-9)
    assert all(written[i, j] == (f"{per_row[i, j]:.1f}" if COUNTS[i, j] else "")
               for i, j in product(range(10), repeat=2))  # fmt: skip
    figure = find_figure("Our LeNet-5, errors only")
    assert [ax.get_title() for ax in figure.axes] == ["LENET-5 report, errors only", "Our LeNet-5, errors only"]
    for ax, all_counts in zip(figure.axes, (published, COUNTS)):
        wrong = all_counts * (1 - np.eye(10, dtype=int))
        values, written, (_, most) = heat(ax)
        assert (values == wrong).all() and most == max(published_errors.max(), errors.max())
        assert all(written[i, j] == (str(wrong[i, j]) if wrong[i, j] else "") for i, j in product(range(10), repeat=2))


def test_precision_recall_f1():
    precisions, recalls_again, f1s, support = sk.precision_recall_fscore_support(truth, answers)
    assert near(compute_recall(matrix), recalls_again, 1e-9) and near(compute_precision(matrix), precisions, 1e-9)
    assert near([precision_of_9, recall_of_9, f1_of_9], [precisions[9], recalls_again[9], f1s[9]], 1e-9)
    assert (r_of_9, n_of_9, m_of_9) == (COUNTS[9, 9], support[9], (answers == 9).sum())


# ---- the report ----


def test_published_matrix():
    assert (published.sum(axis=1) == OF_EACH).all() and published.trace() == 9_880
    assert crc32(published.astype("int64").tobytes()) == 1_238_630_994  # no digit mistyped
    assert near(published_recall, 100 * published.diagonal() / OF_EACH, 1e-9)
    assert near(published_recall, printed, 0.0051)
    assert (published_errors == published * (1 - np.eye(10, dtype=int))).all()
    assert (published_recall.argmin(), their_true, their_read, published_errors.max()) == (9, 9, 4, 10)
    again = {"precision": published.diagonal() / published.sum(axis=0), "recall": published.diagonal() / OF_EACH}
    again["F1"] = 2 / (1 / again["precision"] + 1 / again["recall"])
    assert list(printed_report) == list(again)
    off = [(name, digit) for name in again for digit in range(10)
           if abs(again[name][digit] - printed_report[name][digit]) > 0.0051]  # fmt: skip
    assert off == [("F1", 5)] and agree == 29
    # the rest of its classification report: accuracy, and the means over digits and over images
    for values, macro, weighted in zip(again.values(), (0.99, 0.99, 0.99), (0.99, 0.99, 0.99)):
        assert abs(values.mean() - macro) < 0.0051 and abs(np.average(values, weights=OF_EACH) - weighted) < 0.0051


def test_alike_errors():
    off = ~np.eye(10, dtype=bool)
    seeds = [sk.confusion_matrix(truth, read_run("lenet5-adam", seed))[off] for seed in range(5)]
    r = np.corrcoef([*seeds, published[off]])
    assert abs(with_report - stats.pearsonr(COUNTS[off], published[off]).statistic) < 1e-9 and with_report > 0.2
    assert near(sorted(among_seeds), sorted(r[i, j] for i in range(5) for j in range(i)), 1e-9)
    assert near(with_seeds, r[5, :5], 1e-9)
    assert len(among_seeds) == 10 and 0.3 < min(among_seeds) < with_report < max(among_seeds) < 0.8
    assert abs(np.mean(with_seeds) - np.mean(among_seeds)) < 0.1  # no less alike than seeds of one recipe
    assert (runs[0] == answers).mean() > 0.9999  # seed 0 is our network
    assert np.median(COUNTS[off]) <= 1 and (COUNTS[off] <= 2).mean() > 0.8  # "most of the counts are 0, 1 or 2"
    assert correlate_errors(COUNTS, COUNTS + np.diag(range(10))) > 1 - 1e-9  # the diagonal does not count


# ---- how exact ----


def test_intervals():
    by_hand = 100 * stats.binom(10_000, CORRECT.mean()).std() / 10_000
    assert abs(standard_error - by_hand) < 1e-9 and 0.05 < standard_error < 0.15
    assert near(normal_interval, accuracy + 1.96 * by_hand * np.array([-1, 1]), 1e-9)
    for hits_of, count_of in ((9_893, 10_000), (883, 892), (10, 10), (0, 5), (13, 29)):
        assert near(compute_wilson(hits_of, count_of), wilson(hits_of, count_of), 0.01)
    assert near((low, high), wilson(CORRECT.sum(), 10_000), 0.001) and count == 10_000


def test_bootstrap():
    assert len(resampled) == RESAMPLES and near(is_right, CORRECT)
    binomial = 100 * stats.binom(10_000, CORRECT.mean()).ppf([0.025, 0.975]) / 10_000
    assert abs(resampled.std() - standard_error) < 0.01 and abs(resampled.mean() - accuracy) < 0.01
    assert near((boot_low, boot_high), binomial, 0.03)
    assert near((boot_low, boot_high), np.quantile(resampled, [0.025, 0.975]), 1e-9)


# ---- recipes ----

ALL = {name: [read_run(name, seed) == truth for seed in range(5)] for name in recipes.RECIPES}


def test_table_of_recipes():
    assert list(summary.index) == list(recipes.RECIPES) and (summary.seeds >= 5).all()
    for name, reads in ALL.items():
        accuracies_of = 100 * np.mean(reads, axis=1)
        row = summary.loc[name]
        spread = accuracies_of.std(ddof=1), accuracies_of.min(), accuracies_of.max()
        assert near([row["mean"], row.sd, row["min"], row["max"]], [accuracies_of.mean(), *spread])
        assert near(right_by[name], reads)
        assert row.published == recipes.RECIPES[name].published or (
            np.isnan(row.published) and recipes.RECIPES[name].published is None)  # fmt: skip
    assert with_figure.index.tolist() == [n for n, recipe in recipes.RECIPES.items() if recipe.published]
    assert (with_figure["mean"] >= with_figure.published).all() and len(with_figure) == 5 and below == 0
    assert set(shown_columns) <= set(summary.columns)


def test_seeds_drawn():
    ax = find_axes("Five seeds of each recipe")
    means = {name: 100 * np.mean(reads) for name, reads in ALL.items()}
    order_of_means = sorted(means, key=means.get)
    assert by_mean.tolist() == order_of_means
    assert [label.get_text() for label in ax.get_yticklabels()] == order_of_means
    assert ax.get_xlabel() == "test accuracy (%)"
    for place, name in enumerate(order_of_means):
        dots, cross = [line for line in ax.lines if len(line.get_ydata()) and line.get_ydata()[0] == place]
        assert dots.get_marker() == "o" and to_hex(dots.get_color()).upper() == blue.upper()
        assert near(sorted(dots.get_xdata()), sorted(100 * np.mean(ALL[name], axis=1)))
        assert cross.get_marker() == "x" and to_hex(cross.get_color()).upper() == orange.upper()
        figure_of = recipes.RECIPES[name].published
        assert near(cross.get_xdata(), [figure_of]) if figure_of else np.isnan(cross.get_xdata()).all()
    legend = {line.get_label(): line.get_marker() for line in ax.lines if not line.get_label().startswith("_")}
    assert legend == {"one run": "o", "as published": "x"}


def mcnemar(one, other):
    first_alone, second_alone = int((one & ~other).sum()), int((~one & other).sum())
    n = first_alone + second_alone
    return min(1.0, 2 * stats.binom(n, 0.5).cdf(min(first_alone, second_alone))) if n else 1.0


def test_tests():
    assert compute_mcnemar(nine, ~nine)[:2] == (9, 1) and abs(compute_mcnemar(nine, ~nine)[2] - 0.021484) < 1e-5
    assert compute_mcnemar(nine, nine) == (0, 0, 1.0)
    sgd, adam = ALL["lenet5-sgd"][0], ALL["lenet5-adam"][0]
    assert (only_sgd, only_adam) == ((sgd & ~adam).sum(), (adam & ~sgd).sum())
    assert abs(p_of_pair - mcnemar(sgd, adam)) < 1e-9 and p_of_pair > 0.5


def test_steps():
    gaps = sorted(zip(by_mean, by_mean[1:]), key=lambda two: np.mean(ALL[two[0]]) - np.mean(ALL[two[1]]))
    assert list(zip(steps["lower mean"], steps["higher mean"])) == gaps
    for (_, found), (one, other) in zip(steps.iterrows(), gaps):
        first_five, second_five = (100 * np.mean(ALL[name], axis=1) for name in (one, other))
        p_of_seeds = stats.ttest_ind(first_five, second_five, equal_var=False).pvalue
        assert abs(found["gap (points)"] - (second_five.mean() - first_five.mean())) < 1e-9
        assert abs(found["p, over seeds"] - p_of_seeds) < 1e-6
        found_in = sum(mcnemar(x, y) < 0.05 for x, y in product(ALL[one], ALL[other]))
        assert found["McNemar p < 0.05"] == f"{found_in} of 25"
    assert (steps["p, over seeds"] < 0.05).tolist() == [True] * 4 + [False] * 2
    assert (steps["gap (points)"] <= 0.1).tolist() == [False] * 4 + [True] * 2  # "a tenth or less is not found"
    of_25 = [int(found.split()[0]) for found in steps["McNemar p < 0.05"]]
    assert of_25[0] == 25 and steps["gap (points)"].iloc[0] > 0.9
    clear, close = compare("mlp", "lenet5-adam"), compare("lenet-28", "lenet5-adam")
    assert clear["p, over seeds"] < 0.001 and clear["McNemar p < 0.05"] == "25 of 25"
    assert close["p, over seeds"] > 0.05


def test_recipes_compared():
    ax = find_axes("lenet5-1998 and lenet5-sgd, run by run")
    assert ax.get_xlabel() == "test accuracy (%)"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["lenet5-1998", "lenet5-sgd"]
    for line, name, place, colour in zip(ax.lines, ("lenet5-1998", "lenet5-sgd"), (0, 1), (blue, orange)):
        five = [100 * (read_run(name, seed) == truth).mean() for seed in range(5)]
        assert near(sorted(line.get_xdata()), sorted(five)) and set(line.get_ydata()) == {place}
        assert to_hex(line.get_color()).upper() == colour.upper()
    found = compare("lenet5-1998", "lenet5-sgd")
    assert found["p, over seeds"] > 0.5 and int(found["McNemar p < 0.05"].split()[0]) <= 3


# ---- the fives ----


def test_counts_and_batches():
    again = np.bincount(load_again(train=True).targets.numpy())
    assert (train_counts == again).all() and train_counts.argmin() == 5 and train_counts.argmax() == 1
    assert train_counts[5] == 5_421 and train_counts[1] == 6_742 and train_counts[9] == 5_949
    assert abs(fewer - (100 - 100 * 5_421 / 6_000)) < 1e-9
    assert (seen.numpy() == again).all() and len(loader) == 60_000 // 32
    one_epoch, next_epoch = (torch.cat([batch for _, batch in loader]) for _ in range(2))
    assert not torch.equal(one_epoch, next_epoch)  # shuffled anew
    assert not torch.equal(one_epoch, load_again(train=True).targets)
    assert len(next(iter(loader))[1]) == 32


def test_recalls_drawn():
    ax = find_axes("Recall of each digit, with 95 % intervals")
    assert axis_labels(ax) == ("digit, and its number of training images", "recall (%)")
    order_of_counts = np.argsort(np.bincount(load_again(train=True).targets.numpy()))
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        f"{d}\n{train_counts[d]:,}" for d in order_of_counts
    ]
    assert [c.get_label() for c in ax.containers] == ["our LeNet-5", "LENET-5 report"]
    for container, counts, colour, shift_of in zip(ax.containers, (COUNTS, published), (blue, orange), (-0.1, 0.1)):
        x_of, y_of, (lower, upper) = points_of(container)
        ends = np.array([wilson(counts[d, d], OF_EACH[d]) for d in order_of_counts])
        assert near(x_of, np.arange(10) + shift_of)
        assert near(y_of, [100 * counts[d, d] / OF_EACH[d] for d in order_of_counts])
        assert near(lower, ends[:, 0], 0.01) and near(upper, ends[:, 1], 0.01)
        assert to_hex(container[0].get_color()).upper() == colour.upper()
        widths = ends[:, 1] - ends[:, 0]
        assert widths.min() > 0.7 and widths.max() < 2.3  # "one to two points wide"


def test_fives():
    assert (per_digit < per_digit[5]).sum() == 5 and per_digit.argmin() == 9
    assert (published_recall < published_recall[5]).sum() == 5  # in the middle of the ten
    again = 100 * np.array([sk.recall_score(truth, read_run("lenet5-adam", seed), average=None) for seed in range(5)])
    assert near(recall_by_seed, again, 1e-9)
    worst = again.argmin(axis=1).tolist()
    assert 5 not in worst and worst.count(9) >= 3
    assert [(row < row[5]).sum() for row in again] == [5, 5, 2, 1, 1]  # middle, middle, third, second, second


def test_luck():
    counts = np.bincount(load_again(train=True).targets.numpy())
    rng_again = np.random.default_rng(99)
    assert list(luck) == ["LENET-5 report", *(f"ours, seed {seed}" for seed in range(5)), "mean of ours"]
    expected = [published.diagonal() / OF_EACH, *recall_by_seed, recall_by_seed.mean(axis=0)]
    for (r_found, by_luck_found, limit_found), recalls_of in zip(luck.values(), expected):
        rows_of = rng_again.permuted(np.tile(recalls_of, (2_000, 1)), axis=1)
        shuffled = np.abs(stats.zscore(rows_of, axis=1) @ stats.zscore(counts) / 10)
        assert abs(r_found - stats.pearsonr(counts, recalls_of).statistic) < 1e-9
        assert abs(by_luck_found - (shuffled >= abs(r_found) - 1e-9).mean()) < 0.05
        assert abs(limit_found - np.quantile(shuffled, 0.95)) < 0.05 and 0.5 < limit_found < 0.75
        assert (recalls_of < recalls_of[5]).sum() > 0
    r_of_mean, luck_of_mean, limit_of_mean = luck["mean of ours"]
    assert 0.3 < r_of_mean < limit_of_mean and luck_of_mean > 0.1
    assert (recall_by_seed.mean(axis=0) < recall_by_seed.mean(axis=0)[5]).sum() == 2
    assert all(luck[f"ours, seed {seed}"][0] > 0 for seed in range(5))  # "rises in all our runs"


# ---- pairs, and how sure ----


def test_pairs():
    both_ways = {(i, j): COUNTS[i, j] + COUNTS[j, i] for i in range(10) for j in range(i + 1, 10)}
    top_five = sorted(both_ways.values(), reverse=True)[:5]
    assert [both_ways[pair] for pair in pairs] == top_five and len(set(pairs)) == 5
    assert (either_way == np.triu(errors + errors.T)).all()
    assert {a, b} == set(pairs[0]) and errors[a, b] >= errors[b, a]
    assert (COUNTS[7, 2], published[7, 2]) == (7, 5)
    assert [(seed_matrix[7, 2]) for seed_matrix in of_seeds] == [
        ((truth == 7) & (read_run("lenet5-adam", seed) == 2)).sum() for seed in range(5)
    ]
    assert min(m[7, 2] for m in of_seeds) >= 4 and min(m[9, 8] for m in of_seeds) == 0 < errors[9, 8]
    before = len(plt.get_fignums())
    show_confused(0, 1)  # never happens: says so and draws nothing
    show_confused(3, 3)
    assert len(plt.get_fignums()) == before and errors[0, 1] == 0
    assert find(9, 4).tolist() == sorted_by_confidence(9, 4)[:4].tolist()


def test_confident_mistakes():
    wrong = np.flatnonzero(~CORRECT)
    assert (mistakes.numpy() == wrong[np.argsort(-sureness[wrong])]).all()
    assert np.median(sureness[CORRECT]) > np.median(sureness[~CORRECT])
    assert confidences[right].median() > confidences[~right].median()


def test_sent_to_a_person():
    ax = find_axes("The less sure digits go to a person")
    assert axis_labels(ax) == ("sent to a person (%)", "error of the rest (%)")
    curve, dot = ax.lines
    by_confidence = ~CORRECT[np.argsort(sureness)]
    for x_of, y_of in zip(curve.get_xdata(), curve.get_ydata()):
        kept_back = by_confidence[round(100 * x_of) :]
        assert abs(y_of - 100 * kept_back.mean()) < 1e-6
    assert curve.get_xdata()[-1] > 10 and curve.get_xdata()[0] == 0
    assert near(dot.get_xdata(), [100 * (sureness < 0.9).mean()])
    assert near(dot.get_ydata(), [100 * (~CORRECT[sureness >= 0.9]).mean()])
    assert dot.get_label() == "below 0.9"
    assert 0.5 <= (~CORRECT[sureness < 0.9]).sum() / (~CORRECT).sum() + 0.005 < 0.55  # half of the mistakes are gone
    halvings = [np.flatnonzero(np.cumsum(by_confidence[::-1])[::-1] <= 107 * part)[0] for part in (0.5, 0.25, 0.125)]
    assert 0 < halvings[0] < halvings[1] - halvings[0] < halvings[2] - halvings[1]  # each half costs more digits


# ---- calibration ----


def bins_again():
    ends = np.linspace(0, 1, BINS + 1)
    for k in range(BINS):
        inside = (sureness >= ends[k]) & ((sureness < ends[k + 1]) | (k == BINS - 1))
        if inside.any():
            yield f"{100 * ends[k]:.3g}-{100 * ends[k + 1]:.3g} %", inside


def test_reliability():
    assert reliability["digits"].sum() == 10_000
    again = list(bins_again())
    assert reliability["bin"].tolist() == [name for name, _ in again]
    for (_, row), (_, inside) in zip(reliability.iterrows(), again):
        assert (row["digits"], row["right"]) == (inside.sum(), CORRECT[inside].sum())
        assert abs(row["mean confidence (%)"] - 100 * sureness[inside].mean()) < 1e-3
        assert abs(row["accuracy (%)"] - 100 * CORRECT[inside].mean()) < 1e-9


def test_reliability_drawn():
    ax = find_axes("Reliability diagram (numbers: digits in the bin)")
    assert axis_labels(ax) == ("mean confidence (%)", "accuracy (%), with 95 % interval")
    x_line, y_line = find_line(ax, "calibrated")
    assert (x_line == y_line).all() and (x_line == [0, 100]).all()
    again = [inside for _, inside in bins_again()]
    (container,) = ax.containers
    assert container.get_label() == "our LeNet-5"
    x_of, y_of, (lower, upper) = points_of(container)
    ends = np.array([wilson(CORRECT[inside].sum(), inside.sum()) for inside in again])
    assert near(x_of, [100 * sureness[inside].mean() for inside in again], 1e-3)
    assert near(y_of, [100 * CORRECT[inside].mean() for inside in again])
    assert near(lower, ends[:, 0], 0.01) and near(upper, ends[:, 1], 0.01)
    assert [text.get_text() for text in ax.texts] == [f"{inside.sum():,}" for inside in again]
    assert near([text.xy for text in ax.texts], np.column_stack([x_of, y_of]))


def test_calibration():
    gaps = [abs(sureness[inside].sum() - CORRECT[inside].sum()) for _, inside in bins_again()]
    assert abs(calibration_error - 100 * sum(gaps) / 10_000) < 1e-3
    assert abs(mean_confidence - 100 * sureness.mean()) < 1e-3 and abs(over - (mean_confidence - accuracy)) < 1e-9
    assert abs(over) - 0.01 < calibration_error < 5
    assert (said > kept).sum() >= len(said) - 1
    assert 0.4 < (100 - mean_confidence) / (100 - accuracy) < 0.6
    assert list(nearly_sure) == [(0.90, 0.99), (0.985, 0.995)]
    for (from_, to), (promised, found) in nearly_sure.items():
        inside = (sureness >= from_) & (sureness < to)
        assert abs(promised - 100 * sureness[inside].mean()) < 0.01 and abs(found - 100 * CORRECT[inside].mean()) < 0.01
        assert found < promised - 2
