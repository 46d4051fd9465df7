"""Run in the kernel of notebook 08 after its last cell: its figures and numbers, worked out once more by other ways."""
# ruff: noqa: F821  (the names are the notebook's)

import math

import numpy as np
import torch.nn.functional as functional
from matplotlib.colors import to_rgb
from scipy import stats
from torch.utils.data import RandomSampler

from lenet_utils.data import load_mnist as load_mnist_again
from lenet_utils.files import find_data_root as find_root
from lenet_utils.lenet1998.network import CODES
from lenet_utils.lenet1998.network import LeNet1998 as FreshNetwork
from lenet_utils.lenet1998.trainer import MU
from lenet_utils.lenet1998.trainer import Trainer1998 as FreshTrainer
from lenet_utils.models import C3_TABLE as READS

ROOT = find_root()
RAW, RAW_TRAIN = load_mnist_again(train=False), load_mnist_again(train=True)
TRUE, TRUE_TRAIN = RAW.targets, RAW_TRAIN.targets
INK = torch.tensor([[1.0 if c == "#" else -1.0 for c in code.replace("/", "")] for code in CODES])
LAYERS = ("c1", "s2", "c3", "s4", "c5", "f6")
RECIPES_HERE = ("lenet5-1998", "lenet5-1998-eq8", "lenet5-1998-distorted")
LADDER_HERE = ["lenet5-1998"] + [
    f"ladder-{r}" for r in ["batches", "adam", "dense-c3", "softmax", "pooling", "relu", "input"]
]


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


def test_figure_of_the_squashing_functions():
    ax = find_axes("Three squashing functions")
    assert axis_labels(ax) == ("sum a", "f(a)")
    for name_, function_ in (
        ("1.7159 tanh(2a/3)", lambda v: 1.7159 * np.tanh(2 * v / 3)),
        ("tanh", np.tanh),
        ("logistic", lambda v: 1 / (1 + np.exp(-v))),
    ):
        x_, y_ = find_line(ax, name_)
        assert x_.min() == -4 and x_.max() == 4 and near(y_, function_(x_), 1e-5), name_
    (dots,) = (line for line in ax.lines if line.get_marker() == "o")
    assert list(dots.get_xdata()) == list(dots.get_ydata()) == [-1, 1]


def test_squashing_numbers():
    assert near(ones, [-1, 1], 1e-4)
    assert near(slopes, [2 / 3 * 1.7159 * (1 - math.tanh(2 / 3 * v) ** 2) for v in (0, 1, 3)], 1e-3)


def test_subsampling():
    assert list(answers) == ["mean", "any of them", "all of them"]
    for name_, (coefficient_, bias_) in zip(answers, ((0.25, 0), (2, 4), (2, -6))):
        expected = [1.7159 * math.tanh(2 / 3 * (coefficient_ * (2 * on - 4) + bias_)) for on in range(5)]
        assert near(answers[name_], expected, 1e-4), name_
    assert count_parameters(TrainedSubsampling(6)) == 12


def test_figure_of_c3s_table():
    ax = find_axes("Which map of S2 feeds which map of C3")
    assert axis_labels(ax) == ("map of C3", "map of S2")
    (drawn,) = images_of(ax)
    assert drawn.shape == (6, 16) and drawn.sum() == 60
    assert all(
        (drawn[source_, target_] == 1) == (source_ in READS[target_]) for source_ in range(6) for target_ in range(16)
    )
    assert ax.images[0].cmap(1.0)[2] > 0.3 > ax.images[0].cmap(1.0)[0]  # dark blue: it does


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
    assert near(list(apart.values()), expected, 1e-3)
    assert expected[0] < 1e-6 and min(expected[1:]) > 0.1
    assert list(apart) == ["same inputs, read alike", "by the table, read alike", "same inputs, own weights behind"]


