//! `linux:fwupdsecattr`: what fwupd says of the security of the firmware.

use std::rc::Rc;

use virtscap_scap::oval::{ItemContent, ItemEntity, ObjectContent, Status, TestType};

use super::{Findings, required};
use crate::bus::{Call, Value};
use crate::oval::Session;
use crate::oval::variables::NoValues;

const ATTRIBUTES: Call<'static> = Call {
    service: "org.freedesktop.fwupd",
    object: "/",
    interface: "org.freedesktop.fwupd",
    member: "GetHostSecurityAttrs",
    arguments: &[],
};

/// The results that fwupd knows (`FwupdSecurityAttrResult`), in the order of their numbers.
const RESULTS: [&str; 15] = [
    "unknown",
    "enabled",
    "not-enabled",
    "valid",
    "not-valid",
    "locked",
    "not-locked",
    "encrypted",
    "not-encrypted",
    "tainted",
    "not-tainted",
    "found",
    "not-found",
    "supported",
    "not-supported",
];
/// What OpenSCAP makes of any other.
const INVALID: &str = "invalid-hsi-result";

/// The attributes: their AppStream ids, and their results in OpenSCAP's words.
pub(in crate::oval) type SecurityAttributes = Vec<(String, &'static str)>;

impl<'a> Session<'a> {
    /// `linux:fwupdsecattr_object`: one item with the result of the attribute, which its `stream_id` names.
    ///
    /// As with OpenSCAP's `fwupdsecattr_probe.c` the id is taken as it is, whatever the operation, the item holds the
    /// result alone, and that there is no such attribute is an item that was not collected.
    pub(super) fn fwupd_security_attribute(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let wanted = required(content, "stream_id")?;
        let wanted = self.entity_values(&wanted.value)?;
        if !self.files.is_running() {
            // OpenSCAP's table of probes has no offline mode for this one, which makes the object not applicable.
            findings
                .not_applicable("fwupd can be asked for the firmware of the system that is running alone");
            return Ok(());
        }
        let known = self.security_attributes();
        let known = known.as_ref().as_ref().map_err(Clone::clone)?;
        for wanted in wanted.iter() {
            // OpenSCAP also takes an id that `wanted` begins with, which is another attribute. The last one counts.
            let found = known.iter().rev().find(|(id, _)| id == wanted);
            let result = found.map_or("not-found", |(_, result)| *result);
            if found.is_none() {
                findings.withhold(Some(format!("fwupd knows no attribute '{wanted}'")));
            }
            findings.push(ItemContent::Entities {
                test_type: TestType::FwupdSecAttr,
                status: if found.is_some() { Status::Exists } else { Status::NotCollected },
                entities: vec![ItemEntity::text("security_attr", result)],
            });
        }
        Ok(())
    }

    /// All attributes, or why there are none; fwupd is asked once, as by OpenSCAP.
    fn security_attributes(&mut self) -> Rc<Result<SecurityAttributes, String>> {
        if let Some(known) = &self.firmware {
            return known.clone();
        }
        let bus = self.message_bus();
        let attributes = match bus.as_ref() {
            Err(e) => Err(format!("D-Bus connection failed, could not identify fwupd: {e}")),
            Ok(bus) => bus
                .call(&ATTRIBUTES)
                .and_then(|answer| attributes(&answer))
                .map_err(|e| format!("The fwupd service is not properly installed or configured: {e}")),
        };
        self.firmware.insert(Rc::new(attributes)).clone()
    }
}

/// The attributes of fwupd's answer, of type `aa{sv}`.
fn attributes(answer: &[Value]) -> Result<SecurityAttributes, String> {
    let not_understood = || "its answer is not understood".to_owned();
    let [Value::List(listed)] = answer else { return Err(not_understood()) };
    let mut attributes = Vec::with_capacity(listed.len());
    for attribute in listed {
        let Value::Named(named) = attribute else { return Err(not_understood()) };
        let text = |wanted: &str| {
            named.iter().find_map(|(name, value)| match value {
                Value::Text(text) if name == wanted => Some(text.as_str()),
                _ => None,
            })
        };
        // fwupd leaves out what it does not know. OpenSCAP then takes the result of the attribute before.
        let number = text("HsiResult").unwrap_or("0");
        let result = number.parse().ok().and_then(|number: usize| RESULTS.get(number).copied());
        if let Some(id) = text("AppstreamId") {
            attributes.push((id.to_owned(), result.unwrap_or(INVALID)));
        }
    }
    Ok(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(named: &[(&str, &str)]) -> Value {
        let text = |&(name, value): &(&str, &str)| (name.to_owned(), Value::Text(value.to_owned()));
        Value::Named(named.iter().map(text).collect())
    }

    #[test]
    fn results_are_openscaps_words() {
        let answer = [Value::List(vec![
            attribute(&[("AppstreamId", "a"), ("HsiResult", "2"), ("Name", "x")]),
            attribute(&[("AppstreamId", "b")]),
            attribute(&[("AppstreamId", "c"), ("HsiResult", "15")]),
            attribute(&[("HsiResult", "1")]),
            attribute(&[("AppstreamId", "d"), ("HsiResult", "14")]),
        ])];
        let expected = [("a", "not-enabled"), ("b", "unknown"), ("c", INVALID), ("d", "not-supported")];
        let expected = expected.map(|(id, result)| (id.to_owned(), result)).to_vec();
        assert_eq!(attributes(&answer), Ok(expected));
        assert!(attributes(&[]).is_err());
        assert!(attributes(&[Value::List(vec![Value::Text("x".to_owned())])]).is_err());
    }
}
