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
mod each;
mod files;
mod fix;
mod leg;
mod profile;
mod read;
mod rule;
mod source;
mod text;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::file::{BenchmarkFile, PlatformFile, SectionFile, Text, ValueFile};
use crate::model::{Benchmark, NodePlatform, Platform, Resource, Section, Value};
use source::place;
use text::is_number;

/// Reads the benchmark below a folder that holds `benchmark/` and `profiles/`.
///
/// # Errors
/// [`Diagnostics`] with everything that is wrong.
pub fn load(folder: &Path) -> Result<Benchmark, Diagnostics> {
    let mut loader = Loader::default();
    // What is wrong in the current folder is named as its user would.
    let benchmark = loader.benchmark(folder.strip_prefix(".").unwrap_or(folder));
    loader.diagnostics.sort_by(|a, b| (&a.path, a.place, &a.message).cmp(&(&b.path, b.place, &b.message)));
    // What an alias repeats is wrong once.
    loader.diagnostics.dedup();
    match benchmark {
        Some(benchmark) if loader.diagnostics.is_empty() => Ok(benchmark),
        _ => Err(Diagnostics(loader.diagnostics)),
    }
}

#[derive(Default)]
struct Loader {
    diagnostics: Vec<Diagnostic>,
    /// The texts of the files that could be read.
    sources: HashMap<PathBuf, String>,
    /// The values; none if they could not be read, so that nothing is compared with them.
    values: Option<Vec<Value>>,
    /// The platform's resources, if they could be read.
    platform: Option<Vec<Resource>>,
    /// What only one thing can have, and where it was.
    taken: HashMap<(&'static str, String), PathBuf>,
    /// What is used of what can be defined and not used: ids of values.
    used_values: Vec<String>,
    /// Whether something was left out or not understood, so that what seems unused may be used there.
    incomplete: bool,
}

impl Loader {
    fn benchmark(&mut self, folder: &Path) -> Option<Benchmark> {
        let tree = folder.join("benchmark");
        if !tree.is_dir() {
            let help = "run virtscap in the folder that holds benchmark/ and profiles/, or name that folder with --benchmark";
            self.error(Diagnostic::of_file(&tree, "there is no such folder").help(help));
            return None;
        }
        let path = tree.join("benchmark.yaml");
        let file: Option<BenchmarkFile> = self.read(&path);
        let resources = file.as_ref().and_then(|file| self.platform_resources(&path, &file.platform));
        self.platform.clone_from(&resources);
        let values = self.values(&tree.join("values.yaml"));
        let folders = self.folders(&tree, &["benchmark.yaml", "values.yaml"]);
        if folders.is_empty() {
            self.error(Diagnostic::of_file(&tree, "there is no section; make a folder with a section.yaml"));
            self.incomplete = true;
        }
        let mut sections: Vec<_> = folders.iter().filter_map(|folder| self.section(folder)).collect();
        sections.sort_by_key(|section: &Section| number(&section.number));
        self.unused_values(&tree.join("values.yaml"), values.as_deref().unwrap_or_default());
        let profiles = self.profiles(&folder.join("profiles"), &sections);
        let file = file?;
        let benchmark = Benchmark {
            id: self.name(&path, &file.id),
            title: self.title(&path, &file.title),
            version: self.line(&path, &file.version),
            date: self.date(&path, &file.date),
            description: self.markup(&path, &file.description),
            reference: format!(
                "{}, revision {} of {}",
                self.title(&path, &file.reference.title),
                self.line(&path, &file.reference.revision),
                self.date(&path, &file.reference.date)
            ),
            platform: Platform {
                cpe: self.application_cpe(&path, &file.platform.cpe),
                title: self.title(&path, &file.platform.title),
                // Told above, like everything that is none.
                resources: resources.unwrap_or_default(),
            },
            node: NodePlatform {
                cpe: self.node_cpe(&path, &file.node.cpe),
                title: self.title(&path, &file.node.title),
            },
            values: self.values.take().unwrap_or_default(),
            sections,
            profiles,
        };
        Some(benchmark)
    }

