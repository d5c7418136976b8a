"""The rows of the tables: our numbers beside the papers', and verdicts on the papers' claims."""

import math
import statistics
from dataclasses import asdict, dataclass

SEEDS_FOR_A_VERDICT = 5


@dataclass(frozen=True)
class Row:
    """One line of a table; made by :func:`measured`, :func:`cited` and :func:`claim`.

    Attributes
    ----------
    label, metric, unit : str
        Whose number it is, of what, in what.
    paper : float or None
        The paper's number; None where there is none or where the data are not the paper's.
    ours : float or None
        The mean of ``values``; None where nothing was run.
    values, seeds : list
        One number a seed, and the seeds.
    spread : float or None
        Sample standard deviation over the seeds; None for fewer than two.
    samples : int or None
        How many training images were used.
    data, preset, backend, threads
        Under which circumstances.
    kind : {"measured", "control", "cited", "claim"}
    seconds : float or None
        Wall time of one seed, the mean over the seeds; with that of the layers that a cell needs,
        without that of the search for what was chosen.
    source : str or None
        Of a cited number.
    statement, verdict : str or None
        Of a claim; the verdict is "holds", "does not hold" or "not decided".
    note : str or None
        What must not be overlooked.
    """

    label: str
    metric: str
    unit: str
    paper: float | None
    ours: float | None
    values: list
    spread: float | None
    seeds: list
    samples: int | None
    data: str | None
    kind: str
    preset: str
    backend: str
    threads: int
    seconds: float | None
    source: str | None = None
    statement: str | None = None
    verdict: str | None = None
    note: str | None = None

    def as_dict(self):
        return asdict(self)


def measured(
    settings,
    results,
    value,
    *,
    label,
    metric,
    unit="",
    paper=None,
    samples=None,
    control=False,
    needed=None,
):
    """A row from one number per seed.

    Parameters
    ----------
    settings : Settings
    results : Results
        The cells of one configuration, one per seed: ``results.where(variant="a")``.
    value : str or callable
        The name of the number in a cell's values, or a function of a :class:`Result`.
    label, metric, unit : str
    paper : float, optional
        The paper's number.  Left out, with a note, where the data are not the paper's.
    samples : int, optional
        How many training images were used.
    control : bool
        Whether the row is a baseline of ours ("random filters") rather than a reproduction.
    needed : Results, optional
        Cells that these need, whose time counts as well: ``results.needed_by(...)``.

    Returns
    -------
    Row

    Raises
    ------
    ValueError
        If two of the results share a seed.
    """
    by_seed = results.by_seed(value)
    times = [part.seconds_per_seed() for part in (results, needed) if part]
    note = None
    if paper is not None and not settings.on_paper_data:
        paper, note = None, f"the paper's number is for {settings.paper_data}"
    return _row(
        settings,
        by_seed,
        label=label,
        metric=metric,
        unit=unit,
        paper=paper,
        samples=samples,
        kind="control" if control else "measured",
        seconds=sum(times) if results else None,
        note=note,
    )


def cited(settings, paper, *, label, metric, unit="", source, samples=None):
    """A row with a number from the literature that was not measured here.

    Parameters
    ----------
    settings : Settings
    paper : float
    label, metric, unit : str
    source : str
        "M11, table 1".
    samples : int, optional

    Returns
    -------
    Row
        Its data set is the paper's, whatever the data at hand are.
    """
    row = _row(
        settings,
        {},
        label=label,
        metric=metric,
        unit=unit,
        paper=paper,
        samples=samples,
        kind="cited",
        source=source,
    )
    return Row(**(asdict(row) | {"data": settings.paper_data}))


def claim(settings, statement, metric, larger, smaller, *, label="claim", unit="", samples=None):
    """A row with a verdict on a sentence of the paper.

    Parameters
    ----------
    settings : Settings
    statement : str
        The sentence, in our words.
    metric, unit : str
        The difference by which it is judged: "error, pooled - plain".
    larger, smaller : dict of seed to number, or a number
        ``results.where(...).by_seed(...)``, or a threshold.  The claim says that the first is
        larger; seeds that both have are paired.
    label : str
        Short name, or the section of the paper.
    samples : int, optional

    Returns
    -------
    Row
        ``values`` are the differences, seed by seed; positive ones agree with the claim.

    Notes
    -----
    Holds: every difference of five or more seeds is positive.  Does not hold: every one is
    negative.  Anything else, zeros and fewer seeds included, is not decided.  By chance alone
    five signs agree once in sixteen times.
    """
    differences = _paired_differences(larger, smaller)
    agree = sum(d > 0 for d in differences.values())
    disagree = sum(d < 0 for d in differences.values())
    n = len(differences)
    if n >= SEEDS_FOR_A_VERDICT and agree == n:
        verdict = "holds"
    elif n >= SEEDS_FOR_A_VERDICT and disagree == n:
        verdict = "does not hold"
    else:
        verdict = "not decided"
    note = f"{agree} of {n} seeds agree"
    if n < SEEDS_FOR_A_VERDICT:
        note += f"; a verdict takes {SEEDS_FOR_A_VERDICT}"
    if not settings.on_paper_data:
        note += f"; the paper speaks of {settings.paper_data}"
    return _row(
        settings,
        differences,
        label=label,
        metric=metric,
        unit=unit,
        samples=samples,
        kind="claim",
        statement=statement,
        verdict=verdict,
        note=note,
    )


def _row(settings, by_seed, *, paper=None, seconds=None, **rest):
    by_seed = {seed: float(value) for seed, value in by_seed.items() if value is not None}
    for seed, value in by_seed.items():
        if not math.isfinite(value):
            raise ValueError(
                f"{rest['label']}: the {rest['metric']} of seed {seed} is {value}; "
                "expected a finite number, or None where there is none"
            )
    values = list(by_seed.values())
    return Row(
        paper=paper,
        ours=statistics.fmean(values) if values else None,
        values=values,
        spread=statistics.stdev(values) if len(values) > 1 else None,
        seeds=list(by_seed),
        data=settings.data.name if settings.data else None,
        preset=settings.preset,
        backend=settings.backend,
        threads=settings.threads,
        seconds=seconds,
        **rest,
    )


def _paired_differences(larger, smaller):
    tables = [side for side in (larger, smaller) if isinstance(side, dict)]
    if not tables:
        raise ValueError("a claim compares numbers by seed; at least one side has to be a dict")
    seeds = [seed for seed in tables[0] if all(table.get(seed) is not None for table in tables)]

    def at(side, seed):
        return side[seed] if isinstance(side, dict) else side

    return {seed: at(larger, seed) - at(smaller, seed) for seed in seeds}
