//! The dashboards' files: what Grafana needs, and what a person needs who opens one at night.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    files,
    promql::{assert_counts_nothing_twice, filled_in, parse},
};

/// The width of Grafana's grid.
const GRID: u32 = 24;

/// A panel that is narrower shows nothing that can be read.
const NARROWEST: u32 = 4;

/// The oldest version of the schema that Grafana 11 and 12 need not convert.
const SCHEMA: u64 = 39;

/// A dashboard with what a test looks at.
#[derive(Debug, Deserialize)]
pub(crate) struct Dashboard {
    pub(crate) uid: String,
    title: String,
    description: String,
    tags: Vec<String>,
    #[serde(rename = "schemaVersion")]
    schema: u64,
    links: Vec<Value>,
    templating: Templating,
    pub(crate) panels: Vec<Panel>,
}

#[derive(Debug, Deserialize)]
struct Templating {
    list: Vec<Variable>,
}

#[derive(Debug, Deserialize)]
struct Variable {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    query: Value,
}

/// A panel.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Panel {
    id: u64,
    #[serde(rename = "type")]
    kind: String,
    pub(crate) title: String,
    #[serde(default)]
    description: String,
    grid_pos: Place,
    datasource: Option<Value>,
    #[serde(default)]
    pub(crate) targets: Vec<Target>,
    #[serde(default)]
    field_config: Value,
    #[serde(default)]
    links: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Place {
    x: u32,
    y: u32,
    w: u32,
    h: u32,
}

/// A query and what its series are called.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Target {
    pub(crate) expr: String,
    legend_format: String,
    #[serde(default)]
    pub(crate) exemplar: bool,
}

impl Panel {
    /// True for a heading.
    pub(crate) fn is_row(&self) -> bool {
        self.kind == "row"
    }
}

impl Target {
    /// The labels that the names of its series are made of.
    pub(crate) fn legend_labels(&self) -> Vec<&str> {
        let pieces = self.legend_format.split("{{").skip(1);
        pieces
            .map(|piece| piece.split("}}").next().unwrap().trim())
            .collect()
    }
}

/// All of them.
pub(crate) fn dashboards() -> Vec<Dashboard> {
    files("charts/gozon/files/dashboards", ".json")
        .iter()
        .map(|(name, text)| {
            let dashboard: Dashboard =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(
                dashboard.uid,
                format!("gozon-{name}"),
                "the uid is for links, and stays"
            );
            dashboard
        })
        .collect()
}

#[test]
fn each_dashboard_can_be_found_switched_and_left_for_another() {
    for dashboard in dashboards() {
        let name = &dashboard.uid;
        assert!(dashboard.title.starts_with("Gozon"), "{name}");
        assert!(!dashboard.description.is_empty(), "{name}");
        assert_eq!(dashboard.tags, ["gozon"], "{name}");
        assert!(dashboard.schema >= SCHEMA, "{name}");
        let link = &dashboard.links[0];
        assert_eq!(
            (&link["type"], &link["tags"][0]),
            (&"dashboards".into(), &"gozon".into())
        );
        assert_eq!(
            (&link["keepTime"], &link["includeVars"]),
            (&true.into(), &true.into())
        );
        let variables = &dashboard.templating.list;
        assert_eq!(variables[0].name, "datasource", "{name}");
        assert_eq!(variables[0].kind, "datasource", "{name}");
        assert_eq!(variables[0].query, "prometheus", "{name}");
        let names: Vec<&str> = variables.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["datasource", "namespace", "job"], "{name}");
    }
}

#[test]
fn each_panel_says_what_is_good_in_which_unit_and_where_its_data_come_from() {
    for dashboard in dashboards() {
        let mut ids = BTreeSet::new();
        for panel in &dashboard.panels {
            let name = format!("{}: {}", dashboard.uid, panel.title);
            assert!(ids.insert(panel.id), "{name}: another panel has this id");
            if panel.is_row() {
                continue;
            }
            assert!(panel.description.contains("Good: "), "{name}");
            let source = panel.datasource.as_ref().unwrap();
            assert_eq!(
                (&source["type"], &source["uid"]),
                (&"prometheus".into(), &"${datasource}".into()),
                "{name}"
            );
            let defaults = &panel.field_config["defaults"];
            for setting in ["unit", "noValue"] {
                assert!(defaults[setting].is_string(), "{name} has no {setting}");
            }
            let steps = defaults["thresholds"]["steps"].as_array().unwrap();
            assert!(
                steps[0]["value"].is_null(),
                "{name}: the first threshold has no lower end"
            );
            assert!(!panel.targets.is_empty(), "{name}");
            if panel.kind == "stat" {
                assert_eq!(defaults["color"]["mode"], "thresholds", "{name}");
            }
        }
    }
}

#[test]
fn each_query_is_a_query_and_counts_nothing_twice() {
    for dashboard in dashboards() {
        for target in dashboard.panels.iter().flat_map(|panel| &panel.targets) {
            let query = filled_in(&target.expr);
            parse(&query);
            assert_counts_nothing_twice(&query);
            // Two shops may have one Prometheus.
            assert!(
                query.matches("namespace=~").count() >= query.matches('{').count(),
                "{}",
                target.expr
            );
        }
    }
}

#[test]
fn panels_stand_beside_each_other_in_rows_without_gaps() {
    for dashboard in dashboards() {
        let mut taken = BTreeSet::new();
        let mut bottom = 0;
        for panel in &dashboard.panels {
            let Place { x, y, w, h } = panel.grid_pos;
            let name = format!("{}: {}", dashboard.uid, panel.title);
            assert!(w >= NARROWEST && x + w <= GRID && h > 0, "{name}");
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(
                    taken.insert(cell),
                    "{name} lies on another panel at {cell:?}"
                );
            }
            bottom = bottom.max(y + h);
        }
        for y in 0..bottom {
            assert!(
                taken.contains(&(0, y)),
                "{}: nothing at the left of line {y}",
                dashboard.uid
            );
        }
    }
}

#[test]
fn the_overview_answers_in_its_top_row_whether_customers_are_affected() {
    let dashboards = dashboards();
    let overview = dashboards
        .iter()
        .find(|one| one.uid == "gozon-overview")
        .unwrap();
    let top: Vec<&str> = overview
        .panels
        .iter()
        .filter(|panel| panel.grid_pos.y == 0 && panel.kind == "stat")
        .map(|panel| panel.title.as_str())
        .collect();
    assert_eq!(
        top,
        [
            "Orders accepted",
            "Decided within a second",
            "Oldest unpublished event",
            "Stuck orders",
            "Dead letters",
            "Error budget left (30 days)",
        ]
    );
}

#[test]
fn links_lead_to_dashboards_that_exist_and_take_the_selection_along() {
    let dashboards = dashboards();
    let paths: Vec<String> = dashboards
        .iter()
        .map(|one| format!("/d/{}?", one.uid))
        .collect();
    let links = dashboards
        .iter()
        .flat_map(|one| &one.panels)
        .flat_map(|panel| &panel.links);
    let mut count = 0;
    for link in links {
        let url = link["url"].as_str().unwrap();
        assert!(paths.iter().any(|path| url.starts_with(path)), "{url}");
        assert!(
            url.ends_with("?${__url_time_range}&${__all_variables}"),
            "{url}"
        );
        count += 1;
    }
    assert!(count > 0, "the overview leads on");
}
