"""Every connection that the rendered pods need, derived from what they are told: their secrets, settings and arguments,
the routes that lead to them, and whoever asks them for metrics."""

import base64
import re
from urllib.parse import urlsplit

from helm import NAMESPACE
from network import Address, Connection, pod

DNS = pod("kube-system", {"k8s-app": "kube-dns"})
# As a pod is told where it is: by an address, which needs no DNS.
API_SERVER = "https://10.96.0.1:443"
DEFAULT_PORTS = {"postgresql": 5432, "amqp": 5672, "amqps": 5671, "http": 80, "https": 443}


class Cluster:
    """Rendered objects, and what is around them: `secrets` are those that exist already, by name and key; `hosts` are names
    outside the namespace and what is behind them."""

    def __init__(self, objects, secrets=None, hosts=None):
        self.objects = objects
        self.hosts = hosts or {}
        self.secrets = dict(secrets or {})
        for secret in self.of("Secret"):
            given = {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}
            self.secrets[secret["metadata"]["name"]] = {**given, **secret.get("stringData", {})}

    def of(self, *kinds):
        return [item for item in self.objects if item["kind"] in kinds]

    def policies(self):
        return self.of("NetworkPolicy")

    def pods(self, part_of="gozon"):
        """Each pod's object, by its component."""
        found = {}
        for item in self.of("Deployment", "StatefulSet", "Job", "Pod"):
            template = item if item["kind"] == "Pod" else item["spec"]["template"]
            labels = template["metadata"]["labels"]
            if part_of is None or labels.get("app.kubernetes.io/part-of") == part_of:
                found[labels["app.kubernetes.io/component"]] = template
        return found

    def needed(self, gateway, prometheus):
        """All of them, each once. `gateway` and `prometheus` are the pods that come from outside."""
        asked = [c for template in self.pods().values() for c in self.asked_by(template)]
        return list(dict.fromkeys([*asked, *self.routed(gateway), *self.scraped(prometheus)]))

    def asked_by(self, template):
        source = end(template)
        for url in [*self.secret_addresses(template), *settings_addresses(template), *argument_addresses(template)]:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORTS[parts.scheme]
            if not re.fullmatch(r"[0-9.]+", parts.hostname):
                yield Connection(source, DNS, 53, "UDP")
                yield Connection(source, DNS, 53, "TCP")
            yield from (Connection(source, target, number) for target, number in self.behind(parts.hostname, port))

    def secret_addresses(self, template):
        """Addresses in the files that variables with _URL_FILE name."""
        spec = template["spec"]
        files = {}
        for volume in spec.get("volumes", []):
            for item in volume.get("projected", {}).get("sources", []):
                for entry in item["secret"]["items"]:
                    files[entry["path"]] = (item["secret"]["name"], entry["key"])
        for variable in spec["containers"][0]["env"]:
            if variable["name"].endswith("_URL_FILE"):
                secret, key = files[variable["value"].rpartition("/")[2]]
                yield self.secrets[secret][key]

    def behind(self, host, port):
        """The pods and their port, or the address, that a host leads to."""
        name = re.sub(rf"\.{NAMESPACE}\.svc(\.cluster\.local)?$", "", host)
        services = [service for service in self.of("Service") if service["metadata"]["name"] == name]
        if services:
            yield from self.pods_of(services[0], port)
        elif host in self.hosts:
            yield self.hosts[host], port
        else:
            yield Address(host), port

    def pods_of(self, service, port):
        """By number or by name."""
        [chosen] = [p for p in service["spec"]["ports"] if port in (p["port"], p["name"])]
        for template in self.pods(part_of=None).values():
            target = end(template)
            if service["spec"]["selector"].items() <= dict(target.labels).items():
                yield target, dict(target.ports)[chosen["targetPort"]]

    def routed(self, gateway):
        """From whatever serves Ingress and HTTPRoute to the roles behind them."""
        for ingress in self.of("Ingress"):
            for rule in ingress["spec"]["rules"]:
                for route in rule["http"]["paths"]:
                    backend = route["backend"]["service"]
                    yield from self.to_service(gateway, backend["name"], backend["port"]["name"])
        for route in self.of("HTTPRoute"):
            for rule in route["spec"]["rules"]:
                for backend in rule["backendRefs"]:
                    yield from self.to_service(gateway, backend["name"], backend["port"])

    def to_service(self, source, name, port):
        [service] = [service for service in self.of("Service") if service["metadata"]["name"] == name]
        return [Connection(source, target, number) for target, number in self.pods_of(service, port)]

    def scraped(self, prometheus):
        """From Prometheus to the admin port of every pod that has one."""
        for template in self.pods().values():
            target = end(template)
            if "admin" in dict(target.ports):
                yield Connection(prometheus, target, dict(target.ports)["admin"])

    def monitored(self, prometheus):
        """From Prometheus to the pods that a ServiceMonitor or a PodMonitor selects, at the ports that it names."""
        for monitor in self.of("ServiceMonitor"):
            for service in self.of("Service"):
                if selects(monitor, service["metadata"]["labels"]):
                    for endpoint in monitor["spec"]["endpoints"]:
                        yield from self.to_service(prometheus, service["metadata"]["name"], endpoint["port"])
        for monitor in self.of("PodMonitor"):
            for target in map(end, self.pods(part_of=None).values()):
                if selects(monitor, dict(target.labels)):
                    for endpoint in monitor["spec"]["podMetricsEndpoints"]:
                        yield Connection(prometheus, target, dict(target.ports)[endpoint["port"]])


def selects(monitor, labels):
    return monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()


def end(template):
    ports = {p["name"]: p["containerPort"] for c in template["spec"]["containers"] for p in c.get("ports", [])}
    return pod(NAMESPACE, template["metadata"]["labels"], ports)


def settings_addresses(template):
    names = ("GOZON_OTLP_ENDPOINT", "GOZON_OIDC_ISSUER", "GOZON_OPERATOR_ORDER_ADDRESS", "GOZON_OPERATOR_PAYMENT_ADDRESS")
    for variable in template["spec"]["containers"][0]["env"]:
        if variable["name"] in names:
            yield variable["value"]
    # Whoever is given a token of the API server asks it.
    if template["spec"].get("automountServiceAccountToken"):
        yield API_SERVER


def argument_addresses(template):
    return [argument for argument in template["spec"]["containers"][0]["args"] if "://" in argument]
