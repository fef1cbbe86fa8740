"""Values that contradict themselves are refused, in words that say what to do."""

import unittest

import helm

DEMO = {"profile": "demo", "identity": {"mode": "demo"}}
REFUSED = {
    "a name that does not exist": ({"replicaCount": 2}, "replicaCount"),
    "a name that does not exist further down": ({"roles": {"order": {"replica": 2}}}, "replica"),
    "a role that does not exist": ({"roles": {"billing": {}}}, "billing"),
    "a profile that does not exist": ({"profile": "staging"}, "'demo', 'production'"),
    "a text where a number belongs": ({"roles": {"order": {"replicas": "two"}}}, "/roles/order/replicas"),
    "no replica": ({"roles": {"order": {"replicas": 0}}}, "/roles/order/replicas"),
    "a share above one": ({"telemetry": {"traceRatio": 2}}, "/telemetry/traceRatio"),
    "a database without an owner": ({"databases": {"orders": {"owner": {"existingSecret": ""}}}}, "owner/existingSecret"),
    "a peer that is none": ({"networkPolicy": {"publicFrom": [{"namespace": "ingress"}]}}, "namespace"),
    "two that scale the same": (
        {"roles": {"web": {"scaledElsewhere": True, "autoscaling": {"enabled": True}}}},
        "/roles/web/autoscaling/enabled",
    ),
    "an HPA and an OutboxRelay for the same relays": (
        {"roles": {"relayOrders": {"outboxRelay": {"enabled": True}, "autoscaling": {"enabled": True}}}},
        "/roles/relayOrders/autoscaling/enabled",
    ),
    "an OutboxRelay and something else for the same relays": (
        {"roles": {"relayPayments": {"outboxRelay": {"enabled": True}, "scaledElsewhere": True}}},
        "/roles/relayPayments/outboxRelay/enabled",
    ),
    "an OutboxRelay of a role without an outbox": ({"roles": {"web": {"outboxRelay": {"enabled": True}}}}, "outboxRelay"),
    "an OutboxRelay of more relays than lanes": (
        {"roles": {"relayOrders": {"outboxRelay": {"maxReplicas": 65}}}},
        "/roles/relayOrders/outboxRelay/maxReplicas",
    ),
    "an OutboxRelay without operators": ({"roles": {"relayOrders": {"outboxRelay": {"enabled": True}}}}, "operators.enabled"),
    "the demo's identity in production": ({"identity": {"mode": "demo"}}, "set identity.mode=none or oidc"),
    "keys made up in production": ({"session": {"generate": True, "existingSecret": ""}}, "your own into a Secret"),
    "a token made up in production": ({"operators": {"enabled": True, "generate": True}}, "operators.existingSecret"),
    "keys from two places": ({**DEMO, "session": {"generate": True}}, "both set: choose one"),
    "keys from nowhere": ({"session": {"existingSecret": ""}}, "session.existingSecret"),
    "a token from two places": (
        {**DEMO, "operators": {"enabled": True, "generate": True, "existingSecret": "token"}},
        "both set: choose one",
    ),
    "operators without a token": ({"operators": {"enabled": True}}, "operators.existingSecret"),
    "a token for nobody": ({"operators": {"existingSecret": "token"}}, "operators.enabled is false"),
    "a provider nobody asks": ({"identity": {"oidc": {"issuer": "https://login"}}}, "nobody would ask that provider"),
    "a provider half described": (
        {"identity": {"mode": "oidc", "oidc": {"issuer": "https://login"}}},
        "identity.oidc.clientId",
    ),
    "logins that would be the owner": ({"databases": {"requireSeparateLogins": True}}, "databases.orders.api"),
    "users that would be the owner": ({"broker": {"requireSeparateUsers": True}}, "broker.relay, broker.service"),
    "certificates from two places": ({"trust": {"existingSecret": "a", "existingConfigMap": "b"}}, "choose one"),
    "a route without a gateway": ({"httpRoute": {"enabled": True}}, "httpRoute.parentRefs"),
    "more at least than at most": (
        {"roles": {"order": {"autoscaling": {"enabled": True, "minReplicas": 9}}}},
        "minReplicas is above maxReplicas",
    ),
    "a budget of everything": ({"roles": {"order": {"maxUnavailable": 2}}}, "an eviction could take them all"),
    "a variable that the chart sets": ({"roles": {"order": {"settings": {"GOZON_PORT": 1}}}}, "sets itself"),
    "a variable of something else": ({"roles": {"order": {"settings": {"RUST_LOG": "info"}}}}, "begin with GOZON_"),
    "a secret as a variable": (
        {"roles": {"order": {"settings": {"GOZON_ORDERS_API_URL": "postgres://"}}}},
        "put it into a Secret",
    ),
    "a digest that is none": ({"image": {"digest": "latest"}}, "64 hexadecimal digits"),
    "an address without a scheme": ({"telemetry": {"otlpEndpoint": "collector:4317"}}, "begins with http://"),
}
REFUSED_OPERATOR = {
    "a name that does not exist": ({"leaseName": "it"}, "leaseName"),
    "no operator": ({"replicas": 0}, "/replicas"),
    "no token": ({"token": {"existingSecret": ""}}, "/token/existingSecret"),
    "a service without a scheme": ({"services": {"order": {"address": "gozon-order"}}}, "begins with http://"),
    "a budget of everything": ({"maxUnavailable": 2}, "an eviction could take them all"),
}
REFUSED_DEPS = {
    "an image nobody runs": ({"images": {"mysql": {"tag": "9"}}}, "mysql"),
    "a user who is root": ({"postgres": {"userId": 0}}, "/postgres/userId"),
    "a size without a unit": ({"postgres": {"persistence": {"size": "5"}}}, "/postgres/persistence/size"),
}


