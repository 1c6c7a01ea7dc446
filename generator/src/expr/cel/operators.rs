//! The lowering of each operator and method.

use super::super::ast::{Comparison, Expr, ExprKind, Iteration, Probe};
use super::super::quote::quote;
use super::text::{Conditions, Level, Text};
use super::{Bound, Lowered, Lowering, Type};

/// `string(x)` of numbers is defined below this magnitude.
const WHOLE: i64 = 1_000_000_000_000_000;

/// The texts of which `parseJSON(x)` is null without a look at the rest.
const NO_JSON: &str = r"^\s*(null\s*)?$";

impl Lowering<'_> {
    pub(super) fn list(&mut self, all: &[Expr]) -> Lowered {
        let all: Vec<Lowered> = all.iter().map(|e| self.lower(e).unguarded()).collect();
        let kind = common(&all);
        let elements: Vec<String> =
            all.iter().map(|e| if kind.is_some() { e.raw.text.clone() } else { e.hidden().text }).collect();
        // The elements of `[]` are of a type yet to be inferred, and not `dyn`.
        let kind = if kind.is_some() || all.is_empty() { Type::TypedList } else { Type::List };
        Lowered::total(kind, Text::term(format!("[{}]", elements.join(", "))))
    }

    pub(super) fn sum(&mut self, all: &[Expr]) -> Lowered {
        let mut bound = Vec::new();
        let all: Vec<Lowered> = all.iter().map(|e| self.operand(e, &mut bound)).collect();
        let string = all.iter().any(|e| e.kind == Type::String);
        let list = all.iter().any(|e| e.kind.is_list());
        let other = all.iter().any(|e| e.kind == Type::Null || e.kind == Type::Bool || e.kind.is_number());
        if other || (string && list) {
            return Lowered::null();
        }
        let mut guards = Conditions::default();
        for e in &all {
            guards.extend(e.guards.clone());
        }
        let each_is = |kind: &str| {
            let mut conditions = Conditions::default();
            all.iter().for_each(|e| conditions.extend(e.is(kind)));
            conditions
        };
        let kind = if string {
            guards.extend(each_is("string"));
            Type::String
        } else if list {
            guards.extend(each_is("list"));
            Type::List
        } else {
            guards.extend(Conditions::any([each_is("string"), each_is("list")]));
            Type::Dyn
        };
        Self::bind(bound, Lowered { guards, raw: concatenation(&all), kind, path: false })
    }

    pub(super) fn conditional(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Lowered {
        let condition = self.truth(condition).all().within(Level::Or);
        let branches = [self.lower(then).unguarded(), self.lower(otherwise).unguarded()];
        let kind = common(&branches);
        let [then, otherwise] =
            branches.map(|branch| if kind.is_some() { branch.raw } else { branch.hidden() });
        let raw = format!("{condition} ? {} : {}", then.within(Level::Or), otherwise.text);
        Lowered::total(kind.unwrap_or(Type::Dyn), Text::new(Level::Conditional, raw))
    }

    pub(super) fn collect(&mut self, how: Iteration, range: &Expr, variable: &str, body: &Expr) -> Lowered {
        let mut bound = Vec::new();
        let Some((guards, range)) = self.range(range, &mut bound) else {
            return Lowered::total(Type::TypedList, Text::term("[]"));
        };
        let (kind, raw) = if how == Iteration::Map {
            let body = self.lower(body).unguarded();
            let kind = if matches!(body.kind, Type::Dyn | Type::Null) { Type::List } else { Type::TypedList };
            (kind, format!("{range}.map({variable}, {})", body.raw.text))
        } else {
            (Type::List, format!("{range}.filter({variable}, {})", self.truth(body).all().text))
        };
        let made = Lowered { guards, raw: Text::term(raw), kind, path: false };
        Self::bind(bound, made.or("[]"))
    }

    pub(super) fn quantify(
        &mut self,
        how: Iteration,
        range: &Expr,
        variable: &str,
        body: &Expr,
    ) -> Conditions {
        let all = how == Iteration::All;
        let mut bound = Vec::new();
        let Some((mut guards, range)) = self.range(range, &mut bound) else {
            return if all { Conditions::default() } else { Conditions::never() };
        };
        let method = if all { "all" } else { "exists" };
        let test = Text::term(format!("{range}.{method}({variable}, {})", self.truth(body).all().text));
        let made = if all && !guards.is_empty() {
            Conditions::any([guards.negated(), Conditions::one(test)])
        } else {
            guards.add(test);
            guards
        };
        Self::bind_conditions(bound, made)
    }

    /// A list to iterate over, with elements of type `dyn`, and the conditions under which it is one; nothing if it never
    /// is.
    fn range(&mut self, range: &Expr, bound: &mut Vec<Bound>) -> Option<(Conditions, String)> {
        let range = self.operand(range, bound);
        let text = match range.kind {
            Type::Dyn | Type::List => range.operand(Level::Term),
            Type::TypedList => range.hidden().text,
            _ => return None,
        };
        let mut guards = range.guards.clone();
        guards.extend(range.is("list"));
        Some((guards, text))
    }

    pub(super) fn compare(&mut self, operator: Comparison, a: &Expr, b: &Expr) -> Conditions {
        match operator {
            Comparison::Equal => self.equal(a, b, false),
            Comparison::NotEqual => self.equal(a, b, true),
            _ => self.ordered(operator, a, b),
        }
    }

    fn equal(&mut self, a: &Expr, b: &Expr, negated: bool) -> Conditions {
        let (mut a, mut b) = (self.lower(a), self.lower(b));
        match (a.kind, b.kind) {
            (_, Type::Null) => return is_null(a, negated),
            (Type::Null, _) => return is_null(b, negated),
            _ => {}
        }
        let mut guards = Conditions::default();
        // Null does not equal what is never null, so its guards can stand beside the comparison.
        if b.never_null() {
            guards = std::mem::take(&mut a.guards);
        } else if a.never_null() {
            guards = std::mem::take(&mut b.guards);
        } else {
            (a, b) = (a.unguarded(), b.unguarded());
        }
        let comparable =
            a.kind == Type::Dyn || b.kind == Type::Dyn || (a.kind == b.kind && a.kind != Type::TypedList);
        let left = if comparable { a.raw } else { a.hidden() };
        let symbol = if negated && guards.is_empty() { "!=" } else { "==" };
        let test = Text::new(
            Level::Relation,
            format!("{} {symbol} {}", left.within(Level::Add), b.raw.within(Level::Add)),
        );
        if negated && !guards.is_empty() {
            guards.add(test);
            return guards.negated();
        }
        guards.add(test);
        guards
    }

    fn ordered(&mut self, operator: Comparison, a: &Expr, b: &Expr) -> Conditions {
        let mut bound = Vec::new();
        let (a, b) = (self.operand(a, &mut bound), self.operand(b, &mut bound));
        let mut guards = a.guards.clone();
        guards.extend(b.guards.clone());
        let fits = |number: bool| {
            [&a, &b].into_iter().all(|e| {
                e.kind == Type::Dyn || if number { e.kind.is_number() } else { e.kind == Type::String }
            })
        };
        let mut numbers = number(&a);
        numbers.extend(number(&b));
        let mut strings = a.is("string");
        strings.extend(b.is("string"));
        match (fits(true), fits(false)) {
            (true, true) => guards.extend(Conditions::any([numbers, strings])),
            (true, false) => guards.extend(numbers),
            (false, true) => guards.extend(strings),
            (false, false) => return Conditions::never(),
        }
        let comparable = a.kind == Type::Dyn || b.kind == Type::Dyn || a.kind == b.kind;
        let left = if comparable { a.raw } else { a.hidden() };
        guards.add(Text::new(
            Level::Relation,
            format!("{} {} {}", left.within(Level::Add), operator.symbol(), b.operand(Level::Add)),
        ));
        Self::bind_conditions(bound, guards)
    }

    pub(super) fn membership(&mut self, a: &Expr, b: &Expr) -> Conditions {
        let mut bound = Vec::new();
        let list = self.operand(b, &mut bound);
        let conditions = match list.kind {
            Type::List | Type::TypedList => self.member(a, &list),
            Type::Dyn => self.member_or_key(a, &list, &mut bound),
            _ => return Conditions::never(),
        };
        Self::bind_conditions(bound, conditions)
    }

    fn member(&mut self, a: &Expr, list: &Lowered) -> Conditions {
        let mut a = self.lower(a);
        // Null is no member of a list that a literal of known type gives, so the guards can stand beside the test.
        let mut guards =
            if list.kind == Type::TypedList { std::mem::take(&mut a.guards) } else { Conditions::default() };
        let a = a.unguarded();
        guards.extend(list.guards.clone());
        guards.add(is_in(&a.hidden(), list));
        guards
    }

    fn member_or_key(&mut self, a: &Expr, container: &Lowered, bound: &mut Vec<Bound>) -> Conditions {
        let a = self.operand(a, bound);
        let mut guards = container.guards.clone();
        let may_be_key = matches!(a.kind, Type::Dyn | Type::String);
        let element = a.clone().unguarded();
        if a.guards.is_empty() && a.kind == Type::String {
            let of = ["list", "map"].map(|kind| container.is(kind));
            guards.extend(Conditions::any(of));
            guards.add(is_in(&a.raw, container));
            return guards;
        }
        let mut listed = container.is("list");
        listed.add(is_in(&element.raw, container));
        if !may_be_key {
            guards.extend(listed);
            return guards;
        }
        let mut keyed = container.is("map");
        keyed.extend(a.guards.clone());
        keyed.extend(a.is("string"));
        keyed.add(is_in(&a.raw, container));
        guards.extend(Conditions::any([listed, keyed]));
        guards
    }

    pub(super) fn size(&mut self, a: &Expr) -> Lowered {
        let mut bound = Vec::new();
        let a = self.operand(a, &mut bound);
        let mut guards = a.guards.clone();
        match a.kind {
            Type::Dyn => guards.extend(Conditions::any(["string", "list", "map"].map(|kind| a.is(kind)))),
            Type::String | Type::List | Type::TypedList => {}
            _ => return Lowered::total(Type::Int, Text::term("0")),
        }
        let raw = Text::term(format!("size({})", a.raw.text));
        Self::bind(bound, Lowered { guards, raw, kind: Type::Int, path: false }.or("0"))
    }

    pub(super) fn string(&mut self, a: &Expr) -> Lowered {
        let whole = match a.kind {
            ExprKind::Int(i) => Some(i),
            ExprKind::Float(f) if f.fract() == 0.0 && f.abs() < WHOLE as f64 => Some(f as i64),
            ExprKind::Float(_) => Some(WHOLE),
            _ => None,
        };
        if let Some(i) = whole {
            let digits = if i.abs_diff(0) < WHOLE.abs_diff(0) { i.to_string() } else { String::new() };
            return Lowered::total(Type::String, Text::term(quote(&digits)));
        }
        let sized = matches!(a.kind, ExprKind::Size(_));
        let a = self.lower(a);
        match a.kind {
            Type::String => a.or("\"\""),
            Type::Bool => {
                Lowered { raw: Text::term(format!("string({})", a.raw.text)), kind: Type::String, ..a }
                    .or("\"\"")
            }
            Type::Int if sized => Lowered::total(Type::String, Text::term(format!("string({})", a.raw.text))),
            Type::Dyn => self.any_string(a),
            Type::Int | Type::Double => self.any_string(Lowered { kind: Type::Dyn, raw: a.hidden(), ..a }),
            Type::Null | Type::List | Type::TypedList => Lowered::total(Type::String, Text::term("\"\"")),
        }
    }

    fn any_string(&mut self, a: Lowered) -> Lowered {
        let mut bound = Vec::new();
        let a = self.repeatable(a, &mut bound);
        let x = &a.raw.text;
        // The checker infers the type of `m["k"]` from its use, and would settle on one overload of a conversion.
        let argument = if x.ends_with(']') { format!("dyn({x})") } else { x.clone() };
        let simple = Conditions::any([a.is("string"), a.is("bool")]).all().text;
        let whole = format!("{x} > -{WHOLE} && {x} < {WHOLE} && {x} == int({argument})");
        let number = number(&a).all().within(Level::Relation);
        let raw =
            format!("{simple} ? string({argument}) : {number} && {whole} ? string(int({argument})) : \"\"");
        let made = Lowered { raw: Text::new(Level::Conditional, raw), kind: Type::String, path: false, ..a };
        Self::bind(bound, made.or("\"\""))
    }

    pub(super) fn parse_json(&mut self, a: &Expr) -> Lowered {
        let mut bound = Vec::new();
        let a = self.operand(a, &mut bound);
        if !matches!(a.kind, Type::Dyn | Type::String) {
            return Lowered::null();
        }
        let test = format!("!{}.matches({})", a.operand(Level::Term), quote(NO_JSON));
        let guards = of_strings(&[&a], Text::new(Level::Unary, test));
        // Its type is a map by strings, which would not compare with other types.
        let raw = Text::term(format!("dyn(parseJSON({}))", a.raw.text));
        Self::bind(bound, Lowered { guards, raw, kind: Type::Dyn, path: false })
    }

    pub(super) fn keys(&mut self, a: &Expr) -> Lowered {
        let mut bound = Vec::new();
        let a = self.operand(a, &mut bound);
        if a.kind != Type::Dyn {
            return Lowered::total(Type::TypedList, Text::term("[]"));
        }
        let mut guards = a.guards.clone();
        guards.extend(a.is("map"));
        let key = self.fresh();
        let raw = Text::term(format!("{}.map({key}, {key})", a.operand(Level::Term)));
        Self::bind(bound, Lowered { guards, raw, kind: Type::List, path: false }.or("[]"))
    }

    pub(super) fn probe(&mut self, probe: Probe, a: &Expr, b: &Expr) -> Conditions {
        let mut bound = Vec::new();
        let (a, b) = (self.operand(a, &mut bound), self.operand(b, &mut bound));
        let method = match probe {
            Probe::Contains => "contains",
            Probe::StartsWith => "startsWith",
            Probe::EndsWith => "endsWith",
        };
        let test = format!("{}.{method}({})", a.operand(Level::Term), b.raw.text);
        Self::bind_conditions(bound, of_strings(&[&a, &b], Text::term(test)))
    }

    pub(super) fn matches(&mut self, a: &Expr, pattern: &str) -> Conditions {
        let mut bound = Vec::new();
        let a = self.operand(a, &mut bound);
        let test = format!("{}.matches({})", a.operand(Level::Term), quote(pattern));
        Self::bind_conditions(bound, of_strings(&[&a], Text::term(test)))
    }
}

