//! What a recording leaves out: what people put into objects that only they should know, and what nobody reads.

use serde_json::{Map, Value};

/// What stands in the place of what is left out.
pub const REDACTED: &str = "redacted by virtscap collect";

/// Keys that begin so hold cloud-init's data.
const CLOUD_INIT: [&str; 2] = ["userdata", "networkdata"];
/// Keys of answer files of sysprep, as ConfigMaps have them.
const ANSWER_FILES: [&str; 2] = ["autounattend.xml", "unattend.xml"];
/// The whole object, as it was applied: what is left out of the object would be in it again.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// An environment variable or parameter whose name holds one of these is not for everybody.
const TELLING: [&str; 6] = ["password", "passwd", "token", "secret", "key", "credential"];

/// Replaces what is secret in an object, wherever it is.
pub(super) fn redact(value: &mut Value) {
    match value {
        Value::Object(map) => redact_map(map),
        Value::Array(values) => values.iter_mut().for_each(redact),
        Value::String(text) if holds_cloud_init(text) => REDACTED.clone_into(text),
        _ => {}
    }
}

fn redact_map(map: &mut Map<String, Value>) {
    if let Some(Value::Object(metadata)) = map.get_mut("metadata") {
        metadata.remove("managedFields");
    }
    for (key, value) in map {
        let lower = key.to_ascii_lowercase();
        if CLOUD_INIT.iter().any(|start| lower.starts_with(start)) {
            // A reference names the Secret, and does not tell it.
            if !(lower.ends_with("ref") && value.is_object()) {
                replace(value);
            }
        } else if lower == "sysprep" {
            texts(value);
        } else if ANSWER_FILES.contains(&lower.as_str()) || key == LAST_APPLIED {
            replace(value);
        } else {
            if let ("env" | "parameters", Value::Array(entries)) = (key.as_str(), &mut *value) {
                entries.iter_mut().for_each(redact_entry);
            }
            redact(value);
        }
    }
}

/// The value of an environment variable, or of a template's parameter.
fn redact_entry(entry: &mut Value) {
    let name = entry.get("name").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    if TELLING.iter().any(|telling| name.contains(telling))
        && let Some(value) = entry.get_mut("value")
    {
        replace(value);
    }
}

fn replace(value: &mut Value) {
    *value = Value::String(REDACTED.to_owned());
}

/// Replaces all texts below.
fn texts(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(texts),
        Value::Array(values) => values.iter_mut().for_each(texts),
        Value::String(_) => replace(value),
        _ => {}
    }
}

/// Whether a text is cloud-init's data, or an object in JSON that has some: annotations and variables hold such copies.
fn holds_cloud_init(text: &str) -> bool {
    let text = text.trim_start();
    if text.starts_with("#cloud-config") {
        return true;
    }
    text.starts_with(['{', '[']) && {
        let lower = text.to_ascii_lowercase();
        CLOUD_INIT.iter().any(|start| lower.contains(start))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_secret_is_replaced_and_nothing_else() {
        let r = REDACTED;
        let cases = [
            (
                json!({"spec": {"volumes": [{"cloudInitNoCloud": {"userData": "x", "networkDataBase64": "eA=="}}]}}),
                json!({"spec": {"volumes": [{"cloudInitNoCloud": {"userData": r, "networkDataBase64": r}}]}}),
            ),
            // In the template of a pool, in a ControllerRevision, in what nobody thought of.
            (json!({"data": [{"UserData": {"a": "x"}}]}), json!({"data": [{"UserData": r}]})),
            (
                json!({"cloudInitNoCloud": {"userDataSecretRef": {"name": "s"}, "secretRef": {"name": "s"}}}),
                json!({"cloudInitNoCloud": {"userDataSecretRef": {"name": "s"}, "secretRef": {"name": "s"}}}),
            ),
            (json!({"userDataSecretRef": "x"}), json!({"userDataSecretRef": r})),
            (
                json!({"sysprep": {"configMap": {"name": "answers"}}, "data": {"Unattend.xml": "<x/>"}}),
                json!({"sysprep": {"configMap": {"name": r}}, "data": {"Unattend.xml": r}}),
            ),
            (
                json!({"env": [
                    {"name": "DB_PASSWORD", "value": "x"},
                    {"name": "apiToken", "value": ""},
                    {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s"}}},
                    {"name": "HOME", "value": "/root"},
                    7
                ]}),
                json!({"env": [
                    {"name": "DB_PASSWORD", "value": r},
                    {"name": "apiToken", "value": r},
                    {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "s"}}},
                    {"name": "HOME", "value": "/root"},
                    7
                ]}),
            ),
            (
                json!({"parameters": [{"name": "CLOUD_USER_PASSWORD", "value": "x"}, {"name": "NAME", "value": "y"}]}),
                json!({"parameters": [{"name": "CLOUD_USER_PASSWORD", "value": r}, {"name": "NAME", "value": "y"}]}),
            ),
            (
                json!({"metadata": {"annotations": {LAST_APPLIED: "{}", "a": "b"}, "managedFields": [{}], "name": "n"}}),
                json!({"metadata": {"annotations": {LAST_APPLIED: r, "a": "b"}, "name": "n"}}),
            ),
            (
                json!({"template": {"metadata": {"managedFields": [{}]}}}),
                json!({"template": {"metadata": {}}}),
            ),
            (
                json!({"STANDALONE_VMI": " {\"spec\":{\"userData\":\"x\"}}", "x": "\n#cloud-config\npassword: x"}),
                json!({"STANDALONE_VMI": r, "x": r}),
            ),
            (
                json!({"description": "says userData", "managedFields": 1, "n": 1.50, "b": null}),
                json!({"description": "says userData", "managedFields": 1, "n": 1.50, "b": null}),
            ),
        ];
        for (mut given, expected) in cases {
            redact(&mut given);
            assert_eq!(given, expected);
        }
    }
}
