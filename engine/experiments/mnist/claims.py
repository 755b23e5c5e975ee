"""The paper's statements of Sections 3 to 5 against a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.arrays import FloatArray
from engine.core.claims import Bound, Claim, Lamp, Verdict
from engine.experiments.mnist.params import MnistParams
from engine.experiments.mnist.views import KIND_LABELS, PAPER_GAP, PAPER_TEST, PAPER_TRAIN
from engine.theory import optimisers

if TYPE_CHECKING:
    from engine.experiments.mnist.training import Training

PAPER_EPOCHS = 12
MNIST = "06b0d1f124c4e5fa"
"""Fingerprint of MNIST's four files."""
LITTLE = 0.1
"""Relative displacement of the biases that is called little."""
ROUNDING = 1e-9
"""Violation of convexity, relative to the answers, that rounding explains."""


def sharpness_limit(params: MnistParams, step_size: float) -> float | None:
    """Return the largest Hessian eigenvalue that the method's linearisation leaves stable.

    That of the optimiser with full batches; None for Adam, whose limit is one on the Hessian
    divided by the roots of its mean squares, and for a step size of 0.
    """
    if params.optimiser == "adam" or step_size <= 0:
        return None
    return optimisers.sharpness_limit(params.optimiser, params.momentum, step_size)


def theory(params: MnistParams, training: Training | None) -> tuple[Bound, ...]:
    """List the stability limit, the paper's accuracies, and the Lipschitz bounds."""
    test, train, gap = (
        _latest(training, key) for key in ("test_accuracy", "train_accuracy", "gap")
    )
    paper = "Section 5, Figure 5"
    after = "After epoch 12; the run's own value is the latest measured."
    return (
        _limit(params, training),
        Bound(
            id="paper_train",
            name="Training accuracy in %",
            symbol=r"a_{\mathrm{train}}",
            value=PAPER_TRAIN,
            source=paper,
            measured=train,
            note=after,
        ),
        Bound(
            id="paper_test",
            name="Test accuracy in %",
            symbol=r"a_{\mathrm{test}}",
            value=PAPER_TEST,
            source=paper,
            measured=test,
            note=after,
        ),
        Bound(
            id="paper_gap",
            name="Gap in percentage points",
            symbol=r"a_{\mathrm{train}}-a_{\mathrm{test}}",
            value=PAPER_GAP,
            source=paper,
            measured=gap,
            note=after,
        ),
        _lipschitz(training),
    )


def _limit(params: MnistParams, training: Training | None) -> Bound:
    step_size = params.step_size if training is None else training.step_size(params)
    value = sharpness_limit(params, step_size)
    adam = optimisers.describe("adam").limit(optimisers.Setting(optimiser="adam"))
    reasons = {
        True: "Adam divides every entry of a step by its own P, so that the limit is one on the "
        f"eigenvalues of P⁻¹H, which is not measured: {adam:.6g} over the step size.",
        False: "The step size has fallen to 0.",
    }
    note = (
        "Above it a step along the eigenvector grows, if the batch were all images. The largest "
        "eigenvalue is measured as often as the parameter Hessian every says."
        if value is not None
        else reasons[params.optimiser == "adam"]
    )
    return Bound(
        id="sharpness_limit",
        name="Largest stable sharpness",
        symbol=r"S_{\max}",
        value=value,
        source="Section 2, as Proposition 1 (linearised)",
        formula=optimisers.describe(params.optimiser).sharpness_formula,
        measured=_latest(training, "hessian"),
        measured_symbol=r"\lambda_{\max}(H)",
        note=note,
    )


def _lipschitz(training: Training | None) -> Bound:
    found = None if training is None else training.lipschitz
    return Bound(
        id="lipschitz",
        name="Lipschitz constant is at most",
        symbol=r"\mathrm{Lip}(f)",
        value=None if found is None else found.product_bound,
        source="Section 4",
        formula=r"\|K\|\,\sum\|c\|\prod_i(1+\|W_i\|\|V_i\|)",
        measured=None if found is None else found.active_bound,
        measured_symbol=r"\mathrm{Lip}(f)\leq",
        note=(
            "Of a score in the pixels, from spectral norms; beside it the tighter bound that "
            "nonnegative parameters allow. Measured at the end of each epoch."
        ),
    )


def claims(params: MnistParams, training: Training) -> tuple[Claim, ...]:
    """Judge small gap, accuracy, still biases, convex parts, and the sharpness."""
    return (
        _gap(params, training),
        _accuracy(params, training),
        _biases(training),
        _convex(training),
        _stable(params, training),
    )


def _paper_lamps(params: MnistParams, training: Training) -> tuple[Lamp, ...]:
    return (
        Lamp("the images are MNIST", training.data.fingerprint == MNIST, training.data.name),
        Lamp("pairs of residual networks", params.network == "paired", params.network),
        Lamp(
            "no regularisation besides the architecture",
            True,
            "no decay, dropout or normalisation",
        ),
        Lamp(
            f"{PAPER_EPOCHS} epochs",
            training.epochs_done >= PAPER_EPOCHS or None,
            f"{training.epochs_done:.1f} done",
        ),
    )


