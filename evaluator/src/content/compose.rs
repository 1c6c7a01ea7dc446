//! Content that is no data stream yet: an XCCDF file with the files that it refers to, and dictionaries beside them.
//!
//! The files are put together into a data stream, as `oscap ds sds-compose` does, so that everything behind it knows one
//! form only, and an ARF holds the content that was evaluated.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use virtscap_scap::cpe::CpeList;
use virtscap_scap::datastream::{Component, ComponentContent, ComponentRef};
use virtscap_scap::namespace::{CATALOG, CPE_DICT, DS, OVAL_DEF, XCCDF, XLINK};
use virtscap_scap::oval::OvalDefinitions;
use virtscap_scap::xml::{NodeExt as _, ReadError, escape};

use super::{Content, ContentError};

/// A file that content refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The name by which it is referred to.
    pub href: String,
    /// Its text.
    pub xml: String,
}

/// The OVAL documents that a benchmark, or a CPE dictionary, refers to, in the order of the text and each once.
///
/// # Errors
/// [`ReadError`] where the text is no XML.
pub fn referenced(xml: &str) -> Result<Vec<String>, ReadError> {
    let document = roxmltree::Document::parse(xml)?;
    let mut hrefs = Vec::new();
    for check in document.descendants().filter(|node| node.attribute("system") == Some(OVAL_DEF)) {
        let references = match check.tag_name().name() {
            "check" if check.tag_name().namespace() == Some(CPE_DICT) => vec![check],
            "check" => check.named("check-content-ref").collect(),
            _ => continue,
        };
        for href in references.iter().filter_map(|reference| reference.attribute("href")) {
            if !hrefs.iter().any(|known| known == href) {
                hrefs.push(href.to_owned());
            }
        }
    }
    Ok(hrefs)
}

/// The root element of a document as a text: without what stands before and behind it.
fn root_element<'x>(document: &roxmltree::Document<'x>) -> &'x str {
    &document.input_text()[document.root_element().range()]
}

impl Content {
    /// From an XCCDF file, and the files that it refers to. What it refers to and is not given is not checked.
    ///
    /// # Errors
    /// [`ContentError`] where a text is none of what it should be.
    pub fn from_xccdf(name: &str, xml: &str, checks: &[Document]) -> Result<Self, ContentError> {
        let document = roxmltree::Document::parse(xml).map_err(ReadError::from)?;
        if !document.root_element().is(XCCDF, "Benchmark") {
            let found = document.root_element().tag_name().name().to_owned();
            return Err(ReadError::WrongRoot { found, expected: "<Benchmark> of XCCDF 1.2" }.into());
        }
        let mut names = Names::default();
        let benchmark = names.take(name);
        let checks: Vec<_> = checks.iter().map(|check| (names.take(&check.href), check)).collect();
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        // Writing into memory does not fail.
        let _ = writeln!(
            out,
            "<ds:data-stream-collection xmlns:ds=\"{DS}\" xmlns:xlink=\"{XLINK}\" xmlns:cat=\"{CATALOG}\" \
             id=\"scap_org.open-scap_collection_from_xccdf_{benchmark}\" schematron-version=\"1.3\">\n\
             <ds:data-stream id=\"scap_org.open-scap_datastream_from_xccdf_{benchmark}\" scap-version=\"1.3\" \
             use-case=\"OTHER\">\n<ds:checklists>\n\
             <ds:component-ref id=\"scap_org.open-scap_cref_{benchmark}\" \
             xlink:href=\"#scap_org.open-scap_comp_{benchmark}\">\n<cat:catalog>"
        );
        for (id, check) in &checks {
            let href = escape(&check.href);
            let _ = writeln!(out, "<cat:uri name=\"{href}\" uri=\"#scap_org.open-scap_cref_{id}\"/>");
        }
        out.push_str("</cat:catalog>\n</ds:component-ref>\n</ds:checklists>\n<ds:checks>\n");
        for (id, _) in &checks {
            let _ = writeln!(
                out,
                "<ds:component-ref id=\"scap_org.open-scap_cref_{id}\" xlink:href=\"#scap_org.open-scap_comp_{id}\"/>"
            );
        }
        out.push_str("</ds:checks>\n</ds:data-stream>\n");
        let mut all = vec![(benchmark.as_str(), root_element(&document))];
        for (id, check) in &checks {
            let document = roxmltree::Document::parse(&check.xml).map_err(ReadError::from)?;
            all.push((id, root_element(&document)));
        }
        for (id, root) in all {
            let _ = writeln!(
                out,
                "<ds:component id=\"scap_org.open-scap_comp_{id}\" timestamp=\"1970-01-01T00:00:00\">\n{root}\n</ds:component>"
            );
        }
        out.push_str("</ds:data-stream-collection>\n");
        Self::from_xml(out)
    }

