//! CPE names (NISTIR 7695), in the bound forms of CPE 2.2 and 2.3, and how they match.

/// Number of attributes that a URI has for itself; the others are packed into its edition.
const URI_FIELDS: usize = 7;
/// Number of attributes of a name.
const FIELDS: usize = 11;
/// The place of the edition, which may hold further attributes in a URI.
const EDITION: usize = 5;

/// A name, as the texts of its attributes in the order of the formatted string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpeName {
    fields: Vec<Option<String>>,
}

impl CpeName {
    /// Reads a URI (`cpe:/o:vendor:product`) or a formatted string (`cpe:2.3:o:vendor:product:…`); none for any other
    /// text.
    ///
    /// Well-formed names (`wfn:[…]`) are none either: they are no bound form. OpenSCAP takes them for names without any
    /// attribute, which match every platform there is.
    pub fn parse(text: &str) -> Option<Self> {
        let fields = if let Some(uri) = strip_prefix_ignoring_case(text, "cpe:/") {
            uri_fields(uri)?
        } else {
            formatted_fields(text.strip_prefix("cpe:2.3:")?)?
        };
        let fields = fields.into_iter().map(|field| Some(field).filter(|f| !f.is_empty()));
        Some(Self { fields: fields.collect() })
    }

    /// Whether this name, of what is asked for, matches a name of a dictionary.
    ///
    /// As OpenSCAP does it: each attribute that is given has to be the same, without regard to case, and what is not
    /// given matches anything. `*` and `-` are texts like any other, so a formatted string matches a URI only in the
    /// dictionary's place, and `cpe:/o:x:y` matches `cpe:/o:x:y:9`.
    pub fn matches(&self, listed: &Self) -> bool {
        let given = self.fields.iter().enumerate().filter_map(|(i, field)| Some((i, field.as_ref()?)));
        given.into_iter().all(|(i, field)| {
            let other = listed.fields.get(i).and_then(Option::as_ref);
            other.is_some_and(|other| other.eq_ignore_ascii_case(field))
        })
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The attributes of a URI without its scheme (the pattern `cpe22Type` of the schema).
fn uri_fields(uri: &str) -> Option<Vec<String>> {
    let parts: Vec<_> = uri.split(':').collect();
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-~%".contains(c);
    let (part, rest) = parts.split_first()?;
    let is_part = part.is_empty() || matches!(part.to_ascii_lowercase().as_str(), "a" | "h" | "o");
    if !is_part || parts.len() > URI_FIELDS || !rest.iter().all(|text| text.chars().all(is_allowed)) {
        return None;
    }
    let mut fields = parts.iter().map(|text| decoded(text)).collect::<Option<Vec<_>>>()?;
    let packed = parts.get(EDITION).and_then(|edition| edition.strip_prefix('~')).filter(|p| !p.is_empty());
    if let Some(packed) = packed {
        // `~edition~sw_edition~target_sw~target_hw~other`
        let mut attributes = packed.split('~').map(decoded).collect::<Option<Vec<_>>>()?.into_iter();
        fields[EDITION] = attributes.next().unwrap_or_default();
        fields.resize(URI_FIELDS, String::new());
        fields.extend(attributes.take(FIELDS - URI_FIELDS));
    }
    Some(fields)
}

/// A text with its `%XX` resolved; none where one is malformed.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let value = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(value).ok().filter(|value| *value != 0)?);
    }
    String::from_utf8(bytes).ok()
}

/// The attributes of a formatted string without its prefix; all eleven have to be there.
fn formatted_fields(text: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            ':' => fields.push(String::new()),
            // What is quoted stays quoted, but for a colon, which would end the attribute.
            '\\' => {
                let quoted = characters.next().filter(char::is_ascii_punctuation)?;
                let field = fields.last_mut()?;
                if quoted != ':' {
                    field.push('\\');
                }
                field.push(quoted);
            }
            c if c.is_ascii_alphanumeric() || "._-*?".contains(c) => fields.last_mut()?.push(c),
            _ => return None,
        }
    }
    let is_part = matches!(fields.first()?.as_str(), "a" | "h" | "o" | "*" | "-");
    (is_part && fields.len() == FIELDS && fields.iter().all(|field| !field.is_empty())).then_some(fields)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn matches(wanted: &str, listed: &str) -> bool {
        let name = |text| CpeName::parse(text).unwrap_or_else(|| panic!("{text}"));
        name(wanted).matches(&name(listed))
    }

    #[test]
    fn what_is_not_given_matches_anything() {
        for wanted in
            ["cpe:/o:x:y:9", "cpe:/o:x:y", "cpe:/o", "cpe:/", "CPE:/O:X:y", "cpe:/o::y", "cpe:/o:x:%79:"]
        {
            assert!(matches(wanted, "cpe:/o:x:y:9"), "{wanted}");
        }
        for wanted in ["cpe:/o:x:y:9:u", "cpe:/a:x:y:9", "cpe:/o:x:-", "cpe:2.3:o:x:y:9:*:*:*:*:*:*:*"] {
            assert!(!matches(wanted, "cpe:/o:x:y:9"), "{wanted}");
        }
        assert!(matches("cpe:/o:x:y:9", "cpe:2.3:o:x:y:9:*:*:*:*:*:*:*"));
        assert!(!matches("cpe:2.3:o:x:y:*:*:*:*:*:*:*:*", "cpe:2.3:o:x:y:9:*:*:*:*:*:*:*"));
        assert!(matches(r"cpe:2.3:o:x:a\:b:9:*:*:*:*:*:*:*", r"cpe:2.3:o:x:a\:b:9:*:*:*:*:*:*:*"));
    }

    #[test]
    fn a_uri_packs_attributes_into_its_edition() {
        let listed = "cpe:/a:x:y:1::~ed~sw~tsw~thw~oth";
        for wanted in
            [listed, "cpe:/a:x:y:1::ed", "cpe:/a:x:y:1::~ed~sw", "cpe:2.3:a:x:y:1:u:ed:l:sw:tsw:thw:oth"]
        {
            assert_eq!(matches(wanted, listed), !wanted.contains(":u:"), "{wanted}");
        }
    }

    #[test]
    fn other_texts_are_no_names() {
        let texts =
            ["", "cpe", "cpe:/z:x", "cpe:/o:x y", "cpe:/o:x:%0g", "cpe:/o:x:%00", "cpe:/a:1:2:3:4:5:6:7"];
        let formatted =
            ["cpe:2.3:o:x", "cpe:2.3:o:x:y:9:*:*:*:*:*:*:", "cpe:2.3:z:x:y:9:*:*:*:*:*:*:*", "wfn:[a=b]"];
        for text in texts.into_iter().chain(formatted) {
            assert_eq!(CpeName::parse(text), None, "{text}");
        }
    }
}
