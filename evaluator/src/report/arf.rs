//! ARF and XCCDF results files.

use virtscap_scap::arf::AssetReport;
use virtscap_scap::oval::results::ResultsFrame;
use virtscap_scap::xml::{ReadError, XmlWriter};

use super::oval::generator;
use crate::scan::Scan;
use crate::xccdf::OvalComponent;

/// The scan as an ARF 1.1 document: content, results of rules, results in OVAL with what was collected.
///
/// # Errors
/// [`ReadError`] where the content is not what it was when it was read.
pub fn asset_report(scan: &Scan<'_>) -> Result<String, ReadError> {
    let components: Vec<&OvalComponent> = scan.evaluation.components().collect();
    let definitions =
        components.iter().map(|c| scan.content.component_xml(&c.component)).collect::<Result<Vec<_>, _>>()?;
    let generator = generator(&scan.test_result.end_time);
    let oval_results: Vec<_> = components
        .iter()
        .zip(&definitions)
        .map(|(component, definitions_xml)| {
            let frame = ResultsFrame { generator: &generator, definitions_xml, system: &scan.system };
            (component.report.clone(), &component.results, frame)
        })
        .collect();
    let report = AssetReport {
        collection_xml: scan.content.root_xml()?,
        target: &scan.test_result.target,
        test_result: &scan.test_result,
        oval_results: &oval_results,
    };
    Ok(report.write())
}

/// The scan as an XCCDF results document: the benchmark as it was written, with the `TestResult` at its end.
///
/// # Errors
/// [`ReadError`] where the content is not what it was when it was read.
pub fn xccdf_results(scan: &Scan<'_>) -> Result<String, ReadError> {
    let component = scan.test_result.benchmark_href.trim_start_matches('#');
    let benchmark = scan.content.component_xml(component)?;
    let mut w = XmlWriter::fragment();
    scan.test_result.write(&mut w);
    let test_result = w.finish();
    let end = benchmark.rfind("</").unwrap_or(benchmark.len());
    let (before, after) = benchmark.split_at(end);
    Ok(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{before}{test_result}{after}\n"))
}
