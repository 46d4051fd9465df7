"""Run in the kernel of notebook 05 after its last cell: its figures and numbers, worked out once more by other ways."""
# ruff: noqa: F821  (the names are the notebook's)

import numpy as np
import torch.nn.functional as functional
from matplotlib.colors import to_rgb
from sklearn.neighbors import NearestNeighbors

from lenet_utils.checkpoints import load_checkpoint as load_again
from lenet_utils.data import load_mnist as load_mnist_again
from lenet_utils.files import find_data_root
from lenet_utils.models import LeNet5 as FreshLeNet5

LAYERS = ["image", "C1", "S2", "C3", "S4", "C5", "F6", "outputs"]
test_digits = load_mnist_again(train=False)
TRUE = test_digits.targets
kept_model, kept_inputs = load_again(find_data_root() / "checkpoints" / "lenet5.pt")


def prepare_by_hand(raw):
    """As the recipe says: 28 to 32 by bilinear interpolation, then mean 0 and standard deviation 1."""
    resized = functional.interpolate(raw[:, None].float(), size=(32, 32), mode="bilinear", antialias=True)
    return (resized.round() / 255 - 0.1307) / 0.3081


def compute_layers(network, x):
    """All layers of LeNet-5 from its weights, by functions alone."""
    w = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    found = {"image": x}
    found["C1"] = functional.conv2d(x, w["c1.weight"], w["c1.bias"]).tanh()
    found["S2"] = found["C1"].unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(4, 5))
    found["C3"] = functional.conv2d(found["S2"], w["c3.weight"], w["c3.bias"]).tanh()
    found["S4"] = found["C3"].unfold(2, 2, 2).unfold(3, 2, 2).mean(dim=(4, 5))
    found["C5"] = functional.conv2d(found["S4"], w["c5.weight"], w["c5.bias"]).tanh()
    found["F6"] = (found["C5"].flatten(1) @ w["f6.weight"].T + w["f6.bias"]).tanh()
    found["outputs"] = found["F6"] @ w["output.weight"].T + w["output.bias"]
    return found


ALL = prepare_by_hand(test_digits.data)
OURS = compute_layers(kept_model, ALL[: FITTED + SCORED])
WEIGHTS = kept_model.state_dict()
with torch.random.fork_rng():
    torch.manual_seed(SEED)
    NEW = compute_layers(FreshLeNet5(), ALL[: FITTED + SCORED])


def near(a, b, atol=2e-3):
    a, b = (np.asarray(values, dtype=float).squeeze() for values in (a, b))
    return a.shape == b.shape and np.allclose(a, b, atol=atol)


def read_mosaic(ax, rows, columns):
    """The tables of maps that plot_mosaic drew, (rows, columns, h, w), in full size."""
    (canvas,) = images_of(ax)
    height, width = (
        next(n for n in range(1, total + 1) if count * (n + gap(ax)) == total + gap(ax))
        for total, count in zip(canvas.shape, (rows, columns))
    )
    step_y, step_x = height + gap(ax), width + gap(ax)
    return np.stack([
        [canvas[r * step_y : r * step_y + height, c * step_x : c * step_x + width] for c in range(columns)]
        for r in range(rows)
    ])  # fmt: skip


def gap(ax):
    """Columns or rows of the grid between two maps."""
    (canvas,) = images_of(ax)
    empty = np.isnan(canvas).all(axis=0) if np.isnan(canvas).all(axis=0).any() else np.isnan(canvas).all(axis=1)
    start = int(empty.argmax())
    return int((~empty[start:]).argmax())


def shows(ax, maps):
    """Whether a mosaic shows these maps (R, C, h, w), every number as a square of equal numbers."""
    maps = np.asarray(maps, dtype=float)
    drawn = read_mosaic(ax, *maps.shape[:2])
    enlarge = drawn.shape[2] // maps.shape[2]
    return np.allclose(drawn, maps.repeat(enlarge, axis=2).repeat(enlarge, axis=3), atol=2e-3)


