//! The HTML report: one self-contained file.
//!
//! The file asks for nothing from the net, reads well without its script, and is well-formed XML at the same time
//! (polyglot markup), so that XML tools can read it. The template is `report.html.tera`.

mod format;
mod guide;
mod look;
mod markup;
mod nodes;
mod oval;
mod page;

use super::nodes::NodesReport;
use super::{Report, ReportTexts, SourceReport};
use crate::oval_scan::OvalScan;
use crate::scan::Prepared;

const TEMPLATE: &str = include_str!("html/report.html.tera");
const GUIDE: &str = include_str!("html/guide.html.tera");
const NODES: &str = include_str!("html/nodes.html.tera");
const OVAL: &str = include_str!("html/oval.html.tera");
const STYLE: &str = include_str!("html/report.css");
const SCRIPT: &str = include_str!("html/report.js");

// Tera escapes by the end of the name.
const TEMPLATE_NAME: &str = "report.html";

/// The HTML report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum HtmlError {
    /// The template is wrong, or does not fit the data.
    #[error("the template of the HTML report failed: {0}")]
    Template(#[from] tera::Error),
}

/// The report as one HTML file.
///
/// The same report and texts give the same bytes.
///
/// # Errors
/// [`HtmlError::Template`] where the template does not fit the data.
pub fn render(report: &Report, texts: &ReportTexts) -> Result<String, HtmlError> {
    fill(TEMPLATE, &page::Page::new(report, texts))
}

/// A guide as one HTML file: the rules that the profile selects, with their texts.
///
/// # Errors
/// [`HtmlError::Template`] where the template does not fit the data.
pub fn guide(prepared: &Prepared<'_>) -> Result<String, HtmlError> {
    fill(GUIDE, &guide::Guide::new(prepared))
}

/// The summary of a scan of nodes as one HTML file. With `links`, each node leads to `nodes/NODE.html` beside it.
///
/// # Errors
/// [`HtmlError::Template`] where the template does not fit the data.
pub fn nodes(report: &NodesReport, links: bool) -> Result<String, HtmlError> {
    fill(NODES, &nodes::NodesPage::new(report, links))
}

/// Results in OVAL as one HTML file; `file` is the name of the definitions.
///
/// # Errors
/// [`HtmlError::Template`] where the template does not fit the data.
pub fn oval(scan: &OvalScan, file: &str, source: &SourceReport, time: &str) -> Result<String, HtmlError> {
    fill(OVAL, &oval::OvalPage::new(scan, file, source, time))
}

fn fill(template: &str, data: &impl serde::Serialize) -> Result<String, HtmlError> {
    let mut tera = tera::Tera::default();
    tera.set_escape_fn(|text, out| out.write_all(markup::escape(text).as_bytes()));
    tera.add_raw_template(TEMPLATE_NAME, template)?;
    Ok(tera.render(TEMPLATE_NAME, &tera::Context::from_serialize(data)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_are_the_same_in_html_and_xml() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains(['<', '&', '\r']) && !text.contains("]]>"));
        }
    }
}
