"""Run in the kernel of notebook 08 after its last cell: its figures and numbers, worked out once more by other ways."""
# ruff: noqa: F821  (the names are the notebook's)

import json
import math
import re

import numpy as np
import torch.nn.functional as functional
from matplotlib.colors import to_rgb

from lenet_utils.data import load_mnist as load_mnist_again
from lenet_utils.files import find_data_root as find_root
from lenet_utils.lenet1998.network import CODES
from lenet_utils.lenet1998.network import LeNet1998 as FreshNetwork
from lenet_utils.lenet1998.network import TrainedSubsampling as PackageSubsampling
from lenet_utils.lenet1998.trainer import MU
from lenet_utils.lenet1998.trainer import Trainer1998 as FreshTrainer
from lenet_utils.models import C3_TABLE as READS

ROOT = find_root()
RAW, RAW_TRAIN = load_mnist_again(train=False), load_mnist_again(train=True)
TRUE, TRUE_TRAIN = RAW.targets, RAW_TRAIN.targets
INK = torch.tensor([[1.0 if c == "#" else -1.0 for c in code.replace("/", "")] for code in CODES])
LAYERS = ("c1", "s2", "c3", "s4", "c5", "f6")
RECIPES_HERE = ("lenet5-1998", "lenet5-1998-eq8", "lenet5-1998-distorted")
RUNGS_HERE = ["one-rate", "batches", "adam", "dense-c3", "softmax", "mean", "unsquashed", "relu", "max", "input"]
LADDER_HERE = ["lenet5-1998", *(f"rung-{rung_}" for rung_ in RUNGS_HERE)]


def prepare_by_hand(raw):
    """A border of two pixels; background -0.1, ink 1.175."""
    return functional.pad(raw[:, None].float() / 255, [2, 2, 2, 2]) * 1.275 - 0.1


TESTS = prepare_by_hand(RAW.data)


def compute_f6(network_, x):
    """F6 of the network of 1998 from its weights, by functions alone."""
    w = {name: value.detach() for name, value in network_.state_dict().items()}
    dense = torch.zeros(16, 6, 5, 5)
    kernels_ = iter(w["c3.weight"])
    for target_, sources_ in enumerate(READS):
        for source_ in sources_:
            dense[target_, source_] = next(kernels_)

    def squash_(a):
        return 1.7159 * torch.tanh(2 / 3 * a)

    def subsample(x, name):
        sums = x.unfold(2, 2, 2).unfold(3, 2, 2).sum(dim=(4, 5))
        return squash_(sums * w[f"{name}.weight"][:, None, None] + w[f"{name}.bias"][:, None, None])

    x = squash_(functional.conv2d(x, w["c1.weight"], w["c1.bias"]))
    x = squash_(functional.conv2d(subsample(x, "s2"), dense, w["c3.bias"]))
    x = squash_(functional.conv2d(subsample(x, "s4"), w["c5.weight"], w["c5.bias"])).flatten(1)
    return squash_(x @ w["f6.weight"].T + w["f6.bias"])


def near(a, b, atol=2e-3):
    a, b = (np.asarray(values, dtype=float).squeeze() for values in (a, b))
    return a.shape == b.shape and np.allclose(a, b, atol=atol)


def read_histories_by_seed(recipe):
    return {
        int(folder.name.rsplit("-", 1)[1]): pd.read_csv(folder / "history.csv")
        for folder in sorted((ROOT / "runs").glob(f"{recipe}-[0-9]"))
    }


def read_test_errors(recipe):
    """From the predictions themselves."""
    folders = sorted((ROOT / "runs").glob(f"{recipe}-[0-9]"))
    return [100 * float((np.load(f / "predictions.npy") != TRUE.numpy()).mean()) for f in folders]


# ---- the parts ----


def squash_by_hand(a):
    return 1.7159 * np.tanh(2 * np.asarray(a) / 3)


def read_numbers(text):
    return [float(n.replace(",", "")) for n in re.findall(r"-?\d[\d,]*\.?\d*(?:e-?\d+)?", text)]


def add_frame(pictures_):
    """One pixel of -1 around each picture."""
    pictures_ = np.asarray(pictures_).reshape(-1, 12, 7)
    return np.pad(pictures_, ((0, 0), (1, 1), (1, 1)), constant_values=-1)


def test_figure_of_the_squashing_functions():
    ax = find_axes("The curve of 1998 passes through (1, 1) and (-1, -1)")
    assert axis_labels(ax) == ("sum a", "f(a)")
    drawn_ = {"1.7159 tanh(2a/3), 1998": squash_by_hand, "tanh": np.tanh, "logistic": lambda v: 1 / (1 + np.exp(-v))}
    for name_, function_ in drawn_.items():
        x_, y_ = find_line(ax, name_)
        assert x_.min() == -4 and x_.max() == 4 and near(y_, function_(x_), 1e-5), name_
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(drawn_)
    assert len({line.get_linestyle() for line in ax.lines[:3]}) == 3
    (dots,) = (line for line in ax.lines if line.get_marker() == "o")
    assert list(dots.get_xdata()) == [-1, 1] and near(dots.get_ydata(), [-1, 1], 1e-4)
    (note_,) = ax.texts
    assert note_.get_text() == "(1, 1)" and note_.xy == (1, 1)


