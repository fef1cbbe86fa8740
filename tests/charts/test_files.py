"""What runs only where there is a container engine, kind or Tilt is at least read by what knows its language."""

import ast
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

import helm
import renders
from connections import Cluster

# The linters that requirements.txt installed beside this Python.
PROGRAMS = Path(sys.executable).parent


class Files(unittest.TestCase):
    def run_linter(self, program, *arguments):
        done = subprocess.run([PROGRAMS / program, *arguments], cwd=helm.CHECKOUT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_shellcheck_has_nothing_against_any_script(self):
        listed = subprocess.run(["git", "ls-files"], cwd=helm.CHECKOUT, capture_output=True, text=True, check=True).stdout
        files = [helm.CHECKOUT / name for name in listed.splitlines()]
        scripts = [path for path in files if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/env bash")]
        self.assertGreater(len(scripts), 10)
        self.run_linter("shellcheck", "--external-sources", "--source-path=SCRIPTDIR", *scripts)

    def test_hadolint_has_nothing_against_the_dockerfile(self):
        self.run_linter("hadolint", "services/gozon/Dockerfile")

    def test_the_tiltfile_is_starlark_and_what_it_leaves_out_is_no_member_of_the_workspace(self):
        tree = ast.parse((helm.CHECKOUT / "Tiltfile").read_text())
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "docker_build"]
        [ignored] = [ast.literal_eval(word.value) for call in calls for word in call.keywords if word.arg == "ignore"]
        manifests = {path.parent.relative_to(helm.CHECKOUT) for path in helm.CHECKOUT.glob("services/*/Cargo.toml")}
        for member in manifests | {Path("tests")}:
            for pattern in ignored:
                self.assertFalse(member.is_relative_to(pattern), f"{pattern} takes {member} away")

    def test_kinds_files_are_what_kind_and_the_chart_take(self):
        [cluster] = helm.documents((helm.CHECKOUT / "k8s/kind/cluster.yaml").read_text())
        self.assertEqual((cluster["kind"], cluster["apiVersion"]), ("Cluster", "kind.x-k8s.io/v1alpha4"))
        ports = {port["containerPort"] for node in cluster["nodes"] for port in node["extraPortMappings"]}
        values = yaml.safe_load((helm.CHECKOUT / "k8s/kind/ingress-values.yaml").read_text())
        self.assertEqual({values["ports"]["web"]["nodePort"]}, ports)

    def test_the_job_that_loads_the_shop_asks_services_that_there_are(self):
        [job] = helm.documents((helm.CHECKOUT / "k8s/load/job.yaml").read_text())
        chart, values = renders.renders()["gozon-kind.yaml"]
        services = Cluster(helm.render(chart, values, "gozon"))
        spec = job["spec"]["template"]["spec"]
        [k6] = spec["initContainers"]
        urls = {item["value"] for item in k6["env"] if item["name"].endswith("_URL")}
        known = {
            f"http://{service['metadata']['name']}" + ("" if port["port"] == 80 else f":{port['port']}")
            for service in services.of("Service")
            for port in service["spec"]["ports"]
        }
        self.assertLessEqual(urls, known)
        self.assertEqual(len(urls), 3)
        # And the audit reads what the shop of those values reads, from the image of this version.
        audits = [values["databases"][name]["audit"]["existingSecret"] for name in ("orders", "payments")]
        mounted = [volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume]
        self.assertEqual(mounted, audits)
        [audit] = spec["containers"]
        version = yaml.safe_load((helm.CHARTS / "gozon/Chart.yaml").read_text())["appVersion"]
        self.assertEqual(audit["image"], f"gozon:{version}")
