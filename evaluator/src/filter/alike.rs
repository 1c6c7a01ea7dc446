//! Items that are alike in what decides whether a filter gives nothing: where it gave nothing for one, it does for all.
//!
//! Of thousands of objects most do not offend, and most of these are alike in what a rule asks about. Such an item is
//! scanned to its end, but no value is made of it and no filter run.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fields::Fields;

/// A set of filters, a bit each.
type Filters = u64;

/// How many filters are told apart; further ones are run on each item.
const MAX_FILTERS: usize = Filters::BITS as usize;
/// How many kinds of items are remembered of a filter, before all are forgotten.
const MAX_KINDS: usize = 1024;
/// How many bytes may describe a kind; what takes more is not remembered.
const MAX_KEY: usize = 1024;

/// What is known of the items that came so far.
pub(crate) struct Alike {
    look: Look,
    kinds: Vec<Kinds>,
}

/// The items that one filter tells apart.
#[derive(Default)]
struct Kinds {
    /// Whether it does.
    told: bool,
    /// What the filter looks at in the item that was scanned last.
    key: Vec<u8>,
    /// Those for which it gave nothing.
    nothing: HashSet<Box<[u8]>>,
}

impl Alike {
    /// For filters that look at these fields to tell whether they give nothing; none: that is not known.
    pub(crate) fn new(filters: &[Option<Fields>]) -> Self {
        let filters = filters.get(..MAX_FILTERS).unwrap_or(filters);
        let told =
            filters.iter().enumerate().filter_map(|(number, fields)| Some((fields.as_ref()?, 1 << number)));
        let kinds = filters.iter().map(|fields| Kinds { told: fields.is_some(), ..Kinds::default() });
        Self { look: Look::of(&told.collect::<Vec<_>>()), kinds: kinds.collect() }
    }

    /// Whether it can be known of some filter that it gives nothing. Where not, nothing has to be scanned.
    pub(crate) fn tells(&self) -> bool {
        self.look.by != 0
    }

    /// Scans an item.
    ///
    /// # Errors
    /// It is no JSON.
    pub(crate) fn scan(&mut self, json: &[u8]) -> Result<(), serde_json::Error> {
        for kinds in &mut self.kinds {
            kinds.key.clear();
        }
        let mut item = serde_json::Deserializer::from_slice(json);
        let Look { by, whole, .. } = self.look;
        Key { look: Some(&self.look), filters: by, whole, kinds: &mut self.kinds }.deserialize(&mut item)?;
        item.end()
    }

    /// Whether it is known that a filter gives nothing for the item that was scanned last.
    pub(crate) fn gives_nothing(&self, filter: usize) -> bool {
        self.kinds.get(filter).is_some_and(|kinds| kinds.told && kinds.nothing.contains(kinds.key.as_slice()))
    }

    /// Remembers that a filter gave nothing for the item that was scanned last.
    pub(crate) fn gave_nothing(&mut self, filter: usize) {
        if let Some(Kinds { told: true, key, nothing }) = self.kinds.get_mut(filter)
            && key.len() <= MAX_KEY
        {
            if nothing.len() == MAX_KINDS {
                nothing.clear();
            }
            nothing.insert(key.as_slice().into());
        }
    }
}

/// The fields of a value that filters look at, and which filters these are.
#[derive(Debug)]
struct Look {
    /// Those that look here.
    by: Filters,
    /// Those of them that look at all there is.
    whole: Filters,
    /// Those that do so unless it is a text.
    unless_text: Filters,
    /// Those that look at what a text says.
    content: Filters,
    /// Those that look whether a text is this one.
    constants: BTreeMap<String, Filters>,
    named: BTreeMap<String, Look>,
    each: Option<Box<Look>>,
    /// Those that look at each value of an object.
    values: Filters,
}

