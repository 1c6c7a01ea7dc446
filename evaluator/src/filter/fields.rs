//! Which fields of its input a filter reads, so that no others need be held.
//!
//! The filter is run on places instead of values: a term gives the places in the input that its results may be. Where it
//! looks into a value other than by naming fields, all of that place is read. What a place is (an object, a list of
//! how many, which scalar) is always kept, so that tests of types and errors stay what they are.

mod nothing;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Part, Path};

/// The fields of a value that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// All there is.
    pub(crate) whole: bool,
    /// Those of an object, by name.
    pub(crate) named: BTreeMap<String, Fields>,
    /// The elements of an array.
    pub(crate) each: Option<Box<Fields>>,
    /// Whether `each` is about the values of an object too.
    pub(crate) values: bool,
    /// All there is, unless it is a text.
    pub(crate) unless_text: bool,
    /// Of a text, what it says; else no more than that it is one, and which of `constants`.
    pub(crate) content: bool,
    /// What texts are compared with.
    pub(crate) constants: BTreeSet<String>,
}

impl Fields {
    /// Everything.
    pub(crate) fn all() -> Self {
        Self { whole: true, ..Self::default() }
    }

    /// What a filter reads.
    pub(crate) fn of(code: &str) -> Self {
        let Some(term) = parse(code, |parser| parser.term()) else { return Self::all() };
        let mut places = Places::new();
        match places.run(&term, &Value::root(), &None, 0) {
            Ok(result) => {
                places.read(&result);
                places.fields(ROOT)
            }
            Err(TooHard) => Self::all(),
        }
    }

    /// What is read of the value of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        self.named.get(name).or_else(|| self.each.as_deref().filter(|_| self.values))
    }

    /// What two filters read.
    pub(crate) fn merge(&mut self, other: Self) {
        self.whole |= other.whole;
        for (name, fields) in other.named {
            self.named.entry(name).or_default().merge(fields);
        }
        match (&mut self.each, other.each) {
            (Some(each), Some(other)) => each.merge(*other),
            (each @ None, other) => *each = other,
            (Some(_), None) => {}
        }
        self.values |= other.values;
        self.unless_text |= other.unless_text;
        self.content |= other.content;
        self.constants.extend(other.constants);
        // What is read of every value is read of those that are named too.
        if self.values
            && let Some(each) = self.each.clone()
        {
            for fields in self.named.values_mut() {
                fields.merge((*each).clone());
            }
        }
    }
}

/// A place in the input.
#[derive(Debug, Default)]
struct Place {
    whole: bool,
    named: BTreeMap<String, usize>,
    each: Option<usize>,
    values: bool,
    unless_text: bool,
    content: bool,
    constants: BTreeSet<String>,
}

const ROOT: usize = 0;

/// The results of a term: values at these places, or arrays of such; anything else holds nothing of the input that is not
/// read already.
#[derive(Debug, Clone, Default)]
struct Value {
    places: BTreeSet<usize>,
    /// Places where the value is no text.
    no_texts: BTreeSet<usize>,
    elements: Option<Rc<Value>>,
}

impl Value {
    fn or(mut self, other: Self) -> Self {
        self.places.extend(other.places);
        self.no_texts.extend(other.no_texts);
        self.elements = match (self.elements, other.elements) {
            (Some(a), Some(b)) => Some(Rc::new((*a).clone().or((*b).clone()))),
            (a, b) => a.or(b),
        };
        self
    }
}

impl Value {
    /// The filter's input.
    fn root() -> Self {
        Self { places: BTreeSet::from([ROOT]), ..Self::default() }
    }

    /// The value, where it is known to be no text.
    fn no_text(&self) -> Self {
        let no_texts = self.anywhere().collect();
        Self { places: BTreeSet::new(), no_texts, elements: self.elements.clone() }
    }

    fn anywhere(&self) -> impl Iterator<Item = usize> {
        self.places.iter().chain(&self.no_texts).copied()
    }
}

/// The filter does what is not followed here.
struct TooHard;

/// The bound names, the innermost first.
type Scope<'t> = Option<Rc<Bound<'t>>>;

struct Bound<'t> {
    name: &'t str,
    what: What<'t>,
    outer: Scope<'t>,
}

enum What<'t> {
    Variable(Value),
    Function(&'t Def<&'t str>),
    /// An argument, with the scope that it was written in.
    Closure(&'t Term<&'t str>, Scope<'t>),
}

fn bind<'t>(name: &'t str, what: What<'t>, outer: &Scope<'t>) -> Scope<'t> {
    Some(Rc::new(Bound { name, what, outer: outer.clone() }))
}

fn bind_definitions<'t>(definitions: &'t [Def<&'t str>], scope: &Scope<'t>) -> Scope<'t> {
    definitions.iter().fold(scope.clone(), |scope, def| bind(def.name, What::Function(def), &scope))
}

