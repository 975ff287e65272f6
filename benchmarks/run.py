"""Speed suite: talkface beside the published procedure, in one run on the same work.

    make bench                              all cases
    python benchmarks/run.py drawing        one of: landmarking training prediction cnn_variants lstm drawing comparison
                                            shared_machine

Prints a table and saves it (benchmarks.tsv, and a line on the machine) below results/benchmarks/suite/. Ratios are
medians of interleaved runs, so that a machine whose speed drifts does not decide them. Real clips are used when --data
is there.
"""

import argparse
import importlib
import platform
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "workflow" / "scripts"), str(HERE)]

CASES = ("landmarking", "training", "prediction", "cnn_variants", "lstm", "drawing", "comparison", "shared_machine")
COLUMNS = ["case", "work", "unit", "published", "ours", "ratio", "required"]


def main() -> None:
    """Run the cases named on the command line, print and save their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"any of: {' '.join(CASES)} (default: all)")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of real clips")
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks/suite"))
    given = parser.parse_args()
    if unknown := set(given.cases) - set(CASES):
        parser.error(f"unknown case {', '.join(sorted(unknown))}; known are: {', '.join(CASES)}")
    data = given.data if given.data.is_dir() else None
    if data is None:
        sys.stdout.write(f"{given.data}: not there, so only what needs no real clips is measured\n")
    given.output.mkdir(parents=True, exist_ok=True)
    for case in given.cases or CASES:
        rows = pd.DataFrame(importlib.import_module(case).run(data), columns=COLUMNS)
        sys.stdout.write(rows.to_string(index=False, float_format="{:.4g}".format) + "\n\n")
        sys.stdout.flush()
        rows.to_csv(given.output / f"{case}.tsv", sep="\t", index=False, float_format="%.5g")
    tables = [given.output / f"{case}.tsv" for case in CASES]
    whole = pd.concat([pd.read_csv(table, sep="\t") for table in tables if table.exists()])
    whole.to_csv(given.output / "benchmarks.tsv", sep="\t", index=False)
    (given.output / "machine.txt").write_text(f"{platform.platform()} python {platform.python_version()}\n")
    sys.stdout.write(f"saved: {given.output / 'benchmarks.tsv'}\n")


if __name__ == "__main__":
    main()