def test_codes():
    assert torch.equal(codes, INK)
    figure = [f for f in SHOWN if len(f.axes) == 10 and [ax.get_title() for ax in f.axes] == list("0123456789")]
    assert len(figure) == 1
    for digit_, ax in enumerate(figure[0].axes):
        (picture,) = images_of(ax)
        dark = picture < 0  # ink is black here
        assert ["".join("#" if d else "." for d in line) for line in dark] == CODES[digit_].split("/")
        assert ax.images[0].cmap.name == "gray"
    expected = sorted((sum(a != b for a, b in zip(CODES[i], CODES[k])), i, k) for i in range(10) for k in range(i))
    assert sorted(pairs) == expected and expected[0] == (12, 8, 6)


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
    table_ = notes_table
    assert table_.index.tolist() == ["C1", "S2", "C3", "S4", "C5", "F6", "output"]
    assert table_.maps.tolist() == [6, 6, 16, 16, 120, 84, 10]
    assert table_.kernel.tolist() == ["5x5", "2x2", "5x5", "2x2", "5x5", "all", "all"]
    assert table_["size"].tolist() == ["28x28", "14x14", "10x10", "5x5", "1x1", "1", "1"]
    assert table_.stride.tolist() == [1, 2, 1, 2, 1, "", ""]
    assert [int(p.replace(",", "")) for p in table_.parameters] == [c[0] for c in ledger.values()]
    assert [int(c.replace(",", "")) for c in table_.connections] == [c[1] for c in ledger.values()]
    assert table_.activation.tolist() == ["1.7159 tanh(2a/3)"] * 6 + ["distance (RBF)"]


def test_losses_and_toy():
    y_ = [30, 25, 4, 9, 40, 38, 45, 28, 22, 33]
    assert near(clear_2, y_) and label.item() == y_.index(min(y_)) == 2
    assert equation_8 == 4
    assert abs(equation_9 - (4 + math.log(math.exp(-20) + sum(math.exp(-v) for v in y_)))) < 1e-5
    assert abs(equation_9 - by_hand.item()) < 1e-5
    assert (
        share[2] > 0.9
        and abs(share[10].item() - math.exp(-20) / (math.exp(-20) + sum(math.exp(-v) for v in y_))) < 1e-6
    )
    for name_, steps_ in (
        ("one rate, 0.015", (0.015, 0.015)),
        ("one rate, 0.025", (0.025,) * 2),
        ("its own rate", (0.005, 0.5)),
    ):
        expected = [(1 - step_ * h_) ** 10 for step_, h_ in zip(steps_, (100, 1))]
        assert np.allclose(ends[name_].numpy(), expected, rtol=1e-3), name_
    assert ends["its own rate"].abs().max() < 0.01 < ends["one rate, 0.015"][1] and ends["one rate, 0.025"][0] > 10


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


def test_backward_pass_and_steps():
    assert set(misses) == {"c1", "s2", "s4", "f6"} and max(misses.values()) < 1e-4
    _, trainer_ = build_fresh_trainer()
    assert list(steps) == list(LAYERS)
    for name_, (weights_, biases_) in trainer_.compute_steps(0.0005).items():
        if name_ == "c3":
            weights_ = torch.stack([weights_[0, t_, s_] for t_, sources_ in enumerate(READS) for s_ in sources_])
        expected = torch.cat([weights_.flatten(), biases_.flatten()])
        assert near(steps[name_].sort().values, expected.sort().values, 1e-6), name_
        assert abs(medians[name_] - expected.median().item()) < 1e-6
    assert sum(len(values_) for values_ in steps.values()) == len(all_steps) == 60_000
    assert low == all_steps.min() and high == all_steps.max()
    assert 7e-5 < low < 1e-3 and 0.01 < high <= 0.0005 / MU
    assert max(medians["s2"], medians["s4"]) < min(medians[n_] for n_ in ("c1", "c3", "c5", "f6"))


