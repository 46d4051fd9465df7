"""Run in the kernel of notebook 09 after its last cell: its numbers and figures, worked out once more by other ways."""

from itertools import product

import numpy as np
import torch
from matplotlib.colors import to_hex
from scipy import stats
from sklearn import metrics as sk

from lenet_utils import plotting, recipes
from lenet_utils.data import load_mnist as load_again
from lenet_utils.files import find_data_root

blue, grey, orange = (to_hex(c) for c in (plotting.BLUE, plotting.GREY, plotting.ORANGE))
STORED = find_data_root() / "runs"
truth = load_again(train=False).targets.numpy()
TRAIN_COUNTS = np.bincount(load_again(train=True).targets.numpy())
OF_EACH = np.bincount(truth)


def near(a, b, atol=1e-4):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=atol)


def read_run(name, seed):
    return np.load(STORED / f"{name}-{seed}" / "predictions.npy")


ALL = {name: np.array([read_run(name, seed) == truth for seed in range(5)]) for name in recipes.RECIPES}
FIVE = {name: 100 * reads.mean(axis=1) for name, reads in ALL.items()}
OURS = [sk.confusion_matrix(truth, read_run("lenet5-adam", seed)) for seed in range(5)]
REPORT = np.loadtxt(find_data_root() / "report_matrix.csv", delimiter=",")
OFF = ~np.eye(10, dtype=bool)


def wilson(hits_of_it, count_of):
    low_end, high_end = stats.binomtest(int(hits_of_it), int(count_of)).proportion_ci(0.95, method="wilson")
    return 100 * low_end, 100 * high_end


def error_of(share, images):
    return 100 * stats.binom(images, share).std() / images


def bars_of(ax):
    """Middle, height and colour of each bar, from left to right."""
    found = [(bar.get_x() + bar.get_width() / 2, bar.get_height(), to_hex(bar.get_facecolor())) for bar in ax.patches]
    return [bar for bar in sorted(found) if bar[1]]


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def points_of(container):
    """x, y, and both ends of the vertical bars of an error bar container."""
    line, _, (bars,) = container
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    return line.get_xdata(), line.get_ydata(), ends.T


# ---- one accuracy is one draw ----


def test_drawn_test_sets():
    again = draw_test_sets(0.99, 10_000)
    assert near(again, drawn) and len(again) == SETS
    assert abs(again.mean() - 99) < 0.02 and abs(again.std() - error_of(0.99, 10_000)) < 0.01
    assert near(again * 100, np.round(again * 100), 1e-6)  # whole digits
    assert stats.kstest(again + 1e-9, lambda a: stats.binom(10_000, 0.99).cdf(100 * np.asarray(a))).statistic < 0.08
    assert abs(draw_test_sets(0.5, 100).std() - 5) < 0.4
    assert drawn.max() - drawn.min() > 0.5  # "a range of more than half a point"


def test_draws_drawn():
    for images, sd_of in ((10_000, "0.10"), (1_000, "0.32")):
        ax = find_axes(f"Tests on {images:,} digits scatter by {sd_of} points (standard deviation)")
        assert axis_labels(ax) == ("accuracy (%)", "test sets")
        again = draw_test_sets(0.99, images)
        middle, scatter = again.mean(), np.std(again)
        assert f"{scatter:.2f}" == sd_of
        values, counts = np.unique(again, return_counts=True)
        bars = bars_of(ax)
        assert near([x for x, _, _ in bars], values) and [h for _, h, _ in bars] == counts.tolist()
        distance = np.abs(values - middle) / scatter
        expected = np.select([distance <= 1, distance <= 2], [blue, to_hex("skyblue")], to_hex("silver"))
        assert [colour for *_, colour in bars] == expected.tolist()
        x_of, _ = find_line(ax, f"mean, {middle:.2f} %")
        assert near(x_of, [middle] * 2)
        shares = [100 * np.mean((z > low_end) & (z <= high_end)) for low_end, high_end in ((-1, 1), (1, 2), (2, 99))
                  for z in [np.abs(again - middle) / scatter]]  # fmt: skip
        names = ("up to one standard deviation", "one to two of them", "farther away")
        assert legend_of(ax)[1:] == [f"{name}: {share:.0f} %" for name, share in zip(names, shares)]
        assert abs(shares[0] - 68) < 8 and abs(shares[0] + shares[1] - 95) < 2  # what the text says of it