    /// Adds a CPE dictionary with the OVAL documents that it refers to. It counts before the content's own, and is not
    /// part of the content's text.
    ///
    /// # Errors
    /// [`ContentError`] where a text is none of what it should be.
    pub fn add_dictionary(&mut self, name: &str, xml: &str, checks: &[Document]) -> Result<(), ContentError> {
        let document = roxmltree::Document::parse(xml).map_err(ReadError::from)?;
        let root = document.root_element();
        if !root.is(CPE_DICT, "cpe-list") {
            let found = root.tag_name().name().to_owned();
            return Err(ReadError::WrongRoot { found, expected: "<cpe-list> of a CPE 2.3 dictionary" }.into());
        }
        // No id of a component has a blank in it, so these meet no other.
        let number = self.extra.len();
        let id = |name: &str| format!("external {number} {name}");
        let reference = |name: &str, catalog| ComponentRef { id: id(name), component: id(name), catalog };
        let mut added =
            vec![self.component(id(name), ComponentContent::CpeList(CpeList::read(root)?), &document)];
        for check in checks {
            let document = roxmltree::Document::parse(&check.xml).map_err(ReadError::from)?;
            let oval = ComponentContent::Oval(OvalDefinitions::read(document.root_element())?);
            added.push(self.component(id(&check.href), oval, &document));
        }
        self.collection.components.extend(added);
        let catalog: Vec<_> = checks.iter().map(|check| (check.href.clone(), id(&check.href))).collect();
        for stream in &mut self.collection.data_streams {
            stream.dictionaries.insert(0, reference(name, catalog.clone()));
            stream.checks.extend(checks.iter().map(|check| reference(&check.href, Vec::new())));
        }
        Ok(())
    }

    fn component(
        &mut self,
        id: String,
        content: ComponentContent,
        document: &roxmltree::Document<'_>,
    ) -> Component {
        self.extra.insert(id.clone(), root_element(document).to_owned());
        Component { id, timestamp: String::new(), content }
    }
}

/// Names as parts of ids, each given once.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn take(&mut self, href: &str) -> String {
        let file = href.rsplit('/').next().unwrap_or(href);
        let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
        let first: String = file.chars().map(legal).collect();
        let mut name = first.clone();
        let mut number = 1;
        while !self.0.insert(name.clone()) {
            number += 1;
            name = format!("{first}-{number}");
        }
        name
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const BENCHMARK: &str = r#"<?xml version="1.0"?>
<!-- a comment -->
<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_a_benchmark_b">
  <title>t</title>
  <Rule id="xccdf_a_rule_r">
    <check system="http://oval.mitre.org/XMLSchema/oval-definitions-5">
      <check-content-ref href="sub/a&amp;b.xml" name="oval:a:def:1"/>
    </check>
    <check system="urn:other"><check-content-ref href="other"/></check>
  </Rule>
</Benchmark>"#;
    const OVAL: &str = r#"<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:o="http://oval.mitre.org/XMLSchema/oval-common-5">
<generator><o:schema_version>5.11</o:schema_version><o:timestamp>2020-01-01T00:00:00</o:timestamp></generator>
</oval_definitions>"#;

    #[test]
    fn files_become_a_data_stream() {
        assert_eq!(referenced(BENCHMARK).unwrap(), ["sub/a&b.xml"]);
        let check = Document { href: "sub/a&b.xml".to_owned(), xml: OVAL.to_owned() };
        let content = Content::from_xccdf("x y.xml", BENCHMARK, &[check]).unwrap();
        let checklist = content.checklist().unwrap();
        assert_eq!(checklist.component_id(), "scap_org.open-scap_comp_x_y.xml");
        let (component, _) = checklist.oval("sub/a&b.xml").unwrap();
        assert_eq!(component, "scap_org.open-scap_comp_a_b.xml");
        assert_eq!(checklist.name_of(component), "sub/a&b.xml");
        assert!(content.component_xml(component).unwrap().starts_with("<oval_definitions"));
    }

    #[test]
    fn a_dictionary_is_beside_the_content() {
        let xml = r#"<cpe-list xmlns="http://cpe.mitre.org/dictionary/2.0"><cpe-item name="cpe:/o:x"><title>X</title>
            <check system="http://oval.mitre.org/XMLSchema/oval-definitions-5" href="o.xml">oval:a:def:1</check>
            </cpe-item></cpe-list>"#;
        assert_eq!(referenced(xml).unwrap(), ["o.xml"]);
        let mut content = Content::from_xccdf("x.xml", BENCHMARK, &[]).unwrap();
        let before = content.xml().to_owned();
        let check = Document { href: "o.xml".to_owned(), xml: OVAL.to_owned() };
        content.add_dictionary("d.xml", xml, &[check]).unwrap();
        assert_eq!(content.xml(), before);
        let checklist = content.checklist().unwrap();
        let name = virtscap_scap::cpe::CpeName::parse("cpe:/o:x").unwrap();
        let found = checklist.platform_checks(&name).remove(0);
        assert_eq!(found.definition.as_str(), "oval:a:def:1");
        assert_eq!(checklist.name_of(found.component), "o.xml");
        assert!(content.component_xml(found.component).unwrap().starts_with("<oval_definitions"));
    }
}
