//! `linux:systemdunitproperty` and `linux:systemdunitdependency`: what systemd says of its units.

use virtscap_scap::oval::{ItemEntity, ObjectContent, TestType};

use super::Findings;
use crate::bus::{Bus, Call, Connected, Value};
use crate::oval::Session;
use crate::oval::variables::NoValues;

const SERVICE: &str = "org.freedesktop.systemd1";
const MANAGER: Call<'static> = Call {
    service: SERVICE,
    object: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
    member: "",
    arguments: &[],
};
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const UNIT: &str = "org.freedesktop.systemd1.Unit";

/// Where a unit is in the list of units, and its name.
const NAME: usize = 0;
const OBJECT: usize = 6;

/// How many dependencies a unit may have.
const MAX_DEPENDENCIES: usize = 10_000;
/// How many targets may need each other in a row.
const MAX_DEPTH: usize = 100;

/// A unit that systemd has loaded.
struct Unit {
    name: String,
    /// What it is called on the bus.
    object: String,
}

impl<'a> Session<'a> {
    /// `linux:systemdunitproperty_object`: one item per unit and property.
    pub(super) fn systemd_unit_property(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let property = self.wanted(content, "property")?;
        let Some((bus, units)) = self.units(content, findings)? else { return Ok(()) };
        let bus = bus.as_ref().as_ref().map_err(Clone::clone)?;
        for Unit { name: unit, object } in units {
            let call = Call {
                object: &object,
                interface: PROPERTIES,
                member: "GetAll",
                arguments: &[UNIT],
                ..MANAGER
            };
            let answer = bus.call(&call)?;
            let [Value::Named(properties)] = answer.as_slice() else {
                return Err(format!("{unit}: systemd's answer is not understood").into());
            };
            for (name, value) in properties {
                if !property.is_match(name)? {
                    continue;
                }
                let Some(values) = values(value) else { continue };
                let mut entities = vec![ItemEntity::text("unit", &unit), ItemEntity::text("property", name)];
                entities.extend(values.into_iter().map(|value| ItemEntity::text("value", value)));
                findings.item(TestType::SystemdUnitProperty, entities);
            }
        }
        Ok(())
    }

    /// `linux:systemdunitdependency_object`: one item per unit, with what it needs, and what the targets need that it
    /// needs.
    pub(super) fn systemd_unit_dependency(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let Some((bus, units)) = self.units(content, findings)? else { return Ok(()) };
        let bus = bus.as_ref().as_ref().map_err(Clone::clone)?;
        for Unit { name: unit, .. } in units {
            let mut dependencies = Vec::new();
            add_dependencies(bus, &unit, 0, &mut dependencies)?;
            let mut entities = vec![ItemEntity::text("unit", &unit)];
            entities.extend(dependencies.into_iter().map(|unit| ItemEntity::text("dependency", unit)));
            findings.item(TestType::SystemdUnitDependency, entities);
        }
        Ok(())
    }

    /// The bus, and the units that an object wants. As with OpenSCAP it is an error if the system
    /// that is running has no bus; of another root nothing is collected.
    fn units(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<Option<(Connected, Vec<Unit>)>, NoValues> {
        let unit = self.wanted(content, "unit")?;
        if !self.files.is_running() {
            let reason = "systemd can be asked for units on the system that is running alone";
            findings.withhold(Some(reason.to_owned()));
            return Ok(None);
        }
        let bus = self.message_bus();
        let connected = bus.as_ref().as_ref();
        let connected = connected
            .map_err(|e| format!("DBus connection failed, could not identify systemd units: {e}"))?;
        let answer = connected.call(&Call { member: "ListUnits", ..MANAGER })?;
        let [Value::List(listed)] = answer.as_slice() else {
            return Err("systemd's list of units is not understood".to_owned().into());
        };
        let mut units = Vec::new();
        for listed in listed {
            let Value::Struct(fields) = listed else { continue };
            let (Some(Value::Text(name)), Some(Value::Text(object))) = (fields.get(NAME), fields.get(OBJECT))
            else {
                return Err("systemd's list of units is not understood".to_owned().into());
            };
            if unit.is_match(name)? {
                units.push(Unit { name: name.clone(), object: object.clone() });
            }
        }
        Ok(Some((bus, units)))
    }
}

/// The texts of a property, of a list each element's; none where OpenSCAP has no item for it.
fn values(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Text(text) => Some(vec![text.clone()]),
        Value::List(values) => {
            let texts: Vec<_> = values.iter().filter_map(text).collect();
            (!texts.is_empty()).then_some(texts)
        }
        Value::Struct(_) | Value::Named(_) => Some(Vec::new()),
    }
}

/// A value within a list.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::List(values) => {
            let texts: Vec<_> = values.iter().filter_map(text).collect();
            (!texts.is_empty()).then(|| texts.join(", "))
        }
        Value::Struct(_) | Value::Named(_) => None,
    }
}

/// Adds what a target needs, and what the targets among it need, each once.
fn add_dependencies(bus: &Bus, unit: &str, depth: usize, found: &mut Vec<String>) -> Result<(), String> {
    if !unit.ends_with(".target") {
        return Ok(());
    }
    if depth > MAX_DEPTH || found.len() > MAX_DEPENDENCIES {
        return Err(format!("{unit}: has too many dependencies"));
    }
    let answer = bus.call(&Call { member: "LoadUnit", arguments: &[unit], ..MANAGER })?;
    let [Value::Text(object)] = answer.as_slice() else {
        return Err(format!("{unit}: systemd's answer is not understood"));
    };
    for property in ["Requires", "Wants"] {
        let arguments = [UNIT, property];
        let call = Call { object, interface: PROPERTIES, member: "Get", arguments: &arguments, ..MANAGER };
        let answer = bus.call(&call)?;
        let [Value::List(needed)] = answer.as_slice() else {
            return Err(format!("{unit}: systemd's answer is not understood"));
        };
        for needed in needed.iter().filter_map(text).filter(|needed| !needed.is_empty()) {
            if !found.contains(&needed) {
                found.push(needed.clone());
                add_dependencies(bus, &needed, depth + 1, found)?;
            }
        }
    }
    Ok(())
}
