//! Reading and checking of profiles.

use std::path::Path;

use super::Loader;
use super::source::place;
use crate::diagnostic::{Diagnostic, Place};
use crate::file::ProfileFile;
use crate::model::{Profile, ProfileSelection, Rule, Scope, Section};

impl Loader {
    /// Reads the profiles; the sections are those that could be read.
    pub(super) fn profiles(&mut self, folder: &Path, sections: &[Section]) -> Vec<Profile> {
        let before = self.diagnostics.len();
        let mut profiles = Vec::new();
        for path in self.entries(folder) {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("yaml") => profiles.extend(self.profile(&path, sections)),
                Some("yml") => self.nothing_else(&[path], &["PROFILE.yaml"]),
                _ => {}
            }
        }
        if profiles.is_empty() && self.diagnostics.len() == before {
            let message = "there is no profile; write a file PROFILE.yaml with id, title, description and levels or chapters";
            self.error(Diagnostic::of_file(folder, message));
        }
        // Platform profiles first, as `level-1` before `level-1-node`.
        profiles.sort_by(|a, b| (a.scope, &a.id).cmp(&(b.scope, &b.id)));
        profiles
    }

    fn profile(&mut self, path: &Path, sections: &[Section]) -> Option<Profile> {
        let file = self.read::<ProfileFile>(path)?;
        let id = self.object_name(path, &file.id);
        if path.file_stem().and_then(|stem| stem.to_str()) != Some(&id) {
            self.wrong(path, &file.id, format!("the profile '{id}' has to be in a file {id}.yaml"));
        }
        let scope = match file.scope.as_ref() {
            None => Scope::Platform,
            Some(text) => match [Scope::Platform, Scope::Node].into_iter().find(|s| s.as_str() == text.value)
            {
                Some(scope) => scope,
                None => {
                    self.wrong(path, text, format!("'{}' is no scope; write platform or node", text.value));
                    return None;
                }
            },
        };
        let rules: Vec<_> =
            sections.iter().flat_map(|s| &s.rules).filter(|rule| rule.scope() == scope).collect();
        Some(Profile {
            id,
            title: self.title(path, &file.title),
            description: self.markup(path, &file.description),
            scope,
            selection: self.profile_selection(path, &file, &rules)?,
        })
    }

    fn profile_selection(
        &mut self,
        path: &Path,
        file: &ProfileFile,
        rules: &[&Rule],
    ) -> Option<ProfileSelection> {
        match (&file.levels, &file.chapters) {
            (Some(levels), None) => {
                if levels.value.is_empty() {
                    let message = "the profile selects no rule; name a level";
                    self.error(Diagnostic::at(path, place(levels.referenced), message));
                }
                let mut selected = Vec::new();
                for level in &levels.value {
                    let used = rules.iter().any(|rule| rule.level == Some(level.value));
                    self.selects(path, place(level.referenced), "level", level.value, used, &mut selected);
                }
                Some(ProfileSelection::Levels(selected))
            }
            (None, Some(chapters)) => {
                if chapters.value.is_empty() {
                    let message = "the profile selects no rule; name a section's number";
                    self.error(Diagnostic::at(path, place(chapters.referenced), message));
                }
                let mut selected = Vec::new();
                for chapter in &chapters.value {
                    let number = self.line(path, chapter);
                    let used = rules.iter().any(|rule| rule.chapter() == number);
                    self.selects(path, place(chapter.referenced), "section", number, used, &mut selected);
                }
                Some(ProfileSelection::Chapters(selected))
            }
            _ => {
                let message = "a profile selects by 'levels' or by 'chapters', the numbers of sections";
                self.wrong(path, &file.id, message);
                None
            }
        }
    }

    /// Adds what a profile selects to the rest of it, unless it is there twice, or no rule has it.
    fn selects<T: PartialEq + std::fmt::Display>(
        &mut self,
        path: &Path,
        at: Place,
        what: &str,
        selected: T,
        used: bool,
        all: &mut Vec<T>,
    ) {
        if all.contains(&selected) {
            self.error(Diagnostic::at(path, at, format!("the {what} {selected} is there twice")));
        } else if !self.incomplete && !used {
            self.error(Diagnostic::at(path, at, format!("no rule of this scope has {what} {selected}")));
        } else {
            all.push(selected);
        }
    }
}