class Values(unittest.TestCase):
    def test_what_contradicts_itself_is_refused_in_words(self):
        for chart, cases in (("gozon", REFUSED), ("gozon-deps", REFUSED_DEPS), ("gozon-operator", REFUSED_OPERATOR)):
            for name, (values, word) in cases.items():
                with self.subTest(name):
                    with self.assertRaises(helm.Refused) as refused:
                        helm.render(chart, values)
                    self.assertIn(word, str(refused.exception))

    def test_all_that_is_wrong_is_said_at_once(self):
        with self.assertRaises(helm.Refused) as refused:
            helm.render("gozon", {"identity": {"mode": "demo"}, "session": {"existingSecret": ""}})
        self.assertIn("identity.mode", str(refused.exception))
        self.assertIn("session.existingSecret", str(refused.exception))

    def test_what_is_meant_is_taken(self):
        for name, values in {
            "a demo": {**DEMO, "session": {"generate": True, "existingSecret": ""}},
            "one replica": {"roles": {"web": {"replicas": 1}}},
            "a digest": {"image": {"digest": "sha256:" + "0" * 64}},
            "a further setting": {"roles": {"order": {"settings": {"GOZON_UNDECIDED_MAX": 5000}}}},
            "a part of another chart": {"global": {"anything": True}},
            "another release's port": {"databases": {"orders": {"port": 6432}}},
        }.items():
            with self.subTest(name):
                self.assertTrue(helm.render("gozon", values))

    def test_the_notes_warn_of_what_is_allowed_and_not_wise(self):
        for values, word in [
            ({}, "as its owner"),
            ({}, "as the owner of its topology"),
            ({}, "Neither ingress.enabled nor httpRoute.enabled"),
            ({}, "Nobody can sign in"),
            ({"networkPolicy": {"enabled": False}}, "whatever runs in the cluster"),
            ({"roles": {"web": {"replicas": 1}}}, "roles.web has one replica"),
            (helm.values_file("gozon", "values-kind.yaml"), "anybody who reaches it may sign in as anyone"),
        ]:
            self.assertIn(word, " ".join(helm.notes("gozon", values).split()))

    def test_the_notes_of_production_warn_of_the_provider_and_the_missing_smoke_test_alone(self):
        text = helm.notes("gozon", helm.values_file("gozon", "values-production.yaml"))
        warnings = [line for line in text.splitlines() if line.startswith("  - ")]
        self.assertEqual(len(warnings), 2, warnings)
        self.assertIn("identity.mode is oidc", warnings[0])
        self.assertIn("smoke.existingSecret", warnings[1])
