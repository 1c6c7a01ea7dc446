//! Lowering of legs on a node's files.
//!
//! An absent file says something only where the rest of the node was looked at, so a leg that is content with absence
//! has a proof: a path that every node has.

use virtscap_scap::oval::{
    Check, Component, CriteriaNode, Datatype, Entity, Existence, MODE_BITS, ObjectEntities, ObjectKind,
    OvalDefinitions, StateEntity, StateKind, TestKind, TestType, split_path,
};

use super::{
    Names, add_local, add_object, add_state, add_test, any, criterion, decided, external, kernel, not, test,
    text_object, unknown,
};
use crate::model::{FileCheck, FileLeg, FileMode, Lines, Named, Place};

/// Every line that has something on it.
pub(super) const LINE: &str = r"^.*\S.*$";

/// Adds the OVAL of a leg.
pub(super) fn add(oval: &mut OvalDefinitions, names: &Names, leg: &FileLeg) -> CriteriaNode {
    match leg {
        FileLeg::Proven { proof, check } => {
            let mut guards = vec![add_proof(oval, names, proof)];
            let verdicts = match check {
                FileCheck::Mode(mode) => vec![add_mode(oval, names, mode)],
                FileCheck::Lines(lines) => add_lines(oval, names, lines, &mut guards),
                FileCheck::Absent(place) => vec![add_absent(oval, names, place)],
            };
            any(decided(guards, verdicts))
        }
        FileLeg::KernelArgument(argument) => kernel::add_argument(oval, names, argument),
        FileLeg::FirmwareAttribute(attribute) => kernel::add_firmware_attribute(oval, names, attribute),
    }
}

/// Adds the test that a path is there, as a file or a folder.
fn add_proof(oval: &mut OvalDefinitions, names: &Names, proof: &str) -> CriteriaNode {
    let of_kind = |file| ObjectKind::plain(TestType::File, file);
    let as_folder = vec![("path", Some(Entity::equals(proof))), ("filename", None)];
    let mut exists = |what: &str, file| {
        let object = add_object(oval, names.object(what), of_kind(file));
        let kind = TestKind::of(TestType::File, object, Vec::new());
        criterion(add_test(oval, names.test(what), format!("{proof} is there"), kind))
    };
    any(vec![exists("proof_folder", as_folder), exists("proof_file", file_at(proof))])
}

/// The file at a path from the root.
pub(super) fn file_at(path: &str) -> ObjectEntities {
    let (folder, name) = split_path(path);
    vec![("path", Some(Entity::equals(folder))), ("filename", Some(Entity::equals(name)))]
}

pub(super) fn entity(named: &Named) -> Entity {
    match named {
        Named::Exactly(name) => Entity::equals(name),
        Named::Matching(pattern) => Entity::matches(pattern),
    }
}

pub(super) fn file_spec(place: &Place) -> ObjectEntities {
    vec![("path", Some(entity(&place.folder))), ("filename", place.file.as_ref().map(entity))]
}

fn described(place: &Place) -> String {
    let text = |named: &Named| match named {
        Named::Exactly(name) => name.clone(),
        Named::Matching(pattern) => format!("what matches {pattern}"),
    };
    match &place.file {
        None => text(&place.folder),
        Some(file) => format!("{} in {}", text(file), text(&place.folder)),
    }
}