def test_standard_errors():
    assert sizes.tolist() == [100, 1_000, 10_000, 100_000]
    assert near(by_formula, [error_of(0.99, images) for images in sizes], 1e-9)
    for share_of, images in ((0.9, 50), (0.5, 4)):
        assert abs(compute_standard_error(share_of, images) - error_of(share_of, images)) < 1e-9
    assert near(by_drawing, [draw_test_sets(0.99, images).std() for images in sizes], 1e-9)
    ax = find_axes("A hundred times the digits, a tenth of the error")
    assert axis_labels(ax) == ("digits in the test set", "standard error (points)")
    assert ax.get_xscale() == ax.get_yscale() == "log"
    x_line, y_line = find_line(ax, "by the formula")
    x_dots, y_dots = find_line(ax, f"by drawing {SETS:,} test sets")
    assert near(x_line, sizes) and near(x_dots, sizes) and near(y_line, by_formula, 1e-9) and near(y_dots, by_drawing)
    assert [text.get_text() for text in ax.texts] == ["0.99", "0.31", "0.099", "0.031"]
    assert near([text.xy for text in ax.texts], np.column_stack([sizes, by_formula]))


def test_coverage():
    ends = [stats.norm(a / 100, error_of(a / 100, 10_000) / 100).interval(0.95) for a in drawn]
    assert abs(covered - 100 * np.mean([low_end <= 0.99 <= high_end for low_end, high_end in ends])) < 0.2
    assert 92 < covered < 97


def test_intervals():
    assert (right == ALL["lenet5-adam"][0]).all() and (runs == [read_run("lenet5-adam", s) for s in range(5)]).all()
    assert abs(accuracy - FIVE["lenet5-adam"][0]) < 1e-9 and abs(error - error_of(right.mean(), 10_000)) < 1e-9
    for hits_of_it, count_of in ((9_893, 10_000), (883, 892), (10, 10), (0, 5), (13, 29)):
        assert near(compute_wilson(hits_of_it, count_of), wilson(hits_of_it, count_of), 0.01)
    assert near((low, high), wilson(right.sum(), 10_000), 0.001)
    text = print_again("Wilson's:  ")
    ends = 100 * np.array(stats.norm(right.mean(), error / 100).interval(0.95))
    assert f"95 % interval: {ends[0]:.2f} to {ends[1]:.2f} %" in text
    assert "Wilson's:      {:.2f} to {:.2f} %".format(*wilson(right.sum(), 10_000)) in text


def test_bootstrap():
    assert len(resampled) == SETS
    binomial = 100 * stats.binom(10_000, right.mean()).ppf([0.025, 0.975]) / 10_000
    assert abs(resampled.std() - error) < 0.01 and abs(resampled.mean() - accuracy) < 0.01
    assert near((boot_low, boot_high), binomial, 0.03)
    assert near((boot_low, boot_high), np.quantile(resampled, [0.025, 0.975]), 1e-9)
    ax = find_axes(f"Our {accuracy:.2f} % might as well be {boot_low:.2f} or {boot_high:.2f} %")
    assert axis_labels(ax) == ("accuracy (%)", "test sets")
    values, counts = np.unique(resampled, return_counts=True)
    assert near([x for x, _, _ in bars_of(ax)], values) and [h for _, h, _ in bars_of(ax)] == counts.tolist()
    ends = [line.get_xdata()[0] for line in ax.lines]
    assert near(ends, [*wilson(right.sum(), 10_000), boot_low, boot_high], 0.001)
    assert legend_of(ax) == ["Wilson's interval", "95 of 100 resampled test sets", "resampled test sets"]


def test_published_intervals():
    ax = find_axes("Seven digits between the two, and intervals more than 40 digits wide")
    assert ax.get_xlabel() == "accuracy (%)"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["slides", "report"]
    for row, hits_of_it in enumerate((9_873, 9_880)):
        interval, dot = ax.lines[2 * row : 2 * row + 2]
        assert near(interval.get_xdata(), wilson(hits_of_it, 10_000), 0.001) and set(interval.get_ydata()) == {row}
        assert near(dot.get_xdata(), [hits_of_it / 100]) and near(dot.get_ydata(), [row])
        assert np.ptp(wilson(hits_of_it, 10_000)) * 100 > 40
    assert hits_of == {"slides": 100 * recipes.RECIPES["lenet5-adam"].published,
                       "report": 100 * recipes.RECIPES["lenet5-sgd"].published}  # fmt: skip