def test_live_training():
    assert abs(live_error - 100 * (predict_logits(model, TESTS).argmax(dim=1) != TRUE).double().mean().item()) < 1e-6
    assert live_error < (70 if is_fast() else 5)
    first_ = {seed_: 100 - table_.test_accuracy[0] for seed_, table_ in read_histories_by_seed("lenet5-1998").items()}
    assert near(first_pass, [first_[seed_] for seed_ in sorted(first_)], 1e-6)
    if is_fast():  # once more, digit by digit
        network_, trainer_ = build_fresh_trainer()
        order_ = torch.randperm(60_000, generator=torch.Generator().manual_seed(SEED))[:1_000]
        trainer_.train(prepare_by_hand(RAW_TRAIN.data[order_]), TRUE_TRAIN[order_], torch.arange(1_000)[None], 0.00005)
        trainer_.copy_to([network_])
        assert all(torch.allclose(a_, b_, atol=1e-4) for a_, b_ in zip(network_.parameters(), model.parameters()))
    elif SEED in first_:  # five side by side round differently than one
        assert abs(live_error - first_[SEED]) < 0.3


def test_figure_of_twenty_passes():
    figure = find_axes("equation 8 (").figure
    found = {ax.get_title(): ax for ax in figure.axes}
    for (recipe_, title_, paper_), ax in zip(
        (
            ("lenet5-1998", "equation 9", 0.95),
            ("lenet5-1998-eq8", "equation 8", 0.95),
            ("lenet5-1998-distorted", "equation 9, distorted digits", 0.8),
        ),
        figure.axes,
    ):
        histories_ = read_histories_by_seed(recipe_)
        assert ax.get_title() == f"{title_} ({len(histories_)} seeds)" and ax.get_xlabel() == "pass"
        bands = {}
        for quantity_, colour_ in (("test", "#C25000"), ("train", "#0072B2")):
            by_seed = 100 - np.stack([h_[f"{quantity_}_accuracy"] for h_ in histories_.values()])
            x_, y_ = find_line(ax, quantity_)
            assert x_.tolist() == list(range(1, 21)) and near(y_, by_seed.mean(axis=0), 1e-5)
            (line,) = (line for line in ax.lines if line.get_label() == quantity_)
            assert line.get_color() == colour_
            bands[colour_] = by_seed
        for band in ax.collections:
            (colour_,) = (c for c in bands if np.allclose(to_rgb(c), band.get_facecolor()[0][:3], atol=1e-3))
            heights = band.get_paths()[0].vertices[:, 1]
            assert abs(heights.min() - bands[colour_].min()) < 1e-5 and abs(heights.max() - bands[colour_].max()) < 1e-5
        assert set(find_line(ax, "test, paper")[1]) == {paper_}
        if paper_ == 0.95:
            assert set(find_line(ax, "train, paper")[1]) == {0.35}
        assert ax.get_ylim() == (0, 3)
    assert figure.axes[0].get_ylabel() == "error (%)" and len(found) == 3
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == [
        "test",
        "train",
        "test, paper",
        "train, paper",
    ]


