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
        Value::String(text) => {
            if let Some(without) = without_passwords(text) {
                *text = without;
            }
        }
        _ => {}
    }
}

fn redact_map(map: &mut Map<String, Value>) {
    // Templates have whole objects in them.
    if map.get("kind").is_some_and(|kind| kind == "Secret") {
        for key in ["data", "stringData"] {
            map.get_mut(key).into_iter().for_each(texts);
        }
    }
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
            match (key.as_str(), &mut *value) {
                ("env" | "parameters", Value::Array(entries)) => entries.iter_mut().for_each(redact_entry),
                ("args" | "command", Value::Array(words)) => redact_words(words),
                _ => {}
            }
            redact(value);
        }
    }
}

fn is_telling(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|telling| name.contains(telling))
}

/// What a container's command line gives to options whose names tell: `--NAME=VALUE`, `--NAME VALUE`, `NAME=VALUE`.
fn redact_words(words: &mut [Value]) {
    let mut option_before = false;
    for word in words {
        let Value::String(text) = word else { continue };
        let is_option = text.starts_with('-');
        match text.split_once('=') {
            Some((name, _)) if is_telling(name) && !name.contains(char::is_whitespace) => {
                *text = format!("{name}={REDACTED}");
                option_before = false;
            }
            _ if option_before && !is_option => {
                REDACTED.clone_into(text);
                option_before = false;
            }
            _ => option_before = is_option && !text.contains('=') && is_telling(text),
        }
    }
}

/// A text without the passwords in its URLs; none where there is none.
fn without_passwords(text: &str) -> Option<String> {
    let mut without = String::new();
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + 3);
        without.push_str(before);
        let end = behind.find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace());
        let (authority, after) = behind.split_at(end.unwrap_or(behind.len()));
        let password =
            authority.rsplit_once('@').and_then(|(user, host)| Some((user.split_once(':')?.0, host)));
        match password {
            Some((user, host)) => {
                found = true;
                without.push_str(&format!("{user}:{REDACTED}@{host}"));
            }
            None => without.push_str(authority),
        }
        rest = after;
    }
    without.push_str(rest);
    found.then_some(without)
}

/// The value of an environment variable, or of a template's parameter.
fn redact_entry(entry: &mut Value) {
    let name = entry.get("name").and_then(Value::as_str).unwrap_or_default();
    if is_telling(name)
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
                json!({"objects": [{"kind": "Secret", "data": {"a": "eA==", "b": [1, "x"]}, "stringData": {"c": "x"}, "type": "t"}]}),
                json!({"objects": [{"kind": "Secret", "data": {"a": r, "b": [1, r]}, "stringData": {"c": r}, "type": "t"}]}),
            ),
            (
                json!({"args": ["--password=x", "--v=3", "--token", "x", "TOKEN=a=b", "--secret-name", "--port", "8443", "run"]}),
                json!({"args": [format!("--password={r}"), "--v=3", "--token", r, format!("TOKEN={r}"), "--secret-name", "--port",
                    "8443", "run"]}),
            ),
            (
                json!({"command": ["sh", "-c", "echo key = 1"], "args": "x", "key": ["--token", "y"]}),
                json!({"command": ["sh", "-c", "echo key = 1"], "args": "x", "key": ["--token", "y"]}),
            ),
            (
                json!({"url": "https://me:x@host:80/a@b, ftp://n:@h http://a@b http://h:80/p:q@r", "image": "a:b@sha256:c"}),
                json!({"url": format!("https://me:{r}@host:80/a@b, ftp://n:{r}@h http://a@b http://h:80/p:q@r"), "image": "a:b@sha256:c"}),
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
