"""Worker processes that cannot start, or die while they do: every call ends, with a reason."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CALLS = """
import sys
sys.path.insert(0, {root!r})
from cae_np.experiments.frame.executors import ProcessExecutor
import pickle, socket, resource, multiprocessing.popen_spawn_posix, multiprocessing.resource_tracker
{before}
def calls():
    executor = ProcessExecutor(2)
    futures = [executor.submit(divmod, 7, 2) for _ in range(4)]
    for future in futures:
        error = future.exception()
        print("answered" if error is None else f"{{type(error).__name__}}: {{error}}", flush=True)
    executor.shutdown()
{after}
"""
LIMITED = "resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))"
GUARDED = "if __name__ == '__main__':\n    calls()"


def outcomes(tmp_path, before="", after=GUARDED):
    """One line for each of four calls on two workers; fails if they are not there in time."""
    script = tmp_path / "script.py"
    script.write_text(CALLS.format(root=str(ROOT), before=before, after=after))
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    return ran.stdout.splitlines(), ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of open files")
@pytest.mark.parametrize("limit", [4, 6, 8, 9, 10, 11, 12, 14, 17, 20, 64])
def test_whatever_number_of_files_may_be_open_every_call_ends_with_an_answer_or_a_reason(
    limit, tmp_path
):
    limited = f"if __name__ == '__main__':\n    {LIMITED.format(limit=limit)}"
    lines, err = outcomes(tmp_path, before=limited)
    assert len(lines) == 4, err
    for line in lines:
        assert line == "answered" or line.startswith("CaeError: "), line
    if limit == 4:
        assert all("could not be started" in line for line in lines)
    if limit == 64:
        assert lines == ["answered"] * 4


def test_a_system_that_refuses_processes_is_no_reason_to_wait(tmp_path):
    refuse = (
        "import multiprocessing.context, errno\n"
        "def refuse(self):\n"
        "    raise BlockingIOError(errno.EAGAIN, 'Resource temporarily unavailable')\n"
        "multiprocessing.context.SpawnProcess.start = refuse"
    )
    lines, err = outcomes(tmp_path, before=refuse)
    assert len(lines) == 4, err
    assert all("could not be started" in one and "Resource temporarily" in one for one in lines)


def test_a_script_without_a_guard_ends(tmp_path):
    """Its workers run it again, are refused workers of their own, and then serve or end."""
    lines, err = outcomes(tmp_path, after="calls()")
    out = "\n".join(lines)  # the workers' lines come through the same pipe
    assert out.count("CaeError: ") + out.count("answered") >= 4, err
