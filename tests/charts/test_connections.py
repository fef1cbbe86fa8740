"""NetworkPolicies allow what the roles need, and nothing else."""

import copy
import unittest

import helm
import renders
from connections import DNS, Cluster, end
from network import Address, Connection, allowed, pod

INGRESS = pod("ingress", {"app": "controller"})
PROMETHEUS = pod("observability", {"app": "prometheus"})
STRANGER = pod("elsewhere", {"app": "stranger"})


def demo():
    """The shop, its operator and what they need in one namespace, as values-kind.yaml says."""
    values = helm.values_file("gozon", "values-kind.yaml")
    shop = helm.render("gozon", values)
    operator = helm.render("gozon-operator", {"networkPolicy": {"metricsFrom": values["networkPolicy"]["metricsFrom"]}})
    deps = helm.render("gozon-deps", {})
    cluster = Cluster([*shop, *operator, *deps])
    return cluster, cluster.needed(INGRESS, end(cluster.pods(None)["prometheus"]))


def production():
    """The shop with everything elsewhere, as values-production.yaml says; the Secrets are as that file's comments have it."""
    secrets = {}
    for database, host in (("orders", "10.20.0.10"), ("payments", "10.20.0.11")):
        for login in ("owner", "api", "writer", "relay", "audit"):
            secrets[f"gozon-{database}-{login}"] = {"uri": f"postgresql://{database}_{login}:x@{host}:5432/{database}"}
    for user in ("owner", "relay", "service"):
        secrets[f"gozon-broker-{user}"] = {"connection_string": f"amqps://{user}:x@broker.example.com/gozon"}
    hosts = {
        "broker.example.com": Address("10.20.0.20"),
        "login.example.com": Address("203.0.113.10"),
        "collector.observability": pod("observability", {"app": "collector"}),
    }
    token = {"smoke": {"existingSecret": "customer"}}
    shop = helm.render("gozon", helm.merged(helm.values_file("gozon", "values-production.yaml"), token))
    operator = helm.render(*renders.renders()["gozon-operator-production.yaml"])
    cluster = Cluster([*shop, *operator], secrets, hosts)
    return cluster, cluster.needed(INGRESS, PROMETHEUS)


class Connections(unittest.TestCase):
    def test_every_connection_that_a_role_needs_is_allowed(self):
        for name, (cluster, needed) in {"demo": demo(), "production": production()}.items():
            for connection in needed:
                with self.subTest(f"{name}: {connection}"):
                    self.assertTrue(allowed(cluster.policies(), connection))

    def test_the_connections_are_those_that_an_engineer_would_name(self):
        roles = ["order", "payment", "relay-orders", "relay-payments", "web"]
        expected = {
            *(f"{role} -> collector:4317/TCP" for role in roles),
            *(f"{role} -> postgres:5432/TCP" for role in [*roles[:4], "migrate"]),
            *(f"{role} -> rabbitmq:5672/TCP" for role in [*roles[:4], "migrate"]),
            *(f"{source} -> {target}:8080/TCP" for source in [INGRESS, "smoke"] for target in ["order", "payment", "web"]),
            *(f"operator -> {target}:8080/TCP" for target in ["order", "payment"]),
            "operator -> 10.96.0.1:443/TCP",
            *(f"prometheus -> {role}:8081/TCP" for role in [*roles, "operator"]),
            *(f"{role} -> {DNS}:53/{protocol}" for role in [*roles, "operator", "migrate", "smoke"] for protocol in ("UDP", "TCP")),
        }
        _, needed = demo()
        self.assertEqual(set(map(str, needed)), expected)

    def test_without_any_one_rule_a_needed_connection_is_refused(self):
        for name, (cluster, needed) in {"demo": demo(), "production": production()}.items():
            for fewer, what in without_one_rule(cluster.policies()):
                with self.subTest(f"{name}: without {what}"):
                    self.assertFalse(all(allowed(fewer, connection) for connection in needed))

    def test_what_no_role_needs_is_refused(self):
        cluster, _ = production()
        pods = {name: end(template) for name, template in cluster.pods().items()}
        postgres, broker = Address("10.20.0.10"), Address("10.20.0.20")
        # A pod of the release that nobody has written a policy for.
        new = pod("shop", {"app.kubernetes.io/name": "gozon", "app.kubernetes.io/instance": "gozon"})
        for connection in [
            Connection(pods["web"], postgres, 5432),
            Connection(pods["web"], broker, 5671),
            Connection(pods["order"], Address("10.20.0.11"), 5432),
            Connection(pods["payment"], postgres, 5432),
            Connection(pods["relay-payments"], postgres, 5432),
            Connection(pods["order"], pods["payment"], 8080),
            Connection(pods["order"], Address("198.51.100.7"), 443),
            Connection(STRANGER, pods["order"], 8080),
            Connection(STRANGER, pods["order"], 8081),
            Connection(INGRESS, pods["web"], 8081),
            Connection(INGRESS, pods["relay-orders"], 8081),
            Connection(pods["order"], STRANGER, 53, "UDP"),
            Connection(new, postgres, 5432),
            Connection(STRANGER, new, 8080),
            Connection(STRANGER, pods["migrate"], 8080),
            Connection(pods["operator"], pods["web"], 8080),
            Connection(pods["operator"], pods["order"], 8081),
            Connection(pods["operator"], postgres, 5432),
            Connection(pods["operator"], broker, 5671),
            Connection(pods["order"], pods["operator"], 8081),
            Connection(STRANGER, pods["operator"], 8081),
        ]:
            with self.subTest(str(connection)):
                self.assertFalse(allowed(cluster.policies(), connection))

    def test_prometheus_operator_is_told_of_every_pod_that_has_metrics(self):
        cluster, needed = production()
        monitored = set(cluster.monitored(PROMETHEUS))
        self.assertEqual({c for c in needed if c.source == PROMETHEUS}, monitored)

    def test_no_policy_is_there_when_they_are_switched_off(self):
        self.assertEqual(Cluster(helm.render("gozon", {"networkPolicy": {"enabled": False}})).policies(), [])


def without_one_rule(policies):
    """The policies with one rule less, for each rule of each. Equals of it in the same policy go with it."""
    for index, policy in enumerate(policies):
        for direction in ("ingress", "egress"):
            for rule in policy["spec"].get(direction) or []:
                fewer = copy.deepcopy(policies)
                spec = fewer[index]["spec"]
                spec[direction] = [other for other in spec[direction] if other != rule]
                yield fewer, f"{policy['metadata']['name']} {direction} {rule}"
