//! Tokens to the syntax tree, by recursive descent over the grammar of CEL.

use std::ops::Range;

use super::MAX_DEPTH;
use super::ast::{Comparison, Expr, ExprKind, Iteration, Probe};
use super::error::ExprError;
use super::lexer::{Spanned, Token};
use super::{names, pattern};

const METHODS: &[&str] =
    &["all", "contains", "endsWith", "exists", "filter", "map", "matches", "size", "startsWith"];

const FUNCTIONS: &[&str] = &["keys", "parseJSON", "size", "string"];

/// Parses the tokens of a whole source.
pub(super) fn parse(tokens: Vec<Spanned>) -> Result<Expr, ExprError> {
    let mut parser = Parser { tokens, at: 0, depth: 0 };
    let expr = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expr),
        _ => Err(parser.unexpected("the end of the expression")),
    }
}

struct Parser {
    tokens: Vec<Spanned>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn expression(&mut self) -> Result<Expr, ExprError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep(self.span()));
        }
        let start = self.start();
        let mut expr = self.or()?;
        if self.take("?") {
            let then = self.or()?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            expr = self.node(start, ExprKind::If(Box::new(expr), Box::new(then), Box::new(otherwise)))?;
        }
        self.depth -= 1;
        Ok(expr)
    }

    fn or(&mut self) -> Result<Expr, ExprError> {
        self.chain("||", Self::and, ExprKind::Or)
    }

    fn and(&mut self) -> Result<Expr, ExprError> {
        self.chain("&&", Self::relation, ExprKind::And)
    }

    fn sum(&mut self) -> Result<Expr, ExprError> {
        let sum = self.chain("+", Self::unary, ExprKind::Add)?;
        if self.is("-") {
            return Err(ExprError::new("arithmetic is not part of the language: `-`", self.span()));
        }
        Ok(sum)
    }

    fn chain(
        &mut self,
        operator: &str,
        operand: fn(&mut Self) -> Result<Expr, ExprError>,
        kind: fn(Vec<Expr>) -> ExprKind,
    ) -> Result<Expr, ExprError> {
        let start = self.start();
        let first = operand(self)?;
        if !self.is(operator) {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.take(operator) {
            all.push(operand(self)?);
        }
        self.node(start, kind(all))
    }

    fn relation(&mut self) -> Result<Expr, ExprError> {
        let start = self.start();
        let mut left = self.sum()?;
        loop {
            let comparison = match self.peek() {
                Token::Punctuation("==") => Some(Comparison::Equal),
                Token::Punctuation("!=") => Some(Comparison::NotEqual),
                Token::Punctuation("<") => Some(Comparison::Less),
                Token::Punctuation("<=") => Some(Comparison::LessOrEqual),
                Token::Punctuation(">") => Some(Comparison::Greater),
                Token::Punctuation(">=") => Some(Comparison::GreaterOrEqual),
                Token::Identifier(word) if word == "in" => None,
                _ => return Ok(left),
            };
            self.advance();
            let right = Box::new(self.sum()?);
            let kind = match comparison {
                Some(operator) => ExprKind::Compare(operator, Box::new(left), right),
                None => ExprKind::In(Box::new(left), right),
            };
            left = self.node(start, kind)?;
        }
    }

    fn unary(&mut self) -> Result<Expr, ExprError> {
        let mut nots = Vec::new();
        while self.is("!") {
            nots.push(self.start());
            self.advance();
        }
        let mut expr = if self.is("-") { self.negative()? } else { self.member()? };
        while let Some(start) = nots.pop() {
            expr = self.node(start, ExprKind::Not(Box::new(expr)))?;
        }
        Ok(expr)
    }

    fn negative(&mut self) -> Result<Expr, ExprError> {
        let start = self.start();
        self.advance();
        let kind = match *self.peek() {
            Token::Int(magnitude) => 0_i64.checked_sub_unsigned(magnitude).map(ExprKind::Int),
            Token::Float(f) => Some(ExprKind::Float(-f)),
            _ => return Err(self.unexpected("a number after `-`")),
        };
        self.advance();
        let kind = kind.ok_or_else(|| ExprError::new("the number is too large", start..self.end()))?;
        self.node(start, kind)
    }

    fn member(&mut self) -> Result<Expr, ExprError> {
        let start = self.start();
        let mut expr = self.primary()?;
        loop {
            if self.take(".") {
                let (name, span) = self.identifier("a field or method")?;
                if self.take("(") {
                    expr = self.method(start, expr, &name, span)?;
                } else if matches!(name.as_str(), "in" | "true" | "false" | "null") {
                    return Err(ExprError::new(format!("`{name}` is a reserved word of CEL"), span)
                        .help(format!("write `[\"{name}\"]`")));
                } else {
                    expr = self.node(start, ExprKind::Select(Box::new(expr), name))?;
                }
            } else if self.take("[") {
                let kind = self.subscript(expr)?;
                self.expect("]")?;
                expr = self.node(start, kind)?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn subscript(&mut self, base: Expr) -> Result<ExprKind, ExprError> {
        let kind = match self.peek() {
            Token::String(key) => ExprKind::Select(Box::new(base), key.clone()),
            Token::Int(index) => match u32::try_from(*index) {
                Ok(index) => ExprKind::Index(Box::new(base), index),
                Err(_) => return Err(ExprError::new("the index is too large", self.span())),
            },
            _ => return Err(self.unexpected("a string literal or a non-negative integer as the index")),
        };
        self.advance();
        Ok(kind)
    }

    fn method(
        &mut self,
        start: usize,
        target: Expr,
        name: &str,
        span: Range<usize>,
    ) -> Result<Expr, ExprError> {
        let target = Box::new(target);
        let kind = match name {
            "exists" => self.iteration(Iteration::Exists, target)?,
            "all" => self.iteration(Iteration::All, target)?,
            "filter" => self.iteration(Iteration::Filter, target)?,
            "map" => self.iteration(Iteration::Map, target)?,
            "size" => ExprKind::Size(target),
            "contains" => ExprKind::Probe(Probe::Contains, target, Box::new(self.expression()?)),
            "startsWith" => ExprKind::Probe(Probe::StartsWith, target, Box::new(self.expression()?)),
            "endsWith" => ExprKind::Probe(Probe::EndsWith, target, Box::new(self.expression()?)),
            "matches" => ExprKind::Matches(target, self.pattern()?),
            _ if FUNCTIONS.contains(&name) => {
                return Err(ExprError::new(format!("`{name}` is a function"), span)
                    .help(format!("write `{name}(x)`")));
            }
            _ => return Err(unknown("method", name, span, METHODS)),
        };
        self.expect(")")?;
        self.node(start, kind)
    }

    fn iteration(&mut self, how: Iteration, range: Box<Expr>) -> Result<ExprKind, ExprError> {
        let (variable, span) = self.identifier("the name of the element")?;
        check_variable(&variable, span)?;
        self.expect(",")?;
        let body = Box::new(self.expression()?);
        Ok(ExprKind::Iterate { how, range, variable, body })
    }

    fn pattern(&mut self) -> Result<String, ExprError> {
        let span = self.span();
        let Token::String(text) = self.peek().clone() else {
            return Err(self.unexpected("a string literal as the pattern"));
        };
        self.advance();
        pattern::check(&text).map_err(|error| {
            // Without escapes, what stands in the pattern stands at the same place behind the quote.
            let plain = span.len() == text.len() + 2;
            let place =
                if plain { span.start + 1 + error.span.start..span.start + 1 + error.span.end } else { span };
            let mistake = ExprError::new(error.message, place);
            if error.help.is_empty() { mistake } else { mistake.help(error.help) }
        })?;
        Ok(text)
    }

    fn primary(&mut self) -> Result<Expr, ExprError> {
        let start = self.start();
        let span = self.span();
        let kind = match self.peek().clone() {
            Token::Int(magnitude) => {
                let int =
                    i64::try_from(magnitude).map_err(|_| ExprError::new("the number is too large", span))?;
                ExprKind::Int(int)
            }
            Token::Float(f) => ExprKind::Float(f),
            Token::String(text) => ExprKind::String(text),
            Token::Identifier(name) => return self.named(start, name, span),
            Token::Punctuation("(") => {
                self.advance();
                let expr = self.expression()?;
                self.expect(")")?;
                return Ok(expr);
            }
            Token::Punctuation("[") => {
                self.advance();
                let all = self.elements()?;
                return self.node(start, ExprKind::List(all));
            }
            Token::Punctuation(_) | Token::End => return Err(self.unexpected("a value")),
        };
        self.advance();
        self.node(start, kind)
    }

    fn named(&mut self, start: usize, name: String, span: Range<usize>) -> Result<Expr, ExprError> {
        self.advance();
        let kind = match name.as_str() {
            "null" => ExprKind::Null,
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            _ if self.is("(") => return self.function(start, &name, span),
            _ => {
                check_variable(&name, span)?;
                ExprKind::Variable(name)
            }
        };
        self.node(start, kind)
    }

    fn function(&mut self, start: usize, name: &str, span: Range<usize>) -> Result<Expr, ExprError> {
        let kind: fn(Box<Expr>) -> ExprKind = match name {
            "size" => ExprKind::Size,
            "string" => ExprKind::ToString,
            "parseJSON" => ExprKind::ParseJson,
            "keys" => ExprKind::Keys,
            "has" => {
                return Err(ExprError::new(
                    "`has` is not part of the language: reading is null-safe and no guard is needed",
                    span,
                )
                .help(
                    "an absent field is null, and null is not true; to ask for presence write `x.y != null`",
                ));
            }
            _ if METHODS.contains(&name) => {
                return Err(ExprError::new(format!("`{name}` is a method"), span)
                    .help(format!("write `x.{name}(…)`")));
            }
            _ => return Err(unknown("function", name, span, FUNCTIONS)),
        };
        self.expect("(")?;
        let argument = self.expression()?;
        self.expect(")")?;
        self.node(start, kind(Box::new(argument)))
    }

    /// The elements of a list up to its `]`; a comma may follow the last.
    fn elements(&mut self) -> Result<Vec<Expr>, ExprError> {
        let mut all = Vec::new();
        while !self.take("]") {
            all.push(self.expression()?);
            if !self.take(",") {
                self.expect("]")?;
                break;
            }
        }
        Ok(all)
    }

    /// A node from `start` to the last token taken.
    fn node(&self, start: usize, kind: ExprKind) -> Result<Expr, ExprError> {
        let span = start..self.end();
        let depth = 1 + kind.children().iter().map(|child| child.depth).max().unwrap_or(0);
        if depth > MAX_DEPTH {
            return Err(too_deep(span));
        }
        Ok(Expr { kind, span, depth })
    }

    fn identifier(&mut self, what: &str) -> Result<(String, Range<usize>), ExprError> {
        let span = self.span();
        match self.peek().clone() {
            Token::Identifier(name) => {
                self.advance();
                Ok((name, span))
            }
            _ => Err(self.unexpected(what)),
        }
    }

    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |t| &t.token)
    }

    fn span(&self) -> Range<usize> {
        self.tokens.get(self.at).map_or(0..0, |t| t.span.clone())
    }

    fn start(&self) -> usize {
        self.span().start
    }

    /// Where the last token taken ends.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |t| t.span.end)
    }

    /// Takes a token. The last one stays, so the parser never runs past the end.
    fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    fn is(&self, punctuation: &str) -> bool {
        matches!(self.peek(), Token::Punctuation(p) if *p == punctuation)
    }

    fn take(&mut self, punctuation: &str) -> bool {
        let found = self.is(punctuation);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, punctuation: &str) -> Result<(), ExprError> {
        if self.take(punctuation) { Ok(()) } else { Err(self.unexpected(&format!("`{punctuation}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> ExprError {
        let found = match self.peek() {
            Token::Identifier(name) => format!("`{name}`"),
            Token::Punctuation(p) => format!("`{p}`"),
            Token::String(_) => "a string".to_owned(),
            Token::Int(_) | Token::Float(_) => "a number".to_owned(),
            Token::End => "the end of the expression".to_owned(),
        };
        ExprError::new(format!("expected {wanted}, found {found}"), self.span())
    }
}

fn check_variable(name: &str, span: Range<usize>) -> Result<(), ExprError> {
    match names::reserved_variable(name) {
        Some(why) => Err(ExprError::new(format!("a variable cannot be named `{name}`: it is {why}"), span)),
        None => Ok(()),
    }
}

fn unknown(what: &str, name: &str, span: Range<usize>, known: &[&str]) -> ExprError {
    let error = ExprError::new(format!("unknown {what} `{name}`"), span);
    let near = names::nearest(name, known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    error.help(format!("{near}The {what}s are {}", known.join(", ")))
}

fn too_deep(span: Range<usize>) -> ExprError {
    ExprError::new(format!("the expression is nested deeper than {MAX_DEPTH} levels"), span)
}
