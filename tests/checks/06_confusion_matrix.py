"""Run in the kernel of notebook 06 after its last cell: its numbers and figures, worked out once more by other ways."""

import contextlib
import io
import json
import re
from itertools import product
from zlib import crc32

import numpy as np
import torch
import torch.nn.functional as functional
from matplotlib.colors import to_hex
from sklearn import metrics as sk

from lenet_utils import checkpoints, evaluation, plotting, recipes
from lenet_utils.data import load_mnist as load_again
from lenet_utils.data import make_loader as load_batches
from lenet_utils.data import prepare_images as prepare_again
from lenet_utils.data import split_train_validation as split_again
from lenet_utils.files import find_data_root
from lenet_utils.models import LeNet5 as NewNetwork

blue, green, grey, orange = (to_hex(c) for c in (plotting.BLUE, plotting.GREEN, plotting.GREY, plotting.ORANGE))
DIGITS, RUNS = load_again(train=False), find_data_root() / "runs"
PIXELS, truth = DIGITS.data.numpy(), DIGITS.targets.numpy()
kept_model, kept_inputs = checkpoints.load_checkpoint(find_data_root() / "checkpoints" / "lenet5.pt")
with torch.no_grad():
    LOGITS = torch.cat([kept_model(part) for part in prepare_again(DIGITS.data, **kept_inputs).split(500)]).double()