impl Look {
    /// Of what each of some filters looks at.
    fn of(seen: &[(&Fields, Filters)]) -> Self {
        let those = |test: fn(&Fields) -> bool| {
            seen.iter().filter(|(fields, _)| test(fields)).fold(0, |those, (_, filter)| those | filter)
        };
        let mut constants: BTreeMap<String, Filters> = BTreeMap::new();
        for (fields, filter) in seen {
            for constant in &fields.constants {
                *constants.entry(constant.clone()).or_default() |= filter;
            }
        }
        // Filters that look at each value of an object look at those that others name, too.
        let names: BTreeSet<&String> = seen.iter().flat_map(|(fields, _)| fields.named.keys()).collect();
        let inside = |name: &str| -> Vec<_> {
            seen.iter().filter_map(|(fields, filter)| Some((fields.field(name)?, *filter))).collect()
        };
        let each: Vec<_> =
            seen.iter().filter_map(|(fields, filter)| Some((fields.each.as_deref()?, *filter))).collect();
        Self {
            by: those(|_| true),
            whole: those(|fields| fields.whole),
            unless_text: those(|fields| fields.unless_text),
            content: those(|fields| fields.content),
            constants,
            named: names.into_iter().map(|name| (name.clone(), Self::of(&inside(name)))).collect(),
            each: (!each.is_empty()).then(|| Box::new(Self::of(&each))),
            values: those(|fields| fields.values),
        }
    }
}

/// Writes what filters look at in a value to their keys: equal keys mean that they see the same.
struct Key<'a> {
    /// None: no more than those that look at all there is.
    look: Option<&'a Look>,
    filters: Filters,
    /// Those of them that look at all there is.
    whole: Filters,
    kinds: &'a mut [Kinds],
}