def _judged(lamps: tuple[Lamp, ...], holds: bool | None, final: bool = True) -> Verdict:
    """Return the verdict; before the end (not `final`) nothing is decided."""
    if any(lamp.on is False for lamp in lamps):
        return Verdict.NOT_APPLICABLE
    if holds is None or not final:
        return Verdict.UNDECIDED
    return Verdict.HOLDS if holds else Verdict.VIOLATED


def _gap(params: MnistParams, training: Training) -> Claim:
    lamps = _paper_lamps(params, training)
    gap, train, test = (_latest(training, k) for k in ("gap", "train_accuracy", "test_accuracy"))
    measured = "no epoch is over yet"
    if gap is not None and train is not None and test is not None:
        measured = f"{gap:.2f} points ({train:.2f} % and {test:.2f} %)"
    return Claim(
        id="small-gap",
        title="Training and test accuracy stay close",
        source="Section 5",
        statement="Without regularisation, the training and the test errors are remarkably close.",
        assumptions=lamps,
        predicted=f"a gap of at most {PAPER_GAP} points, as in the paper",
        measured=measured,
        verdict=_judged(
            lamps,
            None if gap is None else gap <= PAPER_GAP,
            training.epochs_done >= PAPER_EPOCHS,
        ),
        note="Smaller steps and fewer epochs keep the gap small; the paper states neither.",
    )


def _accuracy(params: MnistParams, training: Training) -> Claim:
    lamps = _paper_lamps(params, training)
    test = _latest(training, "test_accuracy")
    return Claim(
        id="accuracy",
        title="The paper's accuracy is reached",
        source="Section 5",
        statement="After the 12th epoch, the test accuracy was 97.58 %.",
        assumptions=lamps,
        predicted=f"at least {PAPER_TEST} %",
        measured="not measured yet" if test is None else f"{test:.2f} %",
        verdict=_judged(
            lamps,
            None if test is None else test >= PAPER_TEST,
            training.epochs_done >= PAPER_EPOCHS,
        ),
    )


def _biases(training: Training) -> Claim:
    order = list(KIND_LABELS)
    row: FloatArray | None = training.history.latest("displacement")
    norms = training.lipschitz
    step = None if norms is None else float((norms.W * norms.V).max())
    lamps = (
        Lamp(
            "layers stay close to the identity",
            None if step is None else step < 1,
            "" if step is None else f"largest ‖W‖‖V‖ = {step:.2f}",
        ),
    )
    moved = {} if row is None else dict(zip(order, row.tolist(), strict=True))
    shown = [f"{kind}: {moved[kind]:.3g}" for kind in ("b", "W", "c") if kind in moved]
    known = training.step > 0 and "b" in moved
    return Claim(
        id="biases-move-little",
        title="The biases change little",
        source="Section 4",
        statement="The gradient with respect to the biases vanishes quickly, so the biases change "
        "very little during training.",
        assumptions=lamps,
        predicted=f"‖b - b₀‖/‖b₀‖ at most {LITTLE}",
        measured="‖x - x₀‖/‖x₀‖ of " + ", ".join(shown) if known else "not measured yet",
        verdict=_judged(lamps, moved["b"] <= LITTLE if known else None),
        note="Large steps over many epochs do move them; where to draw the line is our choice.",
    )


def _convex(training: Training) -> Claim:
    minima = training.minima
    lamps = tuple(
        Lamp(f"{name} ≥ 0", least >= 0, f"least {least:.3g}") for name, least in minima.items()
    )
    violation = training.convexity
    return Claim(
        id="convex-parts",
        title="Each network is convex in the features",
        source="Section 3.1, (7a) to (7c)",
        statement="With nonnegative W, V and c the function described by (7a) to (7c) is convex.",
        assumptions=lamps,
        predicted="no midpoint of two feature vectors above the chord",
        measured=(
            "not measured yet"
            if violation is None
            else f"largest excess {violation:.1e} of the answers' size"
        ),
        verdict=_judged(lamps, None if violation is None else violation <= ROUNDING),
        note="Measured on pairs of test images at the end of each epoch.",
    )


def _stable(params: MnistParams, training: Training) -> Claim:
    limit = sharpness_limit(params, training.step_size(params))
    top = _latest(training, "hessian")
    lamps = (
        Lamp("one step size for all parameters", params.optimiser != "adam", params.optimiser),
    )
    known = top is not None and limit is not None
    return Claim(
        id="stable-sharpness",
        title="The sharpness stays below the limit of the step size",
        source="Section 2",
        statement="Gradient descent can only stay at minima whose sharpness its step size allows.",
        assumptions=lamps,
        predicted="not limited" if limit is None else f"λ_max(H) ≤ {limit:.4g}",
        measured="not measured" if top is None else f"λ_max(H) = {top:.4g}",
        verdict=_judged(lamps, top <= limit if known and top is not None and limit else None),
        note=(
            f"On the first {params.hessian_images} training images; batches and momentum shift "
            "the limit, so a sharpness near it is no contradiction."
        ),
    )


def _latest(training: Training | None, key: str) -> float | None:
    row = None if training is None else training.history.latest(key)
    return None if row is None else float(row.reshape(-1)[0])
