"""The renders that are kept in golden/: by which values, and how they are written so that a change is easy to read."""

from pathlib import Path

import yaml

import helm

GOLDEN = Path(__file__).parent / "golden"

# What else the charts can do, beyond the two values files.
GATEWAY = {
    "profile": "demo",
    "identity": {"mode": "demo"},
    "httpRoute": {"enabled": True, "hostnames": ["shop.example.com"], "parentRefs": [{"name": "public"}]},
    "roles": {"relayOrders": {"scaledElsewhere": True}},
    "trust": {"existingConfigMap": "backing-ca"},
}
# Relays by how long events wait, for the operator.
SCALED_BY_AGE = {
    "operators": {"enabled": True, "existingSecret": "gozon-operators"},
    "roles": {
        "relayOrders": {"outboxRelay": {"enabled": True, "maxReplicas": 8}},
        "relayPayments": {"outboxRelay": {"enabled": True}},
    },
    "networkPolicy": {"publicFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]},
}
OPERATOR_IN_PRODUCTION = {
    "telemetry": {"otlpEndpoint": "http://collector.observability:4317"},
    "networkPolicy": {
        "metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "observability"}}}],
        "apiServer": [{"ipBlock": {"cidr": "10.96.0.1/32"}}],
    },
    "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "definitions": {"install": False},
}
BROKER_AND_DATABASES_ALONE = {
    "imageRegistry": "registry.example.com/mirror",
    "postgres": {"persistence": {"storageClass": "-"}},
    "rabbitmq": {"persistence": {"enabled": False}},
    "prometheus": {"enabled": False},
    "grafana": {"enabled": False},
    "collector": {"enabled": False},
    "traces": {"enabled": False},
}


def renders():
    """Each golden file: its chart and values."""
    return {
        "gozon.yaml": ("gozon", {}),
        "gozon-kind.yaml": ("gozon", helm.values_file("gozon", "values-kind.yaml")),
        "gozon-production.yaml": ("gozon", helm.values_file("gozon", "values-production.yaml")),
        "gozon-gateway.yaml": ("gozon", GATEWAY),
        "gozon-scaled-by-age.yaml": ("gozon", SCALED_BY_AGE),
        "gozon-operator.yaml": ("gozon-operator", {}),
        "gozon-operator-production.yaml": ("gozon-operator", OPERATOR_IN_PRODUCTION),
        "gozon-deps.yaml": ("gozon-deps", {}),
        "gozon-deps-alone.yaml": ("gozon-deps", BROKER_AND_DATABASES_ALONE),
    }


def text(name):
    chart, values = renders()[name]
    objects = sorted(map(shown, helm.render(chart, values)), key=lambda o: (o["kind"], o["metadata"]["name"]))
    return yaml.dump_all(objects, Dumper=Dumper, sort_keys=True, width=120)


def shown(item):
    """An object without what differs each time, and without the files that are kept elsewhere as they are."""
    if item["kind"] == "Secret":
        for field in ("data", "stringData"):
            for key, value in item.get(field, {}).items():
                if key in ("password", "uri", "connection_string", "definitions.json") or field == "data":
                    item[field][key] = "(made up at the first install)"
    if item["kind"] == "ConfigMap":
        for key in item.get("data", {}):
            if kept := kept_file(item, key):
                item["data"][key] = f"(charts/{kept})"
    if item["kind"] == "PrometheusRule":
        item["spec"]["groups"] = "(charts/gozon/files/rules)"
    if item["kind"] == "CustomResourceDefinition":
        item["spec"] = "(charts/gozon-operator/files/definitions.yaml)"
    return item


def kept_file(item, key):
    """The file that an entry of a ConfigMap is, if it is one."""
    chart = item["metadata"]["labels"]["helm.sh/chart"].rpartition("-")[0]
    for folder in ("files", "files/dashboards", "files/rules"):
        path = helm.CHARTS / chart / folder / key
        if path.is_file() and path.read_text().strip() == item["data"][key].strip():
            return path.relative_to(helm.CHARTS)
    return None


class Dumper(yaml.SafeDumper):
    """Text of several lines as such, and no references."""

    def ignore_aliases(self, data):
        return True


def _represent_text(dumper, text):
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Dumper.add_representer(str, _represent_text)
