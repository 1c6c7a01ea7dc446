//! Reading and checking of a benchmark tree. Everything that is wrong is told at once.
//!
//! ```text
//! benchmark/benchmark.yaml                    what the benchmark is, and for which product
//! benchmark/values.yaml                       what an auditor can set
//! benchmark/SECTION/section.yaml              a section
//! benchmark/SECTION/RULE/{rule,cases}.yaml    a rule and its cases
//! profiles/PROFILE.yaml                       the rules of some levels
//! ```

mod cases;
mod rule;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_yaml::Location;
use virtscap_scap::markup::Markup;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expr::{self, Expr};
use crate::file::{BenchmarkFile, ProfileFile, ResourceFile, SectionFile, Text, ValueFile};
use crate::markdown;
use crate::model::{Benchmark, Platform, Profile, Resource, Section, Value};

/// Reads the benchmark below a folder that holds `benchmark/` and `profiles/`.
///
/// # Errors
/// [`Diagnostics`] with everything that is wrong.
pub fn load(folder: &Path) -> Result<Benchmark, Diagnostics> {
    let mut loader = Loader::default();
    let benchmark = loader.benchmark(folder);
    loader.diagnostics.sort_by(|a, b| (&a.path, a.place).cmp(&(&b.path, b.place)));
    match benchmark {
        Some(benchmark) if loader.diagnostics.is_empty() => Ok(benchmark),
        _ => Err(Diagnostics(loader.diagnostics)),
    }
}

#[derive(Default)]
struct Loader {
    diagnostics: Vec<Diagnostic>,
}

/// Line and column of a place, from 1.
fn place(location: Location) -> (usize, usize) {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    (number(location.line()), number(location.column()))
}

impl Loader {
    fn benchmark(&mut self, folder: &Path) -> Option<Benchmark> {
        let tree = folder.join("benchmark");
        if !tree.is_dir() {
            let message = "there is no folder of this name; run virtscap where the benchmark is, or name its folder";
            self.diagnostics.push(Diagnostic::of_file(&tree, message));
            return None;
        }
        let path = tree.join("benchmark.yaml");
        let file: Option<BenchmarkFile> = self.read(&path);
        let values = self.values(&tree.join("values.yaml"));
        let mut sections: Vec<_> =
            self.folders(&tree).iter().filter_map(|folder| self.section(folder, &values)).collect();
        sections.sort_by_key(|section: &Section| number(&section.number));
        let profiles = self.profiles(&folder.join("profiles"));
        self.distinct_rules(&tree, &sections);
        let file = file?;
        Some(Benchmark {
            id: self.name(&path, &file.id),
            title: self.line(&path, &file.title),
            version: self.line(&path, &file.version),
            date: self.date(&path, &file.date),
            description: self.markup(&path, &file.description),
            reference: format!(
                "{}, revision {} of {}",
                self.line(&path, &file.reference.title),
                self.line(&path, &file.reference.revision),
                self.date(&path, &file.reference.date)
            ),
            platform: Platform {
                cpe: self.platform(&path, &file.platform.cpe),
                title: self.line(&path, &file.platform.title),
                resource: self.resource(&path, &file.platform.resource),
            },
            values,
            sections,
            profiles,
        })
    }

    fn values(&mut self, path: &Path) -> Vec<Value> {
        let files: Vec<ValueFile> = self.read(path).unwrap_or_default();
        let mut values: Vec<Value> = Vec::new();
        for file in &files {
            let id = self.line(path, &file.id);
            let rest = id.strip_prefix("var_").unwrap_or_default();
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if rest.is_empty() || !rest.chars().all(legal) {
                let message = format!("'{id}' is no id of a value");
                let help = "write var_ and then lower-case letters, digits and underscores: the Compliance Operator loses results of a value with a hyphen in its id";
                self.error(Diagnostic::at(path, place(file.id.referenced), message).help(help));
            }
            if values.iter().any(|value| value.id == id) {
                let message = format!("the value '{id}' is there twice");
                self.error(Diagnostic::at(path, place(file.id.referenced), message));
            }
            if file.default.value.is_empty() || regex::Regex::new(&file.default.value).is_err() {
                let message = format!("'{}' is no regular expression, or an empty one", file.default.value);
                self.error(Diagnostic::at(path, place(file.default.referenced), message));
            }
            values.push(Value {
                id,
                title: self.line(path, &file.title),
                description: self.markup(path, &file.description),
                default: file.default.value.clone(),
            });
        }
        values
    }

    fn section(&mut self, folder: &Path, values: &[Value]) -> Option<Section> {
        let path = folder.join("section.yaml");
        let file: Option<SectionFile> = self.read(&path);
        let mut rules: Vec<_> =
            self.folders(folder).iter().filter_map(|folder| self.rule(folder, values)).collect();
        rules.sort_by_key(|rule| number(&rule.section));
        let file = file?;
        let section = Section {
            number: self.line(&path, &file.number),
            title: self.line(&path, &file.title),
            description: self.markup(&path, &file.description),
            rules,
        };
        for rule in &section.rules {
            if rule.section.split_once('.').map(|(chapter, _)| chapter) != Some(&section.number) {
                let message =
                    format!("the rule's section {} does not belong to section {}", rule.section, section.number);
                self.error(Diagnostic::of_file(&folder.join(&rule.id).join("rule.yaml"), message));
            }
        }
        Some(section)
    }

