"""python -m benchmarks.sites NAME… --users N --seed S [--null] --out FOLDER."""

from pathlib import Path

import click

from benchmarks.sites import DEV, HELD, write_site


@click.command(help="Write made-up sites, each with its pages.csv and users.csv, into OUT/NAME.")
@click.argument("names", nargs=-1, required=True, type=click.Choice(DEV + HELD), metavar="NAME…")
@click.option("--users", default=4000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--null", is_flag=True, help="Their null twins: the same visits, without any kinds of users.")
def main(names: tuple[str, ...], users: int, seed: int, out: Path, null: bool) -> None:
    """Write each site and say where."""
    for name in names:
        print(write_site(name, out, users, seed, null).csv)


if __name__ == "__main__":
    main()