def names_of(ax):
    """Row names from the top down, and column names from left to right, of a mosaic."""
    found = []
    for ticks, texts in ((ax.get_yticks(), ax.get_yticklabels()), (ax.get_xticks(), ax.get_xticklabels())):
        found.append([text.get_text() for _, text in sorted(zip(ticks, texts), key=lambda pair: pair[0])])
    return tuple(found)


def signed(ax, vmax):
    """Whether the colours run from -vmax to vmax, blue to red."""
    (picture,) = ax.images
    low, high = (to_rgb(picture.cmap(end)[:3]) for end in (0.0, 1.0))
    limits = (picture.norm.vmin, picture.norm.vmax)
    return np.allclose(limits, (-vmax, vmax), atol=1e-3) and low[2] > low[0] and high[0] > high[2]


# ---- the network and its first layer ----


def test_the_network_is_the_shipped_one_and_reads_the_test_images():
    assert near(images[::50], ALL[::50], 1e-4) and torch.equal(labels, TRUE)
    assert not model.training and all(torch.equal(model.state_dict()[n].cpu(), v) for n, v in WEIGHTS.items())
    assert near(logits[: FITTED + SCORED], OURS["outputs"])
    assert torch.equal(predictions, logits.argmax(dim=1))
    assert accuracy == 100 * (predictions == TRUE).double().mean().item() > 98
    assert torch.equal(wrong, predictions != TRUE)
    assert first_wrong == min(i for i in range(10_000) if predictions[i] != TRUE[i])


def test_c1_by_hand():
    assert first_maps.shape == (1, 6, 28, 28)
    assert near(first_maps.tanh(), compute_layers(kept_model, ALL[[GUIDE]])["C1"])
    assert row == int(first_maps[0, 0].max(dim=1).values.argmax())
    assert column == int(first_maps[0, 0].max(dim=0).values.argmax())
    assert near(patch, ALL[GUIDE, 0, row : row + 5, column : column + 5], 1e-4)
    assert near(by_hand, float((patch * WEIGHTS["c1.weight"][0, 0]).sum() + WEIGHTS["c1.bias"][0]), 1e-3)
    assert near(by_c1, by_hand, 1e-3)
    assert near(backgrounds, [
        np.tanh(float(b) + (0 - 0.1307) / 0.3081 * float(w.sum()))
        for w, b in zip(WEIGHTS["c1.weight"], WEIGHTS["c1.bias"])
    ])  # fmt: skip


def test_figure_of_c1_in_grey():
    figure = find_figure("C1 map 0")
    axes = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in axes] == [f"C1 map {i}" for i in range(6)]
    expected = functional.conv2d(ALL[[GUIDE]], WEIGHTS["c1.weight"], WEIGHTS["c1.bias"])[0]
    assert near(np.stack(images_of(figure)), expected)
    assert len({(p.norm.vmin, p.norm.vmax, p.cmap.name) for ax in axes for p in ax.images}) == 1
    assert axes[0].images[0].cmap.name == "gray"


def test_figure_of_the_kernels():
    figure = find_axes("kernel 5").figure  # "kernel 0" stands in the next one, too
    axes = [ax for ax in figure.axes if ax.get_title()]
    assert [ax.get_title() for ax in axes] == [f"kernel {i}" for i in range(6)]
    assert near(np.stack([images_of(ax)[0] for ax in axes]), WEIGHTS["c1.weight"][:, 0], 1e-5)
    assert all(signed(ax, WEIGHTS["c1.weight"].abs().max()) for ax in axes)


def test_figure_of_the_product():
    figure = find_axes("product").figure
    pixels_ax, kernel_ax, product_ax = (ax for ax in figure.axes if ax.get_title())
    assert [ax.get_title() for ax in (pixels_ax, kernel_ax, product_ax)] == ["pixels", "kernel 0", "product"]
    assert near(images_of(pixels_ax)[0], patch) and pixels_ax.images[0].cmap.name == "gray"
    assert near(images_of(kernel_ax)[0], WEIGHTS["c1.weight"][0, 0], 1e-5)
    assert near(images_of(product_ax)[0], patch * WEIGHTS["c1.weight"][0, 0], 1e-4)
    assert signed(kernel_ax, 1) and signed(product_ax, 1)
    assert images_of(product_ax)[0].min() > -0.2 < images_of(product_ax)[0].max()  # hardly any blue