/// What stands for an `else` that is not there.
const IDENTITY: &Term<&str> = &Term::Id;

/// A term, and its input.
type Branch<'t> = (&'t Term<&'t str>, Value);

/// How much is followed of one filter.
const MAX_STEPS: usize = 100_000;
const MAX_DEPTH: usize = 200;

struct Places {
    all: Vec<Place>,
    steps: usize,
}

type Run = Result<Value, TooHard>;

impl Places {
    fn new() -> Self {
        Self { all: vec![Place::default()], steps: 0 }
    }

    fn add(&mut self) -> usize {
        self.all.push(Place::default());
        self.all.len() - 1
    }

    fn field(&mut self, value: &Value, name: &str) -> Value {
        let mut places = BTreeSet::new();
        for place in value.anywhere() {
            let known = self.all[place].named.get(name).copied();
            let inside = known.unwrap_or_else(|| {
                let new = self.add();
                self.all[place].named.insert(name.to_owned(), new);
                new
            });
            places.insert(inside);
        }
        Value { places, ..Value::default() }
    }

    /// The elements of arrays, and the values of objects where these are meant.
    fn each(&mut self, value: &Value, values: bool) -> Value {
        let mut places = BTreeSet::new();
        for place in value.anywhere() {
            let known = self.all[place].each;
            let inside = known.unwrap_or_else(|| {
                let new = self.add();
                self.all[place].each = Some(new);
                new
            });
            self.all[place].values |= values;
            places.insert(inside);
        }
        let elements = value.elements.as_deref().cloned().unwrap_or_default();
        Value { places, ..Value::default() }.or(elements)
    }

    /// Marks all of a value as read.
    fn read(&mut self, value: &Value) {
        for &place in &value.places {
            self.all[place].whole = true;
        }
        for &place in &value.no_texts {
            self.all[place].unless_text = true;
        }
        if let Some(elements) = &value.elements {
            self.read(elements);
        }
    }

    /// Marks what a comparison with a constant needs to know of texts.
    fn compared(&mut self, value: &Value, operator: Cmp, constant: &Term<&str>) {
        for &place in &value.places {
            let place = &mut self.all[place];
            match (operator, constant) {
                (Cmp::Eq | Cmp::Ne, Term::Str(None, parts)) => place.constants.extend(text_of(parts)),
                // No text equals what is none.
                (Cmp::Eq | Cmp::Ne, _) => {}
                _ => place.content = true,
            }
        }
    }