# ---- recipes ----


def test_table_of_recipes():
    assert list(summary.index) == list(recipes.RECIPES) and (summary.seeds == 5).all()
    for name, five in FIVE.items():
        row = summary.loc[name]
        assert near([row["mean"], row.sd, row["min"], row["max"]],
                    [five.mean(), five.std(ddof=1), five.min(), five.max()])  # fmt: skip
        assert abs(row["standard error"] - error_of(five.mean() / 100, 10_000)) < 1e-6
        assert near(right_by[name], ALL[name])
        assert row.published == recipes.RECIPES[name].published or (
            np.isnan(row.published) and recipes.RECIPES[name].published is None)  # fmt: skip
    assert with_figure.index.tolist() == [n for n, recipe in recipes.RECIPES.items() if recipe.published]
    assert reached == len(with_figure) == 5
    above = summary.index[summary.sd > 1.2 * summary["standard error"]]
    assert above.tolist() == ["convnet-sigmoid"]  # "for all but convnet-sigmoid"


def test_seeds_drawn():
    ax = find_axes(f"Seeds alone scatter by {summary.sd.min():.2f} to {summary.sd.max():.2f} points")
    order_of_means = sorted(FIVE, key=lambda name: FIVE[name].mean())
    assert by_mean.tolist() == order_of_means
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        f"{name} ({type(recipes.RECIPES[name].build_model()).__name__})" for name in order_of_means
    ]
    assert ax.get_xlabel() == "test accuracy (%)"
    for place, name in enumerate(order_of_means):
        dots, cross = [line for line in ax.lines if len(line.get_ydata()) and line.get_ydata()[0] == place]
        assert dots.get_marker() == "o" and to_hex(dots.get_color()) == blue
        assert near(sorted(dots.get_xdata()), sorted(FIVE[name]))
        assert cross.get_marker() == "x" and to_hex(cross.get_color()) == orange
        figure_of = recipes.RECIPES[name].published
        assert near(cross.get_xdata(), [figure_of]) if figure_of else np.isnan(cross.get_xdata()).all()
    legend = {line.get_label(): line.get_marker() for line in ax.lines if not line.get_label().startswith("_")}
    assert legend == {"one run": "o", "as published": "x"}


def assert_chance(ax, by_chance_of, real_of):
    """Grey bars for what is smaller than measured, orange ones for the rest: as many as there are."""
    large = np.abs(by_chance_of) >= abs(real_of) - 1e-9
    heights = {colour: sum(h for _, h, c in bars_of(ax) if c == colour) for colour in (to_hex("silver"), orange)}
    assert heights == {to_hex("silver"): (~large).sum(), orange: large.sum()}
    edges = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches
             if to_hex(bar.get_facecolor()) == orange and bar.get_height()]  # fmt: skip
    assert all(max(abs(a), abs(b)) >= abs(real_of) - 1e-9 for a, b in edges)
    x_of, _ = find_line(ax, f"measured, {real_of:+.2f}")
    assert near(x_of, [real_of] * 2) and legend_of(ax) == [
        "by chance",
        "at least as large",
        f"measured, {real_of:+.2f}",
    ]
    assert ax.get_title().endswith(f"in {100 * large.mean():.1f} of 100 cases: p = {large.mean():.3f}")
    return large.mean()


