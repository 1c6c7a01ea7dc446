//! What offends in an object that admission sees, as a list of texts in CEL.
//!
//! The whole of it is wrapped in `dyn()`, since the API server would otherwise check the expressions against the schemas
//! of resources, and warn of fields that not every release has.

use crate::expr::{cel, quote};
use crate::model::{Each, Part, Resource};

/// What separates texts that come from lists within one element of a list.
const SEPARATOR: &str = "\"; \"";

/// An expression for the list of what offends in `subject`, by the legs that look at its resource.
pub(super) fn offenders(legs: &[Each], subject: &str) -> String {
    // With one leg the policy's constraints say all about the resource.
    let several = legs.iter().any(|leg| leg.selection.resource != legs[0].selection.resource);
    let lists = legs.iter().map(|leg| {
        let list = of_leg(leg, subject);
        if several { format!("({} ? {list} : [])", is(&leg.selection.resource)) } else { list }
    });
    lists.collect::<Vec<_>>().join(" + ")
}

/// Whether the request is for a resource. Where it came in another version, the API server has converted the object to
/// one that the policy names, and says so here.
fn is(resource: &Resource) -> String {
    let (group, version) = resource.api.split_once('/').unwrap_or(("", &resource.api));
    format!(
        "request.resource.group == {} && request.resource.version == {} && request.resource.resource == {}",
        quote::quote(group),
        quote::quote(version),
        quote::quote(&resource.resource)
    )
}

fn of_leg(leg: &Each, subject: &str) -> String {
    let variable = &leg.selection.variable;
    let parts: Vec<_> = leg.parts.iter().map(|part| of_part(leg, part)).collect();
    let mut list = parts.join(" + ");
    if let Some(condition) = &leg.selection.condition {
        list = format!("({}) ? {list} : []", cel::lower_bool(condition));
    }
    format!("[dyn({subject})].map({variable}, {list})[0]")
}

fn of_part(leg: &Each, part: &Part) -> String {
    let mut conditions: Vec<_> =
        part.condition.iter().map(|condition| format!("({})", cel::lower_bool(condition))).collect();
    let mut text = format!("({})", cel::lower_text(&part.detail));
    if let Some(key) = &part.key {
        let key = cel::lower_text(key);
        text.push_str(&format!(" + \" [\" + ({key}) + \"]\""));
        if let Some(approved) = &leg.approved {
            conditions.push(format!("!({key}).matches(variables.{approved})"));
        }
    }
    let condition = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" && ") };
    let Some((last, outer)) = part.loops.split_last() else {
        return format!("({condition} ? [{text}] : [])");
    };
    let list = cel::lower(&last.list);
    let mut list = elements(&list, &format!("filter({0}, {condition}).map({0}, {text})", last.variable));
    for step in outer.iter().rev() {
        let mapped = format!("map({}, {list}.join({SEPARATOR})).filter(text, text != \"\")", step.variable);
        list = elements(&cel::lower(&step.list), &mapped);
    }
    list
}

/// What a method makes of a list; an empty list of anything else.
fn elements(list: &str, method: &str) -> String {
    format!("(type(dyn({list})) == list ? dyn({list}).{method} : [])")
}