impl Lowered {
    fn never_null(&self) -> bool {
        self.guards.is_empty() && !matches!(self.kind, Type::Dyn | Type::Null)
    }
}

/// `a + b + c`, typed as the operands are. The checker takes `x + y` of type `dyn` for bytes, and gives `x + ["a"]` the
/// type of its second operand whatever is in `x`; so `dyn()` hides both.
fn concatenation(all: &[Lowered]) -> Text {
    let mut sum: Option<(Text, bool)> = None;
    for e in all {
        let next = if e.kind == Type::TypedList { e.hidden() } else { e.raw.clone() };
        let unknown = matches!(e.kind, Type::Dyn | Type::TypedList);
        sum = Some(match sum {
            None => (next, unknown),
            Some((left, left_unknown)) => {
                let text = format!("{} + {}", left.within(Level::Add), next.within(Level::Unary));
                if left_unknown && unknown {
                    (Text::term(format!("dyn({text})")), true)
                } else {
                    (Text::new(Level::Add, text), false)
                }
            }
        });
    }
    sum.map_or_else(|| Text::term("dyn(null)"), |(text, _)| text)
}

/// The scalar type that all of `all` have, if they have one.
fn common(all: &[Lowered]) -> Option<Type> {
    let first = all.first()?.kind;
    let scalar = matches!(first, Type::Bool | Type::Int | Type::Double | Type::String);
    (scalar && all.iter().all(|e| e.kind == first)).then_some(first)
}

