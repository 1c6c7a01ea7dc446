#![allow(clippy::unwrap_used)]

use super::*;
use crate::dump::{Dump, DumpFile};
use crate::oval::ExternalValues;
use virtscap_scap::oval::OvalDefinitions;

const PATH: &str = "/kubernetes-api-resources/apis/a.example/v1/things#1";
const OTHER: &str = "/kubernetes-api-resources/apis/a.example/v1/covers#1";

/// A definition of one test. `check` are its attributes, `state` is what stands in the state's value.
fn definitions(check: &str, state: &str, variable: &str) -> OvalDefinitions {
    let xml = format!(
        r##"<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5"
  xmlns:o="http://oval.mitre.org/XMLSchema/oval-common-5" xmlns:i="http://oval.mitre.org/XMLSchema/oval-definitions-5#independent">
<generator><o:schema_version>5.11</o:schema_version><o:timestamp>2026-01-01T00:00:00</o:timestamp></generator>
<definitions><definition id="oval:t:def:1" version="1" class="compliance"><metadata><title>t</title><description>t</description></metadata>
<criteria><criterion test_ref="oval:t:tst:1"/></criteria></definition></definitions>
<tests><i:yamlfilecontent_test id="oval:t:tst:1" version="1" comment="t" {check}>
<i:object object_ref="oval:t:obj:1"/><i:state state_ref="oval:t:ste:1"/></i:yamlfilecontent_test></tests>
<objects>
<i:yamlfilecontent_object id="oval:t:obj:1" version="1"><i:filepath>{PATH}</i:filepath><i:yamlpath>[:]</i:yamlpath></i:yamlfilecontent_object>
<i:yamlfilecontent_object id="oval:t:obj:2" version="1"><i:filepath>{OTHER}</i:filepath><i:yamlpath>[:]</i:yamlpath></i:yamlfilecontent_object>
</objects>
<states><i:yamlfilecontent_state id="oval:t:ste:1" version="1"><i:value datatype="record">{state}</i:value></i:yamlfilecontent_state></states>
<variables>{variable}</variables></oval_definitions>"##
    );
    let document = roxmltree::Document::parse(&xml).unwrap();
    OvalDefinitions::read(document.root_element()).unwrap()
}

const ALL: &str = r#"check="all" check_existence="at_least_one_exists""#;
const NONE: &str = r#"check="none satisfy" check_existence="at_least_one_exists""#;
const MARKER: &str = r##"<field name="#" entity_check="at least one">@collected</field>"##;
const VERDICT: &str = r##"<field name="#">@collected</field>"##;
const COVERED: &str =
    r##"<field name="#" operation="pattern match" var_ref="oval:t:var:1" var_check="at least one"/>"##;
const UNUSED: &str = r##"<field name="#" operation="pattern match" entity_check="none satisfy" var_ref="oval:t:var:1" var_check="at least one"/>"##;
const STRINGS: &str = r##"<local_variable id="oval:t:var:1" version="1" datatype="string" comment="t"><object_component object_ref="oval:t:obj:2" item_field="value" record_field="#"/></local_variable>"##;
const COUNTED: &str = r##"<local_variable id="oval:t:var:1" version="1" datatype="string" comment="t"><count><object_component object_ref="oval:t:obj:2" item_field="value" record_field="#"/></count></local_variable>"##;

const GOOD: &str = r#"["@collected"]"#;
const BAD: &str = r#"["@collected","x"]"#;

