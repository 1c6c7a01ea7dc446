//! The HTML report: one self-contained file.
//!
//! The file asks for nothing from the net, reads well without its script, and is well-formed XML at the same time
//! (polyglot markup), so that XML tools can read it. The template is `report.html.tera`.

mod format;
mod look;
mod markup;
mod page;

use super::{Report, ReportTexts};

const TEMPLATE: &str = include_str!("html/report.html.tera");
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
    let mut tera = tera::Tera::default();
    tera.set_escape_fn(|text, out| out.write_all(markup::escape(text).as_bytes()));
    tera.add_raw_template(TEMPLATE_NAME, TEMPLATE)?;
    let context = tera::Context::from_serialize(&page::Page::new(report, texts))?;
    Ok(tera.render(TEMPLATE_NAME, &context)?)
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
