//! XML namespaces, and the prefixes under which virtscap writes them.
//!
//! The Compliance Operator matches `ds:`, `xccdf-1.2:`, `oval-def:`, `ind:`, `ocil:` and `html:` literally, so the
//! prefixes are part of the format and not a matter of taste.

/// SCAP source data stream.
pub const DS: &str = "http://scap.nist.gov/schema/scap/source/1.2";
/// XML catalog, inside a data stream's component references.
pub const CATALOG: &str = "urn:oasis:names:tc:entity:xmlns:xml:catalog";
/// XLink, for component references.
pub const XLINK: &str = "http://www.w3.org/1999/xlink";
/// XCCDF 1.2.
pub const XCCDF: &str = "http://checklists.nist.gov/xccdf/1.2";
/// XHTML, inside XCCDF texts.
pub const XHTML: &str = "http://www.w3.org/1999/xhtml";
/// OVAL common types.
pub const OVAL_COMMON: &str = "http://oval.mitre.org/XMLSchema/oval-common-5";
/// OVAL definitions; also the `system` of an XCCDF check in OVAL.
pub const OVAL_DEF: &str = "http://oval.mitre.org/XMLSchema/oval-definitions-5";
/// OVAL definitions of platform-independent tests.
pub const OVAL_DEF_INDEPENDENT: &str = "http://oval.mitre.org/XMLSchema/oval-definitions-5#independent";
/// OVAL definitions of tests on Unix systems.
pub const OVAL_DEF_UNIX: &str = "http://oval.mitre.org/XMLSchema/oval-definitions-5#unix";
/// OVAL system characteristics of tests on Unix systems.
pub const OVAL_SYS_UNIX: &str = "http://oval.mitre.org/XMLSchema/oval-system-characteristics-5#unix";
/// OVAL definitions of tests on Linux.
pub const OVAL_DEF_LINUX: &str = "http://oval.mitre.org/XMLSchema/oval-definitions-5#linux";
/// OVAL system characteristics of tests on Linux.
pub const OVAL_SYS_LINUX: &str = "http://oval.mitre.org/XMLSchema/oval-system-characteristics-5#linux";
/// OVAL system characteristics.
pub const OVAL_SYS: &str = "http://oval.mitre.org/XMLSchema/oval-system-characteristics-5";
/// OVAL system characteristics of platform-independent tests.
pub const OVAL_SYS_INDEPENDENT: &str =
    "http://oval.mitre.org/XMLSchema/oval-system-characteristics-5#independent";
/// OVAL results.
pub const OVAL_RES: &str = "http://oval.mitre.org/XMLSchema/oval-results-5";
/// OCIL 2.0.
pub const OCIL: &str = "http://scap.nist.gov/schema/ocil/2.0";
/// The `system` of an XCCDF check in OCIL 2.
pub const OCIL_SYSTEM: &str = "http://scap.nist.gov/schema/ocil/2";
/// CPE 2.3 dictionary.
pub const CPE_DICT: &str = "http://cpe.mitre.org/dictionary/2.0";
/// CPE 2.3 applicability language.
pub const CPE_LANG: &str = "http://cpe.mitre.org/language/2.0";
/// XML Schema instance.
pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Asset Reporting Format 1.1.
pub const ARF: &str = "http://scap.nist.gov/schema/asset-reporting-format/1.1";
/// Reporting core, the relationships of an ARF.
pub const REPORTING_CORE: &str = "http://scap.nist.gov/schema/reporting-core/1.1";
/// Vocabulary of ARF relationships.
pub const ARF_VOCABULARY: &str = "http://scap.nist.gov/specifications/arf/vocabulary/relationships/1.0#";
/// Asset identification 1.1.
pub const ASSET_IDENTIFICATION: &str = "http://scap.nist.gov/schema/asset-identification/1.1";
/// virtscap's own metadata on a rule: its section number and level in the guide.
pub const VIRTSCAP: &str = "urn:virtscap:benchmark:1";
/// The `system` of an XCCDF fix that consists of Kubernetes objects.
pub const KUBERNETES_FIX: &str = "urn:xccdf:fix:script:kubernetes";