def test_subsampling():
    assert list(answers) == ["mean", "any of them", "all of them"]
    for name_, (coefficient_, bias_) in zip(answers, ((0.25, 0), (2, 4), (2, -6))):
        expected = [1.7159 * math.tanh(2 / 3 * (coefficient_ * (2 * on_ - 4) + bias_)) for on_ in range(5)]
        assert near(answers[name_], expected, 1e-4), name_
        unit_ = PackageSubsampling(1)
        torch.nn.init.constant_(unit_.weight, coefficient_)
        torch.nn.init.constant_(unit_.bias, bias_)
        squares_ = torch.tensor([[1.0] * on_ + [-1.0] * (4 - on_) for on_ in range(5)]).reshape(5, 1, 2, 2)
        assert near(answers[name_], squash_by_hand(unit_(squares_).detach()), 1e-4), name_
    printed = print_again("on = torch.arange(5)").splitlines()
    assert read_numbers(printed[0]) == [0, 1, 2, 3, 4]
    assert all(near(read_numbers(line), values, 0.006) for line, values in zip(printed[1:], answers.values()))
    assert len(PackageSubsampling(6).weight) + len(PackageSubsampling(6).bias) == 12


def test_break_of_symmetry():
    torch.manual_seed(SEED)
    maps_, kernel_ = torch.randn(1, 6, 14, 14).double(), torch.randn(5, 5).double()
    alike_, own_ = torch.randn(10, 10).double().expand(2, 10, 10), torch.randn(2, 10, 10).double()
    patches = functional.unfold(maps_, 5).reshape(6, 25, 100)
    expected = []
    for pair, behind_ in (((READS[0],) * 2, alike_), (READS[:2], alike_), ((READS[0],) * 2, own_)):
        kernels_ = [kernel_.repeat(len(s), 1, 1).requires_grad_() for s in pair]
        sums = [torch.einsum("skp,sk->p", patches[list(s)], k.flatten(1)) for s, k in zip(pair, kernels_)]
        (torch.stack(sums).tanh() * behind_.flatten(1)).sum().square().backward()
        first_, second_ = (k.grad for k in kernels_)
        expected.append(((first_ - second_).norm() / first_.norm()).item())
    assert near(apart, [100 * gap_ for gap_ in expected], 0.1)
    assert expected[0] < 1e-6 and min(expected[1:]) > 0.1
    printed = print_again("maps, kernel = ").splitlines()
    for line, words, gap_ in zip(printed, ("same inputs, read alike", "by the table", "own weights behind"), expected):
        assert words in line and abs(read_numbers(line)[-1] - 100 * gap_) < 0.6, line


def test_codes():
    assert torch.equal(codes, INK)
    figure = find_figure("Ten codes: what F6 should show")
    assert [ax.get_title() for ax in figure.axes] == list("0123456789")
    for digit_, ax in enumerate(figure.axes):
        (picture,) = images_of(ax)
        assert near(picture, add_frame(INK[digit_])) and ax.images[0].get_clim() == (-1, 1)
        assert ax.images[0].cmap(1.0)[:3] == (1, 1, 1) and ax.images[0].cmap(0.0)[:3] == (0, 0, 0)  # ink is white
        ink = picture[1:-1, 1:-1] > 0
        assert ["".join("#" if d else "." for d in line) for line in ink] == CODES[digit_].split("/")
        # What the text says of the bars: a row of ink above an empty one, and ink in every first row.
        assert ink[0].any() and (digit_ in (0, 2, 4, 5)) == (not ink[1].any())
    expected = sorted((sum(a != b for a, b in zip(CODES[i], CODES[k])), i, k) for i in range(10) for k in range(i))
    assert pairs == expected and expected[0] == (12, 8, 6)
    printed = [read_numbers(line) for line in print_again("differ = (codes").splitlines()]
    assert printed == [[i, k, d, 84] for d, i, k in expected[:3] + expected[-2:]]


def test_ledger_and_table():
    assert {name_: tuple(counts_) for name_, counts_ in ledger.items()} == {
        "c1": (6 * 26, 6 * 28 * 28 * 26, (6, 28, 28)),
        "s2": (6 * 2, 6 * 14 * 14 * 5, (6, 14, 14)),
        "c3": (60 * 25 + 16, 100 * (60 * 25 + 16), (16, 10, 10)),
        "s4": (16 * 2, 16 * 25 * 5, (16, 5, 5)),
        "c5": (120 * 401, 120 * 401, (120, 1, 1)),
        "f6": (84 * 121, 84 * 121, (84,)),
        "output": (0, 840, (10,)),
    }
    assert total == [60_000, 340_908]
    header, *printed = print_again("KERNELS = ").splitlines()
    assert header.split() == ["layer", "units", "kernel", "/", "stride", "parameters", "connections"]
    for line, (name_, (parameters_, connections_, _)) in zip(printed, ledger.items()):
        assert line.startswith(name_) and read_numbers(line)[-2:] == [parameters_, connections_]
        layer_ = getattr(network, name_)
        if name_ in ("c1", "c5"):
            assert f"{layer_.kernel_size[0]}x{layer_.kernel_size[1]} / {layer_.stride[0]}" in line
        elif name_ == "c3":
            assert layer_.weight.shape[-2:] == (5, 5) and "5x5 / 1" in line
        else:
            assert ("2x2 / 2" if name_ in ("s2", "s4") else "reads all") in line
    assert read_numbers(printed[7]) == total


def test_losses():
    y_ = [30, 25, 4, 9, 40, 38, 45, 28, 22, 33]
    assert near(y, y_) and label.item() == y_.index(min(y_)) == 2
    assert equation_8 == 4
    assert abs(equation_9 - (4 + math.log(math.exp(-20) + sum(math.exp(-v) for v in y_)))) < 1e-5
    assert abs(equation_9 - by_hand.item()) < 1e-5
    for line, j_ in zip(print_again("equation_8, equation_9").splitlines()[2:], (0.1, 20)):
        whole_ = math.exp(-j_) + sum(math.exp(-v) for v in y_)
        expected = [j_, 2, math.exp(-4) / whole_, math.exp(-j_) / whole_]
        assert near(read_numbers(line), expected, 1e-4)


