//! Reads one page of an answer, item by item.

use std::fmt;
use std::io::{BufReader, Read};

use jaq_json::{Map, Val};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::pieces::Pieces;
use crate::filter::fields::Fields;
use crate::filter::project::Wanted;
use crate::source::{Format, Refusal};

/// What takes the items as they come.
pub(super) trait Take {
    /// The text of an item, which is an object as far as its first byte tells.
    ///
    /// # Errors
    /// It is no JSON.
    fn json(&mut self, item: &[u8]) -> Result<(), serde_json::Error>;

    /// An item, with the fields that are wanted.
    fn value(&mut self, item: Val);
}

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

/// Reads an answer; items that are read here have the fields that are wanted.
pub(super) fn answer(
    body: impl Read,
    format: Format,
    wanted: &Fields,
    take: &mut dyn Take,
) -> Result<Envelope, Refusal> {
    match format {
        Format::Json => json_answer(Pieces::new(body), take),
        Format::Yaml => {
            let mut reading = Reading { wanted, take, refusal: None };
            let envelope = yaml(body, &mut reading);
            envelope.map_err(|malformed| reading.refusal.unwrap_or(malformed))
        }
    }
}

/// Reads one object.
pub(super) fn item(
    body: impl Read,
    format: Format,
    wanted: &Fields,
    take: &mut dyn Take,
) -> Result<(), Refusal> {
    match format {
        Format::Json => {
            let mut json = Pieces::new(body);
            object_comes(&mut json)?;
            let taken = take.json(json.value()?);
            taken.map_err(|e| json.malformed(e))?;
            nothing_comes(&mut json)
        }
        Format::Yaml => {
            let item = yaml(body, Wanted(wanted))?;
            if !matches!(item, Val::Obj(_)) {
                return Err(Refusal::NotAnObject);
            }
            take.value(item);
            Ok(())
        }
    }
}

/// Refuses what begins otherwise than an object.
fn object_comes(json: &mut Pieces<impl Read>) -> Result<(), Refusal> {
    match json.peek()? {
        None => Err(Refusal::Empty),
        Some(b'{') => Ok(()),
        Some(_) => {
            let read = serde_json::from_slice::<IgnoredAny>(json.value()?);
            read.map_err(|e| json.malformed(e))?;
            nothing_comes(json)?;
            Err(Refusal::NotAnObject)
        }
    }
}

/// Refuses what goes on.
fn nothing_comes(json: &mut Pieces<impl Read>) -> Result<(), Refusal> {
    match json.peek()? {
        None => Ok(()),
        Some(_) => Err(json.malformed("something follows")),
    }
}

fn json_answer(mut json: Pieces<impl Read>, take: &mut dyn Take) -> Result<Envelope, Refusal> {
    object_comes(&mut json)?;
    json.take(b'{')?;
    let mut envelope = Envelope::default();
    let mut first = true;
    while json.another(first, b'}')? {
        first = false;
        let name = serde_json::from_slice::<String>(json.value()?).map_err(|e| json.malformed(e))?;
        json.take(b':')?;
        let value = match (name.as_str(), json.peek()?) {
            // The first list is judged already, and the last would count.
            ("items", _) if envelope.is_list => return Err(json.malformed(TWO_LISTS)),
            ("items", Some(b'[')) => {
                envelope.is_list = true;
                json_items(&mut json, take)?;
                std::iter::empty::<Val>().collect()
            }
            ("items", Some(b'{')) => return Err(Refusal::NotAList),
            _ => serde_json::from_slice(json.value()?).map_err(|e| json.malformed(e))?,
        };
        envelope.fields.insert(key(&name), value);
    }
    nothing_comes(&mut json)?;
    Ok(envelope)
}

fn json_items(json: &mut Pieces<impl Read>, take: &mut dyn Take) -> Result<(), Refusal> {
    json.take(b'[')?;
    let mut first = true;
    while json.another(first, b']')? {
        first = false;
        let item = json.value()?;
        if item.first() != Some(&b'{') {
            return Err(Refusal::NotAList);
        }
        let taken = take.json(item);
        taken.map_err(|e| json.malformed(e))?;
    }
    Ok(())
}

const TWO_LISTS: &str = "it has two fields 'items'";

fn yaml<T>(body: impl Read, seed: impl for<'de> DeserializeSeed<'de, Value = T>) -> Result<T, Refusal> {
    let options = serde_yaml::options! {
        budget: None,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
    };
    let body = BufReader::with_capacity(64 << 10, body);
    serde_yaml::with_deserializer_from_reader_with_options(body, options, |yaml| seed.deserialize(yaml))
        .map_err(|e| Refusal::Malformed { format: "YAML", reason: e.to_string() })
}

/// A YAML answer that is being read.
struct Reading<'a> {
    wanted: &'a Fields,
    take: &'a mut dyn Take,
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
                return Err(A::Error::custom(TWO_LISTS));
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
            self.0.take.value(item);
        }
        Ok((std::iter::empty::<Val>().collect(), true))
    }
}