def test_figure_of_c3s_kernels():
    ax = find_axes("Kernels of C3: from S2's maps to its own")
    assert names_of(ax) == ([f"S2 {i}" for i in range(6)], [f"C3 {i}" for i in range(8)])
    assert shows(ax, [[WEIGHTS["c3.weight"][target, source] for target in range(8)] for source in range(6)])
    assert signed(ax, WEIGHTS["c3.weight"][:8].abs().max())
    assert c3_kernels.shape == (16, 6, 5, 5)


# ---- all layers ----


def test_layers_are_those_of_the_weights():
    assert list(layers) == list(guide) == LAYERS
    for name in LAYERS:
        assert near(layers[name], OURS[name]), name
        assert near(guide[name], compute_layers(kept_model, ALL[[GUIDE]])[name]), name


def test_journeys():
    ours_, wrongs_ = (ax for figure in SHOWN for ax in figure.axes if len(ax.images) > 100)
    check_journey(ours_, GUIDE)
    check_journey(wrongs_, first_wrong)


def check_journey(ax, index):
    expected = compute_layers(kept_model, ALL[[index]])
    values = [v for name in LAYERS for v in (
        expected[name][0] if expected[name].dim() == 4 else expected[name][0][:, None, None]
    )]  # fmt: skip
    drawn = images_of(ax)
    assert len(drawn) == len(values) == 1 + 6 + 6 + 16 + 16 + 120 + 84 + 10
    assert all(near(picture, value) for picture, value in zip(drawn, values))
    texts = [text.get_text() for text in ax.texts]
    assert [t for t in texts if t in LAYERS] == LAYERS
    assert {"32×32", "6 maps\n28×28", "6 maps\n14×14", "16 maps\n10×10", "16 maps\n5×5", "84 numbers"} <= set(texts)
    assert texts.count(str(int(expected["outputs"].argmax()))) == 2  # beside its box, and large
    squares = [p for p in ax.patches if np.allclose(p.get_edgecolor()[:3], to_rgb("#C25000"))]
    assert len(squares) == 5


def test_the_squares_are_what_the_number_of_s4_depends_on():
    where = [*FIELDS][::-1]
    assert where == ["S4", "C3", "S2", "C1", "image"]
    watched = {"image": ALL[[GUIDE]].clone().requires_grad_()}
    watched["C1"] = functional.conv2d(watched["image"], WEIGHTS["c1.weight"], WEIGHTS["c1.bias"]).tanh()
    watched["S2"] = functional.avg_pool2d(watched["C1"], 2)
    watched["C3"] = functional.conv2d(watched["S2"], WEIGHTS["c3.weight"], WEIGHTS["c3.bias"]).tanh()
    map_of_s4, row_of_s4, column_of_s4, size_in_s4 = FIELDS["S4"]
    assert size_in_s4 == 1
    number = functional.avg_pool2d(watched["C3"], 2)[0, map_of_s4, row_of_s4, column_of_s4]
    for layer in where[1:]:
        (sensitivity,) = torch.autograd.grad(number, watched[layer], retain_graph=True)
        map_number, first_row, first_column, size = FIELDS[layer]
        here = sensitivity[0, map_number].nonzero()
        assert here.min(dim=0).values.tolist() == [first_row, first_column], layer
        assert (here.max(dim=0).values - here.min(dim=0).values + 1).tolist() == [size, size], layer


def test_any_digit_has_its_journey():
    before = plt.get_fignums()
    for index in (0, 115, 9_999):
        show_journey(index)
        figure = plt.figure(plt.get_fignums()[-1])
        drawn = images_of(figure.axes[0])
        expected = compute_layers(kept_model, ALL[[index]])
        assert near(drawn[0], ALL[index, 0], 1e-4) and near(drawn[-10:], expected["outputs"][0])
        assert near(drawn[1:7], expected["C1"][0])
        plt.close(figure)
    assert plt.get_fignums() == before