def test_figure_of_the_valley():
    figure = find_figure("one rate, 0.015")
    steps_ = {"one rate, 0.015": (0.015, 0.015), "one rate, 0.025": (0.025, 0.025), "a rate for each": (0.005, 0.5)}
    assert list(ends) == list(steps_) and len(figure.axes) == 3
    for ax, (name_, pair) in zip(figure.axes, steps_.items()):
        expected = [[(1 - step_ * h_) ** n for n in range(11)] for step_, h_ in zip(pair, (100, 1))]
        path_ = ax.lines[0].get_data()
        assert all(np.allclose(found_, wanted, rtol=1e-3) for found_, wanted in zip(path_, expected)), name_
        assert np.allclose(ends[name_].numpy(), [expected[0][10], expected[1][10]], rtol=1e-3)
        assert ax.get_title() == f"{name_}:\nafter 10 steps at ({expected[0][10]:.2f}, {expected[1][10]:.2f})"
        assert list(ax.lines[1].get_xdata()) == list(ax.lines[1].get_ydata()) == [0]
        assert ax.get_xlabel() == "w1" and ax.get_xlim() == (-1.6, 1.6) and ax.get_ylim() == (-0.2, 1.2)
        levels_ = set()
        for line in (path for drawn_ in ax.collections for path in drawn_.get_paths() if len(path.vertices)):
            height = np.median(50 * line.vertices[:, 0] ** 2 + 0.5 * line.vertices[:, 1] ** 2)
            levels_ |= {level for level in (0.05, 0.5, 5, 50) if abs(height / level - 1) < 0.1} or {height}
        assert levels_ == {0.05, 0.5, 5, 50}
    assert figure.axes[0].get_ylabel() == "w2"
    assert ends["a rate for each"].abs().max() < 0.01 < ends["one rate, 0.015"][1] and ends["one rate, 0.025"][0] > 10


def test_chain_of_two_weights():
    w_ = torch.tensor(0.8, dtype=torch.double, requires_grad=True)
    (once,) = torch.autograd.grad((3 * w_ * 0.5 - 1) ** 2, w_, create_graph=True)
    (twice,) = torch.autograd.grad(once, w_)
    assert abs(gradient - once.item()) < 1e-6 and abs(squared - twice.item()) < 1e-6
    first_, second_ = print_again("pixel, w1, w2").splitlines()
    assert near(read_numbers(first_), [once.item()] * 2, 0.006) and near(
        read_numbers(second_), [twice.item()] * 2, 0.006
    )


# ---- the training of 1998 ----


def test_prepared_images():
    assert near(train_images[::100], prepare_by_hand(RAW_TRAIN.data[::100]), 1e-5) and len(train_images) == 60_000
    assert near(test_images[::50], TESTS[::50], 1e-5) and len(test_images) == 10_000
    assert torch.equal(train_labels, TRUE_TRAIN) and torch.equal(test_labels, TRUE)
    assert J == 20 and RATE == 0.00005


def build_fresh_trainer():
    torch.manual_seed(SEED)
    network_ = FreshNetwork()
    trainer_ = FreshTrainer([network_], 20.0)
    chosen_ = torch.randperm(60_000, generator=torch.Generator().manual_seed(1))[:500]
    trainer_.estimate_curvature(prepare_by_hand(RAW_TRAIN.data[chosen_]), TRUE_TRAIN[chosen_])
    return network_, trainer_


def test_backward_pass_gives_the_gradients_of_autograd():
    network_, trainer_ = build_fresh_trainer()
    trainer_.backward(trainer_.forward(train_images[:1]), TRUE_TRAIN[:1], power=1)
    compute_loss_1998(network_(train_images[:1]), TRUE_TRAIN[:1], 20.0).backward()
    for name_ in LAYERS:
        found_, own_ = trainer_.trained[name_].derivatives[0][0], getattr(network_, name_).weight.grad
        found_ = found_[trainer_.targets, trainer_.sources] if name_ == "c3" else found_.reshape(own_.shape)
        assert (found_ - own_).abs().max() < 1e-4 * own_.abs().max(), name_


def test_steps():
    _, trainer_ = build_fresh_trainer()
    assert list(steps) == list(LAYERS)
    printed = print_again("trainer.estimate_curvature(train_images[chosen]").splitlines()
    for line, (name_, (weights_, biases_)) in zip(printed, trainer_.compute_steps(0.0005).items()):
        if name_ == "c3":
            weights_ = torch.stack([weights_[0, t_, s_] for t_, sources_ in enumerate(READS) for s_ in sources_])
        expected = torch.cat([weights_.flatten(), biases_.flatten()])
        assert near(steps[name_].sort().values, expected.sort().values, 1e-6), name_
        shown_ = [f"{v:.1e}" for v in (expected.min(), expected.max(), expected.median())]
        assert line == "{}: from {} to {}, median {}".format(name_, *shown_)
    every_ = torch.cat(list(steps.values()))
    assert len(every_) == 60_000 and abs(low - every_.min()) < 1e-9 and abs(high - every_.max()) < 1e-9
    assert printed[6] == f"all: {low:.1e} to {high:.1e}, a factor of {high / low:.0f}"
    assert printed[7].endswith("7e-05 to 1.6e-02, a factor of 229")
    assert 7e-5 < low < 1e-3 and 0.01 < high <= 0.0005 / MU
    medians_ = {name_: values_.median() for name_, values_ in steps.items()}
    assert max(medians_["s2"], medians_["s4"]) < min(medians_[n_] for n_ in ("c1", "c3", "c5", "f6"))


