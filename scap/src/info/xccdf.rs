//! Benchmarks, tailorings and results of rules.

use super::{Out, ProfileProblem, Question, or_null};
use crate::namespace::XCCDF;
use crate::xml::{Node, NodeExt as _, raw_text};

impl Out<'_> {
    pub(super) fn benchmark(&mut self, benchmark: Node<'_, '_>, indent: usize) {
        match self.question {
            Question::Everything => {
                if let Some((status, date)) = status(benchmark) {
                    self.line(indent, &format!("Status: {status}"));
                    if let Some(date) = date {
                        self.line(indent, &format!("Generated: {date}"));
                    }
                }
                let resolved = matches!(benchmark.attribute("resolved"), Some("true" | "1"));
                self.line(indent, &format!("Resolved: {resolved}"));
                self.profiles(benchmark, indent);
                self.referenced_files(benchmark, indent);
                self.results(benchmark, indent);
            }
            Question::Profiles => self.profiles(benchmark, indent),
            Question::Profile(suffix) => self.profile(benchmark, suffix),
        }
    }

    pub(super) fn tailoring(&mut self, tailoring: Node<'_, '_>, indent: usize) {
        let hint = tailoring.child("benchmark").and_then(|node| node.attribute("href")).map(str::to_owned);
        match self.question {
            Question::Everything => {
                self.line(indent, &format!("Benchmark Hint: {}", or_null(hint)));
                self.profiles(tailoring, indent);
            }
            Question::Profiles => {
                self.line(0, &format!("Benchmark Hint: {}", or_null(hint)));
                self.profiles(tailoring, indent);
            }
            Question::Profile(suffix) => self.profile(tailoring, suffix),
        }
    }

    fn profiles(&mut self, of: Node<'_, '_>, indent: usize) {
        let brief = self.question == Question::Profiles;
        if !brief {
            self.line(indent, "Profiles:");
        }
        for profile in of.named("Profile") {
            let title = title(profile);
            let id = profile.attribute("id").unwrap_or("(null)");
            if brief {
                self.line(0, &format!("{id}:{title}"));
                continue;
            }
            self.line(indent + 1, &format!("Title: {title}"));
            let is_abstract = matches!(profile.attribute("abstract"), Some("true" | "1"));
            self.line(indent + 2, &format!("Id: {id}{}", if is_abstract { " (abstract)" } else { "" }));
        }
    }

    fn profile(&mut self, of: Node<'_, '_>, suffix: &str) {
        let id = |profile: &Node<'_, '_>| profile.attribute("id").unwrap_or_default().to_owned();
        let matching: Vec<_> = of.named("Profile").filter(|p| id(p).ends_with(suffix)).collect();
        let exact = matching.iter().find(|profile| id(profile) == suffix);
        match (exact, matching.as_slice()) {
            (Some(profile), _) | (None, [profile]) => {
                self.line(0, "Profile");
                self.line(1, &format!("Title: {}", title(*profile)));
                self.line(1, &format!("Id: {}", id(profile)));
                self.line(0, "");
                let description = profile.child("description").map(|node| node.full_text());
                let description = description.map(|text| text.trim().replace('\n', " "));
                self.line(1, &format!("Description: {}", or_null(description)));
            }
            (None, []) => self.problems.push(ProfileProblem::None(suffix.to_owned())),
            (None, several) => self.problems.push(ProfileProblem::Several {
                suffix: suffix.to_owned(),
                ids: several.iter().map(id).collect(),
            }),
        }
    }

    fn referenced_files(&mut self, benchmark: Node<'_, '_>, indent: usize) {
        self.line(indent, "Referenced check files:");
        let mut seen: Vec<(&str, &str)> = Vec::new();
        for check in benchmark.descendants().filter(|node| node.tag_name().name() == "check") {
            // A rule-result tells once more what its rule does.
            if !check.is(benchmark.tag_name().namespace().unwrap_or_default(), "check")
                || check.parent().is_some_and(|parent| parent.tag_name().name() == "rule-result")
            {
                continue;
            }
            for reference in check.named("check-content-ref") {
                let file = reference.attribute("href").unwrap_or_default();
                let system = check.attribute("system").unwrap_or_default();
                if !seen.contains(&(file, system)) {
                    seen.push((file, system));
                    self.line(indent + 1, file);
                    self.line(indent + 2, &format!("system: {system}"));
                }
            }
        }
    }

    fn results(&mut self, benchmark: Node<'_, '_>, indent: usize) {
        let results: Vec<_> = benchmark.named("TestResult").collect();
        if !results.is_empty() {
            self.line(indent, "Test Results:");
        }
        for result in results {
            self.test_result(result, indent + 1);
        }
    }

    pub(super) fn test_result(&mut self, result: Node<'_, '_>, indent: usize) {
        let attribute = |name: &str| or_null(result.attribute(name).map(str::to_owned));
        let of_child = |child: &str, name: &str| {
            result.elements().find(|node| node.is(XCCDF, child))?.attribute(name).map(str::to_owned)
        };
        self.line(indent, &format!("Result ID: {}", attribute("id")));
        self.line(indent, &format!("Source benchmark: {}", or_null(of_child("benchmark", "href"))));
        let profile = of_child("profile", "idref").unwrap_or_else(|| "(default)".to_owned());
        self.line(indent, &format!("Source profile: {profile}"));
        self.line(indent, &format!("Evaluation started: {}", attribute("start-time")));
        self.line(indent, &format!("Evaluation finished: {}", attribute("end-time")));
        self.line(indent, "Platform CPEs:");
        let platforms: Vec<_> = result.named("platform").filter_map(|p| p.attribute("idref")).collect();
        if platforms.is_empty() {
            self.line(indent + 1, "(none)");
        }
        platforms.into_iter().for_each(|platform| self.line(indent + 1, platform));
    }
}

/// The status of the latest date, and the date.
fn status(benchmark: Node<'_, '_>) -> Option<(String, Option<String>)> {
    let all = benchmark.named("status").map(|node| (node.full_text(), node.attribute("date")));
    let (status, date) = all.max_by(|(_, a), (_, b)| a.cmp(b))?;
    Some((status, date.map(str::to_owned)))
}

/// The title as it stands in the document: oscap does not undo what XML escapes.
fn title(profile: Node<'_, '_>) -> String {
    or_null(profile.child("title").map(raw_text))
}
