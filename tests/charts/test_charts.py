"""Helm and Kubernetes take the charts as they are, and what is made from them is up to date."""

import json
import subprocess
import unittest

import kubernetes_validate
import yaml

import helm
import prepare
import readme
import renders

# The oldest that the charts say they run on, and the newest that there are schemas for.
KUBERNETES = ("1.30", kubernetes_validate.latest_version())

# Kinds of others: no schemas here, so their definitions are trusted to be as their documentation says.
OTHERS = {
    "HTTPRoute", "Gateway", "ServiceMonitor", "PrometheusRule", "Cluster", "RabbitmqCluster", "Vhost", "User", "Permission",
    "ScaledObject", "TriggerAuthentication", "Certificate", "Issuer", "Database",
}  # fmt: skip


class Charts(unittest.TestCase):
    def test_helm_has_nothing_against_them(self):
        for name, (chart, values) in renders.renders().items():
            with self.subTest(name):
                self.assertEqual(helm.lint(chart, values), [])

    def test_every_object_fits_kubernetes_own_schemas(self):
        seen = []
        for name, (chart, values) in renders.renders().items():
            for item in helm.render(chart, values):
                # Most renders share most objects.
                if item in seen:
                    continue
                seen.append(item)
                with self.subTest(f"{name}: {item['kind']} {item['metadata']['name']}"):
                    self.fits(item)

    def test_every_example_fits_kubernetes_own_schemas(self):
        examples = sorted((helm.CHECKOUT / "k8s/examples").glob("*.yaml"))
        self.assertTrue(examples)
        for path in examples:
            if not path.name.endswith(".values.yaml"):
                for item in helm.documents(path.read_text()):
                    with self.subTest(f"{path.name}: {item['kind']} {item['metadata']['name']}"):
                        self.fits(item)

    def test_every_examples_values_can_be_installed(self):
        for path in sorted((helm.CHECKOUT / "k8s/examples").glob("*.values.yaml")):
            with self.subTest(path.name):
                base = helm.values_file("gozon", "values-production.yaml")
                helm.render("gozon", helm.merged(base, yaml.safe_load(path.read_text())))

    def test_only_kinds_of_kubernetes_of_gateways_and_of_prometheus_are_used(self):
        kinds = {item["apiVersion"].partition("/")[0] for _, (chart, values) in renders.renders().items()
                 for item in helm.render(chart, values)}  # fmt: skip
        foreign = {group for group in kinds if "." in group and not group.endswith(".k8s.io")}
        self.assertEqual(foreign, {"monitoring.coreos.com"})

    def test_what_is_made_from_them_is_up_to_date(self):
        self.assertEqual("\n".join(prepare.differences()), "", "run `make prepare` and commit the result")

    def test_every_value_is_explained(self):
        for chart in ("gozon", "gozon-deps"):
            self.assertEqual(readme.undescribed(chart), [])

    def test_the_schema_knows_no_value_that_does_not_exist(self):
        for chart in ("gozon", "gozon-deps"):
            schema = json.loads((helm.CHARTS / chart / "values.schema.json").read_text())
            known = set(paths_of_schema(schema, schema, ""))
            there = set(paths_of_values(helm.values_file(chart, "values.yaml"), ""))
            self.assertEqual(known - {"global"}, there & known)

    def test_the_brokers_users_may_do_what_they_may_do_on_one_machine(self):
        # Without the user that tests have besides.
        script = 'source "$1"; password() { echo x; }; management_wanted() { false; }; write_definitions'
        path = helm.CHECKOUT / "services/gozon/local/rabbitmq.sh"
        local = subprocess.run(["bash", "-c", script, "-", path], capture_output=True, text=True, check=True).stdout
        ours = json.loads((helm.CHARTS / "gozon-deps/files/rabbitmq-definitions.json").read_text())
        self.assertEqual(ours["permissions"], json.loads(local)["permissions"])
        self.assertEqual(ours["vhosts"], json.loads(local)["vhosts"])
        # And the same by RabbitMQ's operator.
        example = helm.documents((helm.CHECKOUT / "k8s/examples/rabbitmq-operator.yaml").read_text())
        granted = {
            item["spec"]["userReference"]["name"].removeprefix("gozon-broker-"): item["spec"]["permissions"]
            for item in example
            if item["kind"] == "Permission"
        }
        for permission in ours["permissions"]:
            rights = {right: permission[right] for right in ("configure", "write", "read")}
            self.assertEqual(granted[permission["user"]], rights)

    def test_every_secret_that_production_names_is_made_by_an_example_or_by_hand(self):
        examples = (helm.CHECKOUT / "k8s/examples").glob("*.yaml")
        items = [item for path in examples if not path.name.endswith(".values.yaml")
                 for item in helm.documents(path.read_text())]  # fmt: skip
        made = {item["metadata"]["name"] for item in items if item["kind"] == "Secret"}
        named = {
            source["secret"]["name"]
            for item in helm.render("gozon", helm.values_file("gozon", "values-production.yaml"))
            if item["kind"] in ("Deployment", "Job")
            for volume in item["spec"]["template"]["spec"]["volumes"]
            for source in volume.get("projected", {}).get("sources", [])
        }
        self.assertEqual(named - made, {"gozon-oidc", "gozon-operators", "gozon-session"})

    def fits(self, item):
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(item, version, strict=True)
            except kubernetes_validate.SchemaNotFoundError:
                self.assertIn(item["kind"], OTHERS)


def paths_of_schema(whole, schema, path):
    """Each value that has a place of its own in a schema; those that take any key end there."""
    if reference := schema.get("$ref"):
        schema = whole["definitions"][reference.rpartition("/")[2]]
    properties = schema.get("properties", {})
    # What Kubernetes defines, the values leave whole.
    if not properties or "matchLabels" in properties or "requests" in properties:
        yield path
    for name, inner in properties.items():
        yield from paths_of_schema(whole, inner, f"{path}.{name}" if path else name)


def paths_of_values(value, path):
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths_of_values(inner, f"{path}.{name}" if path else name)