# ---- learn from one digit after the other ----


def learn_by_hand(published_start_, rate_, j_, learnt_):
    """The validation error in percent after the first digits of the order."""
    torch.manual_seed(SEED)
    network_ = FreshNetwork(published_start=published_start_)
    trainer_ = FreshTrainer([network_], j_)
    trainer_.estimate_curvature(train_images[order[:500]], TRUE_TRAIN[order[:500]])
    trainer_.train(train_images, TRUE_TRAIN, order[None, :learnt_], rate_)
    trainer_.copy_to([network_])
    read_ = predict_logits(network_, prepare_by_hand(RAW_TRAIN.data[kept])).argmax(dim=1)
    return 100 * (read_ != TRUE_TRAIN[kept]).double().mean().item()


def test_who_learns_and_who_judges():
    assert len(train_part) == 55_000 and len(validation_part) == 5_000
    assert not set(train_part.tolist()) & set(validation_part.tolist())
    assert torch.equal(order.sort().values, train_part) and not torch.equal(order, train_part)
    assert len(set(kept.tolist())) == 1_000 and set(kept.tolist()) <= set(validation_part.tolist())
    assert not (kept.diff() > 0).all()  # drawn at random


def test_learning():
    assert len(ours) == len(yours) == 10 and ours.index[-1] == LIVE and yours.index[-1] == PLAYED
    assert (1_000 if is_fast() else 20_000) == LIVE and 0 < seconds < 900
    assert abs(yours.iloc[-1] - learn_by_hand(True, 0.0005, 20.0, PLAYED)) < 0.5
    if is_fast():
        assert abs(ours.iloc[-1] - learn_by_hand(False, 0.00005, 20.0, LIVE)) < 0.5
    else:
        assert abs(ours.iloc[0] - learn_by_hand(False, 0.00005, 20.0, ours.index[0])) < 0.5
        assert ours.iloc[-1] < 8 and yours.min() > 80
    first_ = {seed_: 100 - table_.test_accuracy[0] for seed_, table_ in read_histories_by_seed("lenet5-1998").items()}
    assert near(first_pass, [first_[seed_] for seed_ in sorted(first_)], 1e-6)
    # What is asked for reaches the network and its trainer:
    asked, build, train_with = [], LeNet1998, Trainer1998

    def build_and_tell(**settings):
        asked.append(settings)
        return build(**settings)

    class TellingTrainer(train_with):
        def __init__(self, networks_, j_):
            super().__init__(networks_, j_)
            asked.append(j_)

        def train(self, images_, labels_, orders_, rate_):
            super().train(images_, labels_, orders_, rate_)
            assert images_ is train_images and torch.equal(labels_, TRUE_TRAIN)
            asked.append((orders_.tolist(), rate_))

    globals().update(LeNet1998=build_and_tell, Trainer1998=TellingTrainer)
    try:
        slow, _ = learn(rate=0.000001, first_weights="2.4 / F", j=1.0, digits=60)
        learn(rate=0.000002, first_weights="1 / sqrt(F)", j=3.0, digits=60)
    finally:
        globals().update(LeNet1998=build, Trainer1998=train_with)
    shown_ = [([part_.tolist()], 0.000001) for part_ in order[:60].split(6)]
    expected = [{"published_start": True}, 1.0, *shown_]
    assert asked == expected + [{"published_start": False}, 3.0, *((part_, 0.000002) for part_, _ in shown_)]
    assert slow.iloc[-1] > 60 and slow.index.tolist() == list(range(6, 61, 6))


def check_learning(ax, yours_):
    digits_, error_ = yours_.index[-1], yours_.iloc[-1]
    beside = np.interp(digits_, list(ours.index), list(ours))
    assert ax.get_title() == f"After {digits_:,} digits: yours {error_:.1f} %, our settings {beside:.1f} %"
    assert axis_labels(ax) == ("digits learnt from", "validation error (%)")
    assert ax.get_xscale() == ax.get_yscale() == "log"
    for label_, series_ in (("our settings", ours), ("yours", yours_)):
        x_, y_ = find_line(ax, label_)
        assert x_.tolist() == series_.index.tolist() and near(y_, series_, 1e-6)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["our settings", "yours"]
    (band,) = ax.patches
    ends_ = band.get_y(), band.get_y() + band.get_height()
    assert near(ends_, (first_pass.min(), first_pass.max()), 1e-6)
    (note_,) = ax.texts
    assert note_.get_text() == "stored runs after one pass (test)" and ends_[1] < note_.get_position()[1] < 2 * ends_[1]


def test_figure_of_the_learning():
    check_learning(find_axes("our settings"), yours)
    before_ = plt.get_fignums()
    others_ = pd.Series({7: 80.0, 70: 60.0, 3 * ours.index[0]: 30.0})
    show_learning(others_)
    (number_,) = set(plt.get_fignums()) - set(before_)
    check_learning(plt.figure(number_).axes[0], others_)
    plt.close(number_)


# ---- twenty passes ----