    fn run_and_read<'t>(
        &mut self,
        term: &'t Term<&'t str>,
        input: &Value,
        scope: &Scope<'t>,
        depth: usize,
    ) -> Result<(), TooHard> {
        let value = self.run(term, input, scope, depth)?;
        self.read(&value);
        Ok(())
    }

    fn run<'t>(&mut self, term: &'t Term<&'t str>, input: &Value, scope: &Scope<'t>, depth: usize) -> Run {
        self.steps += 1;
        if self.steps > MAX_STEPS || depth > MAX_DEPTH {
            return Err(TooHard);
        }
        let depth = depth + 1;
        match term {
            Term::Id => Ok(input.clone()),
            Term::Num(_) | Term::Arr(None) | Term::Break(_) => Ok(Value::default()),
            Term::Recurse => {
                self.read(input);
                Ok(Value::default())
            }
            Term::Str(_, parts) => {
                for part in parts {
                    if let StrPart::Term(term) = part {
                        self.run_and_read(term, input, scope, depth)?;
                    }
                }
                Ok(Value::default())
            }
            Term::Arr(Some(inside)) => {
                let elements = self.run(inside, input, scope, depth)?;
                Ok(Value { elements: Some(Rc::new(elements)), ..Value::default() })
            }
            Term::Obj(entries) => {
                for (key, value) in entries {
                    match value {
                        Some(value) => {
                            self.run_and_read(key, input, scope, depth)?;
                            self.run_and_read(value, input, scope, depth)?;
                        }
                        // `{name}` and `{$name}` read what they name.
                        None => return Err(TooHard),
                    }
                }
                Ok(Value::default())
            }
            Term::Neg(inside) => {
                self.run_and_read(inside, input, scope, depth)?;
                Ok(Value::default())
            }
            Term::Label(_, inside) => self.run(inside, input, scope, depth),
            Term::BinOp(left, operator, right) => self.operator(left, operator, right, input, scope, depth),
            Term::Fold(_, source, pattern, arguments) => {
                self.run_and_read(source, input, scope, depth)?;
                // What is gone on with may hold anything that the first value held.
                self.read(input);
                let scope = self.bind_all(pattern, scope)?;
                for argument in arguments {
                    self.run_and_read(argument, &Value::default(), &scope, depth)?;
                }
                Ok(Value::default())
            }
            // An error's text tells of values.
            Term::TryCatch(_, Some(catch)) if !is_constant(catch) => Err(TooHard),
            Term::TryCatch(inside, _) => self.run(inside, input, scope, depth),
            Term::IfThenElse(branches, otherwise) => {
                let mut result = Value::default();
                for (branch, input) in self.branches(branches, otherwise.as_deref(), input, scope, depth)? {
                    result = result.or(self.run(branch, &input, scope, depth)?);
                }
                Ok(result)
            }
            Term::Def(definitions, inside) => {
                self.run(inside, input, &bind_definitions(definitions, scope), depth)
            }
            Term::Call(name, arguments) => self.call(name, arguments, input, scope, depth),
            Term::Var(name) => {
                let mut at = scope;
                while let Some(bound) = at {
                    match &bound.what {
                        What::Variable(value) if bound.name == *name => return Ok(value.clone()),
                        _ => at = &bound.outer,
                    }
                }
                Ok(Value::default())
            }
            Term::Path(base, Path(parts)) => {
                let mut at = self.run(base, input, scope, depth)?;
                for (part, _) in parts {
                    at = match part {
                        Part::Index(Term::Str(None, text)) => match text.as_slice() {
                            [] => self.field(&at, ""),
                            [StrPart::Str(name)] => self.field(&at, name),
                            _ => return Err(TooHard),
                        },
                        Part::Index(Term::Num(_)) => self.each(&at, false),
                        Part::Range(None, None) => self.each(&at, true),
                        Part::Index(index) => {
                            self.run_and_read(index, input, scope, depth)?;
                            self.read(&at);
                            Value::default()
                        }
                        Part::Range(from, to) => {
                            for end in from.iter().chain(to) {
                                self.run_and_read(end, input, scope, depth)?;
                            }
                            self.read(&at);
                            Value::default()
                        }
                    };
                }
                Ok(at)
            }
        }
    }

    /// Runs conditions: the terms that follow them, the last for where none holds, with what is known of their input.
    fn branches<'t>(
        &mut self,
        branches: &'t [(Term<&'t str>, Term<&'t str>)],
        otherwise: Option<&'t Term<&'t str>>,
        input: &Value,
        scope: &Scope<'t>,
        depth: usize,
    ) -> Result<Vec<Branch<'t>>, TooHard> {
        let mut input = input.clone();
        let mut all = Vec::new();
        for (condition, then) in branches {
            self.run(condition, &input, scope, depth)?;
            all.push((then, input.clone()));
            if is_text_test(condition, scope) {
                input = input.no_text();
            }
        }
        all.push((otherwise.unwrap_or(IDENTITY), input));
        Ok(all)
    }

    fn operator<'t>(
        &mut self,
        left: &'t Term<&'t str>,
        operator: &'t BinaryOp<&'t str>,
        right: &'t Term<&'t str>,
        input: &Value,
        scope: &Scope<'t>,
        depth: usize,
    ) -> Run {
        match operator {
            BinaryOp::Pipe(None) => {
                let between = self.run(left, input, scope, depth)?;
                self.run(right, &between, scope, depth)
            }
            BinaryOp::Pipe(Some(Pattern::Var(name))) => {
                let value = self.run(left, input, scope, depth)?;
                self.run(right, input, &bind(name, What::Variable(value), scope), depth)
            }
            BinaryOp::Pipe(Some(pattern)) => {
                self.run_and_read(left, input, scope, depth)?;
                let scope = self.bind_all(pattern, scope)?;
                self.run(right, input, &scope, depth)
            }
            BinaryOp::Comma | BinaryOp::Alt => {
                let value = self.run(left, input, scope, depth)?;
                Ok(value.or(self.run(right, input, scope, depth)?))
            }
            BinaryOp::Or | BinaryOp::And => {
                self.run(left, input, scope, depth)?;
                self.run(right, input, scope, depth)?;
                Ok(Value::default())
            }
            // What is compared with a scalar is what it is by its type, unless it is one too.
            BinaryOp::Cmp(operator) if is_constant(left) || is_constant(right) => {
                let (value, constant) = if is_constant(left) { (right, left) } else { (left, right) };
                let value = self.run(value, input, scope, depth)?;
                self.compared(&value, *operator, constant);
                Ok(Value::default())
            }
            BinaryOp::Cmp(_) | BinaryOp::Math(_) => {
                self.run_and_read(left, input, scope, depth)?;
                self.run_and_read(right, input, scope, depth)?;
                Ok(Value::default())
            }
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                Err(TooHard)
            }
        }
    }

    fn call<'t>(
        &mut self,
        name: &'t str,
        arguments: &'t [Term<&'t str>],
        input: &Value,
        scope: &Scope<'t>,
        depth: usize,
    ) -> Run {
        let mut at = scope;
        while let Some(bound) = at {
            match &bound.what {
                What::Closure(term, written_in) if bound.name == name && arguments.is_empty() => {
                    return self.run(term, input, written_in, depth);
                }
                What::Function(def) if def.name == name && def.args.len() == arguments.len() => {
                    // The function may call itself, and what was defined before it.
                    let mut inside = at.clone();
                    for (parameter, argument) in def.args.iter().zip(arguments) {
                        if parameter.starts_with('$') {
                            let value = self.run(argument, input, scope, depth)?;
                            inside = bind(parameter, What::Variable(value), &inside);
                        }
                        // A parameter `$a` can be called as `a` too; what it gives is the same.
                        let name = parameter.trim_start_matches('$');
                        inside = bind(name, What::Closure(argument, scope.clone()), &inside);
                    }
                    return self.run(&def.body, input, &inside, depth);
                }
                _ => at = &bound.outer,
            }
        }
        match (name, arguments) {
            ("empty" | "true" | "false" | "null" | "type" | "not", []) => Ok(Value::default()),
            (
                "arrays" | "objects" | "iterables" | "booleans" | "numbers" | "strings" | "nulls" | "scalars"
                | "values",
                [],
            ) => Ok(input.clone()),
            ("select", [condition]) => {
                self.run(condition, input, scope, depth)?;
                Ok(input.clone())
            }
            ("map", [each]) => {
                let elements = self.each(input, true);
                let elements = self.run(each, &elements, scope, depth)?;
                Ok(Value { elements: Some(Rc::new(elements)), ..Value::default() })
            }
            ("any" | "all", [condition]) => {
                let elements = self.each(input, true);
                self.run(condition, &elements, scope, depth)?;
                Ok(Value::default())
            }
            ("any" | "all", [source, condition]) => {
                let elements = self.run(source, input, scope, depth)?;
                self.run(condition, &elements, scope, depth)?;
                Ok(Value::default())
            }
            // Whatever else there is looks at all of its input, and of what its arguments give.
            _ => {
                self.read(input);
                for argument in arguments {
                    self.run_and_read(argument, input, scope, depth)?;
                }
                Ok(Value::default())
            }
        }
    }

    /// Binds a pattern's variables to what is read already.
    fn bind_all<'t>(
        &mut self,
        pattern: &'t Pattern<&'t str>,
        scope: &Scope<'t>,
    ) -> Result<Scope<'t>, TooHard> {
        match pattern {
            Pattern::Var(name) => Ok(bind(name, What::Variable(Value::default()), scope)),
            Pattern::Arr(patterns) => {
                patterns.iter().try_fold(scope.clone(), |scope, pattern| self.bind_all(pattern, &scope))
            }
            Pattern::Obj(_) => Err(TooHard),
        }
    }

    fn fields(&self, place: usize) -> Fields {
        let place = &self.all[place];
        if place.whole {
            return Fields::all();
        }
        let each = place.each.map(|inside| self.fields(inside));
        let named = place.named.iter().map(|(name, &inside)| (name.clone(), self.fields(inside))).collect();
        let (unless_text, content) = (place.unless_text, place.content);
        let constants = place.constants.clone();
        let mut fields = Fields { named, unless_text, content, constants, ..Fields::default() };
        fields.merge(Fields { each: each.map(Box::new), values: place.values, ..Fields::default() });
        fields
    }
}

