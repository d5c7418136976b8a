"""Options into tasks, results into a table and a file of scores."""

from pathlib import Path

import pytest

from cae_np.coursework.grading import scores
from cae_np.coursework.grading.finding import submission_in
from cae_np.coursework.tasks.catalogue import TASKS, find_task

RESULTS = pytest.StashKey[list]()


def pytest_sessionstart(session):
    """Complain about the options before anything runs, and in one line."""
    try:
        asked_for(session.config)
        if session.config.getoption("--submission"):
            submission_in(Path(session.config.getoption("--submission")))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc):
    if "task" in metafunc.fixturenames and "submission" in metafunc.fixturenames:
        tasks = asked_for(metafunc.config)
        metafunc.parametrize("task", tasks, ids=[task.name for task in tasks])


def pytest_collection_modifyitems(config, items):
    """With a submission nothing else in this folder is asked about."""
    if config.getoption("--submission"):
        items[:] = [item for item in items if "submission" in item.fixturenames]


def asked_for(config):
    names = config.getoption("--task")
    return tuple(find_task(name) for name in names) if names else TASKS


@pytest.fixture(scope="session")
def submission(pytestconfig):
    path = pytestconfig.getoption("--submission")
    return submission_in(Path(path)) if path else None


@pytest.fixture
def note(pytestconfig):
    """Remember a result, and write the file of scores as far as it is known."""
    results = pytestconfig.stash.setdefault(RESULTS, [])

    def remember(result):
        results.append(result)
        path = pytestconfig.getoption("--score-json")
        if path:
            scores.save_gradescope(path, results, asked_for(pytestconfig))

    return remember


def pytest_terminal_summary(terminalreporter, config):
    results = config.stash.get(RESULTS, [])
    if results and config.getoption("--submission"):
        terminalreporter.section(Path(config.getoption("--submission")).name)
        terminalreporter.write_line(scores.table(results))
