//! Reads one page of an answer, item by item.

use std::fmt;
use std::io::{BufRead, BufReader, Read};

use jaq_json::{Map, Val};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::filter::fields::Fields;
use crate::filter::project::Wanted;
use crate::source::{Format, Refusal};

/// What takes the items as they come.
pub(super) type Take<'a> = &'a mut dyn FnMut(Val);

/// An answer without its items.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    /// All fields; `items` stands for the list that was taken, and is empty.
    fields: Map,
    /// Whether it has a list of items.
    pub(super) is_list: bool,
}

impl Envelope {
    /// That of a list whose items come one by one.
    pub(super) fn empty_list() -> Self {
        let mut fields = Map::default();
        fields.insert(key("kind"), Val::utf8_str(b"List".to_vec()));
        fields.insert(key("items"), std::iter::empty::<Val>().collect());
        Self { fields, is_list: true }
    }

    /// The answer, with these items.
    pub(super) fn with_items(mut self, items: Vec<Val>) -> Val {
        if self.is_list {
            self.fields.insert(key("items"), items.into_iter().collect());
        }
        Val::obj(self.fields)
    }

    /// The text at a path.
    fn text(&self, path: &[&str]) -> Option<String> {
        let (first, rest) = path.split_first()?;
        let value = rest.iter().try_fold(self.fields.get(&key(first))?, |value, name| match value {
            Val::Obj(map) => map.get(&key(name)),
            _ => None,
        })?;
        match value {
            Val::TStr(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }

    /// Tells what can be judged from a refusal and from what is no list. Gives the token of the page that follows.
    pub(super) fn check(&self) -> Result<Option<String>, Refusal> {
        let kind = self.text(&["kind"]);
        if kind.as_deref() == Some("Status") && self.text(&["status"]).as_deref() != Some("Success") {
            let code = self.fields.get(&key("code"));
            let code = code.and_then(|code| code.to_string().parse().ok()).unwrap_or_default();
            let message = self.text(&["message"]).unwrap_or_default();
            return Err(match code {
                404 => Refusal::NotFound,
                403 => Refusal::Forbidden(message),
                code => Refusal::Status { code, message },
            });
        }
        if !self.is_list && kind.is_some_and(|kind| kind.ends_with("List")) {
            return Err(Refusal::NotAList);
        }
        Ok(self.text(&["metadata", "continue"]).filter(|token| !token.is_empty()))
    }
}

/// The key of this name in an object.
fn key(name: &str) -> Val {
    Val::utf8_str(name.to_owned().into_bytes())
}

/// Reads an answer; each item with the fields that are wanted.
pub(super) fn answer(
    body: impl Read,
    format: Format,
    wanted: &Fields,
    take: Take<'_>,
) -> Result<Envelope, Refusal> {
    let mut reading = Reading { wanted, take, refusal: None };
    let envelope = read(body, format, &mut reading);
    envelope.map_err(|malformed| reading.refusal.unwrap_or(malformed))
}

/// Reads one object with the fields that are wanted.
pub(super) fn item(body: impl Read, format: Format, wanted: &Fields) -> Result<Val, Refusal> {
    match read(body, format, Wanted(wanted))? {
        object @ Val::Obj(_) => Ok(object),
        _ => Err(Refusal::NotAnObject),
    }
}

fn read<T>(
    body: impl Read,
    format: Format,
    seed: impl for<'de> DeserializeSeed<'de, Value = T>,
) -> Result<T, Refusal> {
    let mut body = BufReader::with_capacity(64 << 10, body);
    let unreadable = |e: std::io::Error| Refusal::Unreadable(e.to_string());
    match format {
        Format::Json => {
            if is_blank(&mut body).map_err(unreadable)? {
                return Err(Refusal::Empty);
            }
            let mut json = serde_json::Deserializer::from_reader(body);
            let read = seed.deserialize(&mut json);
            read.and_then(|read| json.end().map(|()| read))
                .map_err(|e| Refusal::Malformed { format: "JSON", reason: e.to_string() })
        }
        Format::Yaml => {
            let options = serde_yaml::options! {
                budget: None,
                strict_booleans: true,
                leading_zero_numbers_as_strings: true,
            };
            serde_yaml::with_deserializer_from_reader_with_options(body, options, |yaml| {
                seed.deserialize(yaml)
            })
            .map_err(|e| Refusal::Malformed { format: "YAML", reason: e.to_string() })
        }
    }
}

/// Whether nothing but white space is there. White space is skipped.
fn is_blank(body: &mut impl BufRead) -> std::io::Result<bool> {
    loop {
        let buffer = body.fill_buf()?;
        if buffer.is_empty() {
            return Ok(true);
        }
        let space = buffer.len() - buffer.trim_ascii_start().len();
        if space < buffer.len() {
            body.consume(space);
            return Ok(false);
        }
        body.consume(space);
    }
}

/// An answer that is being read.
struct Reading<'a> {
    wanted: &'a Fields,
    take: Take<'a>,
    /// Why reading ended before the answer did.
    refusal: Option<Refusal>,
}

impl Reading<'_> {
    fn refuse<E: Error>(&mut self, refusal: Refusal) -> E {
        let error = E::custom(&refusal);
        self.refusal = Some(refusal);
        error
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reading<'_> {
    type Value = Envelope;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Envelope, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reading<'_> {
    type Value = Envelope;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an API object")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Envelope, E> {
        Err(self.refuse(Refusal::NotAnObject))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Envelope, E> {
        Err(self.refuse(Refusal::NotAnObject))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Envelope, E> {
        Err(self.refuse(Refusal::NotAnObject))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Envelope, E> {
        Err(self.refuse(Refusal::NotAnObject))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Envelope, E> {
        Err(self.refuse(Refusal::NotAnObject))
    }

    /// A YAML file without a document, too.
    fn visit_unit<E: Error>(self) -> Result<Envelope, E> {
        Err(self.refuse(Refusal::Empty))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Envelope, A::Error> {
        Err(self.refuse(Refusal::NotAnObject))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Envelope, A::Error> {
        let mut envelope = Envelope::default();
        while let Some(name) = entries.next_key::<String>()? {
            let is_items = name == "items";
            // The first list is judged already, and the last would count.
            if is_items && envelope.is_list {
                return Err(A::Error::custom("it has two fields 'items'"));
            }
            let value = if is_items {
                let (value, is_list) = entries.next_value_seed(Items(self))?;
                envelope.is_list = is_list;
                value
            } else {
                entries.next_value::<Val>()?
            };
            envelope.fields.insert(key(&name), value);
        }
        Ok(envelope)
    }
}

/// The field `items`: an empty list in place of the one that was taken, and whether it is a list.
struct Items<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = (Val, bool);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = (Val, bool);

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of API objects")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok((Val::Null, false))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok((Val::utf8_str(text.as_bytes().to_vec()), false))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(self.0.refuse(Refusal::NotAList))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while let Some(item) = items.next_element_seed(Wanted(self.0.wanted))? {
            if !matches!(item, Val::Obj(_)) {
                return Err(self.0.refuse(Refusal::NotAList));
            }
            (self.0.take)(item);
        }
        Ok((std::iter::empty::<Val>().collect(), true))
    }
}