def test_table_of_1998():
    assert of_1998.index.tolist() == list(RECIPES_HERE)
    for recipe_ in RECIPES_HERE:
        errors_, row_ = read_test_errors(recipe_), of_1998.loc[recipe_]
        assert row_.seeds == len(errors_) >= 3
        expected = [np.mean(errors_), np.std(errors_, ddof=1), min(errors_), max(errors_)]
        assert near(row_[["test error (%)", "sd", "min", "max"]], expected, 1e-6)
        assert row_["paper, test (%)"] == (0.8 if recipe_.endswith("distorted") else 0.95)
        assert near(accuracies[recipe_], 100 - np.array(errors_), 1e-6)
    main_, eq8_, distorted_ = (of_1998.loc[recipe_] for recipe_ in RECIPES_HERE)
    assert abs(main_["test error (%)"] - 0.95) < 0.05 and 0.8 < main_["min"] < main_["max"] < 1.1
    assert distorted_["max"] < 0.8 and distorted_.seeds == 5
    assert main_["training error (%)"] < 0.35 / 2 and abs(eq8_["training error (%)"] - 0.35) < 0.05
    for recipe_ in RECIPES_HERE[1:]:
        a_, b_ = np.array(read_test_errors("lenet5-1998")), np.array(read_test_errors(recipe_))
        va_, vb_ = a_.var(ddof=1) / len(a_), b_.var(ddof=1) / len(b_)
        t_, df_ = (
            (a_.mean() - b_.mean()) / (va_ + vb_) ** 0.5,
            (va_ + vb_) ** 2 / (va_**2 / (len(a_) - 1) + vb_**2 / (len(b_) - 1)),
        )
        assert abs(p_value[recipe_] - 2 * stats.t.sf(abs(t_), df_)) < 1e-6
    assert p_value["lenet5-1998-eq8"] > 0.05 and p_value["lenet5-1998-distorted"] < 0.01
    total_seconds = sum(h_.seconds.sum() for h_ in read_histories_by_seed("lenet5-1998").values())
    assert abs(minutes - total_seconds / 60) < 1e-6


# ---- what F6 shows ----


def read_tiles(ax, rows, columns, height, width):
    """The pictures of a mosaic, (rows, columns, height, width), in the size of the canvas."""
    (canvas,) = images_of(ax)
    gap_ = height // 8
    assert canvas.shape == (rows * (height + gap_) - gap_, columns * (width + gap_) - gap_)
    return np.stack([
        [canvas[r * (height + gap_) :][:height, c * (width + gap_) :][:, :width] for c in range(columns)]
        for r in range(rows)
    ])  # fmt: skip


def test_figure_of_f6():
    ax = find_axes("F6 of ten test digits")
    second_of_kind = [[i for i in range(200) if TRUE[i] == d][1] for d in range(10)]
    torch.manual_seed(SEED)
    expected = [compute_f6(FreshNetwork(), TESTS[second_of_kind]), compute_f6(trained, TESTS[second_of_kind]), INK]
    drawn = read_tiles(ax, 3, 10, 24, 14)
    for row_, values_ in zip(drawn, expected):
        assert near(row_[:, ::2, ::2], values_.reshape(10, 12, 7))
    ticks_ = sorted(zip(ax.get_yticks(), [t.get_text() for t in ax.get_yticklabels()]))
    assert [text_ for _, text_ in ticks_] == ["before", "after", "code"]
    ticks_ = sorted(zip(ax.get_xticks(), [t.get_text() for t in ax.get_xticklabels()]))
    assert [text_ for _, text_ in ticks_] == list("0123456789")
    assert ax.images[0].cmap(1.0)[0] > ax.images[0].cmap(1.0)[2]  # red is ink
    for name_, values_ in zip(("before", "after"), expected):
        assert near(own_code[name_], (values_ - INK).square().sum(dim=1), 1e-2)
    if STORED == SEED == 0:  # what the text says
        assert sum(own_code["after"] < 8) == 9 and own_code["after"].argmax() == 5 and own_code["after"][5] > 10


def test_the_stored_network():
    saved = torch.load(ROOT / "runs" / f"lenet5-1998-{STORED}" / "model.pt", weights_only=True)["state"]
    assert all(torch.equal(value_, saved[name_]) for name_, value_ in trained.state_dict().items())
    kept_ = np.load(ROOT / "runs" / f"lenet5-1998-{STORED}" / "predictions.npy")
    assert (kept_ == predictions.numpy()).mean() > 0.999
    part_ = slice(0, 10_000, 10)
    assert near(features[part_], compute_f6(trained, TESTS[part_]))
    apart_ = ((features[:, None] - INK) ** 2).sum(dim=2)
    assert near(distances[part_], apart_[part_], 1e-2) and torch.equal(distances.argmin(dim=1), predictions)
    assert near(nearest, apart_.min(dim=1).values, 1e-2)
    right_ = predictions == TRUE
    assert torch.equal(correct, right_)
    assert abs(medians_of["correct"] - apart_.min(dim=1).values[right_].median()) < 0.01
    assert abs(medians_of["incorrect"] - apart_.min(dim=1).values[~right_].median()) < 0.01
    assert medians_of["incorrect"] > 2 * medians_of["correct"]