fn add_mode(oval: &mut OvalDefinitions, names: &Names, mode: &FileMode) -> CriteriaNode {
    let object = ObjectKind::plain(TestType::File, file_spec(&mode.place));
    let object = add_object(oval, names.object("file"), object);
    let typed = |datatype, value: &str| Entity { datatype, ..Entity::equals(value) };
    // In the order of the schema: the type, group and owner, the bits.
    let kind = if mode.place.file.is_some() { "regular" } else { "directory" };
    let mut entities = vec![("type", Entity::equals(kind))];
    if mode.root_owned {
        entities.push(("group_id", typed(Datatype::Int, "0")));
        entities.push(("user_id", typed(Datatype::Int, "0")));
    }
    let beyond = MODE_BITS.iter().filter(|(_, bit)| u32::from(mode.at_most) & bit == 0);
    entities.extend(beyond.map(|(entity, _)| (*entity, typed(Datatype::Boolean, "false"))));
    let entities = entities.into_iter().map(|(name, entity)| (name, StateEntity::Value(entity))).collect();
    let state = StateKind::Known { test_type: TestType::File, entities };
    let states = vec![add_state(oval, names.state("mode"), state)];
    let owner = if mode.root_owned { " and root's" } else { "" };
    let comment = format!("the mode of {} is at most {:04o}{owner}", described(&mode.place), mode.at_most);
    let id = names.test("mode");
    let kind = TestKind::of(TestType::File, object, states);
    let mut test = test(id.clone(), comment, kind);
    test.check_existence = Existence::AnyExist;
    oval.tests.push(test);
    criterion(id)
}

fn add_absent(oval: &mut OvalDefinitions, names: &Names, place: &Place) -> CriteriaNode {
    let object = ObjectKind::plain(TestType::File, file_spec(place));
    let object = add_object(oval, names.object("file"), object);
    let id = names.test("absent");
    let kind = TestKind::of(TestType::File, object, Vec::new());
    let mut test = test(id.clone(), format!("{} is not there", described(place)), kind);
    test.check_existence = Existence::NoneExist;
    oval.tests.push(test);
    criterion(id)
}

fn add_lines(
    oval: &mut OvalDefinitions,
    names: &Names,
    lines: &Lines,
    guards: &mut Vec<CriteriaNode>,
) -> Vec<CriteriaNode> {
    let place = described(&lines.place);
    let object = add_object(oval, names.object("lines"), text_object(file_spec(&lines.place), LINE));
    if lines.required {
        let kind = TestKind::of(TestType::TextFileContent54, object.clone(), Vec::new());
        let comment = format!("{place} has a line");
        guards.push(criterion(add_test(oval, names.test("lines_there"), comment, kind)));
    }
    let also = lines.also.as_ref().map(|value| {
        let pattern = Component::Concat(vec![
            Component::text("^(?:".to_owned()),
            Component::Variable(external(value)),
            Component::text(")$".to_owned()),
        ]);
        add_local(oval, names.variable("also"), "lines that the value has offend", pattern)
    });
    let mut add = |what: &str, text: Entity, check: Check, comment: String| {
        let state = StateKind::one(TestType::TextFileContent54, "text", text);
        let states = vec![add_state(oval, names.state(what), state)];
        let id = names.test(what);
        let kind = TestKind::of(TestType::TextFileContent54, object.clone(), states);
        let mut test = test(id.clone(), comment, kind);
        test.check = check;
        if check == Check::NoneSatisfy && !lines.required {
            test.check_existence = Existence::AnyExist;
        }
        oval.tests.push(test);
        id
    };
    let comment = format!("no line of {place} offends");
    let offending = add("offending", Entity::matches(&lines.offends), Check::NoneSatisfy, comment);
    let mut verdicts = vec![criterion(offending)];
    if let Some(fine) = &lines.fine {
        // Negated, so that such a line is no offender.
        let neither = Entity::matches(format!("^(?!.*(?:{}))(?!.*(?:{}))", lines.offends, fine));
        let comment = format!("a line of {place} is neither known as fine nor as bad");
        let unsure = add("unsure", neither, Check::AtLeastOne, comment);
        verdicts.push(any(vec![not(unsure), unknown()]));
    }
    if let Some(pattern) = also {
        let text = Entity::matches_variable(pattern, Check::All);
        let comment = format!("no line of {place} is what the value has offend");
        verdicts.push(criterion(add("also", text, Check::NoneSatisfy, comment)));
    }
    verdicts
}