def test_shuffled_seeds():
    for (one, other), p_of in ((("lenet-28", "lenet5-adam"), 0.27), (("lenet5-adam", "lenet5-sgd"), 0.032)):
        both_fives = np.concatenate([FIVE[one], FIVE[other]])
        gaps_of = []
        for bits in product((False, True), repeat=10):  # another way to all ways
            if sum(bits) == 5:
                gaps_of.append(both_fives[np.array(bits)].mean() - both_fives[~np.array(bits)].mean())
        real_of = FIVE[other].mean() - FIVE[one].mean()
        (ax,) = [ax for figure in SHOWN for ax in figure.axes
                 if ax.get_xlabel() == f"mean of {other} - mean of {one} (points)"]  # fmt: skip
        assert ax.get_ylabel() == "ways to deal out" and len(gaps_of) == 252
        p_found = assert_chance(ax, np.array(gaps_of), real_of)
        exact = stats.permutation_test((FIVE[one], FIVE[other]), lambda a, b: abs(b.mean() - a.mean()),
                                       alternative="greater")  # fmt: skip
        assert abs(p_found - exact.pvalue) < 1e-9 and abs(p_found - p_of) < 0.0005
    text = print_again('shuffle_seeds("lenet5-adam", "lenet5-sgd")')
    assert (
        text == f"8 of 252 ways: a gap of {FIVE['lenet5-sgd'].mean() - FIVE['lenet5-adam'].mean():.3f} points or more\n"
    )
    text = print_again(
        'shuffle_seeds("lenet5-adam", "lenet5-sgd")', shuffle_seeds=lambda *_: shuffle_seeds("mlp", "cnn3x3")
    )
    assert text.startswith("2 of 252 ways: ")  # the smallest share there is, as the text says
    assert abs(2 / 252 - 0.008) < 0.0005


def mcnemar(one, other):
    first_alone, second_alone = int((one & ~other).sum()), int((~one & other).sum())
    n = first_alone + second_alone
    return min(1.0, 2 * stats.binom(n, 0.5).cdf(min(first_alone, second_alone))) if n else 1.0


def test_tosses():
    assert compute_mcnemar(nine, ~nine)[:2] == (9, 1) and abs(p_of_nine - 0.021484) < 1e-5
    assert compute_mcnemar(nine, nine) == (0, 0, 1.0)
    sgd, adam = ALL["lenet5-sgd"][0], ALL["lenet5-adam"][0]
    assert (only_sgd, only_adam) == ((sgd & ~adam).sum(), (adam & ~sgd).sum())
    assert abs(p_of_pair - mcnemar(sgd, adam)) < 1e-9 and p_of_pair > 0.5
    ax = find_axes("Nine or more on the same side (orange): p = 0.021")
    assert axis_labels(ax) == ("heads in ten tosses", "chance (%)")
    rows_of_tosses = np.array(list(product((0, 1), repeat=10))).sum(axis=1)
    counts = np.bincount(rows_of_tosses) / 1_024
    bars = bars_of(ax)
    assert near([x for x, _, _ in bars], range(11)) and near([h for _, h, _ in bars], 100 * counts)
    assert [colour for *_, colour in bars] == [orange] * 2 + [grey] * 7 + [orange] * 2
    assert abs(counts[[0, 1, 9, 10]].sum() - p_of_nine) < 1e-9


def test_steps():
    gaps = sorted(zip(by_mean, by_mean[1:]), key=lambda two: FIVE[two[0]].mean() - FIVE[two[1]].mean())
    assert list(zip(steps["lower mean"], steps["higher mean"])) == gaps
    for (_, row), (one, other) in zip(steps.iterrows(), gaps):
        p_of_seeds = stats.ttest_ind(FIVE[one], FIVE[other], equal_var=False).pvalue
        assert abs(row["gap (points)"] - (FIVE[other].mean() - FIVE[one].mean())) < 1e-9
        assert abs(row["p over seeds"] - p_of_seeds) < 1e-6
        found_in = sum(mcnemar(x, y) < 0.05 for x, y in product(ALL[one], ALL[other]))
        assert row["McNemar p < 0.05"] == f"{found_in} of 25"
    assert (steps["p over seeds"] < 0.05).tolist() == [True] * 4 + [False] * 2
    assert (steps["gap (points)"] <= 0.1).tolist() == [False] * 4 + [True] * 2  # "a tenth or less are not found"
    of_25 = [int(found.split()[0]) for found in steps["McNemar p < 0.05"]]
    assert of_25[0] == 25 and steps["gap (points)"].iloc[0] > 0.9
    assert all(0 < n < 25 for n in of_25[1:4])  # "with some pairs of runs and not with others"
    assert abs(by_chance - 100 * stats.binom(6, 0.05).sf(0)) < 1e-9
    clear = compare("mlp", "lenet5-adam")
    assert clear["p over seeds"] < 0.001 and clear["McNemar p < 0.05"] == "25 of 25"


