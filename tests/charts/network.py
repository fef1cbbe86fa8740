"""What NetworkPolicies allow: Kubernetes' own rules, over rendered objects."""

import ipaddress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Pod:
    """One end of a connection: labels as sorted pairs, so that it can be compared."""

    namespace: str
    labels: tuple
    ports: tuple = field(default=(), compare=False)

    def __str__(self):
        labels = dict(self.labels)
        return labels.get("app.kubernetes.io/component", f"pods {labels} in {self.namespace}")


@dataclass(frozen=True)
class Address:
    """An end outside the cluster."""

    ip: str

    def __str__(self):
        return self.ip


@dataclass(frozen=True)
class Connection:
    source: object
    target: object
    port: int
    protocol: str = "TCP"

    def __str__(self):
        return f"{self.source} -> {self.target}:{self.port}/{self.protocol}"


def pod(namespace, labels, ports=None):
    return Pod(namespace, tuple(sorted(labels.items())), tuple((ports or {}).items()))


def allowed(policies, connection):
    """Whether both ends let it pass. An end that no policy selects lets everything pass."""
    return _lets_pass(policies, connection, "Egress") and _lets_pass(policies, connection, "Ingress")


def _lets_pass(policies, connection, direction):
    end, other = connection.source, connection.target
    if direction == "Ingress":
        end, other = other, end
    selecting = [policy for policy in policies if _selects(policy, end, direction)]
    rules = [rule for policy in selecting for rule in policy["spec"].get(direction.lower()) or []]
    return not selecting or any(_matches(rule, other, connection, direction) for rule in rules)


def _selects(policy, end, direction):
    return (
        isinstance(end, Pod)
        and direction in policy["spec"]["policyTypes"]
        and policy["metadata"].get("namespace", end.namespace) == end.namespace
        and _labels_match(policy["spec"]["podSelector"], dict(end.labels))
        and _in_namespace(policy, end)
    )


def _in_namespace(policy, end):
    # Rendered policies carry no namespace: they are all in that of the release.
    return end.namespace == policy["metadata"].get("namespace", "shop")


def _matches(rule, other, connection, direction):
    ports, peers = rule.get("ports"), rule.get("to" if direction == "Egress" else "from")
    return (not ports or any(_port_matches(port, connection) for port in ports)) and (
        not peers or any(_peer_matches(peer, other) for peer in peers)
    )


def _port_matches(port, connection):
    number = port.get("port", connection.port)
    if isinstance(number, str):
        # A name is that of the target's own port.
        number = dict(getattr(connection.target, "ports", ())).get(number)
    return number == connection.port and port.get("protocol", "TCP") == connection.protocol


def _peer_matches(peer, other):
    if "ipBlock" in peer:
        return isinstance(other, Address) and ipaddress.ip_address(other.ip) in ipaddress.ip_network(peer["ipBlock"]["cidr"])
    if not isinstance(other, Pod):
        return False
    if "namespaceSelector" in peer:
        if not _labels_match(peer["namespaceSelector"], {"kubernetes.io/metadata.name": other.namespace}):
            return False
    elif other.namespace != "shop":
        return False
    return _labels_match(peer.get("podSelector", {}), dict(other.labels))


def _labels_match(selector, labels):
    assert "matchExpressions" not in selector, "none of ours has expressions"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