def share_beyond(pictures_):
    apart_ = ((compute_f6(trained, pictures_)[:, None] - INK) ** 2).sum(dim=2).min(dim=1).values
    return 100 * (apart_ > 20).double().mean().item()


def test_what_is_beyond_the_rubbish_distance():
    flipped = TESTS[TRUE == 4][:500][:, :, torch.arange(31, -1, -1)]
    assert near(mirrored[::50], flipped[::50], 1e-5)
    assert sorted(mixed.tolist()) == list(range(1024))
    assert near(shuffled[3].flatten(), TESTS[3].flatten()[mixed], 1e-5)
    expected = [share_beyond(TESTS[:500]), share_beyond(flipped), share_beyond(shuffled)]
    assert list(beyond) == ["test digits", "fours, top for bottom", "shuffled pixels"]
    assert near(list(beyond.values()), expected, 0.3)
    assert expected[0] < 10 and min(expected[1:]) > 60 and max(expected[1:]) < 90


def check_answer(figure, image_, ten_):
    image_ax, f6_ax, code_ax, bars = figure.axes
    f6_ = compute_f6(trained, image_)[0]
    apart_ = ((f6_ - INK) ** 2).sum(dim=1)
    digit_ = int(apart_.argmin())
    assert near(images_of(image_ax)[0], image_[0, 0]) and image_ax.get_title() == "image"
    assert near(images_of(f6_ax)[0], f6_.reshape(12, 7)) and f6_ax.get_title() == "F6"
    assert near(images_of(code_ax)[0], INK[digit_].reshape(12, 7)) and code_ax.get_title() == f"code of {digit_}"
    for ax, colours_ in ((image_ax, "gray"), (f6_ax, "gray_r"), (code_ax, "gray_r")):
        assert ax.images[0].cmap.name == colours_ and ax.axison and not [*ax.get_xticks(), *ax.get_yticks()]
    assert f6_ax.images[0].get_clim() == code_ax.images[0].get_clim() == (-1, 1)  # ink is black
    assert axis_labels(bars) == ("digit", "distance to its code")
    assert near([p.get_height() for p in bars.patches], apart_, 1e-2) and near(ten_, apart_, 1e-2)
    blue = [i for i, p in enumerate(bars.patches) if np.allclose(p.get_facecolor()[:3], to_rgb("#0072B2"))]
    assert blue == [digit_]
    assert set(bars.lines[0].get_ydata()) == {20}