def test_receptive_fields():
    assert {name: (len(rows), rows.min().item(), rows.max().item()) for name, rows in seen.items()} == {
        "C1": (5, 8, 12), "S2": (6, 8, 13), "S4": (16, 8, 23),
    }  # fmt: skip


# ---- the maps ----


def test_figures_of_c1_and_c3():
    first = [str(label) for label in TRUE[:4].tolist()]
    ax = find_axes("C1 after tanh: six maps of four digits")
    assert names_of(ax) == (first, [f"map {i}" for i in range(6)])
    assert shows(ax, OURS["C1"][:4]) and signed(ax, 1)
    ax = find_axes("C3: sixteen maps of four digits")
    assert names_of(ax) == (first, [str(i) for i in range(16)])
    assert shows(ax, OURS["C3"][:4]) and signed(ax, 1)


def test_shares_of_strong_numbers():
    assert list(strong) == ["C1", "C3", "C5", "F6"]
    for name, share in strong.items():
        assert abs(share - 100 * np.mean(np.abs(OURS[name].numpy()) > 0.95)) < 0.02
    assert strong["C1"] < 25 < 35 < strong["C3"] < strong["C5"]


def test_figures_of_c5():
    values = compute_layers(kept_model, ALL[[GUIDE]])["C5"].flatten()
    ax = find_axes(f"C5: 120 numbers, of the {TRUE[GUIDE]}")
    assert shows(ax, values.reshape(8, 15, 1, 1)) and signed(ax, 1)
    ax = find_axes("the first six, zoomed in")
    assert shows(ax, values[:6].reshape(2, 3, 1, 1)) and signed(ax, 1)
    written = sorted((t.get_position()[1], t.get_position()[0], t.get_text()) for t in ax.texts)
    assert [text for _, _, text in written] == [f"{value:.2f}" for value in values[:6].tolist()]


def test_bar_codes():
    for digit in range(10):
        assert five_of_kind[digit].tolist() == [i for i in range(FITTED) if TRUE[i] == digit][:5]
    ax = find_axes("five images of each digit")
    assert names_of(ax)[0] == [str(digit) for digit in range(10)] and signed(ax, 1)
    assert shows(ax, OURS["C5"].flatten(1)[five_of_kind][:, None])


def test_correlations():
    for name in ("image", "C5"):
        matrix = np.corrcoef(OURS[name][:FITTED].flatten(1).numpy())
        equal = TRUE[:FITTED].numpy()[:, None] == TRUE[:FITTED].numpy()
        alike = (matrix[equal].sum() - FITTED) / (equal.sum() - FITTED)
        assert near(correlations[name], [alike, matrix[~equal].mean()], 1e-3)
        assert abs(gaps[name] - (alike - matrix[~equal].mean())) < 2e-3
    assert gaps["C5"] > 1.5 * gaps["image"]


def test_figure_of_the_outputs():
    expected = compute_layers(kept_model, ALL[[GUIDE]])
    answer = expected["outputs"][0]
    probability = answer.exp() / answer.exp().sum()
    assert near(outputs, answer) and near(probabilities, probability, 1e-5)
    assert shows(find_axes("F6: 84 numbers"), expected["F6"].reshape(3, 28, 1, 1))
    assert signed(find_axes("F6: 84 numbers"), 1)
    figure = find_axes("outputs (logits)").figure
    for title_, strip_, vmax_ in (
        ("outputs (logits)", answer, answer.abs().max()),
        ("softmax: probabilities", probability, 1),
    ):
        (ax,) = (ax for ax in figure.axes if ax.get_title() == title_)
        assert near(images_of(ax)[0], strip_) and signed(ax, vmax_)
        written = [t.get_text() for t in sorted(ax.texts, key=lambda t: t.get_position()[0])]
        assert written == [f"{value:.2f}" for value in strip_.tolist()]
        assert list(ax.get_xticks()) == list(range(10))
    assert figure.axes[2].get_xlabel() == "digit"
    assert winner == int(answer.argmax()) == TRUE[GUIDE]
    assert others.tolist() == sorted(np.delete(outputs.numpy(), winner).tolist())
    if GUIDE == 0:  # what the text says of them
        assert winner == 7 and int(answer.argmin()) == 6 and int(answer.topk(2).indices[1]) == 9
        assert answer[7] - others.max() > 3 and others[-1] - others[0] > 5
        assert (others[1:].abs() < 0.25 * answer[7]).all() and others[0] < -0.75 * answer[7]