def test_figure_of_twenty_passes():
    figure = find_figure("distorted digits: test")
    assert len(figure.axes) == 3 and figure.axes[0].get_ylabel() == "error (%)"
    whats_ = (("equation 9", 0.95), ("equation 8", 0.95), ("distorted digits", 0.8))
    for recipe_, (what_, paper_), ax in zip(RECIPES_HERE, whats_, figure.axes):
        histories_ = read_histories_by_seed(recipe_)
        bands = {}
        for quantity_, colour_, style_ in (("test", ORANGE, "-"), ("train", BLUE, "--")):
            by_seed = 100 - np.stack([h_[f"{quantity_}_accuracy"] for h_ in histories_.values()])
            x_, y_ = find_line(ax, quantity_)
            assert x_.tolist() == list(range(1, 21)) and near(y_, by_seed.mean(axis=0), 1e-5)
            (line,) = (line for line in ax.lines if line.get_label() == quantity_)
            assert line.get_color() == colour_ and line.get_linestyle() == style_
            bands[colour_] = by_seed
        assert ax.get_title() == f"{what_}: test {bands[ORANGE][:, 19].mean():.2f} %\n(paper {paper_} %)"
        assert ax.get_xlabel() == "pass" and ax.get_yscale() == "log"
        assert len(ax.collections) == 2
        for band in ax.collections:
            (colour_,) = (c for c in bands if np.allclose(to_rgb(c), band.get_facecolor()[0][:3], atol=1e-3))
            corners_ = band.get_paths()[0].vertices
            for pass_ in range(1, 21):
                heights = corners_[corners_[:, 0] == pass_][:, 1]
                of_pass = bands[colour_][:, pass_ - 1]
                assert near([heights.min(), heights.max()], [of_pass.min(), of_pass.max()], 1e-5)
        assert set(find_line(ax, "test, paper")[1]) == {paper_}
        named = ["test", "train", "test, paper"] + (["train, paper"] if paper_ == 0.95 else [])
        assert [t.get_text() for t in ax.get_legend().get_texts()] == named
        if paper_ == 0.95:
            assert set(find_line(ax, "train, paper")[1]) == {0.35}
        assert ax.get_ylim()[0] < min(v.min() for v in bands.values())
        assert ax.get_ylim()[1] > max(v.max() for v in bands.values())  # and no first pass is cut off


def test_table_of_1998():
    assert table.index.tolist() == list(RECIPES_HERE)
    for recipe_ in RECIPES_HERE:
        errors_, row_ = read_test_errors(recipe_), table.loc[recipe_]
        assert row_.runs == len(errors_) >= 3
        expected = [np.mean(errors_), np.std(errors_, ddof=1), min(errors_), max(errors_)]
        assert near(row_[["test error", "sd", "min", "max"]], expected, 1e-6)
        files_ = [ROOT / "runs" / f"{recipe_}-{n}" / "run.json" for n in range(len(errors_))]
        records_ = [json.loads(file_.read_text()) for file_ in files_]
        assert near(row_["training error"], 100 - np.mean([r_["train_accuracy"] for r_ in records_]), 1e-4)
    main_, eq8_, distorted_ = (table.loc[recipe_] for recipe_ in RECIPES_HERE)
    assert main_.equals(plain) and distorted_.equals(distorted)
    assert abs(main_["test error"] - 0.95) < 0.05 and 0.8 < main_["min"] < main_["max"] < 1.1
    assert distorted_["max"] < min(0.8, main_["min"]) and distorted_.runs == 5
    assert main_["min"] < eq8_["max"] and eq8_["min"] < main_["max"]  # the runs of the two losses overlap
    assert main_["training error"] < 0.35 / 2 and abs(eq8_["training error"] - 0.35) < 0.05


# ---- what F6 shows ----


def test_figure_of_f6():
    figure = find_figure("Mean distance from the code")
    torch.manual_seed(SEED)
    untrained_ = FreshNetwork()
    shuffled_ = torch.randperm(10_000)
    assert torch.equal(mixed, shuffled_)
    shown_ = [next(i for i in shuffled_.tolist() if TRUE[i] == d) for d in range(10)]
    assert examples.tolist() == shown_
    both_ = [compute_f6(network_, TESTS[shown_]) for network_ in (untrained_, trained)]
    far_ = [((f6_ - INK) ** 2).sum(dim=1) for f6_ in both_]
    assert all(near(found_, wanted, 1e-2) for found_, wanted in zip(away, far_))
    order_ = np.argsort(far_[1].numpy())
    pictured = [ax for ax in figure.axes if ax.images]
    assert len(pictured) == 30
    for place_, ax in enumerate(pictured):
        row_, digit_ = place_ // 10, order_[place_ % 10]
        values_ = (*both_, INK)[row_][digit_]
        assert near(images_of(ax)[0], add_frame(values_.clamp(-1, 1)))
        words = f"code of {digit_}" if row_ == 2 else f"{('before', 'after')[row_]} {far_[row_][digit_]:.0f}"
        assert ax.get_title() == words and ax.images[0].get_clim() == (-1, 1)
        assert ax.images[0].cmap(1.0)[:3] == (1, 1, 1)  # ink is white
    means = [float(f_.mean()) for f_ in far_]
    assert figure.get_suptitle() == "Mean distance from the code: {:.0f} untrained, {:.0f} trained".format(*means)
    for line, f_ in zip(print_again("examples = torch.stack").splitlines(), far_):
        assert near(read_numbers(line)[2:], f_, 0.06)
    if STORED == SEED == 0:  # what the text says
        assert far_[1].max() < 7 and far_[0].min() > 80


def test_the_stored_network():
    saved = torch.load(ROOT / "runs" / f"lenet5-1998-{STORED}" / "model.pt", weights_only=True)["state"]
    assert all(torch.equal(value_, saved[name_]) for name_, value_ in trained.state_dict().items())
    kept_there = np.load(ROOT / "runs" / f"lenet5-1998-{STORED}" / "predictions.npy")
    assert (kept_there == predictions.numpy()).mean() > 0.999
    part_ = slice(0, 10_000, 10)
    assert near(features[part_], compute_f6(trained, TESTS[part_]))
    apart_ = ((features[:, None] - INK) ** 2).sum(dim=2)
    assert near(distances[part_], apart_[part_], 1e-2) and torch.equal(distances.argmin(dim=1), predictions)
    assert near(nearest, apart_.min(dim=1).values, 1e-2)
    right_ = predictions == TRUE
    assert torch.equal(correct, right_)
    printed = print_again("nearest, predictions = ")
    assert abs(read_numbers(printed)[0] - 100 * (~right_).double().mean()) < 0.006


