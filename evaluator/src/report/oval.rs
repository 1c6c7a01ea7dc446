//! Results in OVAL, as documents of their own.

use virtscap_scap::oval::Generator;
use virtscap_scap::oval::results::{OvalResults, ResultsFrame, SystemInfo};
use virtscap_scap::xml::{ReadError, XmlWriter};

use crate::scan::Scan;

/// Who wrote results, for those that end at `time`.
pub(crate) fn generator(time: &str) -> Generator {
    Generator {
        product_name: Some("cpe:/a:virtscap:virtscap".to_owned()),
        product_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        schema_version: "5.11".to_owned(),
        timestamp: time.trim_end_matches('Z').to_owned(),
    }
}

/// An `oval_results` document; `definitions_xml` is the `oval_definitions` element.
pub fn document(results: &OvalResults, definitions_xml: &str, system: &SystemInfo, time: &str) -> String {
    let generator = generator(time);
    let frame = ResultsFrame { generator: &generator, definitions_xml, system };
    let mut w = XmlWriter::document();
    results.write(&frame, &mut w);
    w.finish()
}

/// The results of a scan in OVAL.
#[derive(Debug, Clone)]
pub struct ScanDocument {
    /// How rule-results refer to it, such as `oval0`.
    pub report: String,
    /// Id of the component that holds the definitions.
    pub component: String,
    /// The document.
    pub xml: String,
}

/// The results of a scan in OVAL, a document per evaluation of definitions.
///
/// # Errors
/// [`ReadError`] where the content is not what it was when it was read.
pub fn documents(scan: &Scan<'_>) -> Result<Vec<ScanDocument>, ReadError> {
    let documents = scan.evaluation.components().map(|component| {
        let definitions = scan.content.component_xml(&component.component)?;
        let result = &scan.test_result;
        Ok(ScanDocument {
            report: component.report.clone(),
            component: component.component.clone(),
            xml: document(&component.results, &definitions, &scan.system, &result.end_time),
        })
    });
    documents.collect()
}