# ---- what is kept ----


def read_again(features, wanted):
    """The ridge regression in closed form."""
    x = features.flatten(1)
    x = x - x[:FITTED].mean(dim=0)
    x = x / x[:FITTED].square().sum(dim=1).mean().sqrt()
    y = wanted
    mean = y[:FITTED].mean(dim=0)
    centred = x[:FITTED]
    if x.shape[1] > FITTED:
        inner = centred @ centred.T + 0.1 * torch.eye(FITTED)
        solved = centred.T @ torch.linalg.solve(inner, y[:FITTED] - mean)
    else:
        inner = centred.T @ centred + 0.1 * torch.eye(x.shape[1])
        solved = torch.linalg.solve(inner, centred.T @ (y[:FITTED] - mean))
    return x[FITTED:] @ solved + mean


def test_table_of_what_is_kept():
    flat = ALL[: FITTED + SCORED].flatten(1)
    wanted = torch.cat([flat, functional.one_hot(TRUE[: FITTED + SCORED], 10).float()], dim=1)
    variance = (flat[FITTED:] - flat[:FITTED].mean(dim=0)).square().sum()
    assert list(table.index) == LAYERS
    for network_, layers_ in (("trained", OURS), ("untrained", NEW)):
        for name in LAYERS:
            if name == "C1" or (network_, name) in (("trained", "S2"), ("untrained", "image"), ("untrained", "C3")):
                continue  # slow, and done as the others are
            read = read_again(layers_[name], wanted)
            share = 100 * (1 - (flat[FITTED:] - read[:, :-10]).square().sum() / variance).item()
            correct = (read[:, -10:].argmax(dim=1) == TRUE[FITTED : FITTED + SCORED]).double().mean().item()
            assert abs(table.loc[name, (network_, "pixels (%)")] - share) < 0.6, (network_, name)
            assert abs(table.loc[name, (network_, "digit (%)")] - 100 * correct) < 0.6, (network_, name)


def test_what_the_text_says_of_the_table():
    assert kept.equals(table["trained", "pixels (%)"]) and readable.equals(table["trained", "digit (%)"])
    assert unkept.equals(table["untrained", "pixels (%)"]) and unreadable.equals(table["untrained", "digit (%)"])
    assert kept.is_monotonic_decreasing and kept["C1"] > 90 and kept["C5"] < 75
    assert readable["F6"] > readable["C1"] + 3 > readable["image"] + 6
    assert unkept["F6"] > kept["F6"] + 20 and unreadable["F6"] < readable["F6"] - 8
    assert unreadable["S2"] - readable["image"] > 0.5 * (readable.max() - readable["image"])
    assert unreadable["S2"] > unreadable["F6"] > unreadable["outputs"] + 20


def test_figure_of_what_is_found():
    ax = find_axes("What a linear reader finds in the trained network")
    assert ax.get_ylabel() == "found (%)" and len(ax.lines) == 2
    for label_, column_ in (("pixels", kept), ("digit", readable)):
        (line,) = (line for line in ax.lines if line.get_label() == label_)
        assert list(line.get_xdata()) == LAYERS and near(line.get_ydata(), column_, 1e-6)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["pixels", "digit"]
    assert ax.get_legend().legend_handles[0].get_color() == "#0072B2"


