//! What objects and variables rest on: variables for the record, which results name with their values, and objects, whose
//! data may be wanting.

use std::collections::BTreeSet;

use virtscap_scap::id::{ObjectId, VariableId};
use virtscap_scap::oval::{
    Component, Entity, EntityValue, Filter, Object, ObjectKind, Set, SetMembers, TestType, VariableKind,
};

use super::Session;

impl Session<'_> {
    /// The variables that an object names, those that these are worked out from, and so on through other objects, as OpenSCAP
    /// lists them.
    pub(super) fn variables_of(&self, object: &Object) -> BTreeSet<VariableId> {
        let mut uses = Uses::of(self, false);
        uses.open.push(Use::Object(object));
        uses.follow();
        uses.variables
    }

    /// An object and all objects that it rests on, whatever way.
    pub(super) fn objects_below(&self, object: &ObjectId) -> Below {
        let mut uses = Uses::of(self, true);
        uses.object_by_id(object);
        uses.follow();
        Below { objects: uses.objects, counted: uses.counted }
    }

    /// The objects that the values of a variable rest on.
    pub(super) fn objects_of(&self, variable: &VariableId) -> Below {
        let mut uses = Uses::of(self, true);
        uses.variable(variable);
        uses.follow();
        Below { objects: uses.objects, counted: uses.counted }
    }
}

/// What something rests on.
#[derive(Default)]
pub(super) struct Below {
    /// The objects.
    pub(super) objects: BTreeSet<ObjectId>,
    /// Whether something is counted on the way, so that more of it changes values and adds none.
    pub(super) counted: bool,
}

struct Uses<'s, 'a> {
    session: &'s Session<'a>,
    variables: BTreeSet<VariableId>,
    objects: BTreeSet<ObjectId>,
    /// What is still to be looked at. A list, not recursion: variables may rest on each other in a long row.
    open: Vec<Use<'s>>,
    /// Whether all of it is wanted, and not what OpenSCAP lists.
    thorough: bool,
    counted: bool,
}

enum Use<'s> {
    Object(&'s Object),
    /// Of a variable.
    Component(&'s Component),
}

impl<'s, 'a> Uses<'s, 'a> {
    fn of(session: &'s Session<'a>, thorough: bool) -> Self {
        Self {
            session,
            variables: BTreeSet::new(),
            objects: BTreeSet::new(),
            open: Vec::new(),
            thorough,
            counted: false,
        }
    }

    /// Looks at all that is still to be looked at.
    fn follow(&mut self) {
        while let Some(next) = self.open.pop() {
            match next {
                Use::Object(object) => self.object(object),
                Use::Component(component) => self.component(component),
            }
        }
    }

    fn object(&mut self, object: &Object) {
        if !self.objects.insert(object.id.clone()) {
            return;
        }
        match &object.kind {
            ObjectKind::Content(content) => {
                for (name, entity) in &content.entities {
                    let Some(entity) = entity else { continue };
                    self.entity(entity);
                    if let (TestType::Variable, "var_ref", EntityValue::Literal(id)) =
                        (content.test_type, *name, &entity.value)
                    {
                        self.variable(&VariableId::new(id.trim()));
                    }
                }
                self.filters(&content.filters);
            }
            ObjectKind::Set { set, .. } => self.set(set),
            ObjectKind::Unsupported { .. } => {}
        }
    }

    fn set(&mut self, set: &Set) {
        self.filters(&set.filters);
        match &set.members {
            SetMembers::Sets(sets) => sets.iter().for_each(|set| self.set(set)),
            SetMembers::Objects(objects) => objects.iter().for_each(|id| self.object_by_id(id)),
        }
    }

    fn object_by_id(&mut self, id: &ObjectId) {
        // What was worked out for it already holds for all that rest on it.
        if let Some(known) = self.session.results.object_variables.get(id)
            && !self.thorough
        {
            self.variables.extend(known.iter().cloned());
        } else if let Some(object) = self.session.objects.get(id).copied() {
            self.open.push(Use::Object(object));
        }
    }

    fn filters(&mut self, filters: &[Filter]) {
        for filter in filters {
            if let Some(state) = self.session.states.get(&filter.state) {
                state.kind.entities().into_iter().for_each(|entity| self.entity(entity));
            }
        }
    }

    fn entity(&mut self, entity: &Entity) {
        if let EntityValue::Variable { var_ref, .. } = &entity.value {
            self.variable(var_ref);
        }
    }

    fn variable(&mut self, id: &VariableId) {
        if self.variables.insert(id.clone())
            && let Some(variable) = self.session.variables.get(id).copied()
            && let VariableKind::Local(component) = &variable.kind
        {
            self.open.push(Use::Component(component));
        }
    }

    fn component(&mut self, component: &Component) {
        match component {
            Component::Count(components) | Component::Unique(components) if self.thorough => {
                self.counted |= matches!(component, Component::Count(_));
                components.iter().for_each(|c| self.component(c));
            }
            // OpenSCAP does not look into what is counted.
            Component::Literal { .. }
            | Component::Count(_)
            | Component::Unique(_)
            | Component::Unsupported { .. } => {}
            Component::Variable(id) => self.variable(id),
            Component::Object { object_ref, .. } => self.object_by_id(object_ref),
            Component::Arithmetic { components, .. }
            | Component::TimeDifference { components, .. }
            | Component::Concat(components) => components.iter().for_each(|c| self.component(c)),
            Component::Begin { component, .. }
            | Component::End { component, .. }
            | Component::EscapeRegex(component)
            | Component::GlobToRegex { component, .. }
            | Component::RegexCapture { component, .. }
            | Component::Split { component, .. }
            | Component::Substring { component, .. } => self.component(component),
        }
    }
}
