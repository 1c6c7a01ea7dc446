//! The CEL form of checks: for the Compliance Operator's CEL scanner, and for admission.
//!
//! A leg becomes one expression over lists of objects, true where nothing offends. The expression is strict CEL with the
//! standard library and the operator's `parseJSON`. CEL knows no "undecided": where a leg of the other form is undecided
//! for want of an object, the expression is false, and never true. It cannot use variables either, so values are written
//! into it.

use crate::expr::{self, Expr, cel, quote};
use crate::model::{
    Cover, CoveredKeys, Decision, Each, Leg, Part, Permission, Resource, Selection, UsedBy, WhoCan,
};

/// A check in CEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CelForm {
    /// The lists that the expression reads, by the names of their variables.
    pub inputs: Vec<CelInput>,
    /// The expression: true where nothing offends.
    pub expression: String,
}

/// A list of objects, bound as `{items: […]}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CelInput {
    /// The variable.
    pub name: String,
    /// The resource.
    pub resource: Resource,
}

/// Why there is no CEL form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CelError {
    /// The leg reads a node's files.
    #[error("CEL does not see a node's files")]
    Files,
    /// A value does not fit into an expression.
    #[error("the value {value} cannot be written into a CEL expression: {reason}")]
    Value {
        /// The value's id.
        value: String,
        /// Why.
        reason: String,
    },
    /// The expression grew too large.
    #[error("the expression is too large for CEL: {0}")]
    Size(String),
}

/// The values by their ids.
pub type Values<'a> = &'a dyn Fn(&str) -> String;

/// The CEL form of a leg, with the values written into it.
///
/// # Errors
/// [`CelError`] where there is none.
pub fn form(leg: &Leg, values: Values<'_>) -> Result<CelForm, CelError> {
    match leg {
        Leg::Each(leg) => each(leg, values),
        Leg::WhoCan(leg) => who_can(leg, values),
        Leg::Files(_) => Err(CelError::Files),
    }
}

/// The name of a list's variable.
fn input(resource: &Resource) -> CelInput {
    let name = format!("{}_{}", resource.resource.replace('-', "_"), version(resource));
    CelInput { name, resource: resource.clone() }
}

/// The version in a resource's API.
pub(crate) fn version(resource: &Resource) -> &str {
    resource.api.rsplit('/').next().unwrap_or_default()
}

/// One form that holds where all of these do.
pub(crate) fn all_of(forms: Vec<CelForm>) -> CelForm {
    let (inputs, expressions): (Vec<_>, Vec<_>) =
        forms.into_iter().map(|form| (form.inputs, form.expression)).unzip();
    let mut inputs = inputs.concat();
    inputs.sort();
    inputs.dedup();
    CelForm { inputs, expression: all(expressions) }
}

/// A value as a literal that has to match a whole text.
fn pattern(id: &str, values: Values<'_>) -> Result<String, CelError> {
    let text = values(id);
    match expr::pattern::check(&text) {
        Ok(()) => Ok(quote::quote(&format!("^(?:{text})$"))),
        Err(e) => Err(CelError::Value { value: id.to_owned(), reason: e.message }),
    }
}

fn each(leg: &Each, values: Values<'_>) -> Result<CelForm, CelError> {
    let mut inputs = vec![input(&leg.selection.resource)];
    let mut offends = Vec::new();
    for part in &leg.parts {
        offends.push(self::part(leg, part, values, &mut inputs)?);
    }
    let mut offends = any(offends);
    if let Decision::UsedBy(users) = &leg.decision {
        let users = users.iter().map(|user| used(leg, user, &mut inputs)).collect();
        offends = all(vec![offends, any(users)]);
    }
    let mut expression = format!("!{}", exists(&leg.selection, &offends));
    if leg.required {
        expression = all(vec![exists(&leg.selection, "true"), expression]);
    }
    inputs.sort();
    inputs.dedup();
    Ok(CelForm { inputs, expression })
}

/// Whether a condition holds for one of the selected objects.
fn exists(selection: &Selection, condition: &str) -> String {
    let mut conditions: Vec<_> = selection.condition.iter().map(cel::lower_bool).collect();
    conditions.push(condition.to_owned());
    format!("{}.items.exists({}, {})", input(&selection.resource).name, selection.variable, all(conditions))
}

/// Whether a condition holds for an element of what is a list.
fn exists_in(list: &str, variable: &str, condition: &str) -> String {
    format!("(type(dyn({list})) == list && dyn({list}).exists({variable}, {condition}))")
}

