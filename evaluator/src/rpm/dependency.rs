//! What packages say of each other: a name with a range of versions, or several of these in a boolean expression.

use crate::versions::{self, Evr};

/// How a package stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Provides,
    Requires,
    Conflicts,
    Obsoletes,
}

const LESS: u32 = 1 << 1;
const GREATER: u32 = 1 << 2;
pub(super) const EQUAL: u32 = 1 << 3;
const RANGE: u32 = LESS | GREATER | EQUAL;
const POSTTRANS: u32 = 1 << 5;
const PRETRANS: u32 = 1 << 7;
const PRE: u32 = 1 << 9;
const POST: u32 = 1 << 10;
const PREUN: u32 = 1 << 11;
const POSTUN: u32 = 1 << 12;
const MISSING_OK: u32 = 1 << 19;
const RPMLIB: u32 = 1 << 24;
const KEYRING: u32 = 1 << 26;
const META: u32 = 1 << 29;

/// How deep expressions may be.
const MAX_DEPTH: usize = 64;

/// A name and a range of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// `epoch:version-release`, or parts of it.
    pub(super) version: String,
    pub(super) flags: u32,
}

impl Dependency {
    /// Whether it is about what RPM itself can.
    pub(super) fn is_of_rpm(&self) -> bool {
        self.flags & RPMLIB != 0
    }

    /// Whether it mattered while the package was installed, and matters no more.
    pub(super) fn is_transient(&self) -> bool {
        self.flags & (PRE | POST | PRETRANS | POSTTRANS | RPMLIB | KEYRING) != 0
            && self.flags & (PREUN | POSTUN | META) == 0
    }

    /// Whether nothing is missing without it.
    pub(super) fn is_weak(&self) -> bool {
        self.flags & MISSING_OK != 0
    }

    /// Whether both are of one name and some version is in both ranges, as RPM's `rpmdsCompare` has it.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        if self.name != other.name {
            return false;
        }
        let any = |of: &Self| of.flags & RANGE == 0 || of.version.is_empty();
        if any(self) || any(other) {
            return true;
        }
        let (a, b) = (Evr::split(&self.version), Evr::split(&other.version));
        // A version without an epoch is of the epoch 0.
        let mut order = versions::rpm(a.epoch.unwrap_or("0"), b.epoch.unwrap_or("0"));
        order = order.then_with(|| versions::rpm(a.version, b.version));
        if order.is_eq() {
            let release = |of: &Evr<'_>| of.release.is_some_and(|release| !release.is_empty());
            match (release(&a), release(&b)) {
                (true, true) => {
                    order = versions::rpm(a.release.unwrap_or_default(), b.release.unwrap_or_default());
                }
                // What names no release is of every release.
                (true, false) if other.flags & EQUAL != 0 => return true,
                (false, true) if self.flags & EQUAL != 0 => return true,
                _ => {}
            }
        }
        let both = |flag: u32| self.flags & other.flags & flag != 0;
        match order {
            std::cmp::Ordering::Less => self.flags & GREATER != 0 || other.flags & LESS != 0,
            std::cmp::Ordering::Greater => self.flags & LESS != 0 || other.flags & GREATER != 0,
            std::cmp::Ordering::Equal => both(EQUAL) || both(LESS) || both(GREATER),
        }
    }
}

/// What has to be there, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    One(Dependency),
    And(Vec<Need>),
    Or(Vec<Need>),
    /// One package has to be all of them.
    With(Vec<Need>),
    /// One package has to be the one and not the other.
    Without(Box<Need>, Box<Need>),
    If {
        then: Box<Need>,
        condition: Box<Need>,
        otherwise: Option<Box<Need>>,
    },
    Unless {
        then: Box<Need>,
        condition: Box<Need>,
        otherwise: Option<Box<Need>>,
    },
    /// An expression that is not understood.
    Unknown(String),
}

impl Need {
    /// Reads what a header says; what is in parentheses is an expression.
    pub(super) fn of(dependency: Dependency, relation: Relation) -> Self {
        if relation == Relation::Obsoletes || !dependency.name.starts_with('(') {
            return Self::One(dependency);
        }
        let text = dependency.name;
        let mut parser = Parser { rest: &text, depth: 0 };
        match parser.expression() {
            Some(need) if parser.rest.is_empty() => need,
            _ => Self::Unknown(text),
        }
    }