def test_yardsticks():
    flat = ALL[: FITTED + SCORED].flatten(1).double()
    mean = flat[:FITTED].mean(dim=0)
    axes_ = torch.linalg.svd(flat[:FITTED] - mean, full_matrices=False).Vh[:120]
    rest, variance = flat[FITTED:] - mean, (flat[FITTED:] - mean).square().sum()
    assert abs(at_best - 100 * ((rest @ axes_.T).square().sum() / variance).item()) < 0.2
    of_digit = torch.stack([flat[:FITTED][TRUE[:FITTED] == d].mean(dim=0) for d in range(10)])
    left = (flat[FITTED:] - of_digit[TRUE[FITTED : FITTED + SCORED]]).square().sum()
    assert abs(from_digit - 100 * (1 - left / variance).item()) < 0.1
    assert at_best > kept["C5"] + 20 and from_digit < kept["outputs"] < from_digit + 20


def test_figure_of_images_read_back():
    ax = find_axes("The image, as read back from its layers")
    chosen = [FITTED + next(i for i in range(SCORED) if TRUE[FITTED + i] == d) for d in range(8)]
    flat = ALL[: FITTED + SCORED].flatten(1)
    rows_ = [ALL[chosen, 0]]
    for name in ("C3", "C5", "F6"):
        rows_.append(read_again(OURS[name], flat)[[i - FITTED for i in chosen]].reshape(-1, 32, 32))
    drawn = read_mosaic(ax, 5, 8)
    assert near(drawn[0], rows_[0], 1e-4)
    for row_, expected in zip(drawn[2:], rows_[1:]):
        assert np.abs(row_ - expected.numpy()).mean() < 0.02
    assert np.abs(drawn[1] - drawn[0]).mean() < np.abs(drawn[2] - drawn[0]).mean()
    names = ["image"] + [f"{name} ({kept[name]:.0f} %)" for name in ("C1", "C3", "C5", "F6")]
    assert names_of(ax) == (names, [str(d) for d in range(8)])
    assert ax.images[0].cmap.name.startswith("gray") and ax.images[0].norm.vmax == 1


# ---- shifts ----


def test_shifts():
    black_ = (0 - 0.1307) / 0.3081
    free = [i for i in range(10_000) if (ALL[i, 0, :, -4:] < black_ + 1e-4).all()][:SHIFTED]
    assert torch.equal(movable_labels, TRUE[free]) and near(movable, ALL[free], 1e-4)
    still = compute_layers(kept_model, ALL[free])
    torch.manual_seed(SEED)
    partner = torch.randperm(len(free))
    assert list(change.index) == [1, 2, 3, 4] and list(change.columns) == LAYERS
    for step_ in (1, 2, 3, 4):
        now = compute_layers(kept_model, functional.pad(ALL[free], (step_, -step_), value=black_))
        correct = (now["outputs"].argmax(dim=1) == TRUE[free]).double().mean().item()
        assert abs(accuracies[step_] - 100 * correct) < 0.3
        for name in LAYERS:
            apart = (now[name] - still[name]).flatten(1).norm(dim=1).mean()
            unit = (still[name][partner] - still[name]).flatten(1).norm(dim=1).mean()
            assert abs(change.loc[step_, name] - (apart / unit).item()) < 2e-3, (step_, name)
    assert abs(accuracies[0] - 100 * (still["outputs"].argmax(dim=1) == TRUE[free]).double().mean().item()) < 0.3
    assert accuracies[1] > 97 and accuracies[4] < 85
    assert one_pixel.equals(change.loc[1])
    assert one_pixel["S2"] < one_pixel["C1"] and one_pixel["S4"] < one_pixel["C3"]
    assert one_pixel["C3"] > 0.9 * one_pixel["S2"]  # no calmer by convolution
    assert 0.1 < one_pixel["F6"] < 0.5 * one_pixel["image"]


