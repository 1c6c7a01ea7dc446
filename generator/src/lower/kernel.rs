//! Lowering of legs on what the kernel and the firmware say of themselves.

use virtscap_scap::id::{ObjectId, TestId};
use virtscap_scap::oval::{
    Check, Component, Criteria, CriteriaNode, Entity, EntityValue, ObjectKind, Operator, OvalDefinitions,
    StateKind, TestKind, TestType,
};

use super::files::{LINE, file_at};
use super::{
    Names, add_local, add_object, add_state, add_test, all, any, criterion, first_match, not, plain,
    text_object, unknown,
};
use crate::model::{FirmwareAttribute, KernelArgument};

/// Where the settings of the firmware are. `/sys/class/firmware-attributes` has links to it, which a scanner does not
/// follow while it looks for a pattern.
const ATTRIBUTES: &str = "/sys/devices/virtual/firmware-attributes/[^/]+/attributes";

fn exists(oval: &mut OvalDefinitions, names: &Names, what: &str, object: &ObjectId, comment: &str) -> TestId {
    let kind = TestKind::of(TestType::TextFileContent54, object.clone(), Vec::new());
    add_test(oval, names.test(what), comment.to_owned(), kind)
}

fn all_match(
    oval: &mut OvalDefinitions,
    names: &Names,
    what: &str,
    object: &ObjectId,
    pattern: &str,
    comment: &str,
) -> TestId {
    let state = StateKind::one(TestType::TextFileContent54, "text", Entity::matches(pattern));
    let states = vec![add_state(oval, names.state(what), state)];
    let kind = TestKind::of(TestType::TextFileContent54, object.clone(), states);
    add_test(oval, names.test(what), comment.to_owned(), kind)
}

/// Adds the OVAL of a leg on an argument of the kernel's command line.
pub(super) fn add_argument(
    oval: &mut OvalDefinitions,
    names: &Names,
    argument: &KernelArgument,
) -> CriteriaNode {
    let line = add_object(oval, names.object("cmdline"), text_object(file_at("/proc/cmdline"), LINE));
    let there = exists(oval, names, "cmdline_there", &line, "the kernel's command line is there");
    let comment = format!("the kernel reads {}={} off its command line", argument.name, argument.value);
    let given = all_match(oval, names, "cmdline", &line, &as_the_kernel_reads(argument), &comment);
    let Some(running) = &argument.running else {
        return any(vec![
            all(vec![criterion(there.clone()), criterion(given)]),
            all(vec![not(there), unknown()]),
        ]);
    };
    let state = add_object(oval, names.object("running"), text_object(file_at(&running.file), LINE));
    let told = exists(oval, names, "running_there", &state, &format!("{} is there", running.file));
    let comment = format!("{} says that it is so", running.file);
    let so = all_match(oval, names, "running", &state, &running.matches, &comment);
    any(vec![
        all(vec![criterion(told.clone()), criterion(so)]),
        all(vec![not(told.clone()), criterion(there.clone()), criterion(given)]),
        all(vec![not(told), not(there), unknown()]),
    ])
}

/// The command line as the kernel reads it (Linux, `lib/cmdline.c`, `next_arg`): arguments end at white space outside
/// of double quotes, quotes around an argument or its value are taken off, after `--` the rest is for init, and the last
/// of several counts. A value that the kernel does not know changes nothing.
fn as_the_kernel_reads(argument: &KernelArgument) -> String {
    // In names a dash and an underscore are the same to the kernel.
    let name: String = argument
        .name
        .chars()
        .map(|c| match c {
            '-' | '_' => "[-_]".to_owned(),
            c => quoted(&c.to_string()),
        })
        .collect();
    let with = |values: &[&String]| {
        let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
        let values = values.join("|");
        format!(r#"(?:{name}=(?:{values}|"(?:{values})")|"{name}=(?:{values})")(?=\s|$)"#)
    };
    let known: Vec<_> = [&argument.value].into_iter().chain(&argument.otherwise).collect();
    let token = r#"(?>(?:[^\s"]|"[^"]*(?:"|$))+)"#;
    let other = format!(r"(?!--(?:\s|$))(?!{}){token}", with(&known));
    let before = r"(?!--(?:\s|$))";
    format!(r"^\s*(?:{before}{token}\s+)*?{}(?:\s+{other})*\s*(?:$|--(?:\s|$))", with(&[&argument.value]))
}

fn quoted(text: &str) -> String {
    let escaped =
        |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_string() } else { format!("\\{c}") };
    text.chars().map(escaped).collect()
}

/// Adds the OVAL of a leg on a setting of the firmware. It is off if all attributes say so; or if none says anything and
/// the processor has nothing that could be on.
pub(super) fn add_firmware_attribute(
    oval: &mut OvalDefinitions,
    names: &Names,
    attribute: &FirmwareAttribute,
) -> CriteriaNode {
    let spec =
        |path: Entity, name: &str| vec![("path", Some(path)), ("filename", Some(Entity::equals(name)))];
    let any_attribute = Entity::matches(format!("^{ATTRIBUTES}/[^/]+$"));
    // The display name stands in a file; the name is the folder's.
    let by_display_name = text_object(spec(any_attribute, "display_name"), &attribute.matching);
    let named = Entity::matches(format!("^{ATTRIBUTES}/[^/]*(?:{})[^/]*$", attribute.matching));
    let by_name = text_object(spec(named, "current_value"), LINE);
    let objects = vec![
        add_object(oval, names.object("by_display_name"), by_display_name),
        add_object(oval, names.object("by_name"), by_name),
    ];
    let union = ObjectKind::union(TestType::TextFileContent54, objects);
    let union = add_object(oval, names.object("attributes"), union);
    let found = exists(oval, names, "found", &union, "the firmware has the attribute");
    let folders = Component::Object { object_ref: union, item_field: "path".to_owned(), record_field: None };
    let folders = add_local(oval, names.variable("folders"), "where the attributes are", folders);
    let in_folders = Entity {
        value: EntityValue::Variable { var_ref: folders, var_check: Check::AtLeastOne },
        ..Entity::equals("")
    };
    let values = text_object(spec(in_folders, "current_value"), LINE);
    let values = add_object(oval, names.object("values"), values);
    let valued = exists(oval, names, "valued", &values, "the attribute has a value");
    let comment = "every such attribute is off";
    let off = all_match(oval, names, "values", &values, &attribute.disabled, comment);

    // A processor's description is the same for each of hundreds.
    let first = |pattern: &str| first_match(file_at("/proc/cpuinfo"), pattern);
    let processor = add_object(oval, names.object("cpuinfo"), first(LINE));
    let told = exists(oval, names, "cpuinfo", &processor, "the processor's description is there");
    let pattern = format!(r"^flags\s*:(?:.*\s)?{}(?:\s|$)", quoted(&attribute.cpu_flag));
    let flag = add_object(oval, names.object("cpu_flag"), first(&pattern));
    let comment = format!("the processor has {}", attribute.cpu_flag);
    let flag = exists(oval, names, "cpu_flag", &flag, &comment);
    // Without an attribute there is no folder to look in, and whether a value is there cannot be told: `found` decides.
    let judged = plain(Operator::And, vec![criterion(found.clone()), criterion(valued.clone())]);
    any(vec![
        all(vec![criterion(found.clone()), criterion(valued), criterion(off)]),
        all(vec![not(found.clone()), criterion(told.clone()), not(flag.clone())]),
        all(vec![
            CriteriaNode::Criteria(Criteria { negate: true, ..judged }),
            any(vec![criterion(found), not(told), criterion(flag)]),
            unknown(),
        ]),
    ])
}