def test_recipes_compared():
    (ax,) = [ax for figure in SHOWN for ax in figure.axes
             if [label.get_text() for label in ax.get_yticklabels()] == ["lenet5-1998", "lenet5-sgd"]]  # fmt: skip
    fives = [
        [100 * (read_run(name, seed) == truth).mean() for seed in range(5)] for name in ("lenet5-1998", "lenet5-sgd")
    ]
    p_of = stats.ttest_ind(*fives, equal_var=False).pvalue
    assert (
        ax.get_title() == f"Welch's test finds no difference: p = {p_of:.2g}" and ax.get_xlabel() == "test accuracy (%)"
    )
    for line, five, place, colour in zip(ax.lines, fives, (0, 1), (blue, orange), strict=True):
        assert near(sorted(line.get_xdata()), sorted(five)) and set(line.get_ydata()) == {place}
        assert to_hex(line.get_color()) == colour
    assert [line.get_marker() for line in ax.lines] == ["o", "s"]
    found = compare("lenet5-1998", "lenet5-sgd")
    assert found["p over seeds"] > 0.5 and int(found["McNemar p < 0.05"].split()[0]) <= 3
    text = print_again('compare_recipes("lenet5-1998", "lenet5-sgd")')
    assert text.startswith("lenet5-1998 and lenet5-sgd:\n")
    assert f"the mean of lenet5-sgd is {np.mean(fives[1]) - np.mean(fives[0]):+.2f} points from" in text
    assert f"McNemar p < 0.05 in {found['McNemar p < 0.05']} pairs" in text
    compare_recipes("mlp", "cnn3x3")
    assert plt.gca().get_title().startswith("Welch's test finds a difference: p = ")
    plt.close()


# ---- alike errors ----


def test_alike_errors():
    assert (published == REPORT).all() and REPORT.trace() == 9_880
    assert all((a == b).all() for a, b in zip(of_seeds, OURS, strict=True))
    r_of = np.corrcoef([m[OFF] for m in (*OURS, REPORT)])
    assert abs(with_report - stats.pearsonr(OURS[0][OFF], REPORT[OFF]).statistic) < 1e-9
    assert near(sorted(among_seeds), sorted(r_of[i, j] for i in range(5) for j in range(i)), 1e-9)
    assert near(with_seeds, r_of[5, :5], 1e-9)
    assert len(among_seeds) == 10 and 0.3 < min(among_seeds) < with_report < max(among_seeds) < 0.8
    assert abs(np.mean(with_seeds) - np.mean(among_seeds)) < 0.1  # no less alike than seeds of one recipe
    assert np.median(OURS[0][OFF]) <= 1 and (OURS[0][OFF] <= 2).mean() > 0.8  # "most of the counts are 0, 1 or 2"
    assert correlate_errors(OURS[0], OURS[0] + np.diag(range(10))) > 1 - 1e-9  # the diagonal does not count


def test_alike_errors_drawn():
    ax = find_axes("Two seeds of one recipe are no more alike than two recipes")
    assert ax.get_xlabel() == "correlation of the errors" and ax.get_xlim() == (0, 1)
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "two seeds of our recipe", "the report and one of our seeds"
    ]  # fmt: skip
    for row, (line, values, marker) in enumerate(zip(ax.lines, (among_seeds, with_seeds), "os", strict=True)):
        assert near(line.get_xdata(), values) and set(line.get_ydata()) == {row} and line.get_marker() == marker


# ---- the fives ----


def test_counts_and_batches():
    assert (train_counts == TRAIN_COUNTS).all() and train_counts.argmin() == 5 and train_counts.argmax() == 1
    assert train_counts[5] == 5_421 and train_counts[1] == 6_742 and train_counts[9] == 5_949
    assert abs(fewer - (100 - 100 * 5_421 / 6_000)) < 1e-9
    assert (seen.numpy() == TRAIN_COUNTS).all() and len(loader) == 60_000 // 32
    one_epoch, next_epoch = (torch.cat([batch for _, batch in loader]) for _ in range(2))
    assert not torch.equal(one_epoch, next_epoch)  # shuffled anew
    assert not torch.equal(one_epoch, load_again(train=True).targets)
    assert len(next(iter(loader))[1]) == 32
    assert (OF_EACH.argmax(), OF_EACH.argmin()) == (1, 5)  # the test set, too
    for m in (OURS[0], REPORT):
        assert (m.diagonal().argmax(), m.diagonal().argmin()) == (1, 5)


