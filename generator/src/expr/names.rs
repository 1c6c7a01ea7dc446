//! Names: which ones a variable or a plain field access can have, and which one an author may have meant.

const CEL_RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

const JQ_RESERVED: &[&str] = &[
    "and", "as", "catch", "def", "elif", "else", "end", "false", "foreach", "if", "import", "include",
    "label", "module", "not", "null", "or", "reduce", "then", "true", "try",
];

/// The names that strict CEL compares `type(x)` with. A variable of that name would hide the type.
const CEL_TYPES: &[&str] = &[
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "timestamp",
    "type",
    "uint",
];

/// Why a variable cannot have this name, if so.
pub(super) fn reserved_variable(name: &str) -> Option<&'static str> {
    if CEL_RESERVED.contains(&name) {
        Some("a reserved word of CEL")
    } else if CEL_TYPES.contains(&name) {
        Some("the name of a CEL type")
    } else if JQ_RESERVED.contains(&name) || name == "ENV" {
        Some("a reserved word of jq")
    } else if name.starts_with("__") {
        Some("reserved, as every name with two leading underscores")
    } else {
        None
    }
}

/// Whether CEL reads `x.key`.
pub(super) fn is_cel_field(key: &str) -> bool {
    is_identifier(key) && !CEL_RESERVED.contains(&key)
}

/// Whether every jq reads `.key`.
pub(super) fn is_jq_field(key: &str) -> bool {
    is_identifier(key) && !JQ_RESERVED.contains(&key) && !key.starts_with("__")
}

fn is_identifier(key: &str) -> bool {
    !key.starts_with(|c: char| c.is_ascii_digit())
        && !key.is_empty()
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The name among `known` with the fewest edits from `name`, the first of equals; none where none is like it.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let edits = |candidate: &str| strsim::levenshtein(name, candidate);
    let nearest = known.iter().copied().min_by_key(|candidate| edits(candidate))?;
    (edits(nearest) <= name.chars().count().max(3) / 2).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_a_name_that_is_like_it_is_near() {
        assert_eq!(nearest("vmm", &["node", "vm"]), Some("vm"));
        assert_eq!(nearest("True", &["vm"]), None);
        assert_eq!(nearest("vmm", &[]), None);
    }
}