/// The condition that the value, where its type does not say so, is a number.
fn number(a: &Lowered) -> Conditions {
    match a.kind {
        Type::Dyn => Conditions::any([a.is("int"), a.is("double")]),
        _ => Conditions::default(),
    }
}

fn is_in(element: &Text, container: &Lowered) -> Text {
    let container = container.operand(Level::Add);
    Text::new(Level::Relation, format!("{} in {container}", element.within(Level::Add)))
}

fn is_null(a: Lowered, negated: bool) -> Conditions {
    let mut present = a.guards;
    match a.kind {
        Type::Null => return if negated { Conditions::never() } else { Conditions::default() },
        Type::Dyn if negated || present.is_empty() => {
            let symbol = if negated { "!=" } else { "==" };
            present.add(Text::new(Level::Relation, format!("{} {symbol} null", a.raw.within(Level::Add))));
            return present;
        }
        Type::Dyn => {
            let null = Text::new(Level::Relation, format!("{} == null", a.raw.within(Level::Add)));
            return Conditions::any([present.negated(), Conditions::one(null)]);
        }
        _ if negated => return present,
        _ if present.is_empty() => return Conditions::never(),
        _ => {}
    }
    present.negated()
}

/// The test, guarded so that all of `all` are strings.
fn of_strings(all: &[&Lowered], test: Text) -> Conditions {
    let mut guards = Conditions::default();
    for a in all {
        if !matches!(a.kind, Type::Dyn | Type::String) {
            return Conditions::never();
        }
        guards.extend(a.guards.clone());
    }
    for a in all {
        guards.extend(a.is("string"));
    }
    guards.add(test);
    guards
}