def test_answers():
    first_, second_ = (f for f in SHOWN if len(f.axes) == 4 and f.axes[1].get_title() == "F6")
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
    ax = find_axes("true > read")
    missed = [i for i in range(10_000) if predictions[i] != TRUE[i]]
    assert wrong.tolist() == missed
    rows_ = -(-len(missed) // 14)
    drawn = read_tiles(ax, rows_, 14, 28, 28).reshape(-1, 28, 28)
    assert near(drawn[: len(missed)], RAW.data[missed], 0.5) and not drawn[len(missed) :].any()
    texts = [(t.get_position(), t.get_text()) for t in ax.texts]
    assert len(texts) == len(missed)
    for number_, i in enumerate(missed):
        at_ = (31 * (number_ % 14), 31 * (number_ // 14))
        assert (at_, f"{TRUE[i]}>{predictions[i]}") in texts
    everyone = np.stack([np.load(f / "predictions.npy") for f in sorted((ROOT / "runs").glob("lenet5-1998-[0-9]"))])
    assert always == (everyone != TRUE.numpy()).all(axis=0).sum() and 0 < always < len(wrong)


# ---- from 1998 to today ----


def test_ladder():
    assert list(RUNGS) == ladder.index.tolist() == LADDER_HERE
    assert ladder["what is changed"].tolist() == list(RUNGS.values())
    for name_ in LADDER_HERE:
        errors_ = read_test_errors(name_)
        assert ladder.seeds[name_] == len(errors_) >= 3
        assert abs(ladder["test error (%)"][name_] - np.mean(errors_)) < 1e-6
        assert abs(ladder.sd[name_] - np.std(errors_, ddof=1)) < 1e-6
    assert ladder.parameters.tolist() == [60_000, 60_000, 60_000, 60_900, 61_750, 61_706, 61_706, 61_706]
    gain = ladder["test error (%)"].diff()
    assert gain["ladder-relu"] == gain.drop("ladder-batches").min() < -2 * ladder.sd["ladder-relu"]
    # Which settings change from rung to rung, as the text counts them:
    changes = {}
    for before_, name_ in zip(LADDER_HERE[1:], LADDER_HERE[2:]):
        a_, b_ = LADDER[before_], LADDER[name_]
        changes[name_] = [k for k in vars(a_) if k not in ("published", "chosen") and vars(a_)[k] != vars(b_)[k]]
    assert changes["ladder-adam"] == ["optimizer", "optimizer_settings"]
    assert changes["ladder-dense-c3"] == ["settings"] and changes["ladder-input"] == ["inputs"]


def test_figure_of_the_ladder():
    ax = find_axes("From 1998 to today")
    assert ax.get_xlabel() == "test error (%)" and ax.yaxis_inverted()
    assert [t.get_text() for t in ax.get_yticklabels()] == list(RUNGS.values())
    for rung_, name_ in enumerate(LADDER_HERE):
        errors_ = read_test_errors(name_)
        dots = [line for line in ax.lines if line.get_marker() == "o" and set(line.get_ydata()) == {rung_}]
        assert len(dots) == 1 and near(sorted(dots[0].get_xdata()), sorted(errors_), 1e-6)
        (mean_,) = (line for line in ax.lines if line.get_marker() == "|" and list(line.get_ydata()) == [rung_])
        assert abs(float(mean_.get_xdata()[0]) - np.mean(errors_)) < 1e-6


def test_the_last_rung():
    images_, labels_ = train_loader.dataset.tensors
    flat = (RAW_TRAIN.data[:shown_digits].float() / 255 - 0.1307) / 0.3081
    assert near(images_[:, 0, 2:-2, 2:-2][::100], flat[::100], 1e-3) and torch.equal(labels_, TRUE_TRAIN[:shown_digits])
    assert torch.equal(test_loader.dataset.tensors[1], TRUE)
    assert near(test_loader.dataset.tensors[0][::50, 0, 2:-2, 2:-2], (RAW.data[::50] / 255 - 0.1307) / 0.3081, 1e-3)
    assert isinstance(train_loader.sampler.sampler, RandomSampler)
    assert train_loader.sampler.sampler.generator.initial_seed() == SEED
    assert isinstance(optimizer, torch.optim.Adam) and optimizer.param_groups[0]["lr"] == RUNG_RATE
    assert {id(p) for g in optimizer.param_groups for p in g["params"]} == {id(p) for p in rung_model.parameters()}
    torch.manual_seed(SEED)
    new_model = LADDER["ladder-input"].build_model()
    order_ = torch.randperm(shown_digits, generator=torch.Generator().manual_seed(SEED))  # RandomSampler's first draw
    order_ = list(RandomSampler(range(shown_digits), generator=torch.Generator().manual_seed(SEED)))[:64]
    with torch.no_grad():
        first_loss = functional.cross_entropy(new_model(images_[order_]), labels_[order_]).item()
    assert abs(history.batch_losses[0][0] - first_loss) < 1e-4
    assert len(history) == (1 if is_fast() else 6) and len(history.batch_losses[0]) == -(-shown_digits // 64)
    missed = (predict_logits(rung_model, test_loader.dataset.tensors[0]).argmax(dim=1) != TRUE).double().mean()
    assert abs(rung_error - 100 * missed.item()) < 1e-6
    assert near(rung_errors, read_test_errors("ladder-input"), 1e-6)
    if is_fast():
        assert rung_error < 15
    else:
        assert rung_errors.min() - 0.2 < rung_error < rung_errors.max() + 0.2
        assert abs(rung_error - rung_errors.get(SEED, rung_error)) < 0.3


# ---- what the paper does not say ----


def test_two_starts():
    assert len(train_part) == 55_000 and len(validation_part) == 5_000
    assert not set(train_part.tolist()) & set(validation_part.tolist())
    assert torch.equal(validation_labels, TRUE_TRAIN[validation_part])
    assert near(validation_images[::50], prepare_by_hand(RAW_TRAIN.data[validation_part[::50]]), 1e-5)
    assert tried.index.tolist() == ["weights up to 2.4 / F", "weights up to 1 / sqrt(F)"]
    assert tried.columns.tolist() == ["rate 0.0005", "rate 5e-05"]
    if is_fast():
        for rate_, column_ in zip((0.0005, 0.00005), tried.columns):
            torch.manual_seed(SEED)
            pair = [FreshNetwork(published_start=True), FreshNetwork()]
            trainer_ = FreshTrainer(pair, 20.0)
            digits_, labels_ = train_images[few], TRUE_TRAIN[few]  # to the last bit: large steps enlarge it
            trainer_.estimate_curvature(digits_[:500], labels_[:500])
            trainer_.train(digits_, labels_, torch.arange(len(few)).repeat(2, 1), rate_)
            trainer_.copy_to(pair)
            for network_, error_ in zip(pair, tried[column_]):
                read_ = predict_logits(network_, validation_images).argmax(dim=1)
                assert abs(error_ - 100 * (read_ != validation_labels).double().mean().item()) < 0.3
    else:
        assert tried.iloc[1, 1] == tried.min(axis=None) < 10


def test_learning():
    assert len(our_settings) == len(yours) == 6 and our_settings.index[-1] == yours.index[-1] == PLAYED
    torch.manual_seed(SEED)
    network_ = FreshNetwork()
    trainer_ = FreshTrainer([network_], 20.0)
    mine = train_part[torch.randperm(55_000, generator=torch.Generator().manual_seed(SEED))[:PLAYED]]
    trainer_.estimate_curvature(train_images[mine[:500]], TRUE_TRAIN[mine[:500]])
    first_sixth = mine[: -(-PLAYED // 6)]
    trainer_.train(train_images, TRUE_TRAIN, first_sixth[None], 0.00005)
    trainer_.copy_to([network_])
    read_ = predict_logits(network_, validation_images[:1_000]).argmax(dim=1)
    assert abs(our_settings.iloc[0] - 100 * (read_ != validation_labels[:1_000]).double().mean().item()) < 0.5
    ax = find_axes("The first steps of 1998")
    assert axis_labels(ax) == ("digits learnt from", "validation error (%)") and ax.get_yscale() == "log"
    for label_, series_ in (("our settings", our_settings), ("yours", yours)):
        x_, y_ = find_line(ax, label_)
        assert x_.tolist() == series_.index.tolist() and near(y_, series_, 1e-6)
    (band,) = ax.patches
    assert (
        abs(band.get_y() - first_pass.min()) < 1e-6 and abs(band.get_y() + band.get_height() - first_pass.max()) < 1e-6
    )
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
        slow = learn(rate=0.000001, first_weights="2.4 / F", j=1.0, digits=60)
        learn(rate=0.000002, first_weights="1 / sqrt(F)", j=3.0, digits=60)
    finally:
        globals().update(LeNet1998=build, Trainer1998=train_with)
    shown_ = [([part_.tolist()], 0.000001) for part_ in mine[:60].split(10)]
    expected = [{"published_start": True}, 1.0, *shown_]
    assert asked == expected + [{"published_start": False}, 3.0, *((part_, 0.000002) for part_, _ in shown_)]
    assert slow.iloc[-1] > 60 and slow.index.tolist() == [10, 20, 30, 40, 50, 60]
    # Ours learns from as many digits:
    before_ = plt.get_fignums()
    few_ = show_learning(rate=0.000002, first_weights="2.4 / F", j=3.0, digits=60)
    (number_,) = set(plt.get_fignums()) - set(before_)
    ax = plt.figure(number_).axes[0]
    assert near(find_line(ax, "yours")[1], few_, 1e-6)
    x_, y_ = find_line(ax, "our settings")
    assert x_.tolist() == [10, 20, 30, 40, 50, 60]
    assert near(y_, learn(rate=0.00005, first_weights="1 / sqrt(F)", j=20.0, digits=60), 1e-6)
    plt.close(number_)


def test_trials():
    read_ = pd.read_csv(ROOT / "trials_1998.csv")
    assert trials.equals(read_)
    ends_ = [group_.loc[group_["pass"].idxmax()] for _, group_ in read_.groupby(["group", "trial", "seed"])]
    columns_ = ["trial", "distance", "seed", "pass", "validation_error", "training_error"]
    assert sorted(tuple(r_[columns_]) for r_ in ends_) == sorted(trials_table.itertuples(index=False, name=None))
    assert trials_table.columns[4] == "validation error (%)" and trials_table.columns[5] == "training error (%)"
    assert set(trials_table.distance) == {"sum", "mean"}
    assert trials_table.distance.eq("mean").equals(trials_table.trial.str.contains("mean distance"))
    order_ = list(zip(-trials_table.passes, trials_table["validation error (%)"]))
    assert order_ == sorted(order_)
    for name_ in ("own curvature", "constant curvature", "equation 8"):
        mine = read_[(read_.group == "C") & (read_.trial == name_)]
        on_way = mine.validation_error[(mine["pass"] >= 5) & (mine["pass"] <= 12)]
        assert len(on_way) == 16 and abs(on_the_way.loc[name_, "mean"] - on_way.mean()) < 1e-6
        assert abs(on_the_way.loc[name_, "std"] - on_way.std()) < 1e-6
        assert abs(at_the_end[name_] - mine.validation_error[mine["pass"] == 20].mean()) < 1e-6
    own_, constant_ = on_the_way.loc["own curvature"], on_the_way.loc["constant curvature"]
    assert constant_["mean"] < own_["mean"] - 0.3 and constant_["std"] < own_["std"]
    assert at_the_end.max() - at_the_end.min() < 0.1


def test_what_the_text_says_of_the_trials_of_ten_passes():
    ten_ = final[final["pass"] == 10].groupby("trial").validation_error.mean()
    assert ten_[["as published", "as published, equation 8"]].min() > 85
    assert ten_[["published rates", "published rates, equation 8"]].min() > 25
    taken = ten_["constant curvature"]
    assert ten_["first weights 0.5 / sqrt(F)"] > taken + 1
    assert ten_["own curvature, first weights 2.4 / sqrt(F)"] > ten_["own curvature"] + 0.2
    assert abs(ten_["constant curvature, j = 8"] - taken) < 0.15 < ten_["constant curvature, j = 50"] - taken
    assert taken + 0.3 < ten_["constant curvature, biases 0"]
    assert ten_[ten_.index.str.contains("mu 0.1")].min() > taken


def test_what_the_text_says_of_the_mean_distance():
    averaged = trials[(trials.distance == "mean") & (trials["pass"] == 20)]
    assert len(averaged) == 5 and averaged.mu.eq(MU).all() and abs(84 * MU - 1.68) < 1e-9
    assert averaged.validation_error.min() > at_the_end["constant curvature"] and averaged.validation_error.max() < 1.7
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