impl Key<'_> {
    fn write(&mut self, tag: u8, bytes: &[u8]) {
        self.write_for(self.filters, tag, bytes);
    }

    fn write_for(&mut self, mut filters: Filters, tag: u8, bytes: &[u8]) {
        while filters != 0 {
            if let Some(Kinds { key, .. }) = self.kinds.get_mut(filters.trailing_zeros() as usize)
                // What is longer is not looked up, however much longer.
                && key.len() <= MAX_KEY
            {
                key.push(tag);
                key.extend_from_slice(bytes);
            }
            filters &= filters - 1;
        }
    }

    fn write_text(&mut self, filters: Filters, tag: u8, text: &str) {
        self.write_for(filters, tag, &text.len().to_le_bytes());
        self.write_for(filters, tag, text.as_bytes());
    }

    /// A list or an object: what was to be looked at wholly unless it is a text is.
    fn no_text(&mut self) {
        self.whole |= self.look.map_or(0, |look| look.unless_text) & self.filters;
    }

    /// For a value inside; none where no filter looks at it.
    fn inside<'k>(&'k mut self, look: Option<&'k Look>, by: Filters) -> Option<Key<'k>> {
        let filters = look.map_or(0, |look| look.by & self.filters & by) | self.whole;
        let whole = look.map_or(0, |look| look.whole & filters) | self.whole;
        (filters != 0).then_some(Key { look, filters, whole, kinds: self.kinds })
    }
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Key<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<(), E> {
        self.write(b'b', &[u8::from(value)]);
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<(), E> {
        self.write(b'i', &value.to_le_bytes());
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, value: u64) -> Result<(), E> {
        self.write(b'u', &value.to_le_bytes());
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<(), E> {
        self.write(b'f', &value.to_le_bytes());
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        let (content, constants) = match self.look {
            Some(look) => (look.content & self.filters, Some(&look.constants)),
            None => (0, None),
        };
        let content = content | self.whole;
        self.write_text(content, b's', text);
        let mut others = self.filters & !content;
        if let Some(by) = constants.and_then(|constants| constants.get(text)) {
            let by = *by;
            self.write_text(others & by, b'c', text);
            others &= !by;
        }
        self.write_for(others, b'o', &[]);
        Ok(())
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        self.write(b'n', &[]);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        self.write(b'[', &[]);
        self.no_text();
        let each = self.look.and_then(|look| look.each.as_deref());
        loop {
            let more = match self.inside(each, Filters::MAX) {
                Some(element) => elements.next_element_seed(element)?.is_some(),
                None => elements.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        self.write(b']', &[]);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.write(b'{', &[]);
        self.no_text();
        while let Some(inside) = entries.next_key_seed(Name(&mut self))? {
            match inside {
                Some(value) => entries.next_value_seed(value)?,
                None => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        self.write(b'}', &[]);
        Ok(())
    }
}

/// The name of a field of an object.
struct Name<'k, 'a>(&'k mut Key<'a>);

impl<'de, 'k> DeserializeSeed<'de> for Name<'k, '_> {
    type Value = Option<Key<'k>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'k> Visitor<'_> for Name<'k, '_> {
    /// For the value of the field; none where no filter looks at it.
    type Value = Option<Key<'k>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let (look, by) = match self.0.look {
            None => (None, 0),
            Some(look) => match (look.named.get(name), look.each.as_deref()) {
                (Some(named), _) => (Some(named), Filters::MAX),
                (None, each) => (each, look.values),
            },
        };
        let mut inside = self.0.inside(look, by);
        if let Some(inside) = &mut inside {
            inside.write_text(inside.filters, b'k', name);
        }
        Ok(inside)
    }
}

/// What tells an item apart for a filter with these fields.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) fn key_of(fields: &Fields, json: &str) -> Vec<u8> {
    let mut alike = Alike::new(&[Some(fields.clone())]);
    alike.scan(json.as_bytes()).unwrap();
    alike.kinds.remove(0).key
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn keys(filters: &[&str], json: &str) -> Vec<Vec<u8>> {
        let mut alike = Alike::new(&filters.iter().map(|code| Fields::deciding(code)).collect::<Vec<_>>());
        alike.scan(json.as_bytes()).unwrap();
        alike.kinds.into_iter().map(|kinds| kinds.key).collect()
    }

    const SELECT: &str = "select(.a.b == 1) | .name";

    #[test]
    fn what_is_not_looked_at_does_not_matter() {
        let one = keys(&[SELECT], r#"{"a": {"b": 2, "c": [1]}, "name": "x"}"#);
        assert_eq!(one, keys(&[SELECT], r#"{"name": "y", "a": {"c": {}, "b": 2}, "d": null}"#));
    }

    #[test]
    fn whatever_is_looked_at_tells_items_apart() {
        let each = "select(any(.l[]; . == 1)) | 1";
        let whole = "select(.w | tojson == \"\") | 1";
        let values = "select(any(.m[]?; .v == 1)) | 1";
        let differ = [
            (SELECT, r#"{"a": {"b": 2}}"#, r#"{"a": {"b": 3}}"#),
            (SELECT, r#"{"a": {"b": 2}}"#, r#"{"a": {"b": 2.5}}"#),
            (SELECT, r#"{"a": {"b": 2}}"#, r#"{"a": {"b": "2"}}"#),
            (SELECT, r#"{"a": {"b": null}}"#, r#"{"a": {}}"#),
            (SELECT, r#"{"a": {}}"#, r#"{"a": []}"#),
            (SELECT, r#"{"a": {}}"#, r#"{"a": null}"#),
            (SELECT, r#"{"a": {}}"#, r#"{}"#),
            (SELECT, r#"{"a": true}"#, r#"{"a": false}"#),
            (SELECT, r#"{"a": "x"}"#, r#"{"a": 1}"#),
            (each, r#"{"l": [2, 3]}"#, r#"{"l": [2, 3, 3]}"#),
            (each, r#"{"l": ["a", "b"]}"#, r#"{"l": ["ab"]}"#),
            ("select(any(.l[]; length == 1)) | 1", r#"{"l": ["a", "b"]}"#, r#"{"l": ["a", "bb"]}"#),
            (each, r#"{"l": [[], []]}"#, r#"{"l": [[]]}"#),
            (each, r#"{"l": [{}]}"#, r#"{"l": [[]]}"#),
            (whole, r#"{"w": {"a": {"b": [1, {"c": 2}]}}}"#, r#"{"w": {"a": {"b": [1, {"c": 3}]}}}"#),
            (whole, r#"{"w": {"a": 1}}"#, r#"{"w": {"b": 1}}"#),
            (values, r#"{"m": {"a": {"v": 2}}}"#, r#"{"m": {"a": {"v": 3}}}"#),
            (values, r#"{"m": [{"v": 2}]}"#, r#"{"m": [{"v": 3}]}"#),
        ];
        for (code, one, other) in differ {
            assert_ne!(keys(&[code], one), keys(&[code], other), "{code}: {one}, {other}");
        }
    }

    #[test]
    fn of_texts_that_are_compared_only_it_matters_what_they_equal() {
        let named = r#"if ([.a?.b?][0] | if type == "string" then . elif type == "number" then tostring else "" end) != ""
            and .c != "x" then .name else empty end"#;
        let ordered = r#"select(.a.b > "m") | 1"#;
        let content = r#"select(.a.b | ascii_downcase == "m") | 1"#;
        let same = [
            (named, r#"{"a": {"b": "n"}}"#, r#"{"a": {"b": "o"}}"#),
            (named, r#"{"c": "n"}"#, r#"{"c": "o"}"#),
            (SELECT, r#"{"a": {"b": "n"}}"#, r#"{"a": {"b": "o"}}"#),
        ];
        for (code, one, other) in same {
            assert_eq!(keys(&[code], one), keys(&[code], other), "{code}: {one}, {other}");
        }
        let differ = [
            (named, r#"{"a": {"b": ""}}"#, r#"{"a": {"b": "o"}}"#),
            (named, r#"{"a": {"b": 1}}"#, r#"{"a": {"b": 2}}"#),
            (named, r#"{"a": {"b": [1]}}"#, r#"{"a": {"b": []}}"#),
            (named, r#"{"c": "x"}"#, r#"{"c": "o"}"#),
            (ordered, r#"{"a": {"b": "n"}}"#, r#"{"a": {"b": "a"}}"#),
            (content, r#"{"a": {"b": "n"}}"#, r#"{"a": {"b": "a"}}"#),
        ];
        for (code, one, other) in differ {
            assert_ne!(keys(&[code], one), keys(&[code], other), "{code}: {one}, {other}");
        }
    }

    #[test]
    fn filters_do_not_see_what_others_look_at() {
        let filters = [
            "select(.a.x == 1) | 1",
            "select(any(.a[]?; .v == 1)) | 1",
            "select(any(.a[]?; .w.u == 1)) | 1",
            "select(.a | tojson == \"\") | 1",
            "select(.a.y.v == 1) | 1",
            "select(.a.y.v == \"s\") | 1",
            "select(.a.y.v == \"t\" and any(.a[]?; .v == \"s\")) | 1",
            "select(.a.y.v | length == 1) | 1",
            "select([.a?.y?.v?][0] | if type == \"string\" then . == \"u\" else length == 2 end) | 1",
            ".",
        ];
        let items = [
            r#"{"a": {"x": {"v": 1, "w": {"u": 2}}, "y": {"v": 3}, "z": {"w": {"u": 1, "t": 1}}}}"#,
            r#"{"a": [{"v": 1, "w": 2}, {"w": {"u": 3}}, 4]}"#,
            r#"{"a": null, "b": [1]}"#,
            r#"{"a": {"y": {"v": "s"}}}"#,
            r#"{"a": {"y": {"v": "v"}, "x": {"v": "s"}}}"#,
            r#"{"a": {"y": {"v": [1, "u"]}}}"#,
        ];
        for item in items {
            let together = keys(&filters, item);
            for (code, key) in filters.iter().zip(together) {
                assert_eq!(keys(&[code], item), [key], "{code}: {item}");
            }
        }
    }

    #[test]
    fn what_gave_nothing_is_remembered_within_bounds() {
        let whole = "select(.a.b | tojson == \"\") | .name";
        let mut alike = Alike::new(&[Fields::deciding(whole), None]);
        assert!(alike.tells() && !Alike::new(&[None]).tells());
        let item = |b: usize| format!(r#"{{"a": {{"b": {b}}}, "name": "n"}}"#);
        alike.scan(item(2).as_bytes()).unwrap();
        assert!(!alike.gives_nothing(0));
        alike.gave_nothing(0);
        alike.gave_nothing(1);
        assert!(alike.gives_nothing(0) && !alike.gives_nothing(1) && !alike.gives_nothing(2));
        for b in 0..3 * MAX_KINDS {
            alike.scan(item(b).as_bytes()).unwrap();
            alike.gave_nothing(0);
        }
        assert!(alike.kinds[0].nothing.len() <= MAX_KINDS);
        let long = format!(r#"{{"a": {{"b": "{}"}}}}"#, "x".repeat(2 * MAX_KEY));
        alike.scan(long.as_bytes()).unwrap();
        alike.gave_nothing(0);
        assert!(!alike.gives_nothing(0));
    }

    #[test]
    fn an_item_is_read_to_its_end() {
        let mut alike = Alike::new(&[Fields::deciding(SELECT)]);
        for broken in [r#"{"a": 1"#, r#"{"x": [1,]}"#, r#"{"x": nul}"#, r#"{"a" 1}"#, r#"{"x": 01}"#, "{} 1"]
        {
            assert!(alike.scan(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
