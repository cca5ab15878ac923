"""Hyper-parameter search inside one session: trials of one network each, hopeless ones cut short.

Source: Akiba et al., "Optuna", KDD 2019. arXiv:1907.10902
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from model.batch import ExampleSource
from model.config import ARGMAX, NONE, Recipe
from model.course import default_lesson
from model.devices import choose_compute, choose_device, prepare_device
from model.errors import ConfigError
from model.recipes import changes
from model.runner import start_network
from model.search_space import Choice, Range, Space, search_space
from model.seeding import Purpose, derive_seed
from model.trainee import EpochResult
from model.training import Listener, fit

if TYPE_CHECKING:
    from optuna import Trial

RANDOM_TRIALS = 5
"""Trials before the search begins to learn from them, and before any is cut short."""


@dataclass(frozen=True)
class TrialResult:
    """What one trial found."""

    number: int
    """0-based."""
    recipe: Recipe
    gmean_f1: float
    """Best epoch on the hold-out, 0..1."""
    epochs: int
    """Epochs that were trained; fewer than the recipe's if the trial was cut short."""


def tune(
    recipe: Recipe,
    source: ExampleSource,
    class_names: tuple[str, ...],
    *,
    trials: int,
    on_trial: Callable[[TrialResult], None],
) -> Recipe:
    """Search the recipe's space for the best validation gmean-F1.

    A trial trains one network on the given labels with one hold-out, whatever else the recipe asks
    for; what it finds serves all trainings of the recipe. Trials share hold-out and seed, so they
    differ by their settings alone.

    Args:
        recipe: Where the search begins: its own settings are the first trial.
        source: All labelled examples.
        class_names: Names of the K classes.
        trials: How many to try, at least 1.
        on_trial: Is told after every trial.

    Returns:
        The recipe with the best settings found.

    Raises:
        ConfigError: If `trials` is less than 1.
        TrainingError: If the data do not allow to train.
    """
    if trials < 1:
        raise ConfigError(f"--tune is {trials}; give the number of trials, 1 or more.")
    # Loading optuna takes half a second, which only those who search should wait for.
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = search_space(recipe)
    base = replace(
        recipe, folds=1, noise_filter=NONE, decision_rule=ARGMAX, image_sizes="", backbones=""
    )
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(
            seed=derive_seed(recipe.seed, Purpose.TUNING) % 2**32, n_startup_trials=RANDOM_TRIALS
        ),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=RANDOM_TRIALS, n_warmup_steps=1),
    )
    study.enqueue_trial(_settings_of(recipe, space))

    def objective(trial: Trial) -> float:
        tried = replace(base, **{name: _suggest(trial, name, space[name]) for name in space})
        results: list[EpochResult] = []
        try:
            _train_one(tried, source, class_names, trial, results)
        finally:
            best = max((result.gmean_f1 for result in results), default=0.0)
            found = replace(recipe, **{name: getattr(tried, name) for name in space})
            on_trial(TrialResult(trial.number, found, best, len(results)))
        return best

    study.optimize(objective, n_trials=trials)
    return replace(recipe, **study.best_trial.params)


def describe(result: TrialResult, start: Recipe) -> str:
    """One line about a trial, with what it changed."""
    changed = changes(start, result.recipe) or "the recipe itself"
    short = ", cut short" if result.epochs < start.epochs else ""
    return (
        f"trial {result.number + 1}: gmean-F1 {result.gmean_f1:.4f} "
        f"after {result.epochs} epochs{short}; {changed}"
    )


def _train_one(
    recipe: Recipe,
    source: ExampleSource,
    class_names: tuple[str, ...],
    trial: Trial,
    results: list[EpochResult],
) -> None:
    """Train one network, filling in the results of its epochs; stops where a trial is hopeless."""
    import optuna

    device = choose_device()
    prepare_device(device, ranks=1)
    lesson = default_lesson(recipe, source, class_names)
    trainee = start_network(recipe, source, class_names, lesson=lesson).to(device)

    def after_epoch(result: EpochResult) -> None:
        results.append(result)
        trial.report(result.gmean_f1, result.epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    compute = choose_compute(recipe.precision, trainee.network, device)
    fit(trainee, source, lesson, compute=compute, listener=Listener(after_epoch))


def _suggest(trial: Trial, name: str, tried: Range | Choice) -> Any:
    if isinstance(tried, Choice):
        return trial.suggest_categorical(name, tried.values)
    if tried.whole:
        return trial.suggest_int(name, int(tried.low), int(tried.high), log=tried.log)
    return trial.suggest_float(name, tried.low, tried.high, log=tried.log)


def _settings_of(recipe: Recipe, space: Space) -> dict[str, Any]:
    """The recipe's own settings, moved inside the space where they lie outside."""
    settings: dict[str, Any] = {}
    for name, tried in space.items():
        value = getattr(recipe, name)
        if isinstance(tried, Range):
            settings[name] = min(max(value, tried.low), tried.high)
        elif value in tried.values:
            settings[name] = value
    return settings
