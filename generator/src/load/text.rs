//! Checking of texts: names, dates, numbers, APIs, Markdown, expressions.

use std::ops::Range;
use std::path::Path;

use virtscap_scap::markup::Markup;

use super::Loader;
use super::source::{place, place_within};
use crate::diagnostic::Diagnostic;
use crate::expr::pattern;
use crate::expr::{self, Expr, ExprKind};
use crate::file::Text;
use crate::markdown::{self, MarkdownError};
use crate::model::Resource;

impl Loader {
    /// Tells that a text as a whole is wrong.
    pub(super) fn wrong(&mut self, path: &Path, text: &Text, message: impl Into<String>) {
        self.error(Diagnostic::at(path, place(text.referenced), message));
    }

    /// The same, with what to do about it.
    pub(super) fn wrong_help(
        &mut self,
        path: &Path,
        text: &Text,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.error(Diagnostic::at(path, place(text.referenced), message).help(help));
    }

    /// Tells that a part of a text is wrong.
    fn wrong_part(
        &mut self,
        path: &Path,
        text: &Text,
        part: &Range<usize>,
        message: String,
        help: Option<String>,
    ) {
        let source = self.sources.get(path).map_or("", String::as_str);
        let exact = place_within(source, text.defined, &text.value, part);
        let mut diagnostic = Diagnostic::at(path, exact.unwrap_or_else(|| place(text.referenced)), message);
        diagnostic.help = help;
        self.error(diagnostic);
    }

    fn wrong_markdown(&mut self, path: &Path, text: &Text, errors: Vec<MarkdownError>) {
        for e in errors {
            self.wrong_part(path, text, &e.span, e.message.to_owned(), Some(e.help.to_owned()));
        }
    }

    /// A text of one line.
    pub(super) fn line(&mut self, path: &Path, text: &Text) -> String {
        let value = text.value.trim();
        if value.is_empty() {
            self.wrong(path, text, "there is nothing here; wanted is a text");
        } else if value.contains('\n') {
            self.wrong(path, text, "wanted is a text of one line");
        } else if let Err(errors) = markdown::check_plain(&text.value) {
            self.wrong_markdown(path, text, errors);
        }
        value.to_owned()
    }

    pub(super) fn title(&mut self, path: &Path, text: &Text) -> String {
        let title = self.line(path, text);
        if title.ends_with('.') {
            self.wrong(path, text, "a title ends without a full stop");
        }
        title
    }

    /// A name that can be part of ids.
    pub(super) fn name(&mut self, path: &Path, text: &Text) -> String {
        self.name_of(path, text, "letters, digits and hyphens", |c| c.is_ascii_alphanumeric())
    }

    /// A name that can also be part of names of Kubernetes objects.
    pub(super) fn object_name(&mut self, path: &Path, text: &Text) -> String {
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        self.name_of(path, text, "lower-case letters, digits and hyphens", legal)
    }

    fn name_of(&mut self, path: &Path, text: &Text, what: &str, legal: fn(char) -> bool) -> String {
        let name = self.line(path, text);
        let ends = |c: Option<char>| c.is_none_or(legal);
        if !name.chars().all(|c| c == '-' || legal(c))
            || !ends(name.chars().next())
            || !ends(name.chars().last())
        {
            let help = format!("write {what}, no hyphen first or last");
            self.wrong_help(path, text, format!("'{name}' is no name"), help);
        }
        name
    }

    pub(super) fn date(&mut self, path: &Path, text: &Text) -> String {
        let date = self.line(path, text);
        if !is_date(&date) {
            self.wrong(path, text, format!("'{date}' is no date; write it as 2026-01-31"));
        }
        date
    }

    /// The CPE name of a product on the cluster.
    pub(super) fn application_cpe(&mut self, path: &Path, text: &Text) -> String {
        self.cpe(path, text, "cpe:/a:", "an application")
    }

    /// The CPE name of what nodes run.
    pub(super) fn node_cpe(&mut self, path: &Path, text: &Text) -> String {
        self.cpe(path, text, "cpe:/o:", "an operating system")
    }

    fn cpe(&mut self, path: &Path, text: &Text, prefix: &str, what: &str) -> String {
        let cpe = self.line(path, text);
        let parts: Vec<_> = cpe.strip_prefix(prefix).unwrap_or_default().split(':').collect();
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-~%".contains(c);
        let filled = parts.len() > 1 && parts.iter().take(2).all(|part| !part.is_empty());
        if !filled || parts.len() > 6 || !parts.iter().all(|part| part.chars().all(legal)) {
            let message = format!("'{cpe}' is no CPE name of {what}");
            let help = format!(
                "write it in the form of CPE 2.2, {prefix}VENDOR:PRODUCT:VERSION; the Compliance Operator tells platforms from nodes by the part"
            );
            self.wrong_help(path, text, message, help);
        }
        cpe
    }