    /// The platform's resources; none if one is wrong.
    fn platform_resources(&mut self, path: &Path, file: &PlatformFile) -> Option<Vec<Resource>> {
        if file.resources.value.is_empty() {
            let message = "name a resource of which the API tells whether the product is installed";
            self.error(Diagnostic::at(path, place(file.resources.referenced), message));
            return None;
        }
        let resources: Vec<_> =
            file.resources.value.iter().map(|file| self.resource(path, &file.api, &file.resource)).collect();
        resources.into_iter().collect()
    }

    /// Reads the values, and gives the ids with their places.
    fn values(&mut self, path: &Path) -> Option<Vec<Text>> {
        let Some(files) = self.read::<Vec<ValueFile>>(path) else {
            self.incomplete = true;
            return None;
        };
        let mut values: Vec<Value> = Vec::new();
        for file in &files {
            let id = self.line(path, &file.id);
            let rest = id.strip_prefix("var_").unwrap_or_default();
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if rest.is_empty() || !rest.chars().all(legal) {
                let help = "write var_ and then lower-case letters, digits and underscores: the Compliance Operator loses results of a value with a hyphen in its id";
                self.wrong_help(path, &file.id, format!("'{id}' is no id of a value"), help);
            }
            if values.iter().any(|value| value.id == id) {
                self.wrong(path, &file.id, format!("the value '{id}' is there twice"));
            }
            self.pattern(path, &file.default);
            values.push(Value {
                id,
                title: self.title(path, &file.title),
                description: self.markup(path, &file.description),
                default: file.default.value.clone(),
            });
        }
        self.values = Some(values);
        Some(files.into_iter().map(|file| file.id).collect())
    }

    /// An auditor who sets a value expects that it changes something.
    fn unused_values(&mut self, path: &Path, ids: &[Text]) {
        for id in ids {
            if !self.incomplete && !self.used_values.contains(&id.value) {
                self.wrong(path, id, format!("no rule uses the value '{}'", id.value));
            }
        }
    }

    fn section(&mut self, folder: &Path) -> Option<Section> {
        let path = folder.join("section.yaml");
        let file: Option<SectionFile> = self.read(&path);
        let folders = self.folders(folder, &["section.yaml"]);
        if folders.is_empty() {
            let message = "there is no rule in this section; make a folder with rule.yaml and cases.yaml";
            self.error(Diagnostic::of_file(folder, message));
        }
        let section = file.as_ref().map(|file| file.number.value.trim().to_owned());
        let section = section.filter(|number| is_number(number));
        let mut rules: Vec<_> =
            folders.iter().filter_map(|folder| self.rule(folder, section.as_deref())).collect();
        rules.sort_by_key(|rule| number(&rule.section));
        let file = file?;
        let section = Section {
            number: self.line(&path, &file.number),
            title: self.title(&path, &file.title),
            description: self.markup(&path, &file.description),
            rules,
        };
        if !is_number(&section.number) {
            let message =
                format!("'{}' is no number of a section; write it as \"1\", in quotes", section.number);
            self.wrong(&path, &file.number, message);
        }
        self.only_one("section", &path, &file.number);
        Some(section)
    }

    /// Tells if something else has the same text.
    fn only_one(&mut self, what: &'static str, path: &Path, text: &Text) {
        let key = (what, text.value.trim().to_owned());
        match self.taken.get(&key) {
            Some(other) => {
                let message = format!("the {what} {} is there already, in {}", key.1, other.display());
                self.wrong(path, text, message);
            }
            None => {
                self.taken.insert(key, path.to_owned());
            }
        }
    }

    fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

/// A section's number in an order that has 1.10 behind 1.9.
fn number(section: &str) -> Vec<u32> {
    section.split('.').map(|part| part.parse().unwrap_or(u32::MAX)).collect()
}
