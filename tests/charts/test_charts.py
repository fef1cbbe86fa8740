"""Helm and Kubernetes take the charts as they are, and what is made from them is up to date."""

import json
import re
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
    "HTTPRoute", "Gateway", "ServiceMonitor", "PodMonitor", "PrometheusRule", "Cluster", "RabbitmqCluster", "Vhost", "User", "Permission",
    "OutboxRelay", "ScaledObject", "TriggerAuthentication", "Certificate", "Issuer", "Database",
}  # fmt: skip


SOURCE_OF_POOLS = helm.CHECKOUT / "services/chassis/src/pool.rs"


def logins():
    """What databases.sql says of each login, by its name."""
    text = (helm.CHECKOUT / "services/gozon/local/databases.sql").read_text()
    rows = re.findall(r"\(:'(\w+)', +:'\w+_password', +(\d+), +'(\w+)', +'(\w+)', +'(\w+)'\)", text)
    names = ("name", "connections", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows}


def surging(replicas):
    """How many pods there may be during a rolling upgrade: one more that starts, and one that ends."""
    return replicas + 2


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
        self.assertEqual(foreign, {"monitoring.coreos.com", "gozon.io"})

    def test_what_is_made_from_them_is_up_to_date(self):
        self.assertEqual("\n".join(prepare.differences()), "", "run `make prepare` and commit the result")

    def test_every_value_is_explained(self):
        for chart in readme.CHARTS:
            self.assertEqual(readme.undescribed(chart), [])

    def test_the_schema_knows_no_value_that_does_not_exist(self):
        for chart in readme.CHARTS:
            schema = json.loads((helm.CHARTS / chart / "values.schema.json").read_text())
            known = set(paths_of_schema(schema, schema, ""))
            there = set(paths_of_values(helm.values_file(chart, "values.yaml"), ""))
            self.assertEqual(known - {"global"}, there & known)

    def test_the_logins_of_cloudnativepg_are_those_of_databases_sql(self):
        text = (helm.CHECKOUT / "k8s/examples/cloudnativepg.yaml").read_text()
        clusters = [item["spec"] for item in helm.documents(text) if item["kind"] == "Cluster"]
        for database, cluster in zip(("orders", "payments"), clusters, strict=True):
            said = set(cluster["bootstrap"]["initdb"]["postInitSQL"])
            managed = {role["name"]: role for role in cluster["managed"]["roles"]}
            for login in logins().values():
                name = f"{database}_{login['name']}"
                with self.subTest(name):
                    for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                        self.assertIn(f"alter role {name} set {setting} = '{login[setting]}'", said)
                    if login["name"] == "owner":
                        self.assertIn(f"alter role {name} connection limit {login['connections']}", said)
                        continue
                    self.assertEqual(managed[name]["connectionLimit"], int(login["connections"]))
                    # What the operator is not told it takes away.
                    self.assertEqual(managed[name].get("inRoles", []), ["pg_read_all_stats"] * (login["name"] == "relay"))
            limits = sum(int(login["connections"]) for login in logins().values())
            self.assertLess(limits, int(cluster["postgresql"]["parameters"]["max_connections"]))

    def test_as_many_pods_as_production_allows_have_their_connections(self):
        pools = dict(re.findall(r"fn for_(\w+)\(.*?\).*?Self::new\(application_name, (\d+),", SOURCE_OF_POOLS.read_text(), re.DOTALL))
        limits = {name: int(login["connections"]) for name, login in logins().items()}
        chart, values = renders.renders()["gozon-production.yaml"]
        scalers = [item["spec"] for item in helm.render(chart, values) if item["kind"] == "HorizontalPodAutoscaler"]
        most = max(scaler["maxReplicas"] for scaler in scalers)
        # One more of the api's, by which readiness is asked.
        self.assertLessEqual(surging(most) * (int(pools["api"]) + 1), limits["api"])
        self.assertLessEqual(surging(most) * int(pools["writer"]), limits["writer"])
        keda = helm.documents((helm.CHECKOUT / "k8s/examples/keda.yaml").read_text())
        relays = max(item["spec"]["maxReplicaCount"] for item in keda if item["kind"] == "ScaledObject")
        self.assertLessEqual(surging(relays) * int(pools["relay"]), limits["relay"])
        postgres = (helm.CHARTS / "gozon-deps/files/postgresql.conf").read_text()
        self.assertLess(2 * sum(limits.values()), int(re.search(r"max_connections = (\d+)", postgres)[1]))

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