    /// A resource; none if it is wrong, so that nothing is compared with it.
    pub(super) fn resource(&mut self, path: &Path, api: &Text, resource: &Text) -> Option<Resource> {
        let before = self.diagnostics.len();
        let api = self.api(path, api);
        let name = self.line(path, resource);
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.is_empty() && !name.chars().all(legal) {
            let message = format!("'{name}' is no name of a resource");
            let help = "write the plural in lower case, as `oc api-resources` lists it: virtualmachines, not VirtualMachine";
            self.wrong_help(path, resource, message, help);
        }
        (self.diagnostics.len() == before).then_some(Resource { api, resource: name })
    }

    fn api(&mut self, path: &Path, text: &Text) -> String {
        let api = self.line(path, text);
        if !api.is_empty() && !is_api(&api) {
            let message = format!("'{api}' is no API version");
            self.wrong_help(path, text, message, "write GROUP/VERSION, or v1 for the core group");
        }
        api
    }

    /// Checks a regular expression of a value.
    pub(super) fn pattern(&mut self, path: &Path, text: &Text) {
        if text.value.is_empty() {
            let help = "to approve nothing, write an expression that no name matches, such as none";
            self.wrong_help(path, text, "the regular expression is empty", help);
        } else if let Err(e) = pattern::check(&text.value) {
            self.wrong_help(path, text, format!("'{}': {}", text.value, e.message), e.help);
        }
    }

    pub(super) fn markup(&mut self, path: &Path, text: &Text) -> Markup {
        if text.value.trim().is_empty() {
            self.wrong(path, text, "there is nothing here; wanted is a text");
        }
        markdown::parse(&text.value).unwrap_or_else(|errors| {
            self.wrong_markdown(path, text, errors);
            Markup::default()
        })
    }

    /// The name of a variable; none if expressions cannot use it.
    pub(super) fn variable(&mut self, path: &Path, text: &Text) -> Option<String> {
        let name = text.value.as_str();
        match expr::parse(name) {
            // What is put around expressions has such names.
            _ if name.ends_with('_') => {
                self.wrong(path, text, "the name of a variable cannot end with an underscore");
            }
            Ok(parsed) if matches!(parsed.kind(), ExprKind::Variable(parsed) if parsed == name) => {
                return Some(name.to_owned());
            }
            Err(e) if e.message.starts_with("a variable cannot") => self.wrong(path, text, e.message),
            _ => {
                let message = format!("'{name}' is no name of a variable");
                self.wrong_help(path, text, message, "write letters, digits and underscores, no digit first");
            }
        }
        None
    }

    /// Parses an expression over the variables given.
    pub(super) fn expression(&mut self, path: &Path, text: &Text, variables: &[&str]) -> Option<Expr> {
        let parsed =
            expr::parse(&text.value).and_then(|expr| expr.require_variables(variables).map(|()| expr));
        parsed.map_err(|e| self.wrong_part(path, text, &e.span, e.message, e.help)).ok()
    }

    /// An expression whose value is shown: whatever it gives, it becomes a string.
    pub(super) fn detail(&mut self, path: &Path, text: &Text, variables: &[&str]) -> Option<Expr> {
        self.expression(path, text, variables)?;
        // At the limits of length and depth, what is put around it can be too much.
        expr::parse(&format!("string({})", text.value)).map_err(|e| self.wrong(path, text, e.message)).ok()
    }
}

fn is_date(date: &str) -> bool {
    let form = date.len() == 10
        && date.char_indices().all(|(i, c)| if matches!(i, 4 | 7) { c == '-' } else { c.is_ascii_digit() });
    let parts: Vec<u32> = date.split('-').filter_map(|part| part.parse().ok()).collect();
    let [year, month, day] = parts[..] else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    form && (1..=days).contains(&day)
}

pub(super) fn is_api(api: &str) -> bool {
    let (group, version) = api.split_once('/').unwrap_or(("core", api));
    let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let group = group.split('.').all(|part| !part.is_empty() && part.chars().all(label));
    let version = version.strip_prefix('v').unwrap_or_default();
    let stage = version.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let stage =
        stage.is_empty() || ["alpha", "beta"].iter().any(|s| stage.strip_prefix(s).is_some_and(digits));
    group && stage && version.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a number is written plainly, so that two that are equal look it.
pub(super) fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|number| number.to_string() == text)
}