#[test]
fn what_added_data_could_change_does_not_stay() {
    use GapKind::{Damaged, NoneGiven, Partial};
    use OvalResult::{False, NotEvaluated, True, Unknown};
    let covers = r#"["^@"]"#;
    // Check, state, variable, document, gap in it, document of covers, gap in it: plain result, and what stays.
    let cases = [
        ("the marker stays", ALL, MARKER, "", BAD, Some(Partial), covers, None, True, True),
        ("no marker", ALL, MARKER, "", r#"["@other"]"#, Some(Partial), covers, None, False, NotEvaluated),
        ("no offender so far", ALL, VERDICT, "", GOOD, Some(Partial), covers, None, True, NotEvaluated),
        ("an offender", ALL, VERDICT, "", BAD, Some(Partial), covers, None, False, False),
        ("an offender beside damage", ALL, VERDICT, "", BAD, Some(Damaged), covers, None, False, False),
        ("damage", ALL, VERDICT, "", GOOD, Some(Damaged), covers, None, True, Unknown),
        ("the marker beside damage", ALL, MARKER, "", GOOD, Some(Damaged), covers, None, True, Unknown),
        ("none given", ALL, VERDICT, "", GOOD, Some(NoneGiven), covers, None, True, NotEvaluated),
        (
            "another document",
            ALL,
            MARKER,
            "",
            r#"["x","@collected"]"#,
            Some(Partial),
            covers,
            None,
            True,
            NotEvaluated,
        ),
        (
            "another document that is false",
            ALL,
            VERDICT,
            "",
            r#"["x"]"#,
            Some(Partial),
            covers,
            None,
            False,
            NotEvaluated,
        ),
        ("none may satisfy, and one does", NONE, MARKER, "", GOOD, Some(Partial), covers, None, False, False),
        (
            "none may satisfy, and none does",
            NONE,
            MARKER,
            "",
            r#"["@x"]"#,
            Some(Partial),
            covers,
            None,
            True,
            NotEvaluated,
        ),
        ("not covered", ALL, COVERED, STRINGS, BAD, None, covers, Some(Partial), False, NotEvaluated),
        ("covered", ALL, COVERED, STRINGS, GOOD, None, covers, Some(Partial), True, True),
        ("covered beside damage", ALL, COVERED, STRINGS, GOOD, None, covers, Some(Damaged), True, Unknown),
        ("used", ALL, UNUSED, STRINGS, BAD, None, r#"["^@none$","x"]"#, Some(Partial), False, False),
        ("not used", ALL, UNUSED, STRINGS, BAD, None, r#"["^@none$"]"#, Some(Partial), True, NotEvaluated),
        (
            "counted",
            ALL,
            UNUSED,
            COUNTED,
            r#"["@1","1"]"#,
            None,
            r#"["^@none$"]"#,
            Some(Partial),
            False,
            NotEvaluated,
        ),
        (
            "joined with what is not given",
            ALL,
            COVERED,
            STRINGS,
            GOOD,
            Some(NoneGiven),
            covers,
            None,
            True,
            NotEvaluated,
        ),
    ];
    for (name, check, state, variable, document, gap, other, other_gap, plain, stays) in cases {
        let oval = definitions(check, state, variable);
        let mut dump = Dump::default();
        for (path, text, gap) in [(PATH, document, gap), (OTHER, other, other_gap)] {
            dump.insert(path.to_owned(), DumpFile::Document(text.to_owned()));
            if let Some(kind) = gap {
                dump.note_gap(path.to_owned(), Gap { kind, reason: "a gap".to_owned() });
            }
        }
        let id = DefinitionId::new("oval:t:def:1");
        let mut session = Session::new(&oval, &dump, ExternalValues::new());
        assert_eq!(session.evaluate(&id), plain, "{name}");
        let certain = session.certain(&id).unwrap();
        assert_eq!(certain.result, stays, "{name}");
        assert_eq!(certain.gaps.len(), 1, "{name}");
    }
}

/// Versions settle each other where both are read; what is not there at all is nobody's offence.
#[test]
fn answers_that_are_not_there() {
    let oval = definitions(ALL, VERDICT, "");
    let id = DefinitionId::new("oval:t:def:1");
    let of_version = |version: &str| GapKind::Versions([version.to_owned()].into());
    let absent = DumpFile::Absent { reason: "a gap".to_owned() };
    let cases: [(DumpFile, Option<GapKind>, Option<OvalResult>); 5] = [
        (absent.clone(), Some(GapKind::NotContained), Some(OvalResult::NotEvaluated)),
        (absent, None, None),
        (DumpFile::Document(GOOD.to_owned()), None, None),
        (DumpFile::Document(GOOD.to_owned()), Some(of_version("v1")), None),
        (DumpFile::Document(GOOD.to_owned()), Some(of_version("v2")), Some(OvalResult::NotEvaluated)),
    ];
    for (file, gap, stays) in cases {
        let mut dump = Dump::default();
        dump.insert(PATH.to_owned(), file);
        if let Some(kind) = gap.clone() {
            dump.note_gap(PATH.to_owned(), Gap { kind, reason: "a gap".to_owned() });
        }
        let mut session = Session::new(&oval, &dump, ExternalValues::new());
        session.evaluate(&id);
        assert_eq!(session.certain(&id).map(|certain| certain.result), stays, "{gap:?}");
    }
}
