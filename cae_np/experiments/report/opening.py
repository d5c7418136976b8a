"""What the report begins with: a picture of each paper and five sentences with numbers."""

from . import tables

# Of the first experiment of each that was run: its first picture.
PICTURES = (
    ("masci2011-fig1", "masci2011-fig2"),
    ("makhzani2014-fig5", "makhzani2014-fig1", "makhzani2014-table1", "makhzani2014-fig2"),
)
# What a person wants to know first: the claims that begin so, of every experiment the first.
SENTENCES = (
    ("masci2011-fig1", "Only with max-pooling do filters have a well-defined shape"),
    ("masci2011-table1", "Pre-trained networks tend to outperform"),
    ("makhzani2014-fig1", "With "),
    ("makhzani2014-table1", "Learned filters are better features"),
    ("makhzani2014-ablations", "Softer sparsity at test time"),
)


def pictures(runs):
    """One of each paper.

    Parameters
    ----------
    runs : list of Run
        Of one experiment the paper's preset and data first.

    Returns
    -------
    list of (Run, dict)
        With the picture as ``results.json`` has it.
    """
    found = []
    for names in PICTURES:
        drawn = [run for name in names for run in runs if run["experiment"] == name]
        found += [(run, run["figures"][0]) for run in drawn if run["figures"]][:1]
    return found


def sentences(runs):
    """The claims of :data:`SENTENCES` that there are numbers for.

    Returns
    -------
    list of (Run, dict)
        With the claim as :func:`.tables.claims` has it.
    """
    found = []
    for name, beginning in SENTENCES:
        said = [
            (run, claim)
            for run in runs
            if run["experiment"] == name
            for claim in tables.claims(run["rows"], run.kept)
            if claim["statement"].startswith(beginning) and claim["verdict"] != tables.NOT_RUN
        ]
        found += said[:1]
    return found