def test_what_is_beyond_the_rubbish_distance():
    assert len(set(some.tolist())) == 500 and sorted(some.tolist()) != list(range(500))  # at random, not the first
    assert len(set(fours.tolist())) == 500 and (TRUE[fours] == 4).all() and sorted(fours.tolist()) != fours.tolist()
    assert sorted(pixels.tolist()) == list(range(1024))
    expected_images = {
        "test digits": TESTS[some],
        "those misread": TESTS[~correct],
        "fours, top for bottom": TESTS[fours][:, :, torch.arange(31, -1, -1)],
        "shuffled pixels": torch.stack([TESTS[i].flatten()[pixels] for i in some]).reshape(-1, 1, 32, 32),
    }
    assert list(groups) == list(beyond) == list(expected_images)
    ax = find_axes("Beyond j")
    assert ax.get_xlabel() == "distance to the nearest code (black: median)" and ax.yaxis_inverted()
    assert [t.get_text() for t in ax.get_yticklabels()] == list(groups) and list(ax.get_yticks()) == [0, 1, 2, 3]
    clouds = [line for line in ax.lines if line.get_marker() == "."]
    medians_ = [line for line in ax.lines if line.get_color() == "black"]
    assert len(clouds) == len(medians_) == 4
    printed = print_again("groups = {").splitlines()
    for row_, (name_, images_) in enumerate(expected_images.items()):
        assert near(groups[name_], images_, 1e-4)
        far_ = ((compute_f6(trained, images_)[:, None] - INK) ** 2).sum(dim=2).min(dim=1).values
        assert near(clouds[row_].get_xdata(), far_, 2e-2) and abs(clouds[row_].get_ydata() - row_).max() <= 0.3
        assert near(medians_[row_].get_xdata(), [far_.median()] * 2, 2e-2)
        share_ = 100 * (far_ > J).double().mean().item()
        assert abs(beyond[name_] - share_) < 0.5
        if name_ != "shuffled pixels":  # run again, the pixels fall otherwise
            assert printed[row_] == f"{name_:21} median {far_.median():4.1f}, beyond j {share_:.0f} %"
    of_digits, *_, of_noise = beyond.values()
    assert ax.get_title() == f"Beyond j: {of_digits:.0f} % of the digits, {of_noise:.0f} % of the shuffled images"
    (limit,) = (line for line in ax.lines if line.get_linestyle() == "--")
    assert set(limit.get_xdata()) == {J} == {20.0} and ax.texts[0].get_text().strip() == "j = 20"
    assert beyond["test digits"] < 10 and min([*beyond.values()][1:]) > 60


def check_answer(figure, image_, ten_):
    image_ax, f6_ax, code_ax, bars = figure.axes
    f6_ = compute_f6(trained, image_)[0]
    apart_ = ((f6_ - INK) ** 2).sum(dim=1)
    digit_ = int(apart_.argmin())
    assert figure.get_suptitle() == f"The nearest code is that of the {digit_}, at {apart_[digit_]:.1f}"
    assert near(images_of(image_ax)[0], image_[0, 0]) and image_ax.get_title() == "image"
    assert near(images_of(f6_ax)[0], add_frame(f6_)[0]) and f6_ax.get_title() == "F6"
    assert near(images_of(code_ax)[0], add_frame(INK[digit_])[0]) and code_ax.get_title() == f"code of {digit_}"
    for ax, darkest in ((image_ax, -0.1), (f6_ax, -1), (code_ax, -1)):
        assert ax.images[0].cmap(1.0)[:3] == (1, 1, 1) and not ax.axison  # ink is white
        assert ax.images[0].get_clim() == (darkest, 1)
    assert axis_labels(bars) == ("digit", "distance to its code")
    assert near([p.get_height() for p in bars.patches], apart_, 1e-2) and near(ten_, apart_, 1e-2)
    blue = [i for i, p in enumerate(bars.patches) if np.allclose(p.get_facecolor()[:3], to_rgb(BLUE))]
    assert blue == [digit_]
    assert set(bars.lines[0].get_ydata()) == {20}


def test_answers():
    first_, second_ = (f for f in SHOWN if len(f.axes) == 4 and f.axes[1].get_title() == "F6")
    read_again = print_again("of_a_digit = show_answer").splitlines()
    assert read_again == ["the nearest of the ten codes:", f"the {of_a_digit.argmin()}, at {of_a_digit.min():.1f}"]
    check_answer(first_, TESTS[[0]], of_a_digit)
    check_answer(second_, scribble, of_the_scribble)
    assert scribble.shape == (1, 1, 32, 32) and abs(scribble.min() + 0.1) < 1e-4 and scribble.max() <= 1.175 + 1e-4
    inked = scribble[0, 0] > 0.2
    where = inked.nonzero()
    assert where.min(dim=0).values.tolist() >= [6, 9] and where.max(dim=0).values.tolist() <= [25, 22]
    assert inked[7].sum() < inked[20].sum()  # the A has its top above and its feet below
    assert (inked[24].int().diff().abs().sum() == 4) and (inked[7].int().diff().abs().sum() == 2)
    upside = draw_scribble("#...... " + "....... " * 11)[0, 0]
    assert (upside[:16, :16] > 0).any() and not (upside[16:] > 0).any() and not (upside[:, 16:] > 0).any()