def test_equivariance():
    one_further = compute_layers(kept_model, functional.pad(movable, (1, -1), value=images.min().item()))
    two_further = compute_layers(kept_model, functional.pad(movable, (2, -2), value=images.min().item()))
    still = compute_layers(kept_model, movable)
    assert c1_moves_along < 1e-4 and two < 1e-4 < 0.1 < one
    assert near(one_further["C1"][..., 1:], still["C1"][..., :-1], 1e-4)
    assert near(two_further["S2"][..., 1:], still["S2"][..., :-1], 1e-4)
    assert abs(one - (one_further["S2"][..., 1:] - still["S2"][..., :-1]).abs().max().item()) < 1e-2


def test_show_shifts():
    ax = find_axes(f"Number {GUIDE} on the move")
    assert abs(ax.images[0].norm.vmax - ALL[GUIDE].max()) < 1e-3
    tiles_, texts_ = read_mosaic(ax, 1, 9)[0], ax.get_xticklabels()
    assert len(read_shifted) == len(texts_) == 9 and ax.images[0].cmap.name.startswith("gray")
    assert sorted(ax.get_xticks()) == list(ax.get_xticks())
    for step_ in range(9):
        picture = torch.full((32, 32), (0 - 0.1307) / 0.3081)
        picture[:, step_:] = ALL[GUIDE, 0, :, : 32 - step_]
        assert near(tiles_[step_], picture, 1e-4)
        answer = compute_layers(kept_model, picture[None, None])["outputs"].softmax(dim=1)[0]
        assert int(answer.argmax()) == read_shifted[step_]
        words = texts_[step_].get_text()
        assert words.startswith(f"+{step_}\n{int(answer.argmax())}, ")
        assert abs(float(words.split(",")[1].rstrip("%")) - 100 * answer.max().item()) <= 1
        correct_ = int(answer.argmax()) == TRUE[GUIDE]
        assert texts_[step_].get_color() == ("#0072B2" if correct_ else "#C25000")
    assert near(ax.figure.get_size_inches(), [7.2, 1.6])
    show_shifts(2, steps=range(-10, 11))
    many_ = plt.gcf().axes[0]
    plt.gcf().canvas.draw()
    boxes = [text.get_window_extent() for text in many_.get_xticklabels()]
    assert len(boxes) == 21 and all(one_.x1 < next_.x0 for one_, next_ in zip(boxes, boxes[1:]))  # none overprints
    plt.close(plt.gcf())
    back = show_shifts(first_wrong, steps=[-2, 0, 1])
    moved_left = functional.pad(ALL[[first_wrong]], (-2, 2), value=(0 - 0.1307) / 0.3081)
    assert near(read_mosaic(plt.gcf().axes[0], 1, 3)[0, 0], moved_left[0, 0], 1e-4)
    assert (back[1] != TRUE[first_wrong]) and back[2] == TRUE[first_wrong]  # as the text says of number 115
    plt.close(plt.gcf())


def test_what_the_text_says_of_shifts_and_strokes():
    black_ = (0 - 0.1307) / 0.3081
    far_ = compute_layers(kept_model, functional.pad(ALL[:500], (7, -7), value=black_))["outputs"].argmax(dim=1)
    assert (far_ == TRUE[:500]).double().mean() < 0.5
    for index_, step_, digit_ in ((0, 7, 7), (2, 4, 1), (2, 5, 7), (115, 0, 9), (115, 1, 4)):
        picture = functional.pad(ALL[[index_]], (step_, -step_), value=black_)
        assert compute_layers(kept_model, picture)["outputs"].argmax() == digit_, (index_, step_)
    assert TRUE[2] == 1 and TRUE[3] == 0 and TRUE[115] == 4
    maps_ = functional.conv2d(ALL[:1], WEIGHTS["c1.weight"], WEIGHTS["c1.bias"])[0]
    inside = functional.avg_pool2d((ALL[:1] > 1).float(), 5, 1)[0, 0] > 0.5
    darker = [(m_[inside] < m_[0, 0]).double().mean().item() for m_ in maps_]
    assert min(darker[1], darker[4]) > 0.95 and darker[2] == 0
    assert all(0.1 < darker[i] < 0.9 for i in (0, 3, 5))
    assert all(maps_[i].min() < maps_[i, 0, 0] - 1 and maps_[i].max() > maps_[i, 0, 0] + 1 for i in (0, 3, 5))
    assert min(maps_[:, 0, 0]) < -0.8 and max(maps_[:, 0, 0]) > 0.7  # the backgrounds


