"""What every pod keeps to: no root, no token, no secret in sight, an end in time; and what an upgrade changes."""

import re
import unittest

import helm
import renders
from connections import Cluster

SHOP = ["gozon.yaml", "gozon-kind.yaml", "gozon-production.yaml", "gozon-gateway.yaml"]
OPERATOR = ["gozon-operator.yaml", "gozon-operator-production.yaml"]
DEPS = ["gozon-deps.yaml", "gozon-deps-alone.yaml"]


def cluster(name, **values):
    chart, given = renders.renders()[name]
    return Cluster(helm.render(chart, helm.merged(given, values)))


class Pods(unittest.TestCase):
    def for_each_pod(self, names, check):
        for name in names:
            for component, template in cluster(name).pods(None).items():
                with self.subTest(f"{name}: {component}"):
                    check(component, template["spec"])

    def test_a_restricted_namespace_takes_them_all(self):
        def check(_component, spec):
            for field in ("hostNetwork", "hostPID", "hostIPC"):
                self.assertNotIn(field, spec)
            self.assertIs(spec["securityContext"]["runAsNonRoot"], True)
            self.assertGreater(spec["securityContext"]["runAsUser"], 0)
            self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
            for volume in spec.get("volumes") or []:
                self.assertLessEqual(set(volume) - {"name"}, {"configMap", "emptyDir", "projected", "secret"})
            for container in spec["containers"]:
                security = container["securityContext"]
                self.assertIs(security["allowPrivilegeEscalation"], False)
                self.assertEqual(security["capabilities"], {"drop": ["ALL"]})
                self.assertNotIn("hostPort", str(container.get("ports")))

        self.for_each_pod(SHOP + DEPS + OPERATOR, check)

    def test_nothing_can_be_written_and_memory_has_a_limit(self):
        def check(_component, spec):
            for container in spec["containers"]:
                self.assertIs(container["securityContext"]["readOnlyRootFilesystem"], True)
                self.assertIn("memory", container["resources"]["limits"])

        self.for_each_pod(SHOP + DEPS + OPERATOR, check)

    def test_only_prometheus_and_the_operator_are_given_a_token(self):
        def check(component, spec):
            self.assertIs(spec["automountServiceAccountToken"], component in ("prometheus", "operator"))

        self.for_each_pod(SHOP + DEPS + OPERATOR, check)

    def test_the_operators_role_is_of_its_namespace_and_allows_no_secret(self):
        [role] = cluster("gozon-operator.yaml").of("Role")
        self.assertEqual(cluster("gozon-operator.yaml").of("ClusterRole", "ClusterRoleBinding"), [])
        for rule in role["rules"]:
            self.assertNotIn("*", rule["verbs"] + rule["resources"] + rule["apiGroups"])
            self.assertNotIn("secrets", rule["resources"])

    def test_secrets_are_files_and_nothing_else(self):
        def check(_component, spec):
            [container] = spec["containers"]
            self.assertNotIn("envFrom", container)
            for variable in container.get("env", []):
                # A Pod's own name is no secret.
                if variable.get("valueFrom") == {"fieldRef": {"fieldPath": "metadata.name"}}:
                    continue
                self.assertEqual(set(variable), {"name", "value"})
                self.assertNotRegex(variable["value"], r"://[^/]*@")
                if re.search(r"_(URL|KEYS|TOKEN|SECRET)(_FILE)?$", variable["name"]):
                    self.assertRegex(variable["name"], "_FILE$")
            self.assertNotRegex(" ".join(container["args"]), r"://[^/]*@")

        self.for_each_pod(SHOP + OPERATOR, check)

    def test_every_file_that_a_variable_names_is_mounted(self):
        def check(_component, spec):
            [container] = spec["containers"]
            mounted = {m["mountPath"]: m["name"] for m in container.get("volumeMounts") or []}
            files = {v["name"]: v for v in spec.get("volumes") or []}
            for variable in container["env"]:
                if variable.get("value", "").startswith("/etc/gozon/"):
                    folder, _, file = variable["value"].rpartition("/")
                    self.assertIn(f"'path': '{file}'", str(files[mounted[folder]]))

        self.for_each_pod(SHOP + OPERATOR, check)

    def test_the_executable_knows_every_variable(self):
        source = "".join(path.read_text() for path in (helm.CHECKOUT / "services/gozon/src").rglob("*.rs"))
        # Until there is such an identity, its settings are only rendered.
        known = lambda name: name.startswith("GOZON_OIDC_") or f'"{name}"' in source  # noqa: E731
        def check(_component, spec):
            for variable in spec["containers"][0]["env"]:
                if variable["name"].startswith("GOZON_"):
                    name = variable["name"].removesuffix("_FILE")
                    self.assertTrue(known(name), name)

        self.for_each_pod(SHOP + OPERATOR, check)

    def test_a_pod_is_given_longer_than_its_process_takes_to_stop(self):
        for name in SHOP:
            for component, template in cluster(name, stop={"preStopSeconds": 7, "graceSeconds": 40}).pods().items():
                if component in ("migrate", "smoke"):
                    continue
                [container] = template["spec"]["containers"]
                grace = next(int(v["value"]) for v in container["env"] if v["name"] == "GOZON_GRACE_SECONDS")
                pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
                self.assertGreater(template["spec"]["terminationGracePeriodSeconds"], grace + pause)

    def test_liveness_and_readiness_are_asked_at_the_admin_port(self):
        for component, template in cluster("gozon.yaml").pods().items():
            if component in ("migrate", "smoke"):
                continue
            [container] = template["spec"]["containers"]
            asked = {probe: container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
            self.assertEqual({get["port"] for get in asked.values()}, {"admin"})
            self.assertEqual([get["path"] for get in asked.values()], ["/livez", "/livez", "/readyz"])

    def test_a_migration_has_another_name_when_it_is_another_and_only_then(self):
        def name(**values):
            [job] = cluster("gozon.yaml", **values).of("Job")
            self.assertNotIn("annotations", job["metadata"])
            return job["metadata"]["name"]

        self.assertEqual(name(), name(roles={"order": {"replicas": 5}}))
        self.assertNotEqual(name(), name(image={"tag": "2.0.0"}))
        self.assertNotEqual(name(), name(databases={"orders": {"owner": {"existingSecret": "another"}}}))

    def test_without_a_secret_of_its_own_a_login_is_the_owner_by_name_and_by_file(self):
        [job] = cluster("gozon.yaml", databases={"orders": {"owner": {"role": "app"}}}).of("Job")
        settings = {v["name"]: v["value"] for v in job["spec"]["template"]["spec"]["containers"][0]["env"]}
        self.assertEqual(settings["GOZON_ORDERS_WRITER_ROLE"], "app")
        own = {"databases": {"orders": {"owner": {"role": "app"}, "writer": {"existingSecret": "writer"}}}}
        [job] = cluster("gozon.yaml", **own).of("Job")
        settings = {v["name"]: v["value"] for v in job["spec"]["template"]["spec"]["containers"][0]["env"]}
        self.assertEqual(settings["GOZON_ORDERS_WRITER_ROLE"], "orders_writer")
        self.assertEqual(settings["GOZON_ORDERS_API_ROLE"], "app")

    def test_what_something_else_scales_has_no_number_of_replicas(self):
        scaled = cluster("gozon-production.yaml", roles={"relayOrders": {"scaledElsewhere": True}})
        without = {d["metadata"]["name"] for d in scaled.of("Deployment") if "replicas" not in d["spec"]}
        self.assertEqual(without, {"gozon-order", "gozon-payment", "gozon-relay-orders"})
        by_processor = {h["spec"]["scaleTargetRef"]["name"] for h in scaled.of("HorizontalPodAutoscaler")}
        self.assertEqual(by_processor, {"gozon-order", "gozon-payment"})
        by_age = cluster("gozon-scaled-by-age.yaml")
        without = {d["metadata"]["name"] for d in by_age.of("Deployment") if "replicas" not in d["spec"]}
        targets = {o["spec"]["scaleTargetRef"]["name"]: o["spec"]["service"] for o in by_age.of("OutboxRelay")}
        self.assertEqual(targets, {"gozon-relay-orders": "order", "gozon-relay-payments": "payment"})
        self.assertEqual(set(targets), without)

    def test_who_scales_a_relay_is_no_matter_of_its_pods(self):
        def template(**relays):
            return cluster("gozon-scaled-by-age.yaml", roles={"relayOrders": relays}).pods()["relay-orders"]

        off = {"outboxRelay": {"enabled": False}}
        for other in ({**off}, {**off, "scaledElsewhere": True}, {**off, "autoscaling": {"enabled": True}}):
            self.assertEqual(template(**other), template())

    def test_every_role_has_a_budget_that_finds_its_pods(self):
        shop = cluster("gozon.yaml")
        for name in ("order", "payment", "relay-orders", "relay-payments", "web"):
            [budget] = [b for b in shop.of("PodDisruptionBudget") if b["metadata"]["name"] == f"gozon-{name}"]
            labels = shop.pods()[name]["metadata"]["labels"]
            self.assertLessEqual(budget["spec"]["selector"]["matchLabels"].items(), labels.items())

    def test_one_value_takes_every_image_from_another_registry(self):
        chart, _ = renders.renders()["gozon-deps.yaml"]
        for item in Cluster(helm.render(chart, {"imageRegistry": "mirror.example.com"})).pods(None).values():
            for container in item["spec"]["containers"]:
                self.assertRegex(container["image"], r"^mirror\.example\.com/[^:]+:.+")

    def test_what_is_switched_off_leaves_nothing(self):
        self.assertEqual(
            helm.render("gozon-deps", {part: {"enabled": False} for part in
                        ("postgres", "rabbitmq", "prometheus", "grafana", "collector", "traces")}),
            [],
        )  # fmt: skip

    def test_every_file_for_grafana_and_prometheus_is_in_its_config_map(self):
        shop = cluster("gozon.yaml")
        for name, pattern in (("gozon-dashboards", "dashboards/*.json"), ("gozon-rules", "rules/*.yaml")):
            [config_map] = [c for c in shop.of("ConfigMap") if c["metadata"]["name"] == name]
            files = {path.name: path.read_text() for path in (helm.CHARTS / "gozon/files").glob(pattern)}
            self.assertEqual(config_map["data"] or {}, files)
            # More than a mebibyte is refused.
            self.assertLess(sum(map(len, files.values())), 1_000_000)
