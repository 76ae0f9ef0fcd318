//! The description of the interface: a handwritten file, completed with facts from the code.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use axum::{Json, http};
use serde_json::{Value, json};

use crate::error::Code;
use crate::schemes::paillier::Filter;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(describe);

/// The description of the interface.
pub(super) async fn get() -> Response {
    (http::StatusCode::OK, Json(&*DESCRIPTION)).into_response()
}

fn describe() -> Value {
    let mut root: Value = crate::json::read(include_bytes!("openapi.json")).unwrap_or_default();
    root["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    root["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] = codes.into();

    let filters = Filter::catalogue();
    let names: Vec<_> = filters.iter().map(|filter| filter.name).collect();
    let parameters = &mut root["paths"]["/v1/filters/{name}"]["post"]["parameters"];
    parameters[0]["schema"]["enum"] = names.into();
    if let Value::Array(parameters) = parameters {
        for filter in filters {
            for parameter in filter.parameters {
                let description = format!("For {}: {}", filter.name, parameter.help);
                match parameters.iter_mut().find(|known| known["name"] == parameter.name) {
                    Some(known) => {
                        let both = format!("{}. {description}", known["description"].as_str().unwrap_or_default());
                        known["description"] = both.into();
                    }
                    None => parameters.push(json!({
                        "name": parameter.name,
                        "in": "query",
                        "description": description,
                        "schema": { "type": "string" },
                    })),
                }
            }
        }
    }
    root
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api;

    /// The template of each route and the methods it takes, read from the source of the router.
    fn routed() -> BTreeSet<(String, &'static str)> {
        let source = include_str!("routes.rs");
        let mut found = BTreeSet::new();
        for line in source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")) {
            let Some((path, handlers)) = line.split_once('"') else { continue };
            if path.contains("{*") {
                continue;
            }
            for method in ["get", "head", "post", "put", "patch", "delete"] {
                if handlers.contains(&format!(" {method}(")) || handlers.contains(&format!(".{method}(")) {
                    found.insert((path.to_owned(), method));
                }
            }
        }
        found
    }

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let routed = routed();
        assert!(routed.len() >= 8, "{routed:?}");
        let mut described = BTreeSet::new();
        for (path, item) in describe()["paths"].as_object().expect("paths") {
            for method in ["get", "head", "post", "put", "patch", "delete"] {
                if item.get(method).is_some() {
                    described.insert((path.clone(), method));
                }
            }
        }
        assert_eq!(described, routed);
    }

    /// The members of an object, of the objects in it, and so on.
    fn members(value: &Value, path: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, field)| {
                let path = format!("{path}.{name}");
                members(field, &path, found);
                found.insert(path);
            }),
            Value::Array(items) => items.iter().for_each(|item| members(item, path, found)),
            _ => {}
        }
    }

    /// The members of the objects that a schema describes.
    fn described(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
        let root = describe();
        let schema = match schema["$ref"].as_str() {
            Some(reference) => root.pointer(&reference[1..]).expect("it leads somewhere"),
            None => schema,
        };
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            described(field, &path, found);
            found.insert(path);
        }
        if !schema["items"].is_null() {
            described(&schema["items"], path, found);
        }
    }

    #[test]
    fn the_data_types_are_described_with_all_their_members() {
        let key = || api::Key { purpose: "rotation".into(), steps: Some(1), element: Some(1), level: 1 };
        let problem = api::Problem::default();
        let class = api::Class { label: String::new(), pictures: Some(1) };
        let network = api::Network { parameters: String::new(), level: 1, hidden: 1, keys: vec![key()] };
        let model = api::Model {
            id: String::new(),
            learner: String::new(),
            width: 1,
            height: 1,
            channels: 1,
            samples_used: 1,
            classes: vec![class],
            network: Some(network),
        };
        let set = api::KeySet { parameters: String::new(), key: String::new(), expires_seconds: 1, keys: vec![key()] };
        let keys = api::KeyUpload { id: String::new(), state: "ready".into(), bytes: 1, offset: 1, set: Some(set) };
        let verdict = api::Verdict { label: String::new(), class: 0, scores: None, probabilities: None };
        let status = api::JobStatus { state: api::JobState::Failed, done: 1, total: 1, error: Some(problem) };
        for (name, value) in [
            ("Model", serde_json::to_value(model)),
            ("Keys", serde_json::to_value(keys)),
            ("Verdict", serde_json::to_value(verdict)),
            ("JobStatus", serde_json::to_value(status)),
        ] {
            let (mut sent, mut said) = (BTreeSet::new(), BTreeSet::new());
            members(&value.expect("plain JSON"), "", &mut sent);
            described(&json!({ "$ref": format!("#/components/schemas/{name}") }), "", &mut said);
            assert_eq!(sent, said, "{name}");
        }
    }

    #[test]
    fn work_on_an_upload_has_a_job_form() {
        let root = describe();
        for path in ["/v1/filters/{name}", "/v1/models", "/v1/classifiers/{id}"] {
            let post = &root["paths"][path]["post"];
            let prefer = json!({ "$ref": "#/components/parameters/Prefer" });
            assert!(post["parameters"].as_array().expect("a list").contains(&prefer), "{path}");
            assert_eq!(post["responses"]["202"], json!({ "$ref": "#/components/responses/Job" }), "{path}");
        }
    }

    #[test]
    fn every_code_filter_and_parameter_is_described() {
        let root = describe();
        let codes = &root["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
        assert_eq!(codes.as_array().map(Vec::len), Some(Code::ALL.len()));
        let parameters = root["paths"]["/v1/filters/{name}"]["post"]["parameters"].as_array().expect("a list");
        for filter in Filter::catalogue() {
            assert!(parameters[0]["schema"]["enum"].as_array().expect("a list").contains(&filter.name.into()));
            for parameter in filter.parameters {
                let described = parameters.iter().filter(|known| known["name"] == parameter.name).count();
                assert_eq!(described, 1, "{}", parameter.name);
            }
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(fields) => {
                    found.extend(fields.get("$ref").and_then(Value::as_str));
                    fields.values().for_each(|field| references(field, found));
                }
                Value::Array(items) => items.iter().for_each(|item| references(item, found)),
                _ => {}
            }
        }
        let root = describe();
        let mut found = Vec::new();
        references(&root, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            let pointer = reference.strip_prefix('#').expect("references stay inside");
            assert!(root.pointer(pointer).is_some(), "{reference}");
        }
    }
}