def test_figure_of_the_mistakes():
    missed = [i for i in range(10_000) if predictions[i] != TRUE[i]]
    assert sorted(wrong) == missed
    assert [(TRUE[i], predictions[i]) for i in wrong] == sorted((TRUE[i], predictions[i]) for i in missed)
    everyone_ = np.stack([np.load(f / "predictions.npy") for f in sorted((ROOT / "runs").glob("lenet5-1998-[0-9]"))])
    by_all = (everyone_ != TRUE.numpy()).all(axis=0)
    figure = find_figure("digits that our network misreads: true > read")
    assert figure.get_suptitle().startswith(f"The {len(missed)} digits")
    drawn = [ax for ax in figure.axes if ax.images]
    assert len(drawn) == len(missed)
    for i, ax in zip(wrong, drawn):
        assert near(images_of(ax)[0], RAW.data[i], 0.5)
        assert ax.get_title() == f"{TRUE[i]} > {predictions[i]}" + ("*" if by_all[i] else "")
    printed = read_numbers(print_again("everyone = load_predictions"))
    assert printed == [len(missed), 10_000, 5, by_all.sum()] and 0 < by_all.sum() < len(wrong)


# ---- from 1998 to today ----


def test_ladder():
    assert list(RUNGS) == list(recipes) == ladder.index.tolist() == LADDER_HERE
    assert ladder.change.tolist() == list(RUNGS.values())
    for name_ in LADDER_HERE:
        errors_ = read_test_errors(name_)
        assert ladder.seeds[name_] == len(errors_) >= 2
        assert abs(ladder.error[name_] - np.mean(errors_)) < 1e-6
        assert abs(ladder.sd[name_] - np.std(errors_, ddof=1)) < 1e-6
        histories_ = [file_ for file_ in sorted(ROOT.glob(f"runs/{name_}-[0-9]/history.csv"))]
        assert len(histories_) == len(errors_) and all(len(pd.read_csv(file_)) == 20 for file_ in histories_)
    assert ladder.parameters.tolist() == [60_000] * 4 + [60_900, 61_750] + [61_706] * 5


def test_each_rung_changes_what_it_says():
    torch.manual_seed(3)
    images_, before_ = torch.randn(2, 1, 32, 32), None
    said_ = {
        "rung-dense-c3": ("c3", "Conv2d"), "rung-softmax": ("output", "Linear"), "rung-mean": ("s2", "AvgPool2d"),
        "rung-unsquashed": ("squash_pooled", "Identity"), "rung-relu": ("squash", "ReLU"),
        "rung-max": ("s4", "MaxPool2d"),
    }  # fmt: skip
    for name_ in LADDER_HERE[1:]:
        model_ = recipes[name_].build_model()
        parts_ = (*LAYERS, "squash", "squash_pooled", "output")
        now_ = {part_: type(getattr(model_, part_)).__name__ for part_ in parts_}
        if name_ in said_:
            layer_, kind_ = said_[name_]
            assert now_[layer_] == kind_ != before_[layer_], name_
        elif before_:
            assert now_ == before_
        assert model_(images_).shape == (2, 10)
        before_ = now_
    one_, many_, adam_, last_ = (recipes[f"rung-{rung_}"] for rung_ in ("one-rate", "batches", "adam", "input"))
    assert RECIPE.curved and not one_.curved and (RECIPE.batch_size, one_.batch_size, many_.batch_size) == (1, 1, 64)
    assert np.allclose(np.array(one_.rates) / one_.rates[0], [1] * 12 + [0.2] * 8)
    assert np.allclose(many_.schedule, [1] * 12 + [0.2] * 8) and adam_.optimizer is torch.optim.Adam
    assert last_.inputs["normalisation"] == "mnist" and recipes["rung-max"].inputs["normalisation"] == "1998"


def test_words_of_the_rungs():
    keys_ = ["1998", "one step", "64", "Adam", "C3", "softmax", "plain mean", "no squash", "ReLU", "largest", "mean 0"]
    assert all(key_ in what_ for key_, what_ in zip(keys_, RUNGS.values(), strict=True))


def test_single_digits_are_timed_with_their_own_trainer():
    used_ = []

    class Spy(FreshTrainer):
        def __init__(self, models, rubbish_distance, curved):
            used_.append((len(models), rubbish_distance, curved))
            super().__init__(models, rubbish_distance, curved)

    names_ = time_pass.__globals__
    kept_, names_["Trainer1998"] = names_["Trainer1998"], Spy
    fast_, names_["is_fast"] = names_["is_fast"], lambda: True
    time_pass(recipes["rung-one-rate"])
    time_pass(recipes["rung-batches"])
    names_["Trainer1998"], names_["is_fast"] = kept_, fast_
    assert used_ == [(1, 20.0, False)] * 3


def test_seconds_of_a_pass():
    assert len(seconds_a_pass) == len(LADDER_HERE) and min(seconds_a_pass) > 0
    slow_, fast_ = seconds_a_pass[:2], seconds_a_pass[2:]
    assert min(slow_) > 2 * np.median(fast_)  # one digit a step
    start_ = time.process_time()
    model_, x_ = recipes["rung-input"].build_model(), prepare_by_hand(RAW_TRAIN.data[:1280])
    optimizer_ = torch.optim.Adam(model_.parameters(), lr=0.001, fused=True)
    for x_part, y_part in zip(x_.split(64), TRUE_TRAIN[:1280].split(64)):
        functional.cross_entropy(model_(x_part), y_part).backward()
        optimizer_.step()
        optimizer_.zero_grad()
    measured_ = (time.process_time() - start_) * 60_000 / 1280
    assert measured_ / 5 < seconds_a_pass[-1] < 20 * measured_  # on a busy machine, too