def test_recalls_drawn():
    ax = find_axes("The rarest digit, the 5, is not the one that is read worst")
    assert axis_labels(ax) == ("digit, and its number of training images", "recall (%)")
    order_of_counts = np.argsort(TRAIN_COUNTS)
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        f"{d}\n{TRAIN_COUNTS[d]:,}" for d in order_of_counts
    ]
    assert legend_of(ax) == ["our LeNet-5", "LENET-5 report"]
    for container, counts, colour, shift_of in zip(ax.containers, (OURS[0], REPORT), (blue, orange), (-0.1, 0.1)):
        x_of, y_of, (lower, upper) = points_of(container)
        ends = np.array([wilson(counts[d, d], OF_EACH[d]) for d in order_of_counts])
        assert near(x_of, np.arange(10) + shift_of)
        assert near(y_of, [100 * counts[d, d] / OF_EACH[d] for d in order_of_counts])
        assert near(lower, ends[:, 0], 0.01) and near(upper, ends[:, 1], 0.01)
        assert to_hex(container[0].get_color()) == colour
        widths = ends[:, 1] - ends[:, 0]
        assert widths.min() > 0.7 and widths.max() < 2.3  # "one to two points wide"
    text = print_again("by_count = ")
    for name, counts in (("our LeNet-5", OURS[0]), ("LENET-5 report", REPORT)):
        recalls_of = counts.diagonal() / OF_EACH
        assert (f"{name}: {(recalls_of < recalls_of[5]).sum()} digits are read worse than the fives; "
                f"worst: {recalls_of.argmin()}, best: {recalls_of.argmax()}") in text  # fmt: skip
        assert (recalls_of < recalls_of[5]).sum() == 5 and recalls_of.argmin() == 9


def test_fives():
    again = 100 * np.array([m.diagonal() / m.sum(axis=1) for m in OURS])
    assert near(recall_by_seed, again, 1e-9)
    worst = again.argmin(axis=1).tolist()
    assert 5 not in worst and worst.count(9) >= 3
    assert [(row < row[5]).sum() for row in again] == [5, 5, 2, 1, 1]  # middle, middle, third, second, second
    lines = print_again("for seed, recalls in enumerate").splitlines()
    for seed, (line, row) in enumerate(zip(lines, again)):
        assert line == (f"seed {seed}: fives {row[5]:.2f} %, worse digits: {(row < row[5]).sum()}; worst: "
                        f"{row.argmin()} ({row.min():.2f} %), best: {row.argmax()} ({row.max():.2f} %)")  # fmt: skip


def test_luck():
    mean_recalls = np.mean([m.diagonal() / m.sum(axis=1) for m in OURS], axis=0)
    assert near(recalls, 100 * mean_recalls, 1e-9) and len(by_luck) == SHUFFLES
    assert abs(r - stats.pearsonr(TRAIN_COUNTS, mean_recalls).statistic) < 1e-9 and 0.3 < r < 0.6
    rows_of = np.random.default_rng(99).permuted(np.tile(mean_recalls, (5_000, 1)), axis=1)
    shuffled = np.abs(stats.zscore(rows_of, axis=1) @ stats.zscore(TRAIN_COUNTS) / 10)
    assert abs(p_of_r - (shuffled >= r - 1e-9).mean()) < 0.03 and 0.1 < p_of_r < 0.2  # "about once in seven"
    (ax,) = [ax for figure in SHOWN for ax in figure.axes
             if axis_labels(ax) == ("correlation of recall and number of images", "shuffles")]  # fmt: skip
    assert abs(assert_chance(ax, by_luck, r) - p_of_r) < 1e-9
    assert (mean_recalls < mean_recalls[5]).sum() == 2
    per_seed = [stats.pearsonr(TRAIN_COUNTS, m.diagonal() / m.sum(axis=1)).statistic for m in OURS]
    assert min(per_seed) > 0  # "rises with the counts"
