"""Helm: the program on the path where there is one, else the library from PyPI. Both are asked the same three things."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
CHARTS = CHECKOUT / "charts"
NAMESPACE = "shop"


class Refused(Exception):
    """Helm would not render these values; the text is what a person reads."""


def merged(*layers):
    """Values as Helm merges them: maps into each other, the last of everything else."""
    result = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, dict) and isinstance(result.get(key), dict):
                value = merged(result[key], value)
            result[key] = value
    return result


def values_file(chart, name):
    return yaml.safe_load((CHARTS / chart / name).read_text())


def render(chart, values, release=None):
    """All objects that a release of this chart would have, in no particular order."""
    return documents(_manifests(chart, json.dumps(values), release or chart))


@functools.cache
def _manifests(chart, values, release):
    """Most tests look at the same few renders."""
    return _engine().manifests(chart, json.loads(values), release)


def notes(chart, values, release=None):
    """What a person reads after `helm install`."""
    return _engine().notes(chart, values, release or chart)


def lint(chart, values):
    """What Helm has against a chart: warnings and errors, one line each."""
    return _engine().lint(chart, values)


def version():
    return _engine().version()


def documents(text):
    # The parser in C, where the package has it: tests read some hundred thousand lines.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [document for document in yaml.load_all(text, Loader=loader) if document]


class Program:
    """`helm`, whichever it is."""

    def __init__(self, path):
        self.path = path

    def version(self):
        return f"{self.path} {self._run('version', '--short').strip()}"

    def manifests(self, chart, values, release):
        return self._with(values, "template", release, CHARTS / chart)

    def notes(self, chart, values, release):
        # `template` prints none, and Helm 3 asks a cluster before `install` does: so a template of the test's has them.
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / chart
            shutil.copytree(CHARTS / chart, copy)
            include = '{{ include (print $.Template.BasePath "/NOTES.txt") . | toJson }}'
            (copy / "templates" / "notes.yaml").write_text(f"notes: {include}\n")
            text = self._with(values, "template", release, copy, "--show-only", "templates/notes.yaml")
        return yaml.safe_load(text)["notes"]

    def lint(self, chart, values):
        try:
            text = self._with(values, "lint", CHARTS / chart, "--strict")
        except Refused as refused:
            text = str(refused)
        return [line for line in text.splitlines() if line.startswith(("[WARNING]", "[ERROR]"))]

    def _with(self, values, *arguments):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values, file)
            file.flush()
            return self._run(*arguments, "--namespace", NAMESPACE, "--values", file.name)

    def _run(self, *arguments):
        # Nobody's cluster and nobody's settings.
        environment = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), "KUBECONFIG": os.devnull}
        done = subprocess.run(
            [self.path, *map(str, arguments)], capture_output=True, text=True, env=environment, timeout=120, check=False
        )
        if done.returncode != 0:
            raise Refused(done.stderr + done.stdout)
        return done.stdout


class Library:
    """The same by `helm-python-sdk`."""

    def __init__(self):
        import helm_python

        self.helm = helm_python

    def version(self):
        return f"the library's Helm {self.helm.helm_sdk_version()}"

    def manifests(self, chart, values, release):
        files = self._render(chart, values, release)
        return "\n---\n".join(text for path, text in files.items() if path.endswith(".yaml"))

    def notes(self, chart, values, release):
        files = self._render(chart, values, release)
        return next(text for path, text in files.items() if path.endswith("NOTES.txt"))

    def lint(self, chart, values):
        report = self.helm.lint(str(CHARTS / chart), values, strict=True, namespace=NAMESPACE)
        names = {2: "[WARNING]", 3: "[ERROR]"}
        return [
            f"{names[message['severity']]} {message['path']}: {message['error']}"
            for message in report["messages"]
            if message["severity"] in names
        ]

    def _render(self, chart, values, release):
        try:
            loaded = self.helm.Chart.load(str(CHARTS / chart))
            loaded.validate_schema(values)
            return loaded.render(values, name=release, namespace=NAMESPACE, is_install=True)
        except self.helm.HelmError as error:
            raise Refused(str(error)) from error


@functools.cache
def _engine():
    path = shutil.which("helm")
    return Program(path) if path else Library()