    /// The names in it, with whether each counts where it is there (`false`) or where it is not (`true`), as RPM has
    /// them in its index.
    pub(super) fn names(&self, negated: bool, take: &mut impl FnMut(&str, bool)) {
        match self {
            Self::One(dependency) if dependency.is_of_rpm() => {}
            Self::One(dependency) => take(&dependency.name, negated),
            Self::And(all) | Self::Or(all) | Self::With(all) => {
                all.iter().for_each(|need| need.names(negated, take));
            }
            Self::Without(a, b) => {
                a.names(negated, take);
                b.names(negated, take);
            }
            Self::If { then, condition, otherwise } | Self::Unless { then, condition, otherwise } => {
                then.names(negated, take);
                condition.names(!negated, take);
                if let Some(otherwise) = otherwise {
                    condition.names(negated, take);
                    otherwise.names(negated, take);
                }
            }
            Self::Unknown(_) => {}
        }
    }
}

/// Reads expressions such as `(a >= 1 and (b or c))`.
struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn expression(&mut self) -> Option<Need> {
        self.rest = self.rest.strip_prefix('(')?;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let first = self.operand()?;
        let Some(operator) = self.operator()? else {
            self.depth -= 1;
            return Some(first);
        };
        let second = self.operand()?;
        let need = match operator {
            "and" => Need::And(self.chain(operator, first, second)?),
            "or" => Need::Or(self.chain(operator, first, second)?),
            "with" => Need::With(self.chain(operator, first, second)?),
            "without" => {
                self.end()?;
                Need::Without(Box::new(first), Box::new(second))
            }
            "if" | "unless" => {
                let otherwise = match self.operator()? {
                    None => None,
                    Some("else") => {
                        let otherwise = self.operand()?;
                        self.end()?;
                        Some(Box::new(otherwise))
                    }
                    Some(_) => return None,
                };
                let (then, condition) = (Box::new(first), Box::new(second));
                if operator == "if" {
                    Need::If { then, condition, otherwise }
                } else {
                    Need::Unless { then, condition, otherwise }
                }
            }
            _ => return None,
        };
        self.depth -= 1;
        Some(need)
    }

    /// All operands of one operator, to the end.
    fn chain(&mut self, operator: &str, first: Need, second: Need) -> Option<Vec<Need>> {
        let mut all = vec![first, second];
        while let Some(next) = self.operator()? {
            // There is no telling which of different operators goes first.
            if next != operator {
                return None;
            }
            all.push(self.operand()?);
        }
        Some(all)
    }

    fn end(&mut self) -> Option<()> {
        self.operator()?.is_none().then_some(())
    }

    /// The next operator; none at the end of the expression, which is taken off.
    fn operator(&mut self) -> Option<Option<&'t str>> {
        self.skip();
        if let Some(rest) = self.rest.strip_prefix(')') {
            self.rest = rest;
            return Some(None);
        }
        let end = self.rest.find(|c: char| c.is_ascii_whitespace() || c == ')')?;
        let (operator, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(Some(operator))
    }

    fn operand(&mut self) -> Option<Need> {
        self.skip();
        if self.rest.starts_with('(') {
            return self.expression();
        }
        let name = self.word()?.to_owned();
        self.skip();
        let after_name = self.rest;
        let mut flags = match self.word() {
            Some("<") => LESS,
            Some("<=" | "=<") => LESS | EQUAL,
            Some("=" | "==") => EQUAL,
            Some(">=" | "=>") => GREATER | EQUAL,
            Some(">") => GREATER,
            _ => 0,
        };
        let version = if flags == 0 {
            self.rest = after_name;
            String::new()
        } else {
            self.skip();
            self.word()?.to_owned()
        };
        if name.starts_with("rpmlib(") {
            flags |= RPMLIB;
        }
        Some(Need::One(Dependency { name, version, flags }))
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
    }

    /// A word, which may have parentheses in it; none where there is none.
    fn word(&mut self) -> Option<&'t str> {
        let mut open = 0_usize;
        let end = self.rest.find(|c: char| match c {
            '(' => {
                open += 1;
                false
            }
            ')' if open > 0 => {
                open -= 1;
                false
            }
            ')' | ',' => true,
            other => other.is_ascii_whitespace(),
        });
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    fn dependency(text: &str) -> Dependency {
        let text = format!("({text})");
        match Need::of(Dependency { name: text.clone(), ..Dependency::default() }, Relation::Requires) {
            Need::One(dependency) => dependency,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// As RPM 4.18 has it; `tests/peer/rpm/dependencies.spec` asks it for most of these.
    #[test]
    fn ranges_overlap() {
        let cases = [
            ("a", "b", false),
            ("a = 9", "a", true),
            ("a = 1:2.0-1", "a >= 1.9", true),
            ("a = 1:2.0-1", "a = 2.0", false),
            ("a = 1.0-1", "a = 0:1.0", true),
            ("a = 1.0-1", "a = 1.0-2", false),
            ("a = 1.0-1", "a > 1.0", false),
            ("a = 1.0-1", "a < 1.0", false),
            ("a = 1.0-1", "a <= 1.0", true),
            ("a = 3", "a = 3-7", true),
            ("a = 3", "a > 3-7", true),
            ("a >= 2", "a = 5", true),
            ("a >= 2", "a < 2", false),
            ("a > 2", "a < 3", true),
            ("a < 2", "a < 1", true),
            ("a = 1.0~rc1", "a < 1.0", true),
            ("a = 1.0^git", "a > 1.0", true),
        ];
        for (a, b, expected) in cases {
            assert_eq!(dependency(a).overlaps(&dependency(b)), expected, "{a}, {b}");
            assert_eq!(dependency(b).overlaps(&dependency(a)), expected, "{b}, {a}");
        }
    }

    fn shown(need: &Need) -> String {
        let either = |word: &str, a: &Need, b: &Need| format!("[{} {word} {}]", shown(a), shown(b));
        let third = |word: &str, a: &Need, b: &Need, c: &Option<Box<Need>>| match c {
            Some(c) => format!("[{} {word} {} else {}]", shown(a), shown(b), shown(c)),
            None => either(word, a, b),
        };
        let chain = |word: &str, all: &[Need]| {
            format!("[{}]", all.iter().map(shown).collect::<Vec<_>>().join(&format!(" {word} ")))
        };
        match need {
            Need::One(one) => format!("{}{}{}", one.name, one.flags & RANGE, one.version),
            Need::And(all) => chain("and", all),
            Need::Or(all) => chain("or", all),
            Need::With(all) => chain("with", all),
            Need::Without(a, b) => either("without", a, b),
            Need::If { then, condition, otherwise } => third("if", then, condition, otherwise),
            Need::Unless { then, condition, otherwise } => third("unless", then, condition, otherwise),
            Need::Unknown(_) => "unknown".to_owned(),
        }
    }

    #[test]
    fn expressions_are_read() {
        let cases = [
            ("(a)", "a0"),
            ("(a and b >= 1:2-3)", "[a0 and b121:2-3]"),
            ("(a or b or c)", "[a0 or b0 or c0]"),
            ("(a(x86-64) = 1 with (b or c))", "[a(x86-64)81 with [b0 or c0]]"),
            ("(a without b)", "[a0 without b0]"),
            ("(a if b)", "[a0 if b0]"),
            ("(a unless (b and c) else d)", "[a0 unless [b0 and c0] else d0]"),
            ("( a  if  b )", "[a0 if b0]"),
            ("(a and b or c)", "unknown"),
            ("(a without b without c)", "unknown"),
            ("(a if b else c else d)", "unknown"),
            ("(a else b)", "unknown"),
            ("(a xor b)", "unknown"),
            ("(a and)", "unknown"),
            ("(a >= and b)", "unknown"),
            ("()", "unknown"),
            ("(a and b", "unknown"),
            ("(a) b", "unknown"),
        ];
        for (text, expected) in cases {
            let need =
                Need::of(Dependency { name: text.to_owned(), ..Dependency::default() }, Relation::Requires);
            assert_eq!(shown(&need), expected, "{text}");
        }
        let deep = "(".repeat(100_000);
        let need = Need::of(Dependency { name: deep, ..Dependency::default() }, Relation::Requires);
        assert_eq!(shown(&need), "unknown");
    }

    #[test]
    fn names_count_where_they_are_there_or_not() {
        let text = "((a if b) and (c if d else (e unless f)) and rpmlib(X))".to_owned();
        let need = Need::of(Dependency { name: text, ..Dependency::default() }, Relation::Requires);
        let mut names = Vec::new();
        need.names(false, &mut |name, negated| {
            names.push(format!("{}{name}", if negated { "!" } else { "" }))
        });
        assert_eq!(names, ["a", "!b", "c", "!d", "d", "e", "!f"]);
    }
}
