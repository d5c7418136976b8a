"""The command line of ``run_experiments.py``, which is ``cae-np`` and ``python -m cae_np`` too."""

import argparse

from ...command_line import Parser, folder, given, program, whole_number

MOST_SEEDS = 10_000  # more than anybody averages over; every one is a row of cells to lay out


def parse(arguments):
    """The command line as a namespace; what is wrong with it ends the program with one line."""
    p = Parser(
        prog=program(),
        description="Reproduce figures and tables of two papers on convolutional auto-encoders.",
        epilog="Exit codes: 0 all went well; 1 a cell failed, the report says which; 2 something "
        "was wrong before the first cell started; 130 interrupted, 143 terminated.",
    )
    add = p.add_argument
    add("names", nargs="*", metavar="EXPERIMENT", help="default: all but those only run when named")
    add("--list", action="store_true", help="list the experiments and stop")
    add(
        "--backend",
        type=given,
        metavar="NAME",
        help="numpy, cupy, or auto (the GPU if one works); default: $CAE_BACKEND, else numpy",
    )
    add(
        "--preset",
        choices=("smoke", "quick", "paper"),
        default="quick",
        help="seconds, minutes, or what the papers did; default: quick",
    )
    add(
        "--data-dir",
        type=folder,
        metavar="DIR",
        help="the parent of mnist/ and the others; default: $CAE_DATA, else the user's cache",
    )
    add("--download", action="store_true", help="fetch the data that are missing")
    add("--seed", type=whole_number(0), default=0, metavar="N", help="first seed; default: 0")
    add(
        "--seeds",
        type=whole_number(1, MOST_SEEDS),
        metavar="N",
        help="how many seeds; default: what the experiment takes for the preset",
    )
    add(
        "--out",
        type=folder,
        default="out",
        metavar="DIR",
        help="where the results go; default: out",
    )
    add("--resume", action="store_true", help="keep the cells that are finished, run the rest")
    many = p.add_mutually_exclusive_group()
    many.add_argument(
        "--jobs",
        type=whole_number(1),
        default=1,
        metavar="N",
        help="how many cells run at a time, each in a process of its own; default: 1",
    )
    many.add_argument(
        "--dask",
        type=given,
        metavar="ADDRESS",
        help="run the cells on the workers of this Dask scheduler (tcp://HOST:8786) instead",
    )
    add(
        "--threads",
        type=whole_number(1),
        metavar="N",
        help="BLAS threads of each cell, which decide its last bits; default: what the machine "
        "has, shared out among the jobs; 1 with --dask",
    )
    add(
        "--cells",
        type=_part,
        metavar="I/N",
        help="run only the I-th of N parts of the cells, for job arrays that share one --out; "
        "finished cells are kept, rows and report are left to a last call with --resume",
    )
    return p.parse_args(arguments)


def _part(text):
    part, slash, parts = text.partition("/")
    if not (slash and part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with 1 <= I <= N, as in 3/10")
    return int(part), int(parts)