def test_figure_of_the_ladder():
    ax = find_axes("The rung that helps most")
    means_ = [np.mean(read_test_errors(name_)) for name_ in LADDER_HERE]
    best_ = int(np.diff(means_).argmin()) + 1
    assert ax.get_title().endswith(f": {RUNGS[LADDER_HERE[best_]]}")
    assert ax.get_xlabel() == "test error (%), line: mean" and ax.yaxis_inverted()
    assert [t.get_text() for t in ax.get_yticklabels()] == [f"{n_}. {what_}" for n_, what_ in enumerate(RUNGS.values())]
    for rung_, name_ in enumerate(LADDER_HERE):
        errors_ = read_test_errors(name_)
        dots = [line for line in ax.lines if line.get_marker() == "o" and set(line.get_ydata()) == {rung_}]
        assert len(dots) == 1 and near(sorted(dots[0].get_xdata()), sorted(errors_), 1e-6)
        (mean_,) = (line for line in ax.lines if line.get_marker() == "|" and list(line.get_ydata()) == [rung_])
        assert abs(float(mean_.get_xdata()[0]) - np.mean(errors_)) < 1e-6
    times_ = find_axes("A pass takes")
    assert times_.get_xlabel() == "seconds" and times_.get_xscale() == "log"
    assert near([bar_.get_width() for bar_ in times_.patches], seconds_a_pass, 1e-6)
    assert [bar_.get_y() + bar_.get_height() / 2 for bar_ in times_.patches] == list(range(len(LADDER_HERE)))


# ---- what the paper does not say ----


def read_trials():
    """All trials, and the last pass of each."""
    read_ = pd.read_csv(ROOT / "trials_1998.csv")
    return read_, pd.DataFrame([g_.loc[g_["pass"].idxmax()] for _, g_ in read_.groupby(["group", "trial", "seed"])])


def test_trials():
    read_, ends_ = read_trials()
    to_the_end = ends_[(ends_["pass"] == 20) & ends_.group.isin(["C", "F"])]
    assert set(whole.index) == set(to_the_end.trial) and len(whole) == 7
    assert whole["last pass (%)"].is_monotonic_increasing
    for name_, row_ in whole.iterrows():
        mine = to_the_end[to_the_end.trial == name_].validation_error
        assert row_.seeds == len(mine) and abs(row_["last pass (%)"] - mine.mean()) < 1e-6
        way_ = read_[read_.group.isin(["C", "F"]) & (read_.trial == name_) & read_["pass"].isin(range(5, 13))]
        assert len(way_) == 8 * row_.seeds
        assert abs(row_["passes 5 to 12 (%)"] - way_.validation_error.mean()) < 1e-6
        assert abs(row_["their sd"] - way_.validation_error.std()) < 1e-6
    assert sorted(whole.index[:3]) == ["constant curvature", "equation 8", "own curvature"]
    own_, constant_ = whole.loc["own curvature"], whole.loc["constant curvature"]
    assert constant_["passes 5 to 12 (%)"] < own_["passes 5 to 12 (%)"] - 0.3
    assert constant_["their sd"] == whole["their sd"][:3].min()
    assert whole["last pass (%)"][:3].max() - whole["last pass (%)"].min() < 0.1


def test_what_the_text_says_of_the_trials_of_ten_passes():
    _, ends_ = read_trials()
    ten_ = ends_[(ends_["pass"] == 10) & (ends_.group <= "E")].groupby("trial").validation_error.mean()
    assert ten_[["as published", "as published, equation 8"]].min() > 85
    assert ten_[["published rates", "published rates, equation 8"]].min() > 25
    taken = ten_["constant curvature"]
    assert ten_["first weights 0.5 / sqrt(F)"] > taken + 1
    assert ten_["own curvature, first weights 2.4 / sqrt(F)"] > ten_["own curvature"] + 0.2
    assert abs(ten_["constant curvature, j = 8"] - taken) < 0.15 < ten_["constant curvature, j = 50"] - taken
    assert taken + 0.3 < ten_["constant curvature, biases 0"]
    assert ten_[ten_.index.str.contains("mu 0.1")].min() > taken


def test_what_the_text_says_of_the_mean_distance():
    _, ends_ = read_trials()
    averaged = ends_[ends_.distance == "mean"]
    assert averaged["pass"].eq(20).all()
    assert len(averaged) == 5 and averaged.mu.eq(MU).all() and abs(84 * MU - 1.68) < 1e-9
    assert (
        averaged.validation_error.min() > whole["last pass (%)"]["constant curvature"]
        and averaged.validation_error.max() < 1.7
    )
    torch.manual_seed(0)
    trainer_ = FreshTrainer([FreshNetwork(published_start=True)], 20.0)
    chosen_ = torch.randperm(60_000, generator=torch.Generator().manual_seed(1))[:500]
    trainer_.estimate_curvature(prepare_by_hand(RAW_TRAIN.data[chosen_]), TRUE_TRAIN[chosen_])
    there = [kind_[0, t_, s_] for kind_ in trainer_.curvature["c3"][:1] for t_, of_ in enumerate(READS) for s_ in of_]
    rest_ = [v_.flatten() for n_, vs_ in trainer_.curvature.items() for v_ in (vs_[1:] if n_ == "c3" else vs_)]
    found_ = torch.cat([torch.stack(there).flatten(), *rest_])
    assert len(found_) == 60_000
    for scale_, span_ in ((1, ["0.00019", "0.025"]), (1 / 84, ["0.00012", "0.0003"])):  # sum, mean
        steps_ = 0.0005 * scale_ / (MU + scale_ * found_)
        assert [f"{end_:.2g}" for end_ in (steps_.min().item(), steps_.max().item())] == span_
    assert found_.median() < MU / 5  # nearly zero for most weights
