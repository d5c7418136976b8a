"""Contenders taking turns in one fresh process, and the memory that a process of each one takes.

``python -m cae_np.experiments.bench.contest CASE IMAGES ROUNDS THREADS BACKEND WHO...`` writes JSON
to its standard output; :func:`held` starts it and reads that.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time

from ...errors import CaeError

PAUSE = 0.1  # seconds after which the threads of the one before have stopped waiting for more


def held(*arguments):
    """Hold a contest in a process of its own.

    Parameters
    ----------
    *arguments : str or int
        Case, images, rounds, threads, backend, contenders.

    Returns
    -------
    dict
        "seconds" and "result" by contender, "peak_bytes" of the process.

    Raises
    ------
    CaeError
        If it fails.
    """
    command = [sys.executable, "-m", __name__, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CaeError(f"{arguments[0]}: the process ended with {done.returncode}: {last}")
    return json.loads(done.stdout.splitlines()[-1])


def _environment():
    """Ours, with the folder from which this package comes."""
    package = os.path.abspath(__file__).rsplit("cae_np", 1)[0]
    paths = [package, os.environ.get("PYTHONPATH")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def hold(case, images, rounds, threads, backend, *who):
    """What :func:`held` returns, computed in this process."""
    from threadpoolctl import threadpool_limits

    from ...backend import synchronize, use
    from . import torch_steps, work_cases

    use(backend)
    contenders = work_cases.CASES[case][0](images)
    seconds, results, ready = {name: [] for name in who}, {}, {}
    with threadpool_limits(threads):
        for name in who:
            ready[name] = contenders[name]()
            if "torch" in sys.modules:
                torch_steps.set_threads(threads)
        for _ in range(rounds):
            for name, (work, judge) in ready.items():
                time.sleep(PAUSE)
                began = time.perf_counter()
                found = work()
                synchronize()
                seconds[name].append(time.perf_counter() - began)
                peak = peak_bytes()
                results.setdefault(name, []).append(judge(found))
                del found
    first = {name: found[0] for name, found in results.items()}
    return {"seconds": seconds, "result": first, "peak_bytes": peak}


def peak_bytes():
    """The most memory that this process has had so far, as far as the system says."""
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import psutil

    memory = psutil.Process().memory_info()
    return getattr(memory, "peak_wset", memory.rss)


def spread(values):
    """Median, least and most."""
    return statistics.median(values), min(values), max(values)


if __name__ == "__main__":
    case, *numbers = sys.argv[1:5]
    with contextlib.redirect_stdout(sys.stderr):  # nothing else may stand in the last line
        found = hold(case, *map(int, numbers), *sys.argv[5:])
    print(json.dumps(found))
