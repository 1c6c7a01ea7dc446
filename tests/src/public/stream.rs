//! The public data streams: where they are, and how they are made applicable to a machine that they are not for.

use std::path::{Path, PathBuf};

/// Where the ssg packages of Debian put them.
pub const FOLDER: &str = "/usr/share/xml/scap/ssg/content";

/// The data stream of a product, as `rhel9`.
pub fn path(product: &str) -> PathBuf {
    Path::new(FOLDER).join(format!("ssg-{product}-ds.xml"))
}

/// All products that are installed.
pub fn products() -> Vec<String> {
    let names = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut products: Vec<_> = names
        .filter_map(|name| Some(name.strip_prefix("ssg-")?.strip_suffix("-ds.xml")?.to_owned()))
        .collect();
    products.sort();
    products
}

/// The content without any `<platform idref="…"/>`, so that every rule is applicable. Both tools get the same.
///
/// Every platform is taken away, not only the benchmark's: `#machine` alone makes most rules of a product not
/// applicable in a container, and packages of a foreign kind are never there. CPE is compared where the platforms stay:
/// on ocp4, eks and debian11.
pub fn anywhere(xml: &str) -> String {
    let mut left = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some(start) = rest.find(":platform idref=") {
        let open = rest[..start].rfind('<').unwrap();
        let end = start + rest[start..].find('>').unwrap() + 1;
        left.push_str(&rest[..open]);
        let empty = rest[..end].ends_with("/>");
        rest = &rest[end..];
        if !empty {
            rest = &rest[rest.find('>').unwrap() + 1..];
        }
    }
    left + rest
}

/// Debian 11's content, applicable on Debian 12.
pub fn on_debian_12(xml: &str) -> String {
    let changed = xml.replace("^11.[0-9]+$", "^12.[0-9]+$");
    assert_ne!(changed, xml, "the check for Debian 11 is not there");
    changed
}

/// The content with walks of a whole tree cut off one folder below where they begin, for roots that are too large to
/// walk hundreds of times. Both tools get the same.
pub fn shallow(xml: &str) -> String {
    let xml = xml.replace("max_depth=\"-1\"", "max_depth=\"1\"");
    let mut changed = String::with_capacity(xml.len());
    for line in xml.split_inclusive('\n') {
        let walks = line.contains(":behaviors ") && line.contains("recurse_direction=\"down\"");
        if walks && !line.contains("max_depth=") {
            changed.push_str(&line.replace("recurse_direction=", "max_depth=\"1\" recurse_direction="));
        } else if let Some(start) = line.find(":path operation=\"pattern match\">^\\/") {
            // Alternatives have no plain text in front, so that oscap walks from the root.
            let value = start + line[start..].find('>').unwrap() + 1;
            let end = value + line[value..].find('<').unwrap();
            changed.push_str(&line[..value]);
            changed.push_str("^/usr/local/s?bin");
            changed.push_str(&line[end..]);
        } else {
            changed.push_str(line);
        }
    }
    changed
}

/// The ids of all profiles of the content.
pub fn profiles(xml: &str) -> Vec<String> {
    let starts = xml.split("Profile id=\"").skip(1);
    starts.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}