/// Whether a term tells whether its input is a text: `type == "string"`.
fn is_text_test(term: &Term<&str>, scope: &Scope<'_>) -> bool {
    let Term::BinOp(left, BinaryOp::Cmp(Cmp::Eq), right) = term else { return false };
    let (Term::Call("type", arguments), Term::Str(None, parts)) = (&**left, &**right) else { return false };
    let mut bound = std::iter::successors(scope.as_ref(), |bound| bound.outer.as_ref());
    arguments.is_empty()
        && text_of(parts).as_deref() == Some("string")
        && bound.all(|bound| bound.name != "type")
}

/// What a string without terms says; none where it has some.
fn text_of(parts: &[StrPart<&str, Term<&str>>]) -> Option<String> {
    let part = |part: &StrPart<&str, Term<&str>>| match part {
        StrPart::Str(text) => Some((*text).to_owned()),
        StrPart::Char(c) => Some(c.to_string()),
        StrPart::Term(_) => None,
    };
    parts.iter().map(part).collect()
}

/// Whether a term is a scalar, whatever its input.
fn is_constant(term: &Term<&str>) -> bool {
    match term {
        Term::Num(_) => true,
        Term::Str(None, parts) => parts.iter().all(|part| !matches!(part, StrPart::Term(_))),
        Term::Neg(inside) => is_constant(inside),
        Term::Call(name, arguments) => arguments.is_empty() && matches!(*name, "true" | "false" | "null"),
        _ => false,
    }
}
