//! Asset Reporting Format 1.1: content, asset and results of a scan in one document.

use crate::namespace::*;
use crate::oval::results::{OvalResults, ResultsFrame};
use crate::xccdf::results::TestResult;
use crate::xml::XmlWriter;

/// A scan's report, with the ids that `oscap xccdf generate report` and the Compliance Operator expect.
pub struct AssetReport<'a> {
    /// The data stream collection that was evaluated, as a fragment.
    pub collection_xml: &'a str,
    /// Name of what was scanned.
    pub target: &'a str,
    /// The results of the rules.
    pub test_result: &'a TestResult,
    /// The results in OVAL, each with the id of its report: `oval0` for the rules, `oval1` for the platforms.
    pub oval_results: &'a [(String, &'a OvalResults, ResultsFrame<'a>)],
}

impl AssetReport<'_> {
    /// Writes the document.
    pub fn write(&self) -> String {
        let mut w = XmlWriter::document();
        let namespaces =
            [("xmlns:arf", ARF), ("xmlns:core", REPORTING_CORE), ("xmlns:ai", ASSET_IDENTIFICATION)];
        w.element("arf:asset-report-collection", &namespaces, |w| {
            w.element("core:relationships", &[("xmlns:arfvocab", ARF_VOCABULARY)], |w| {
                for (kind, reference) in
                    [("arfvocab:createdFor", "collection1"), ("arfvocab:isAbout", "asset0")]
                {
                    w.element("core:relationship", &[("type", kind), ("subject", "xccdf1")], |w| {
                        w.text_element("core:ref", &[], reference);
                    });
                }
            });
            w.element("arf:report-requests", &[], |w| {
                w.element("arf:report-request", &[("id", "collection1")], |w| {
                    w.element("arf:content", &[], |w| w.raw(&format!("\n{}\n", self.collection_xml)));
                });
            });
            w.element("arf:assets", &[], |w| {
                w.element("arf:asset", &[("id", "asset0")], |w| {
                    w.element("ai:computing-device", &[], |w| {
                        w.text_element("ai:hostname", &[], &host_name(self.target));
                    });
                });
            });
            w.element("arf:reports", &[], |w| {
                report("xccdf1", w, |w| self.test_result.write(w));
                for (id, results, frame) in self.oval_results {
                    report(id, w, |w| results.write(frame, w));
                }
            });
        });
        w.finish()
    }
}

/// The end of the target's path in the letters that asset identification allows in a host's name.
fn host_name(target: &str) -> String {
    let name = target.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
    if name.is_empty() { "unknown".to_owned() } else { name.chars().map(legal).collect() }
}

fn report(id: &str, w: &mut XmlWriter, content: impl FnOnce(&mut XmlWriter)) {
    w.element("arf:report", &[("id", id)], |w| w.element("arf:content", &[], content));
}