fn part(leg: &Each, part: &Part, values: Values<'_>, inputs: &mut Vec<CelInput>) -> Result<String, CelError> {
    let mut conditions: Vec<_> = part.condition.iter().map(cel::lower_bool).collect();
    if let (Some(key), Some(approved)) = (&part.key, &leg.approved) {
        conditions.push(format!("!({}).matches({})", cel::lower(key), pattern(approved, values)?));
    }
    if let (Some(key), Decision::Covered { labels, by }) = (&part.key, &leg.decision) {
        let covers = by
            .iter()
            .map(|cover| covered(leg, cover, &format!("({})", cel::lower(key)), labels.as_ref(), inputs));
        conditions.push(format!("!{}", any(covers.collect())));
    }
    let innermost = all(conditions);
    let looped =
        part.loops.iter().rev().fold(innermost, |condition, step| {
            exists_in(&cel::lower(&step.list), &step.variable, &condition)
        });
    Ok(looped)
}

/// Whether an object uses the leg's.
fn used(leg: &Each, user: &UsedBy, inputs: &mut Vec<CelInput>) -> String {
    inputs.push(input(&user.selection.resource));
    let name = object_name(&leg.selection.variable);
    exists(&user.selection, &exists_in(&cel::lower(&user.names), "used_", &format!("used_ == {name}")))
}

/// The name of an object: `NAMESPACE/NAME`, or `NAME` where it has no namespace.
fn object_name(variable: &str) -> String {
    lowered(&format!(
        "(string({variable}.metadata.namespace) == \"\" ? \"\" : string({variable}.metadata.namespace) + \"/\") + string({variable}.metadata.name)"
    ))
}

fn namespace(variable: &str) -> String {
    lowered(&format!("string({variable}.metadata.namespace)"))
}

/// Strict CEL for a source of the project's own.
fn lowered(source: &str) -> String {
    expr::parse(source).map_or_else(|_| "\"\"".to_owned(), |e| format!("({})", cel::lower(&e)))
}

/// Whether an object covers a key of the leg's.
fn covered(
    leg: &Each,
    cover: &Cover,
    key: &str,
    labels: Option<&Expr>,
    inputs: &mut Vec<CelInput>,
) -> String {
    let variable = &cover.selection.variable;
    inputs.push(input(&cover.selection.resource));
    let mut conditions = Vec::new();
    conditions.push(match &cover.keys {
        CoveredKeys::List(list) => exists_in(&cel::lower(list), "covered_", &format!("covered_ == {key}")),
        CoveredKeys::Networks(text) => networks(&cel::lower(text), variable, key, inputs),
    });
    if cover.same_namespace {
        conditions.push(format!("{} == {}", namespace(variable), namespace(&leg.selection.variable)));
    }
    if let Some(selector) = &cover.selector {
        conditions.push(self::selector(&cel::lower(selector), labels));
    }
    exists(&cover.selection, &all(conditions))
}

/// Whether a text that lists networks as Multus does has a key `NAMESPACE/NAME`. CEL cannot split a text, so the name
/// alone is looked up among the networks that there are. One space around a name is understood.
fn networks(text: &str, variable: &str, key: &str, inputs: &mut Vec<CelInput>) -> String {
    let networks = Resource {
        api: "k8s.cni.cncf.io/v1".to_owned(),
        resource: "network-attachment-definitions".to_owned(),
    };
    let networks = input(&networks);
    let list = networks.name.clone();
    inputs.push(networks);
    let has = |name: &str| {
        let ways = [(",", ","), (", ", ","), (",", " ,"), (", ", " ,")].map(|(before, after)| {
            format!("(\",\" + listed_ + \",\").contains(\"{before}\" + {name} + \"{after}\")")
        });
        any(ways.to_vec())
    };
    let own = namespace(variable);
    let bare = format!(
        "{list}.items.exists(network_, {} == {key} && {} == {own} && {})",
        object_name("network_"),
        namespace("network_"),
        has("network_.metadata.name")
    );
    format!("[{text}].exists(listed_, type(listed_) == string && {})", any(vec![has(key), bare]))
}

/// Whether labels meet a label selector; none is met by any.
fn selector(selector: &str, labels: Option<&Expr>) -> String {
    let own = labels.map_or("dyn({})".to_owned(), cel::lower);
    let is = |key: &str, value: &str| format!("({key} in labels_ && labels_[{key}] == {value})");
    let has = |key: &str| format!("({key} in labels_)");
    let among = format!(
        "(has(requirement_.values) && type(requirement_.values) == list && requirement_.values.exists(wanted_, {}))",
        is("requirement_.key", "wanted_")
    );
    let requirement = format!(
        "(requirement_.operator == \"In\" ? {among} : requirement_.operator == \"NotIn\" ? !{among} : requirement_.operator == \"Exists\" ? {has} : requirement_.operator == \"DoesNotExist\" ? !({has}) : false)",
        has = has("requirement_.key")
    );
    let matching = format!(
        "((!has(selector_.matchLabels) || selector_.matchLabels == null || (type(selector_.matchLabels) == map && selector_.matchLabels.all(label_, {}))) && (!has(selector_.matchExpressions) || selector_.matchExpressions == null || (type(selector_.matchExpressions) == list && selector_.matchExpressions.all(requirement_, type(requirement_) == map && has(requirement_.operator) && has(requirement_.key) && {requirement}))))",
        is("label_", "selector_.matchLabels[label_]")
    );
    format!(
        "[dyn({selector})].exists(selector_, [dyn({own})].exists(given_, [type(given_) == map ? given_ : dyn({{}})].exists(labels_, selector_ == null || (type(selector_) == map && {matching}))))"
    )
}

