//! How OpenSCAP types and prints a scalar.

use std::borrow::Cow;

use super::c_str;

/// The prefix of the tags that have a meaning.
const CORE: &str = "tag:yaml.org,2002:";

/// A scalar with the type that OpenSCAP gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// Quoted, tagged `!` or `!!str` or with a foreign tag, or of no other type. A null is the string `(null)`.
    String(String),
    /// Always within 32 bits: OpenSCAP cuts what is larger (`4294967297` is 1).
    Int(i64),
    /// A float, also infinite or not a number.
    Float(f64),
    /// `true`, `True`, `TRUE` and their opposites.
    Boolean(bool),
}

impl Scalar {
    /// The text that OpenSCAP writes into the item: `%d`, `%f` (six digits after the point, `inf`, `nan`), `true`, or the
    /// string as it is. The text of a string may hold characters that XML forbids.
    #[must_use]
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::String(text) => Cow::Borrowed(text),
            Self::Int(value) => Cow::Owned(value.to_string()),
            Self::Float(value) if value.is_nan() => Cow::Borrowed("nan"),
            Self::Float(value) => Cow::Owned(format!("{value:.6}")),
            Self::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        }
    }

    /// The OVAL datatype of the field.
    #[must_use]
    pub fn datatype(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Boolean(_) => "boolean",
        }
    }

    /// Types `text`; `None` where its tag asks for a type that the text hasn't ("Can't convert … to SEXP").
    ///
    /// `tag` is the resolved tag; without one a plain scalar is typed by its text and any other is a string.
    pub(super) fn resolve(text: &str, plain: bool, tag: Option<&str>) -> Option<Self> {
        let text = c_str(text);
        let string = || Some(Self::String(text.to_owned()));
        let null = || is_null(text).then(|| Self::String("(null)".to_owned()));
        match tag {
            None if plain => {
                boolean(text).or_else(|| int(text)).or_else(|| float(text)).or_else(null).or_else(string)
            }
            None => string(),
            Some(tag) => match tag.strip_prefix(CORE) {
                Some("bool") => boolean(text),
                Some("int") => int(text),
                Some("float") => float(text),
                Some("null") => null(),
                _ => string(),
            },
        }
    }
}

/// Drops one final line break, before which the `$` of OpenSCAP's patterns matches too (`!!int "5\n"`).
fn line(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

fn is_null(text: &str) -> bool {
    matches!(line(text), "null" | "Null" | "NULL" | "~" | "")
}

fn boolean(text: &str) -> Option<Scalar> {
    match line(text) {
        "true" | "True" | "TRUE" => Some(Scalar::Boolean(true)),
        "false" | "False" | "FALSE" => Some(Scalar::Boolean(false)),
        _ => None,
    }
}

fn int(text: &str) -> Option<Scalar> {
    let text = line(text);
    let (digits, radix, negative) = if let Some(digits) = text.strip_prefix("0o") {
        (digits, 8, false)
    } else if let Some(digits) = text.strip_prefix("0x") {
        (digits, 16, false)
    } else {
        // A leading zero is no octal prefix: 0777 is 777.
        (unsigned(text), 10, text.starts_with('-'))
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits.chars() {
        let digit = i64::from(digit.to_digit(radix)?);
        // strtol saturates at 64 bits …
        value = value.saturating_mul(i64::from(radix)).saturating_add(if negative { -digit } else { digit });
    }
    // … and the result goes through a C int.
    #[allow(clippy::cast_possible_truncation)]
    Some(Scalar::Int(i64::from(value as i32)))
}

fn float(text: &str) -> Option<Scalar> {
    let text = line(text);
    let negative = text.starts_with('-');
    match unsigned(text) {
        ".inf" | ".Inf" | ".INF" => {
            Some(Scalar::Float(if negative { f64::NEG_INFINITY } else { f64::INFINITY }))
        }
        ".nan" | ".NaN" | ".NAN" => (unsigned(text) == text).then_some(Scalar::Float(f64::NAN)),
        decimal if is_decimal(decimal) => text.parse().ok().map(Scalar::Float),
        _ => None,
    }
}

/// `.5`, `5`, `5.` or `5.5`, with an exponent or not.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    };
    let mantissa_ok = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && mantissa.len() > 1,
        None => digits(mantissa) && !mantissa.is_empty(),
    };
    let exponent_ok = exponent.map(unsigned).is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    mantissa_ok && exponent_ok
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        let scalar = Scalar::resolve(text, true, None).unwrap();
        format!("{} {}", scalar.datatype(), scalar.as_text())
    }

    #[test]
    fn near_numbers_are_strings() {
        for text in [
            "0x", "0o", "0o8", "0xg", "-0x1", "+0o7", "+", "-", ".", "-.", "e5", ".e5", "5e", "5e+", "1.2.3",
            "+.nan",
        ] {
            assert_eq!(plain(text), format!("string {text}"));
        }
    }

    #[test]
    fn integers_wrap_at_32_bits_after_saturating_at_64() {
        assert_eq!(plain("2147483648"), "int -2147483648");
        assert_eq!(plain("9223372036854775807"), "int -1");
        assert_eq!(plain("9223372036854775808"), "int -1");
        assert_eq!(plain("-9223372036854775809"), "int 0");
    }

    #[test]
    fn floats_print_like_c() {
        assert_eq!(plain("-0.0"), "float -0.000000");
        assert_eq!(plain("+1.5E+3"), "float 1500.000000");
        assert_eq!(plain("5."), "float 5.000000");
        assert_eq!(plain("1e400"), "float inf");
        assert_eq!(plain("-.INF"), "float -inf");
        assert_eq!(plain(".NaN"), "float nan");
    }

    #[test]
    fn text_ends_at_nul() {
        assert_eq!(Scalar::resolve("a\0b", false, None).unwrap().as_text(), "a");
    }
}