PROBABILITIES = (LOGITS - LOGITS.logsumexp(dim=1, keepdim=True)).exp().numpy()
answers, sureness = PROBABILITIES.argmax(axis=1), PROBABILITIES.max(axis=1)
CORRECT = answers == truth
MISREAD = np.flatnonzero(~CORRECT)
COUNTS = sk.confusion_matrix(truth, answers)
OF_EACH = np.array([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
SEEDS = np.stack([np.load(RUNS / f"lenet5-adam-{seed}" / "predictions.npy") for seed in range(5)])


def near(a, b, atol=1e-4):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=atol)


def grid(title):
    """What a figure of digits shows: (place in the test set, caption, colour of the caption) of each, and the rows."""
    figure = find_figure(title)
    found, rows_of = [], set()
    for ax in figure.axes:
        if ax.images:
            (place,) = np.flatnonzero((images_of(ax)[0] == PIXELS).all(axis=(1, 2)))
            found.append((int(place), ax.get_title(), to_hex(ax.title.get_color())))
            rows_of.add(ax.get_subplotspec().rowspan.start)
    assert figure.get_suptitle() == title
    return found, len(rows_of)


def mark(i):
    return "✓" if CORRECT[i] else "✗"


def assert_captions(found, say):
    for i, caption, colour in found:
        assert caption == say(i), (caption, say(i))
        assert colour == (green if CORRECT[i] else orange)


def heat(ax):
    """What a heat map shows: values, the numbers written, its two ends of colour."""
    (mesh,) = ax.collections
    values = np.asarray(mesh.get_array(), dtype=float).reshape(10, 10)
    written = np.full((10, 10), "", dtype=object)
    for text in ax.texts:
        x, y = text.get_position()
        written[int(y), int(x)] = text.get_text()
        assert text.get_size() >= 9
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
    assert [to_hex(bar.get_facecolor()) for bar in right_side.patches] == [
        blue if digit == answers[i] else grey for digit in range(10)
    ]
    assert right_side.get_title().startswith(f"read as {answers[i]}, ")
    assert axis_labels(right_side) == ("probability (%)", "digit")
    assert figure.get_suptitle() == f"Number {i}: {(PROBABILITIES[i] > 0.01).sum()} of the ten digits above 1 %"


def off_diagonal(counts):
    return counts * (1 - np.eye(10, dtype=int))


# ---- one image, all images ----


def test_the_network_and_its_images():
    assert type(model).__name__ == "LeNet5" and not model.training
    assert inputs == kept_inputs == recipes.RECIPES["lenet5-adam"].inputs
    assert torch.equal(test_images, prepare_again(DIGITS.data, **kept_inputs))
    assert torch.equal(test_labels, DIGITS.targets) and len(test_set) == 10_000
    assert (np.bincount(truth) == OF_EACH).all()
    assert all(torch.equal(a.cpu(), b) for a, b in zip(model.parameters(), kept_model.parameters()))


def test_one_image():
    for i in (*range(25), *MISREAD[:15]):
        assert predict_image(test_images[i], model) == answers[i]


def test_all_images():
    assert near(logits, LOGITS, 1e-3) and (predictions.numpy() == answers).all() and (right.numpy() == CORRECT).all()
    assert abs(accuracy - 100 * sk.accuracy_score(truth, answers)) < 1e-9 and 98.0 < accuracy < 99.3
    assert (np.sort(mistakes) == MISREAD).all()


def test_digits_drawn_by_lot():
    found, rows_of = grid(f"Seven of 10,000 digits, and 14 of the {len(MISREAD)} mistakes")
    places_of = [i for i, _, _ in found]
    assert len(found) == len(set(places_of)) == 21 and rows_of == 3
    assert set(places_of[7:]) <= set(MISREAD) and CORRECT[places_of[:7]].sum() >= 5
    assert all(
        part != sorted(part) and max(part) > 3_000 for part in (places_of[:7], places_of[7:])
    )  # not the first ones
    assert_captions(found, lambda i: f"{mark(i)} Pred {answers[i]}\nTrue {truth[i]}")
    assert show([], [], "nothing") is None  # says so, and draws nothing


# ---- how sure ----


def test_confidences():
    assert near(probabilities, PROBABILITIES, 1e-5) and near(confidences, sureness, 1e-5)
    assert (digits.numpy() == answers).all() and torch.equal(digits, predictions) and confidences.min() > 0.1
    package_digits, package_confidences = evaluation.predict_with_confidence(kept_model, test_images)
    assert torch.equal(package_digits, digits) and torch.allclose(package_confidences, confidences)
    assert (rounds_to_100.numpy() == (sureness >= 0.995)).mean() > 0.9999 and rounds_to_100.float().mean() > 0.8
    assert confidences[sure] > 0.999 and confidences[unsure] < 0.6
    assert sure == sureness.argmax() or sureness[sure] > 0.999999
    assert unsure == sureness.argmin()


def test_probabilities_drawn():
    bars = [figure for figure in SHOWN if any("true digit: " in ax.get_title() for ax in figure.axes)]
    assert len(bars) == 3
    for figure, i in zip(bars, (sure, unsure, 18)):
        assert_bars(figure, i)
    assert (PROBABILITIES[sure] > 0.01).sum() == 1 and (PROBABILITIES[unsure] > 0.01).sum() > 3  # one bar, several
    assert CORRECT[18] and truth[18] == 3 and PROBABILITIES[18].argsort()[-2] == 8  # what the text says of it
    before = len(plt.get_fignums())
    ask(4_000)
    assert len(plt.get_fignums()) == before + 1
    assert_bars(plt.gcf(), 4_000)
    plt.close()


def least_sure(digit, count):
    places_of = np.flatnonzero(CORRECT & (truth == digit))
    return places_of[np.argsort(sureness[places_of])][:count]


def test_unsure_but_right():
    ranked = PROBABILITIES.argsort(axis=1)
    found, rows_of = grid("Right, but only just: answer and second guess")
    assert [i for i, _, _ in found] == [i for digit in (5, 3, 4) for i in least_sure(digit, 7)] and rows_of == 3
    for i, caption, colour in found:
        parts = caption.replace("✓ ", "").replace("\nor ", ", ").replace(" %", "").split(", ")
        assert [int(part) for part in parts[::2]] == [ranked[i, -1], ranked[i, -2]] and caption.startswith("✓")
        assert near([float(part) for part in parts[1::2]], 100 * PROBABILITIES[i, ranked[i, :-3:-1]], 0.51)
        assert colour == green
    assert 18 in least_sure(3, 1) and ranked[18, -2] == 8  # "the digit 18 from above"
    followers = {d: np.bincount(ranked[least_sure(d, 50), -2], minlength=10) for d in (5, 3, 4)}
    assert [counts_of.argmax() for counts_of in followers.values()] == [3, 5, 9]
    assert all(counts_of.max() > 25 for counts_of in followers.values())  # "mostly"
    assert followers[3][8] <= 5  # the eight is an exception
    lines = print_again("second = probabilities.topk(2)").splitlines()
    for line, (digit, counts_of) in zip(lines, followers.items(), strict=True):
        assert line.startswith(f"second guess of the 50 least sure of the {digit}s: the {counts_of.argmax()} ")
        said_counts = [tuple(map(int, part.split()[1:3])) for part in line.split(": ")[1].split(", ")]
        assert all(counts_of[d] == n for d, n in said_counts) and len(said_counts) == 4
        assert [n for _, n in said_counts] == sorted(counts_of, reverse=True)[:4]


# ---- matrix, recall, precision ----


def test_digit_by_digit():
    recalls_again = 100 * sk.recall_score(truth, answers, average=None)
    assert (totals == OF_EACH).all() and (hits == COUNTS.diagonal()).all() and near(per_digit, recalls_again, 1e-9)
    assert near(per_digit, evaluation.compute_per_digit_accuracy(test_labels, predictions), 1e-9)


def test_table_of_digits():
    (source,) = (source for source in CELL_SOURCES if "per_digit = 100" in source)
    assert source.rstrip().endswith('pd.DataFrame(table).rename_axis("digit")')
    for_digits = {"images": OF_EACH, "right": COUNTS.diagonal(), "accuracy (%)": 100 * COUNTS.diagonal() / OF_EACH}
    from_source = {}
    exec(source.replace("pd.DataFrame(table)", "kept = pd.DataFrame(table)"), globals(), from_source)
    assert from_source["kept"].index.name == "digit" and list(from_source["kept"]) == list(for_digits)
    assert all(near(from_source["kept"][name], values, 0.0051) for name, values in for_digits.items())


def test_confusion_matrix():
    assert (toy == sk.confusion_matrix([0, 0, 1, 1, 1, 2], [0, 1, 1, 1, 2, 2])).all()
    for counted in (matrix, by_sklearn, by_package):
        assert (counted == COUNTS).all()
    assert matrix.trace() == CORRECT.sum() and (matrix.sum(axis=1) == OF_EACH).all()
    assert (errors == off_diagonal(COUNTS)).all() and errors.sum() == len(MISREAD)
    pairs_of = [(i, j) for i, j in product(range(10), repeat=2) if i != j and COUNTS[i, j] == errors.max()]
    assert [tuple(pair) for pair in most_often] == pairs_of
    assert names == ", ".join(f"{i} as {j}" for i, j in pairs_of)


def test_matrix_drawn():
    ax = find_axes("The most frequent mistakes")
    assert ax.get_title() == f"The most frequent mistakes, {errors.max()} times each: {names}"
    values, written, (_, most_of) = heat(ax)
    assert (values == COUNTS).all() and most_of == errors.max()  # the errors choose the colours
    assert (written == COUNTS.astype(str)).all()
    assert [(box.get_y(), box.get_x()) for box in ax.patches] == [tuple(pair) for pair in most_often]
    assert all((box.get_width(), box.get_height()) == (1, 1) and not box.get_fill() for box in ax.patches)


def test_precision_recall_f1():
    precisions, recalls_again, f1s, support = sk.precision_recall_fscore_support(truth, answers)
    assert near(compute_recall(matrix), recalls_again, 1e-9) and near(compute_precision(matrix), precisions, 1e-9)
    assert near(compute_recall(matrix.T), precisions, 1e-9) and near(compute_precision(matrix.T), recalls_again, 1e-9)
    assert near([precision_of_9, recall_of_9, f1_of_9], [precisions[9], recalls_again[9], f1s[9]], 1e-9)
    text = print_again("f1_of_9 = ")
    assert text.startswith(f"{support[9]} nines; {(answers == 9).sum()} digits called a nine, {COUNTS[9, 9]} of them")
    assert sk.classification_report(truth, answers, digits=4).splitlines()[2] in text


# ---- the first epoch ----


def begin_again(batches):
    """The first batches once more, by other functions: a matrix after each number of batches in LOOKS."""
    digits_of = load_again(train=True)
    kept, held_out = split_again(digits_of.targets)
    seen = np.random.default_rng(SEED).permutation(held_out)[:2_000]
    to_learn, to_read = (prepare_again(digits_of.data[part], **kept_inputs) for part in (kept, seen))
    torch.manual_seed(SEED)
    net = NewNetwork()
    adam = torch.optim.Adam(net.parameters(), lr=0.0005)

    def count():
        with torch.no_grad():
            read_as = torch.cat([net(part) for part in to_read.split(500)]).argmax(dim=1)
        return sk.confusion_matrix(digits_of.targets[seen], read_as, labels=range(10))

    counts = [count()]
    for number, (pictures, answers_of) in enumerate(load_batches(to_learn, digits_of.targets[kept], 32, True, SEED), 1):
        adam.zero_grad()
        (-functional.log_softmax(net(pictures), dim=1)[range(len(answers_of)), answers_of].mean()).backward()
        adam.step()
        if number in (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96):
            counts.append(count())
        if number == batches:
            return np.stack(counts)


def test_the_first_epoch():
    again = begin_again(96)
    shared = min(len(again), len(LOOKS))
    assert LOOKS[:shared] == [0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96][:shared] and shared >= 8
    assert sorted(set(LOOKS)) == LOOKS and LOOKS[-1] == (24 if is_fast() else -(-55_000 // 32))
    assert matrices.shape == (len(LOOKS), 10, 10) and (matrices.sum(axis=(1, 2)) == 2_000).all()
    assert all(np.abs(ours - counts).sum() <= 60 for ours, counts in zip(matrices, again))  # rounding grows
    assert np.abs(matrices[0] - again[0]).sum() <= 2
    assert not set(watched.tolist()) & set(split_again(train_set.targets)[0].tolist()) and len(set(watched)) == 2_000
    assert abs(np.corrcoef(np.arange(2_000), watched)[0, 1]) < 0.1  # drawn at random
    assert torch.equal(loader.dataset.tensors[1], train_set.targets[split_again(train_set.targets)[0]])
    assert near(scores, [100 * counts.trace() / 2_000 for counts in matrices], 1e-9)
    assert near(named, matrices.sum(axis=1) / 20, 1e-9)
    if not is_fast():
        assert scores[-1] > 95 and type(optimizer) is torch.optim.Adam
        assert torch.equal(torch.from_numpy(matrices[-1]), torch.from_numpy(look(beginner)))


def test_what_the_text_says_of_the_first_epoch():
    again = begin_again(96)
    places_of = [0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96]
    of_each = again.diagonal(axis1=1, axis2=2) / again.sum(axis=2)
    settled = [places_of[max(np.flatnonzero(column <= 0.5), default=-1) + 1] for column in of_each.T]
    assert sorted(np.flatnonzero(np.array(settled) == 64)) == [5, 9] and max(settled) == 64
    assert max(settled[digit] for digit in (0, 1, 7)) == 12
    assert again[0].sum(axis=0).argmax() == 9 and (again[3:6].sum(axis=1).argmax(axis=1) == 6).all()
    assert again[10].trace() > 0.8 * 2_000 > again[9].trace()  # after 64 batches, of 32 images each
    across = again[0].sum(axis=0) / 2_000
    assert (across > 0.2).sum() <= 2 and again[0].trace() < 0.2 * 2_000  # "one output or two"
    favourites = set()  # "other seeds have other favourites"
    for seed in range(4):
        torch.manual_seed(seed)
        with torch.no_grad():
            favourites.add(NewNetwork()(watched_images[:500]).argmax(dim=1).bincount().argmax().item())
    assert len(favourites) >= 3


def test_lines_about_the_first_epoch():
    """The lines printed are those of the looks, without training again."""
    (source,) = (source for source in CELL_SOURCES if "for i in [*range(0, len(LOOKS), 2), -1]" in source)
    with contextlib.redirect_stdout(io.StringIO()) as text:
        exec(source[source.index('print(f"{len(watched)') :], globals().copy())
    heading, *lines = text.getvalue().splitlines()[: 2 + len(LOOKS[::2])]
    assert heading == "2,000 validation digits, by a network in its first epoch:"  # gives nothing away
    for line, (number, counts) in zip(
        lines, [*list(zip(LOOKS, matrices))[::2], (LOOKS[-1], matrices[-1])], strict=True
    ):
        digit = counts.sum(axis=0).argmax()
        wanted = [number, counts.trace() / 20, counts.sum(axis=0).max() / 20, digit]
        assert np.allclose(find_numbers(line), wanted, atol=0.051), line


def test_the_moving_matrix():
    left_side, bar_of, right_side = squares.figure.axes[0], squares.colorbar.ax, squares.figure.axes[1]
    assert axis_labels(left_side) == ("predicted digit", "true digit")
    assert axis_labels(right_side) == ("batches (logarithmic)", "read correctly (%)")
    assert bar_of.get_ylabel() == "of the true digit (%)" and squares.get_clim() == (0, 100)
    assert left_side.get_xticks().tolist() == left_side.get_yticks().tolist() == list(range(10))
    assert squares.origin == "upper" and squares.get_cmap().name == "Blues"
    curve = right_side.lines[0]
    assert list(curve.get_xdata()) == LOOKS and near(curve.get_ydata(), matrices.trace(axis1=1, axis2=2) / 20, 1e-9)
    assert right_side.get_ylim() == (0, 100) and right_side.get_xscale() == "symlog"
    for i in (0, len(LOOKS) // 2, 3, len(LOOKS) - 1):
        draw(i)
        counts = matrices[i]
        assert near(images_of(left_side)[0], [100 * row / row.sum() for row in counts], 1e-9)
        assert (list(dot.get_xdata()), list(dot.get_ydata())) == ([LOOKS[i]], [100 * counts.trace() / 2_000])
        title = squares.figure.get_suptitle()
        assert title == (
            f"Batch {LOOKS[i]:,}: {counts.trace() / 20:.1f} % are right, and "
            f"{counts.sum(axis=0).max() / 20:.0f} % are called {counts.sum(axis=0).argmax()}"
        )
    played = {}
    print_again("squares.set_data(", play=lambda picture, frame, **given: played.update(given, picture=picture))
    assert played["frames"] == len(LOOKS) and played["picture"] is not squares.figure and 0.3 <= played["seconds"] <= 1


# ---- the report ----


def test_published_matrix():
    assert (published.sum(axis=1) == OF_EACH).all() and published.trace() == 9_880
    assert crc32(published.astype("int64").tobytes()) == 1_238_630_994  # no digit mistyped
    assert (np.loadtxt(find_data_root() / "report_matrix.csv", delimiter=",") == published).all()  # as 09 reads it
    assert near(100 * published.diagonal() / OF_EACH, printed, 0.0051) and len(printed) == 10
    assert near(recomputed, 100 * published.diagonal() / OF_EACH, 1e-9)
    assert "10 of the ten are confirmed" in print_again("printed = [")
    assert print_again("published = np.loadtxt").startswith(f"{published}")


def test_two_networks_drawn():
    named = {"LENET-5 report": published, "our LeNet-5": COUNTS}
    text = print_again("wrong_in = ")
    for name, counts in named.items():
        wrong_of = off_diagonal(counts)
        missed_of, given_of = wrong_of.sum(axis=1), wrong_of.sum(axis=0)
        ax = find_axes(f"{name}: {wrong_of.sum()} errors, most often of a {missed_of.argmax()}")
        values, written, (_, most_of) = heat(ax)
        assert (values == wrong_of).all() and most_of == off_diagonal(published).max() == 10
        assert all(written[i, j] == (str(wrong_of[i, j]) if wrong_of[i, j] else "")
                   for i, j in product(range(10), repeat=2))  # fmt: skip
        assert f"{name}: most often missed {missed_of.argmax()} ({missed_of.max()} times), " in text
        assert f"named in error {given_of.argmax()} ({given_of.max()} times)" in text
    left_ax, right_ax = find_figure("LENET-5 report: 120 errors").axes
    assert left_ax.get_title().startswith("LENET-5") and right_ax.get_title().startswith("our LeNet-5")
    assert np.unravel_index(off_diagonal(published).argmax(), (10, 10)) == (9, 4)  # the summary's "9 as 4, 10 times"


# ---- pairs, and how sure ----


def test_pairs():
    both_ways = {(i, j): COUNTS[i, j] + COUNTS[j, i] for i in range(10) for j in range(i + 1, 10)}
    lines = print_again("either_way.argsort").splitlines()
    said_pairs = [(int(line[0]), int(line[6]), int(line.split(": ")[1].split()[0])) for line in lines]
    assert all(both_ways[i, j] == n for i, j, n in said_pairs) and len({(i, j) for i, j, _ in said_pairs}) == 5
    assert [n for _, _, n in said_pairs] == sorted(both_ways.values(), reverse=True)[:5]
    assert all(f"{COUNTS[i, j]:2} x {i} read as {j}, {COUNTS[j, i]:2} x {j} read as {i}" in line
               for (i, j, _), line in zip(said_pairs, lines))  # fmt: skip


def surest_of(true, read):
    places_of = np.flatnonzero((truth == true) & (answers == read))
    return places_of[np.argsort(-sureness[places_of])]


def test_confused_drawn():
    for true, read in ((4, 9), (7, 2)):
        found, rows_of = grid(f"Between {true} and {read}: the middle row is misread")
        width = min(5, COUNTS[true, read])
        assert len(found) == 3 * width and rows_of == 3
        for n, (i, caption, colour) in enumerate(found):
            kind = ((true, true), (true, read), (read, read))[n // width]
            assert (truth[i], answers[i]) == kind and caption == f"{truth[i]} read as {answers[i]}"
            assert sureness[i] >= sureness[surest_of(*kind)[width - 1]] - 1e-6  # among the surest
            assert colour == (green if CORRECT[i] else orange)
        by_seeds = [int(((truth == true) & (run == read)).sum()) for run in SEEDS]
        assert f"a {true} read as a {read}: {by_seeds} times by the five seeds" in print_again(
            "show_confused(true=7, read=2)" if true == 7 else "def show_confused"
        )
    assert (SEEDS[0] == answers).mean() > 0.9999 and (runs == SEEDS).all()  # "ours is seed 0"
    assert find(9, 4).tolist() == surest_of(9, 4)[:5].tolist()
    assert min(((truth == 7) & (run == 2)).sum() for run in SEEDS) >= 4 and published[7, 2] == 5  # everybody stumbles
    assert [((truth == 9) & (run == 8)).sum() for run in SEEDS].count(0) >= 1 and COUNTS[9, 8] > 3  # not so here
    before = len(plt.get_fignums())
    show_confused(0, 1)  # never happens: says so and draws nothing
    show_confused(3, 3)
    assert len(plt.get_fignums()) == before and errors[0, 1] == 0


def test_confident_mistakes():
    ordered = MISREAD[np.argsort(-sureness[MISREAD])]
    found, rows_of = grid("Wrong, and sure of it: the 12 most confident mistakes")
    assert [i for i, _, _ in found] == ordered[:12].tolist() and rows_of == 2
    assert_captions(found, lambda i: f"✗ {answers[i]}, {100 * sureness[i]:.2f} %\nTrue {truth[i]}")
    assert sureness[ordered[11]] > 0.99  # "sure of it"
    assert np.median(sureness[CORRECT]) > np.median(sureness[~CORRECT])
    text = print_again("surest = mistakes")
    for limit, share in ((0.5, "50.0"), (0.9, "90.0"), (0.99, "99.0"), (0.999, "99.9")):
        above = sureness > limit
        assert f"more than {share} % sure: {above.sum():5,} digits, {(above & ~CORRECT).sum():3} of them wrong" in text
    assert f"wrong answers: median confidence {100 * np.median(sureness[~CORRECT]):.2f} %" in text


# ---- who is wrong ----


def test_misread_by_all_five():
    wrong_of = truth != SEEDS
    assert (wrong_by_seed == wrong_of).all() and (always == np.flatnonzero(wrong_of.sum(axis=0) == 5)).all()
    found, rows_of = grid(f"All five networks misread these {len(always)} digits")
    assert [i for i, _, _ in found] == always.tolist() and len(always) == 21 and rows_of == 3
    for i, caption, _ in found:
        assert caption == f"label {truth[i]}\nread " + " ".join(str(run[i]) for run in SEEDS)
    agreed = [len(set(SEEDS[:, i])) == 1 for i in always]
    assert sum(agreed) > len(agreed) / 2  # "often agree with each other"


def test_rejected_labels():
    assert len(REJECTED) == len(set(REJECTED)) == 15 and sorted(REJECTED) == REJECTED
    assert crc32(np.array(REJECTED, dtype="int64").tobytes()) == 2_450_036_117
    assert truth[REJECTED].tolist() == [8, 0, 9, 4, 2, 5, 6, 6, 5, 5, 0, 1, 4, 6, 5]  # the labels that were asked about
    assert doubted == sorted(set(always) & set(REJECTED)) and len(doubted) == 7
    found, _ = grid(f"{len(doubted)} of them carry a label that people rejected")
    assert [(i, caption) for i, caption, _ in found] == [(i, f"label {truth[i]}") for i in doubted]
    assert f"15 rejected labels; our network misreads {(~CORRECT)[REJECTED].sum()} of them" in print_again(
        "REJECTED = ["
    )


def test_nobody_reads():
    files = sorted(RUNS.glob("*/predictions.npy"))
    all_runs = np.stack([np.load(file) for file in files]) != truth
    assert sum(len(w) for w in wrong_by.values()) == len(files) == len(everyone) > 60
    assert (everyone.sum(axis=0) == all_runs.sum(axis=0)).all() and set(recipes.RECIPES) <= set(wrong_by)
    assert all_runs[:, worst].sum() == all_runs.sum(axis=0).max()
    assert worst == 9_729 == doubted[-1] == always[-1] and truth[worst] == 5  # "the last one of the figure above"
    others = np.flatnonzero(all_runs.all(axis=0))
    assert set(others) <= {worst}  # "every other digit is read correctly by one run or another"
    assert np.bincount(SEEDS[:, worst]).argmax() == 6


def test_halves():
    again = {name: 100 * np.stack([np.load(file) != truth for file in RUNS.glob(f"{name}-[0-9]/predictions.npy")])
             .reshape(-1, 10, 1_000).mean(axis=(0, 2)) for name in wrong_by}  # fmt: skip
    for values in again.values():
        assert values[:5].sum() >= 2 * values[5:].sum()
    by_half = [50 * again["lenet5-adam"][part].mean() for part in (slice(5), slice(5, None))]
    assert near(sums["lenet5-adam"], by_half, 1e-6) and [round(n) for n in by_half] == [80, 32]
    found_ratios = [v[:5].sum() / v[5:].sum() for v in again.values()]
    assert near(ratios, found_ratios, 1e-6) and len(found_ratios) > 20
    text = print_again("sums = {")
    assert (
        f"all recipes: {min(found_ratios):.1f} to {max(found_ratios):.1f} times" in text and "80 in the first" in text
    )


# ---- the post office, calibration ----


def test_sent_to_a_person():
    below = sureness < 0.9
    left = 100 * (~CORRECT[~below]).mean()
    ax = find_axes(f"Send {below.sum() / 100:.1f} %, and {left:.2f} % of the rest are misread")
    assert axis_labels(ax) == ("sent to a person (%)", "error of the rest (%)") and ax.get_ylim()[0] == 0
    by_confidence = ~CORRECT[np.argsort(sureness)]
    x_of, y_of = find_line(ax, "the least sure are sent")
    for x, y in zip(x_of, y_of):
        assert abs(y - 100 * by_confidence[round(100 * x) :].mean()) < 1e-6
    assert x_of[-1] > 10 and x_of[0] == 0 and abs(y_of[0] - (100 - accuracy)) < 1e-6
    _, by_lot = find_line(ax, "as many, drawn by lot, are sent")
    assert near(by_lot, [100 - accuracy] * 2, 1e-6)
    x_dot, y_dot = find_line(ax, "all below 0.9")
    assert near(x_dot, [100 * below.mean()]) and near(y_dot, [left])
    assert 0.5 <= (~CORRECT[below]).sum() / (~CORRECT).sum() + 0.005 < 0.55  # half of the mistakes are gone
    halvings = [np.flatnonzero(np.cumsum(by_confidence[::-1])[::-1] <= 107 * part)[0] for part in (0.5, 0.25, 0.125)]
    assert 0 < halvings[0] < halvings[1] - halvings[0] < halvings[2] - halvings[1]  # each half costs more digits
    before = len(plt.get_fignums())
    send_to_a_person(1.1)  # all but one
    assert len(plt.get_fignums()) == before + 1
    assert np.asarray(plt.gca().lines[0].get_xdata())[-1] > 99
    plt.close()


def bins_again():
    ordered = np.argsort(sureness)[:2_000]
    return np.array_split(ordered, BINS)


def test_bins():
    again = bins_again()
    assert len(bins) == len(again) == BINS and {len(places_of) for places_of in bins} == {200}
    assert near(said, [100 * (1 - sureness[places_of]).mean() for places_of in again], 1e-3)
    assert near(found, [100 * (~CORRECT[places_of]).mean() for places_of in again])
    assert (np.asarray(found) > said).sum() >= BINS - 1  # "in nearly every bin"
    assert (~CORRECT[np.argsort(sureness)[:2_000]]).sum() == len(MISREAD)  # none is missing in the figure


def test_reliability_drawn():
    ax = find_axes("It errs more often than it says, in ")
    assert ax.get_title() == f"It errs more often than it says, in {(np.asarray(found) > said).sum()} of {BINS} bins"
    assert axis_labels(ax) == ("doubt: how often it says it errs (%)", "how often it errs (%)")
    assert ax.get_xscale() == "log" and ax.get_yscale() == "linear"
    x_line, y_line = find_line(ax, "calibrated")
    assert near(x_line, y_line, 1e-9) and x_line[0] < 0.01 and x_line[-1] >= 40
    x_of, y_of = find_line(ax, "our LeNet-5")
    again = bins_again()
    assert near(x_of, [100 * (1 - sureness[places_of]).mean() for places_of in again], 1e-3)
    assert near(y_of, [100 * (~CORRECT[places_of]).mean() for places_of in again])
    inside = (sureness >= 0.985) & (sureness < 0.995)
    x_square, y_square = find_line(ax, "answers that are about 99 % sure")
    assert near(x_square, [100 * (1 - sureness[inside]).mean()], 0.01)
    assert near(y_square, [100 * (~CORRECT[inside]).mean()], 0.01)
    (note,) = ax.texts
    assert note.get_text() == f"says {x_square[0]:.1f} %, errs in {y_square[0]:.1f} %" and near(
        note.xy, (x_square[0], y_square[0]), 0.01)  # fmt: skip
    assert round(y_square[0]) == 7  # "and are wrong about seven times"


def test_calibration():
    tenth = np.array_split(np.argsort(-sureness), 10)
    gaps = [abs((1 - sureness[part]).mean() - (~CORRECT[part]).mean()) for part in tenth]
    assert abs(calibration_error - 100 * np.mean(gaps)) < 1e-3
    assert abs(doubt.mean().item() - 100 * (1 - sureness).mean()) < 1e-3
    assert abs(wrong.mean().item() - (100 - accuracy)) < 1e-6
    assert 0.4 < (1 - sureness).mean() / (~CORRECT).mean() < 0.6  # "about half as often"
    text = print_again("calibration_error = ")
    inside = (sureness >= 0.985) & (sureness < 0.995)
    assert f"{inside.sum()} answers from 98.5 % to 99.5 %: {100 * CORRECT[inside].mean():.1f} % right" in text
    assert f"it expects {100 * (1 - sureness).mean():.2f} % wrong, and {100 - accuracy:.2f} % are" in text


# ---- the listing to be mended ----


def read_listing():
    """The lines of the listing of the last exercise."""
    notebook = json.loads((find_data_root().parent / "notebooks" / "06_confusion_matrix.ipynb").read_text("utf-8"))
    texts = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    (listing,) = (found for text in texts for found in re.findall(r"```text\n(.*?)```", text, re.S))
    lines = listing.splitlines()
    assert [int(line[:2]) for line in lines] == list(range(1, len(lines) + 1))
    return [line[4:] for line in lines]


def run_listing(lines):
    given = {"prepare_images": prepare_again, "test_set": DIGITS, "inputs": kept_inputs, "model": kept_model, "np": np}
    given["predict_logits"] = evaluation.predict_logits
    with contextlib.redirect_stdout(io.StringIO()) as text:
        exec("\n".join(lines), given)
    assert len(text.getvalue().splitlines()) == 2
    return given


def test_the_listing_runs_and_is_wrong_where_the_solution_says():
    from lenet_utils.exercises import confusion_matrix as key

    lines = read_listing()
    assert len(lines) == key.LISTING_LINES and len(key.LISTING_MISTAKES) == 5
    wrong_run = run_listing(lines)
    shares_of_rows = 100 * COUNTS / OF_EACH[:, None]
    assert (wrong_run["confidences"] > 1).double().mean() > 0.99  # "nearly every confidence is above 1"
    assert not np.allclose(wrong_run["percent"], shares_of_rows)
    assert np.allclose(wrong_run["recall"], sk.precision_score(truth, answers, average=None))
    assert wrong_run["sent"] == (wrong_run["confidences"] >= wrong_run["threshold"]).sum() > 9_000
    mended = {
        4: "confidences, digits = logits.softmax(dim=1).max(dim=1)",
        9: "percent = 100 * matrix / matrix.sum(axis=1, keepdims=True)",
        10: "recall = matrix.diagonal() / matrix.sum(axis=1)",
        18: "sent = (~trusted).sum()",
    }
    assert all(any(number in places_ for places_, _ in key.LISTING_MISTAKES) for number in mended)
    right_run = run_listing([mended.get(number, line) for number, line in enumerate(lines, 1)])
    assert near(right_run["confidences"], sureness, 1e-5)
    assert np.allclose(right_run["percent"], shares_of_rows) and np.allclose(right_run["percent"].sum(axis=1), 100)
    assert np.allclose(right_run["recall"], sk.recall_score(truth, answers, average=None))
    assert right_run["sent"] == (sureness < right_run["threshold"]).sum() < 1_000
    assert right_run["error"] < 0.6 < 100 - accuracy and right_run["threshold"] < 0.99  # the loop ends by its break
    assert {number for places_, _ in key.LISTING_MISTAKES for number in places_} >= set(range(12, 18))  # the choice
    assert "test_labels[trusted]" in lines[13] and "validation" not in "".join(lines)