fn any(conditions: Vec<String>) -> String {
    match conditions.len() {
        0 => "false".to_owned(),
        1 => conditions.concat(),
        _ => format!("({})", conditions.join(" || ")),
    }
}

fn all(conditions: Vec<String>) -> String {
    match conditions.len() {
        0 => "true".to_owned(),
        1 => conditions.concat(),
        // A condition may be a `?:` or `||` of its own.
        _ => conditions.iter().map(|c| format!("({c})")).collect::<Vec<_>>().join(" && "),
    }
}

/// The CEL form of a question to RBAC. It is written in the project's own expressions, so that nothing in it can fail.
fn who_can(leg: &WhoCan, values: Values<'_>) -> Result<CelForm, CelError> {
    let inputs: Vec<_> = leg.resources().iter().map(input).collect();
    let name = |resource: &str| input(&crate::model::rbac(resource)).name;
    let approved = pattern(&leg.approved_subjects, values)?;
    let subject = "(subject.kind == \"ServiceAccount\" ? \"ServiceAccount:\" + (string(subject.namespace) != \"\" ? string(subject.namespace) : string(binding.metadata.namespace)) + \":\" + string(subject.name) : string(subject.kind) + \":\" + string(subject.name))";
    let role = |kind: &str, cluster: bool, same_namespace: bool| {
        let list = if kind == "Role" { name("roles") } else { name("clusterroles") };
        let same =
            if same_namespace { " && role.metadata.namespace == binding.metadata.namespace" } else { "" };
        let grants: Vec<_> = leg
            .permissions
            .iter()
            .filter(|permission| cluster || !permission.cluster_scoped)
            .flat_map(grants)
            .collect();
        format!(
            "binding.roleRef.kind == \"{kind}\" && {list}.items.exists(role, role.metadata.name == binding.roleRef.name{same} && role.rules.exists(rule, {}))",
            grants.join(" || ")
        )
    };
    let mut own = String::new();
    if leg.other_namespaces_only {
        own = "!(subject.kind == \"ServiceAccount\" && (string(subject.namespace) == \"\" || subject.namespace == binding.metadata.namespace)) && !(subject.kind == \"Group\" && subject.name == \"system:serviceaccounts:\" + string(binding.metadata.namespace)) && ".to_owned();
    }
    let subjects =
        |own: &str| format!("binding.subjects.exists(subject, {own}!{subject}.matches({approved}))");
    let mut holders = vec![format!(
        "{}.items.exists(binding, {} && {})",
        name("clusterrolebindings"),
        subjects(""),
        role("ClusterRole", true, false)
    )];
    if leg.in_namespaces() {
        let mut approvals = String::new();
        for (value, text) in [
            (&leg.approved_roles, "binding.roleRef.name"),
            (&leg.approved_namespaces, "binding.metadata.namespace"),
        ] {
            if let Some(value) = value {
                approvals.push_str(&format!("!string({text}).matches({}) && ", pattern(value, values)?));
            }
        }
        holders.push(format!(
            "{}.items.exists(binding, {approvals}{} && (({}) || ({})))",
            name("rolebindings"),
            subjects(&own),
            role("ClusterRole", false, false),
            role("Role", false, true)
        ));
    }
    let source = format!("!({})", holders.join(" || "));
    let parsed = expr::parse(&source).map_err(|e| CelError::Size(e.message))?;
    Ok(CelForm { inputs, expression: cel::lower_bool(&parsed) })
}

/// Conditions on a policy rule, any of which grants the permission.
fn grants(permission: &Permission) -> Vec<String> {
    let one_of = |field: &str, wanted: &[&str]| {
        let wanted: Vec<_> = wanted.iter().map(|text| quote::quote(text)).collect();
        format!("rule.{field}.exists(one, one in [{}])", wanted.join(", "))
    };
    let resources = permission.granting_resources();
    let resources: Vec<_> = resources.iter().map(String::as_str).collect();
    let target =
        format!("{} && {}", one_of("apiGroups", &["*", &permission.group]), one_of("resources", &resources));
    let (unnamed, named) = permission.verbs_without_and_with_names();
    let condition = |verbs: Vec<&str>, names: &str| {
        let verbs: Vec<_> = ["*"].into_iter().chain(verbs).collect();
        format!("({} && {target}{names})", one_of("verbs", &verbs))
    };
    let mut conditions = Vec::new();
    if !unnamed.is_empty() {
        conditions.push(condition(unnamed, " && size(rule.resourceNames) == 0"));
    }
    if !named.is_empty() {
        conditions.push(condition(named, ""));
    }
    conditions
}
