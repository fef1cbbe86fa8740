"""What the image is made of, as CycloneDX 1.5: the crates linked into the executable, the packages that the page is made with,
and, where they are this machine's, the libraries that the executable is linked to.

The same lock files give the same text: instants come from the commit, and nothing is drawn at random.
"""

import argparse
import json
import re
import subprocess
import uuid
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
ROOT = "gozon"
# What of the page's packages ends up in the browser; the others only make it.
IN_THE_PAGE = {"svelte"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--version", required=True)
    arguments.add_argument("--revision", required=True)
    arguments.add_argument("--created", required=True)
    arguments.add_argument("--libraries", nargs="*", default=[], help="paths of shared libraries in the image")
    given = arguments.parse_args()
    crates, edges = cargo()
    packages = npm()
    libraries = debian(given.libraries)
    root = {
        "type": "application",
        "bom-ref": ROOT,
        "name": ROOT,
        "version": given.version,
        "licenses": [{"license": {"id": "Apache-2.0"}}],
        "properties": [{"name": "org.opencontainers.image.revision", "value": given.revision}],
    }
    components = [*crates, *packages, *libraries]
    beside = [component["bom-ref"] for component in [*packages, *libraries]]
    edges[ROOT] = sorted([*edges.get(ROOT, []), *beside])
    print(
        json.dumps(
            {
                "bomFormat": "CycloneDX",
                "specVersion": "1.5",
                "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, given.revision)}",
                "version": 1,
                "metadata": {"timestamp": given.created, "component": root},
                "components": components,
                "dependencies": [
                    {"ref": ref, "dependsOn": edges.get(ref, [])}
                    for ref in [ROOT, *(component["bom-ref"] for component in components)]
                ],
            },
            indent=1,
        )
    )


def cargo():
    """The crates that the executable is linked from, and who needs whom. Tests and build scripts are not in it."""
    metadata = json.loads(
        output("cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host_triple())
    )
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    sums = checksums()
    start = next(id for id, package in packages.items() if package["name"] == ROOT and package["source"] is None)
    reached, waiting, edges = {start}, [start], {}
    while waiting:
        id = waiting.pop()
        needed = [
            dependency["pkg"]
            for dependency in nodes[id]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"])
            and not is_macro(packages[dependency["pkg"]])
        ]
        edges[ref(packages[id])] = sorted({ref(packages[other]) for other in needed})
        waiting += [other for other in needed if other not in reached]
        reached.update(needed)
    components = [crate(packages[id], sums) for id in reached if id != start]
    return sorted(components, key=lambda component: component["bom-ref"]), edges


def is_macro(package):
    return any("proc-macro" in target["kind"] for target in package["targets"])


def ref(package):
    return ROOT if package["name"] == ROOT else f"pkg:cargo/{package['name']}@{package['version']}"


def crate(package, sums):
    component = {
        "type": "library",
        "bom-ref": ref(package),
        "name": package["name"],
        "version": package["version"],
        "purl": ref(package),
    }
    if package["license"]:
        # Some old crates part two licences by a slash.
        component["licenses"] = [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}]
    if sum := sums.get((package["name"], package["version"])):
        component["hashes"] = [{"alg": "SHA-256", "content": sum}]
    return component


def checksums():
    """Of each crate its checksum, from the lock file: `cargo metadata` does not tell."""
    blocks = (CHECKOUT / "Cargo.lock").read_text().split("[[package]]")
    fields = [dict(re.findall(r'^(name|version|checksum) = "(.*)"$', block, re.MULTILINE)) for block in blocks]
    return {(block["name"], block["version"]): block["checksum"] for block in fields if "checksum" in block}


def npm():
    locked = json.loads((CHECKOUT / "frontend/package-lock.json").read_text())["packages"]
    components = {}
    for path, package in locked.items():
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
        component = {
            "type": "library",
            "bom-ref": purl,
            "name": name,
            "version": package["version"],
            "scope": "required" if name in IN_THE_PAGE else "excluded",
            "purl": purl,
        }
        if "license" in package:
            component["licenses"] = [{"expression": package["license"]}]
        components[purl] = component
    return [components[purl] for purl in sorted(components)]


def debian(libraries):
    """The packages that these files come from, where Debian's package manager knows them."""
    components = {}
    for library in libraries:
        owner = owner_of(library)
        if not owner:
            continue
        name, version, architecture = output(
            "dpkg-query", "--show", "--showformat", "${Package} ${Version} ${Architecture}", owner
        ).split()
        purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch={architecture}"
        components[purl] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return [components[purl] for purl in sorted(components)]


def owner_of(library):
    # Debian writes down some paths as they were before /lib became a link to /usr/lib.
    for path in [library, str(Path(library).resolve())]:
        try:
            return output("dpkg-query", "--search", path).partition(": ")[0]
        except (OSError, subprocess.CalledProcessError):
            pass
    return None


def host_triple():
    return re.search(r"^host: (.*)$", output("rustc", "--version", "--verbose"), re.MULTILINE).group(1)


def output(*command):
    return subprocess.run(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    ).stdout


main()
