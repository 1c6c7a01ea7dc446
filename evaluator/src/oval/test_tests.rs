//! Tests of the evaluation of tests.

use super::*;
use Existence::{AllExist, AnyExist, AtLeastOneExists, NoneExist, OnlyOneExists};
use OvalResult::{Error as E, False as F, True as T, Unknown as U};

#[test]
fn existence_follows_the_flag() {
    // all, any, at least one, none, only one
    let wanted = [AllExist, AnyExist, AtLeastOneExists, NoneExist, OnlyOneExists];
    let table = [
        (Flag::Complete, 1, [T, T, T, F, T]),
        (Flag::Complete, 2, [T, T, T, F, F]),
        (Flag::DoesNotExist, 0, [F, T, F, T, F]),
        (Flag::Error, 1, [E, E, E, E, E]),
        (Flag::NotCollected, 0, [U, U, U, U, U]),
        (Flag::Incomplete, 1, [U, T, T, F, U]),
        (Flag::Incomplete, 0, [U, T, U, U, U]),
    ];
    for (flag, items, expected) in table {
        for (wanted, expected) in wanted.into_iter().zip(expected) {
            assert_eq!(
                existence(wanted, flag, Existing { exist: items, errors: 0 }, true),
                expected,
                "{flag} {wanted}"
            );
        }
    }
    assert_eq!(existence(AnyExist, Flag::Error, Existing::default(), false), T);
}

/// A test that is content with nothing is true where there is no file, and undecided where the file's data could not
/// be had.
#[test]
fn nothing_found_is_not_the_same_as_not_had() {
    use crate::dump::{Dump, DumpFile};
    use virtscap_scap::id::{ObjectId, TestId};
    use virtscap_scap::oval::{Entity, Object, ObjectKind, Operator, OvalDefinitions};
    let file = "/kubernetes-api-resources/x";
    let object = ObjectId::new("oval:x:obj:1");
    let test = |id: &str, check_existence| Test {
        id: TestId::new(id),
        version: "1".to_owned(),
        comment: String::new(),
        check: Check::All,
        check_existence,
        state_operator: Operator::And,
        kind: TestKind::of(TestType::YamlFileContent, object.clone(), Vec::new()),
    };
    let oval = OvalDefinitions {
        tests: vec![test("oval:x:tst:1", NoneExist), test("oval:x:tst:2", AnyExist)],
        objects: vec![Object {
            id: object.clone(),
            version: "1".to_owned(),
            comment: None,
            kind: ObjectKind::plain(
                TestType::YamlFileContent,
                vec![("filepath", Some(Entity::equals(file))), ("yamlpath", Some(Entity::equals("[:]")))],
            ),
        }],
        ..OvalDefinitions::default()
    };
    let nothing = Dump::default();
    let mut refused = Dump::default();
    refused.insert(file.to_owned(), DumpFile::Absent { reason: "forbidden".to_owned() });
    for (dump, expected) in [(&nothing, T), (&refused, U)] {
        let mut session = Session::new(&oval, dump, crate::oval::ExternalValues::new());
        for test in &oval.tests {
            assert_eq!(session.evaluate_test(test).result, expected, "{}", test.check_existence);
        }
    }
}
