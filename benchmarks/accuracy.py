"""What benchmarks that measure accuracy share: the command line, and the table that is printed and saved."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd


def command_line(description: str, name: str) -> argparse.ArgumentParser:
    """Make a parser of `--data`, a folder of real clips, and `--output`, by default results/benchmarks/{name}.tsv."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of real clips and voices")
    parser.add_argument("--output", type=Path, default=Path(f"results/benchmarks/{name}.tsv"))
    return parser


def save(table: pd.DataFrame, output: Path) -> None:
    """Print a table and write it."""
    output.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(output, sep="\t", index=False)
    sys.stdout.write(table.to_string(index=False) + f"\nsaved: {output}\n")


class Measures:
    """A table of measures, a row each, with a column for each of some things that are compared."""

    def __init__(self, compared: Sequence[str]):
        self.compared = compared
        self.rows: dict[str, dict[str, object]] = {}

    def note(self, measure: str, unit: str, which: str, value: float) -> None:
        """Note and print one number, to three figures."""
        self.rows.setdefault(measure, {"measure": measure, "unit": unit})[which] = float(f"{value:.3g}")
        sys.stdout.write(f"{which}: {measure}: {value:.3g} {unit}\n")
        sys.stdout.flush()

    def save(self, output: Path) -> None:
        """Print and write the table."""
        save(pd.DataFrame(self.rows.values(), columns=["measure", "unit", *self.compared]), output)