# ---- the plane ----


def share_of_neighbours(points, of):
    nearest = NearestNeighbors(n_neighbors=1).fit(np.asarray(points)).kneighbors()[1][:, 0]  # but for itself
    return 100 * np.mean(of[nearest].numpy() == of.numpy())


def test_neighbours():
    digits_ = TRUE[:count]
    assert torch.equal(digits, digits_) and near(f6, OURS["F6"][:count])
    assert abs(shares["1,024 pixels"] - share_of_neighbours(ALL[:count].flatten(1), digits_)) < 0.7
    assert abs(shares["84 numbers of F6"] - share_of_neighbours(OURS["F6"][:count], digits_)) < 0.7
    assert shares["84 numbers of F6"] > 94 and shares["84 numbers of F6"] > shares["1,024 pixels"]
    for name, points in planes.items():
        assert abs(shares[name] - share_of_neighbours(points, digits_)) < 0.7
    assert shares["PCA"] < shares["t-SNE"]


def points_of(ax):
    """The ten clouds of a figure of classes, and their colours."""
    return [np.asarray(cloud.get_offsets()) for cloud in ax.collections]


def test_figures_of_the_plane():
    centred = (f6 - f6.mean(dim=0)).double()
    two_axes = torch.linalg.svd(centred, full_matrices=False)
    expected = (centred @ two_axes.Vh[:2].T).numpy()
    for name in ("PCA", "t-SNE"):
        ax = find_axes(f"{name} of {count:,} test digits")
        for digit, cloud in enumerate(points_of(ax)):
            assert near(cloud, planes[name][TRUE[:count] == digit], 1e-5)
        assert [t.get_text() for t in ax.texts] == [str(digit) for digit in range(10)]
    for axis_number in (0, 1):  # but for the sign
        assert abs(np.corrcoef(planes["PCA"][:, axis_number].numpy(), expected[:, axis_number])[0, 1]) > 0.999
    held_ = two_axes.S.square()
    assert abs(held - 100 * (held_[:2].sum() / held_.sum()).item()) < 0.1
    assert planes["t-SNE"].shape == (count, 2)
    assert not near(planes["t-SNE"], planes["PCA"])


def test_distances_of_the_centres():
    def centre_distances(points):
        centres = [points[TRUE[:count] == digit].mean(dim=0) for digit in range(10)]
        return [float((centres[i] - centres[j]).norm()) for i in range(10) for j in range(i + 1, 10)]

    for name, points in planes.items():
        expected = np.corrcoef(centre_distances(f6), centre_distances(points))[0, 1]
        assert abs(kept_distances[name] - expected) < 1e-3 and kept_distances[name] < 0.95


def test_show_islands():
    ax = find_axes("t-SNE of image, perplexity 30")
    shown_digits = TRUE[: len(islands)]
    for digit, cloud in enumerate(points_of(ax)):
        assert near(cloud, islands[shown_digits.numpy() == digit], 1e-5)
    share = share_of_neighbours(islands, shown_digits)
    around = share_of_neighbours(ALL[: len(islands)].flatten(1), shown_digits)
    assert share > 0.8 * around  # the islands are those of these images, not of others
    for layer_ in ("C1", "outputs"):
        plane_ = show_islands(layer_, perplexity=5, count=60)
        assert plane_.shape == (60, 2)
        plt.close(plt.gcf())
    planes_ = [show_islands("F6", perplexity=perplexity_, count=60) for perplexity_ in (5, 5, 15)]
    plt.close("all")
    assert near(planes_[0], planes_[1], 1e-6) and not near(planes_[0], planes_[2], 1)  # it is used
