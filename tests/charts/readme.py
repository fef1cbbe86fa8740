"""The tables of values in the charts' READMEs, made from the comments in values.yaml that begin with `# --`."""

import json
import re

import yaml

import helm

CHARTS = ("gozon", "gozon-deps", "gozon-operator")
BEGIN = "<!-- values: begin (written by `make prepare`) -->"
END = "<!-- values: end -->"


def written(chart):
    """The chart's README as it has to be."""
    before, _, rest = path(chart).read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(chart)}\n{END}{after}"


def path(chart):
    return helm.CHARTS / chart / "README.md"


def table(chart):
    defaults = helm.values_file(chart, "values.yaml")
    rows = ["| value | default | what it means |", "|---|---|---|"]
    for name, meaning in described(chart).items():
        value = defaults
        for part in name.split("."):
            value = value[part]
        rows.append(f"| `{name}` | `{json.dumps(value)}` | {meaning} |")
    return "\n".join(rows)


def described(chart):
    """Each value that has a comment, by its whole name."""
    found, parents, meaning = {}, [], None
    for line in (helm.CHARTS / chart / "values.yaml").read_text().splitlines():
        if comment := re.match(r" *# -- (.*)", line):
            meaning = comment[1].replace("|", "\\|")
        elif key := re.match(r"( *)([A-Za-z]+):", line):
            parents = [*parents[: len(key[1]) // 2], key[2]]
            if meaning:
                found[".".join(parents)] = meaning
            meaning = None
    return found


def undescribed(chart):
    """Values that nobody explains, on their own or as part of one that is explained."""
    explained = described(chart)

    def walk(value, name):
        if name in explained:
            return
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from walk(inner, f"{name}.{key}" if name else key)
        else:
            yield name

    return list(walk(yaml.safe_load((helm.CHARTS / chart / "values.yaml").read_text()), ""))
