//! Assets and their reports.

use super::Out;
use crate::namespace::XCCDF;
use crate::xml::{Node, NodeExt as _};

impl Out<'_> {
    pub(super) fn assets(&mut self, root: Node<'_, '_>) {
        let children = |section: &str, name: &str| -> Vec<Node<'_, '_>> {
            root.child(section).map(|section| section.named(name).collect()).unwrap_or_default()
        };
        let relationships: Vec<_> = children("relationships", "relationship");
        let related = |kind: &str, subject: &str| -> Option<String> {
            let found = relationships.iter().find(|node| {
                let is_kind = node.attribute("type").is_some_and(|t| t.rsplit(':').next() == Some(kind));
                is_kind && node.attribute("subject") == Some(subject)
            })?;
            Some(found.child("ref")?.full_text().trim().to_owned())
        };
        for asset in children("assets", "asset") {
            let id = asset.attribute("id").unwrap_or("(null)");
            self.line(0, "");
            self.line(0, &format!("Asset: {id}"));
            for report in children("reports", "report") {
                let name = report.attribute("id").unwrap_or_default();
                if related("isAbout", name).as_deref() != Some(id) {
                    continue;
                }
                self.line(1, &format!("ARF report: {name}"));
                if let Some(request) = related("createdFor", name) {
                    self.line(2, &format!("Report request: {request}"));
                }
                let content = report.child("content").and_then(|content| content.elements().next());
                if let Some(result) = content.filter(|node| node.is(XCCDF, "TestResult")) {
                    self.test_result(result, 2);
                }
            }
        }
    }
}
