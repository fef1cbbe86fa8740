"""Writes what is made from the charts: golden renders, tables in the READMEs, and the copy of databases.sql.

`prepare.py` writes; `prepare.py --check` says what differs and changes nothing.
"""

import difflib
import sys

import helm
import readme
import renders


def files():
    """Each file that is made, and what has to be in it. The copy comes first: renders are made with it."""
    # Helm reads nothing outside a chart's folder.
    original = helm.CHECKOUT / "services/gozon/local/databases.sql"
    yield helm.CHARTS / "gozon-deps/files/databases.sql", original.read_text()
    for name in renders.renders():
        yield renders.GOLDEN / name, renders.text(name)
    for chart in readme.CHARTS:
        yield readme.path(chart), readme.written(chart)


def differences():
    """What is not as it has to be, as text to read."""
    for path, wanted in files():
        there = path.read_text() if path.exists() else ""
        name = str(path.relative_to(helm.CHECKOUT))
        yield from difflib.unified_diff(there.splitlines(), wanted.splitlines(), name, "as it has to be", lineterm="")


def write():
    # The copy goes first: renders are made with it.
    for path, wanted in files():
        path.parent.mkdir(exist_ok=True)
        path.write_text(wanted)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if found := list(differences()):
            print(*found, sep="\n")
            sys.exit("error: charts and what is made from them differ: run `make prepare` and commit the result")
    else:
        write()