    fn profiles(&mut self, folder: &Path) -> Vec<Profile> {
        let mut profiles = Vec::new();
        for path in self.entries(folder).into_iter().filter(|p| p.extension().is_some_and(|e| e == "yaml")) {
            let Some(file) = self.read::<ProfileFile>(&path) else { continue };
            let id = self.name(&path, &file.id);
            if path.file_stem().and_then(|stem| stem.to_str()) != Some(&id) {
                let message = format!("the profile '{id}' has to be in a file {id}.yaml");
                self.error(Diagnostic::at(&path, place(file.id.referenced), message));
            }
            profiles.push(Profile {
                id,
                title: self.line(&path, &file.title),
                description: self.markup(&path, &file.description),
                levels: file.levels.iter().map(|level| level.value).collect(),
            });
        }
        if profiles.is_empty() {
            self.error(Diagnostic::of_file(folder, "there is no profile"));
        }
        profiles
    }

    fn distinct_rules(&mut self, tree: &Path, sections: &[Section]) {
        let mut seen = BTreeMap::new();
        for rule in sections.iter().flat_map(|section| &section.rules) {
            if seen.insert(&rule.section, &rule.id).is_some() {
                let message = format!("two rules have the section {}; one is {}", rule.section, rule.id);
                self.error(Diagnostic::of_file(tree, message));
            }
        }
    }

    /// Reads a file; an error in its form is told, and there is nothing more to say about it.
    fn read<T: DeserializeOwned>(&mut self, path: &Path) -> Option<T> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => {
                self.error(Diagnostic::of_file(path, e.to_string()));
                return None;
            }
        };
        let options = serde_yaml::options! { strict_booleans: true, with_snippet: false };
        match serde_yaml::from_str_with_options(&text, options) {
            Ok(value) => Some(value),
            Err(e) => {
                let error = e.without_snippet();
                let message = error.to_string();
                self.error(match error.location() {
                    Some(location) => Diagnostic::at(path, place(location), message),
                    None => Diagnostic::of_file(path, message),
                });
                None
            }
        }
    }

    fn folders(&mut self, folder: &Path) -> Vec<PathBuf> {
        self.entries(folder).into_iter().filter(|path| path.is_dir()).collect()
    }

    /// What is in a folder, sorted: the order in which a file system lists it must not show.
    fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        match std::fs::read_dir(folder) {
            Ok(entries) => {
                let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
                paths.sort();
                paths
            }
            Err(e) => {
                self.error(Diagnostic::of_file(folder, e.to_string()));
                Vec::new()
            }
        }
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// A text of one line.
    fn line(&mut self, path: &Path, text: &Text) -> String {
        let value = text.value.trim();
        if value.is_empty() || value.contains('\n') || value.contains("{{") {
            let message = "wanted is a text of one line, without '{{'";
            self.error(Diagnostic::at(path, place(text.referenced), message));
        }
        value.to_owned()
    }

    /// A name that can be part of ids, file names and names of Kubernetes objects.
    fn name(&mut self, path: &Path, text: &Text) -> String {
        let name = self.line(path, text);
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !name.chars().all(legal) || name.starts_with('-') || name.ends_with('-') {
            let message = format!("'{name}' is no name; write letters, digits and hyphens");
            self.error(Diagnostic::at(path, place(text.referenced), message));
        }
        name
    }

    fn date(&mut self, path: &Path, text: &Text) -> String {
        let date = self.line(path, text);
        let form = date.len() == 10
            && date.char_indices().all(|(i, c)| if matches!(i, 4 | 7) { c == '-' } else { c.is_ascii_digit() });
        if !form {
            let message = format!("'{date}' is no date; write it as 2026-01-31");
            self.error(Diagnostic::at(path, place(text.referenced), message));
        }
        date
    }

    fn platform(&mut self, path: &Path, text: &Text) -> String {
        let cpe = self.line(path, text);
        if !cpe.starts_with("cpe:/a:") {
            let message = format!("'{cpe}' is no CPE name of an application");
            let help = "write it in the form of CPE 2.2, cpe:/a:VENDOR:PRODUCT:VERSION; the Compliance Operator takes other forms for nodes";
            self.error(Diagnostic::at(path, place(text.referenced), message).help(help));
        }
        cpe
    }

    fn resource(&mut self, path: &Path, file: &ResourceFile) -> Resource {
        Resource { api: self.api(path, &file.api), resource: self.line(path, &file.resource) }
    }

    fn api(&mut self, path: &Path, text: &Text) -> String {
        let api = self.line(path, text);
        let version = api.rsplit('/').next().unwrap_or_default();
        if api.matches('/').count() > 1 || !version.starts_with('v') || api.starts_with('/') {
            let message = format!("'{api}' is no API version; write GROUP/VERSION, or v1 for the core group");
            self.error(Diagnostic::at(path, place(text.referenced), message));
        }
        api
    }

    fn markup(&mut self, path: &Path, text: &Text) -> Markup {
        match markdown::parse(&text.value) {
            Ok(markup) => markup,
            Err(e) => {
                // Block scalars lose their indentation, so only the line can be told exactly.
                let (line, column) = place(text.referenced);
                let below = text.value[..e.offset].matches('\n').count();
                let block = usize::from(text.value.contains('\n'));
                let place = if below + block == 0 { (line, column) } else { (line + below + block, 1) };
                self.error(Diagnostic::at(path, place, e.message));
                Markup::default()
            }
        }
    }

    /// Parses an expression over the variables given.
    fn expression(&mut self, path: &Path, text: &Text, variables: &[&str]) -> Option<Expr> {
        let parsed =
            expr::parse(&text.value).and_then(|expr| expr.require_variables(variables).map(|()| expr));
        match parsed {
            Ok(expr) => Some(expr),
            Err(e) => {
                let mut diagnostic = Diagnostic::at(path, place(text.referenced), e.message);
                diagnostic.help = e.help;
                diagnostic.expression = Some((text.value.clone(), e.span));
                self.error(diagnostic);
                None
            }
        }
    }
}

/// A section's number in an order that has 1.10 behind 1.9.
fn number(section: &str) -> Vec<u32> {
    section.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}
