//! The definitions of the custom resources as the chart ships them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use crate::resource::{OutboxRelay, Redrive};

/// The definitions of all resources as YAML, one document each.
///
/// A template of the chart brings them, not its `crds/`, which Helm never upgrades; the annotation makes an uninstall leave
/// them, for with a definition go all resources of its kind.
#[must_use]
pub fn definitions() -> String {
    [OutboxRelay::crd(), Redrive::crd()]
        .map(|definition| document(&kept(definition)))
        .concat()
}

fn kept(mut definition: CustomResourceDefinition) -> CustomResourceDefinition {
    definition
        .metadata
        .annotations
        .get_or_insert_default()
        .insert("helm.sh/resource-policy".into(), "keep".into());
    definition
}

fn document(definition: &CustomResourceDefinition) -> String {
    let yaml = serde_saphyr::to_string(definition).expect("a definition is plain data");
    format!("---\n{}\n", yaml.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_in_the_chart_are_those_of_the_types() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../charts/gozon-operator/files/definitions.yaml"
        );
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == definitions(),
            "charts/gozon-operator/files/definitions.yaml is not what the types say"
        );
    }
}
