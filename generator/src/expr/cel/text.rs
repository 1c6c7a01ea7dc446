//! Pieces of CEL text that know where they need brackets.

/// How tightly the outermost operator of a text binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Conditional,
    Or,
    And,
    Relation,
    Add,
    Unary,
    Term,
}

/// An expression in CEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    level: Level,
}

impl Text {
    pub(super) fn new(level: Level, text: impl Into<String>) -> Self {
        Self { text: text.into(), level }
    }

    pub(super) fn term(text: impl Into<String>) -> Self {
        Self::new(Level::Term, text)
    }

    /// The text as an operand of something that needs at least `level`.
    pub(super) fn within(&self, level: Level) -> String {
        if self.level < level { format!("({})", self.text) } else { self.text.clone() }
    }
}

/// Conditions that hold together; none is true. The order matters: later ones may rely on earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conditions(Vec<Text>);

impl Conditions {
    pub(super) fn one(condition: Text) -> Self {
        Self(vec![condition])
    }

    /// What never holds.
    pub(super) fn never() -> Self {
        Self::one(Text::term("false"))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a condition unless it is there.
    pub(super) fn add(&mut self, condition: Text) {
        if !self.0.contains(&condition) {
            self.0.push(condition);
        }
    }

    /// Adds the conditions that are not there.
    pub(super) fn extend(&mut self, more: Self) {
        more.0.into_iter().for_each(|condition| self.add(condition));
    }

    /// The conjunction.
    pub(super) fn all(&self) -> Text {
        match self.0.as_slice() {
            [] => Text::term("true"),
            [one] => one.clone(),
            all => {
                let all: Vec<String> = all.iter().map(|c| c.within(Level::Relation)).collect();
                Text::new(Level::And, all.join(" && "))
            }
        }
    }

    /// The disjunction of alternatives.
    pub(super) fn any(alternatives: impl IntoIterator<Item = Self>) -> Self {
        let all: Vec<String> = alternatives.into_iter().map(|a| a.all().within(Level::Relation)).collect();
        Self::one(Text::new(Level::Or, all.join(" || ")))
    }

    pub(super) fn negated(&self) -> Self {
        Self::one(Text::new(Level::Unary, format!("!{}", self.all().within(Level::Term))))
    }
}
