"""``lectures/exercises/WRONG_SOLUTIONS.md``: what the kit says to each wrong solution.

``PYTHONPATH=.:tests python -m coursework.wrong_solutions > lectures/exercises/WRONG_SOLUTIONS.md``
"""

from cae_np.coursework.grading.engine import try_task
from cae_np.coursework.planted import MISTAKES
from cae_np.coursework.tasks.catalogue import TASKS, find_task

from . import attempts_fresh, attempts_layers, attempts_models, attempts_unseen
from .attempts import first_words, row

PAGE = """# What the kit says to wrong solutions

Written by `PYTHONPATH=.:tests python -m coursework.wrong_solutions`; the suite
(`tests/coursework/diagnosis/test_causes.py`) holds every line of it to be true.

- **Planted mistakes.** All {planted} entries of the catalogue that belong to a task are planted,
  one after the other, and the kit names each of them first.
- **First batch**, written from scratch as students write, without this package's operations, while
  the kit was being built (some entries of the catalogue come from it): {first}
- **Second batch**, written when the kit was finished, labelled before the kit was asked: {second}
- **Third batch**, a hundred written from the stubs before the catalogue had most of them: {fresh}
- **Changes that nobody chose.** Every operator, index, constant and comparison in the loops of
  {hunted} functions was changed, one at a time. The cause that the kit names, if it names one, was
  compared with the changed function in 20 calls that the kit had not seen: {campaign}
- **Once it was wrong**, in free trial: winner positions returned as float64 were called "the last
  of equals wins". Since then a cause has to be a mistake in the calls that it explains; the case is
  in the first batch.

The catalogue has grown since the first two batches were written, and their labels with it.  The
batches come from the hand that wrote the catalogue, so take them as a check of the kit, not as
an estimate for a class. The examples are the smallest of the committed cases; in use hypothesis
makes them smaller.

## First batch

{first_rows}

## Second batch

{second_rows}

## Third batch

{fresh_rows}
"""
HUNTED = 17
CAMPAIGN = (
    "474 changes,\n  a cause named for 13, none refuted (the long form of the test, `-m slow`), "
    "with the catalogue as\n  it was before the third batch."
)
HEAD = (
    "| task | what is wrong | in the catalogue | points of 10 | what the kit says first |\n"
    "| --- | --- | --- | --- | --- |\n"
)


def page():
    """The whole page; from the committed cases, so that it comes out the same again."""
    first, first_rows = tried([*attempts_layers.ATTEMPTS, *attempts_models.ATTEMPTS])
    second, second_rows = tried(attempts_unseen.ATTEMPTS)
    fresh, fresh_rows = tried(attempts_fresh.ATTEMPTS)
    tasks = {task.name for task in TASKS}
    return PAGE.format(
        planted=len([m for m in MISTAKES if m.operation in tasks]),
        first=first,
        second=second,
        hunted=HUNTED,
        campaign=CAMPAIGN,
        first_rows=first_rows,
        second_rows=second_rows,
        fresh=fresh,
        fresh_rows=fresh_rows,
    )


def tried(attempts):
    """A sentence and the rows of the table."""
    results = [try_task(find_task(one.task), one.function, examples=0) for one in attempts]
    unknown = [
        first_words(result.report)
        for one, result in zip(attempts, results, strict=True)
        if one.cause is None
    ]
    known = len(attempts) - len(unknown)
    named = sum(one.named for one in attempts if one.cause)
    observed = sum(said.startswith("Observed") for said in unknown)
    sentence = (
        f"{known} wrong solutions\n  that amount to an entry of the catalogue, the right one named "
        f"first for {named} of them; {len(unknown)} that do\n  not, none of them given a cause, "
        f'{observed} of them told what is true of every wrong answer ("Observed"), the\n  others '
        "the first wrong element and the smallest call."
    )
    rows = "\n".join(row(*pair) for pair in zip(attempts, results, strict=True))
    return sentence, HEAD + rows


if __name__ == "__main__":
    print(page(), end="")
