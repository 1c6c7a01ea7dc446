//! What filters leave of an answer, on a thread of its own that is given up where it takes too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jaq_json::Val;
use serde::de::DeserializeSeed as _;

use super::page::{self, Envelope, Take};
use crate::filter::alike::Alike;
use crate::filter::fields::Fields;
use crate::filter::per_item::{PerItem, per_item};
use crate::filter::project::Wanted;
use crate::filter::{Compiled, FilterError};
use crate::source::{Next, Page, PageContent, Pages, Refusal};

/// How long a filter may run on one item, or on what is no list of items.
const DEADLINE: Duration = Duration::from_secs(120);
/// Stack of the thread that parses and filters: recursion in jq needs more than the default.
const STACK: usize = 64 << 20;
/// How often a list may be begun anew.
const MAX_RESTARTS: usize = 5;

/// What each of the filters leaves of an answer; none keeps it as it is.
pub(super) fn reduce(pages: Box<dyn Pages>, filters: Vec<Option<String>>) -> Vec<Result<String, Refusal>> {
    let wanted = filters.len();
    let all = |refusal: Refusal| vec![Err(refusal); wanted];
    let (sender, receiver) = mpsc::sync_channel(1);
    let pulse = Arc::new(Pulse::default());
    let work = {
        let pulse = pulse.clone();
        move || {
            let results = Answer::new(&filters, &pulse).read(pages);
            // The receiver is gone only after the deadline, when nobody wants the results any more.
            let _ = sender.send(results);
        }
    };
    if thread::Builder::new().name("filter".to_owned()).stack_size(STACK).spawn(work).is_err() {
        return all(Refusal::Crashed);
    }
    let mut seen = 0;
    loop {
        match receiver.recv_timeout(DEADLINE) {
            Ok(Ok(results)) => return results,
            Ok(Err(refusal)) => return all(refusal),
            Err(mpsc::RecvTimeoutError::Disconnected) => return all(Refusal::Crashed),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let beats = pulse.beats.load(Ordering::Relaxed);
                if beats == seen && !pulse.waiting.load(Ordering::Relaxed) {
                    return all(Refusal::Deadline(DEADLINE.as_secs()));
                }
                seen = beats;
            }
        }
    }
}

/// Tells that a thread gets on.
#[derive(Debug, Default)]
struct Pulse {
    beats: AtomicU64,
    /// It waits for the source, which has deadlines of its own.
    waiting: AtomicBool,
}

/// What becomes of an answer.
struct Answer<'a> {
    filters: Vec<Work>,
    /// What all of the filters read of an item.
    fields: Arc<Fields>,
    /// Which of the filters are known to give nothing for an item.
    alike: Alike,
    /// Whether some filter needs the items together.
    whole: bool,
    /// The items, where they are needed together.
    items: Vec<Val>,
    pulse: &'a Pulse,
}

/// A filter at work.
enum Work {
    /// On each item as it comes.
    Each {
        item: Compiled,
        rest: Compiled,
        /// All of the filter, for what turns out to be no list. That is rare, and compiling takes longer than running.
        whole: String,
        gathered: Vec<Val>,
        failed: Option<FilterError>,
    },
    /// On the whole answer.
    Whole(Result<Compiled, FilterError>),
    /// The answer is kept.
    Keep,
}

impl Work {
    /// With what it reads of an item, and what of that decides whether it gives nothing.
    fn new(filter: Option<&String>) -> (Self, Fields, Option<Fields>) {
        let Some(code) = filter else { return (Self::Keep, Fields::all(), None) };
        let parts = per_item(code).and_then(|PerItem { item, rest }| {
            let fields = (Fields::of(&item), Fields::deciding(&item));
            Some((Compiled::new(&item).ok()?, Compiled::new(&rest).ok()?, fields))
        });
        match parts {
            Some((item, rest, (read, deciding))) => {
                let whole = code.clone();
                (Self::Each { item, rest, whole, gathered: Vec::new(), failed: None }, read, deciding)
            }
            None => (Self::Whole(Compiled::new(code)), Fields::all(), None),
        }
    }
}

impl<'a> Answer<'a> {
    fn new(filters: &[Option<String>], pulse: &'a Pulse) -> Self {
        let mut fields = Fields::default();
        let (filters, deciding): (Vec<_>, Vec<_>) = filters
            .iter()
            .map(|filter| {
                let (work, read, deciding) = Work::new(filter.as_ref());
                fields.merge(read);
                (work, deciding)
            })
            .unzip();
        let whole = filters.iter().any(|work| !matches!(work, Work::Each { .. }));
        let alike = Alike::new(&deciding);
        Self { filters, fields: Arc::new(fields), alike, whole, items: Vec::new(), pulse }
    }

    /// Forgets what came so far.
    fn restart(&mut self) {
        self.items.clear();
        for work in &mut self.filters {
            if let Work::Each { gathered, failed, .. } = work {
                gathered.clear();
                *failed = None;
            }
        }
    }

    /// Runs the filters on an item; where it was scanned, without those that are known to give nothing.
    fn filter(&mut self, item: Val, scanned: bool) {
        self.pulse.beats.fetch_add(1, Ordering::Relaxed);
        for (number, work) in self.filters.iter_mut().enumerate() {
            let Work::Each { item: filter, gathered, failed, .. } = work else { continue };
            if failed.is_some() || (scanned && self.alike.gives_nothing(number)) {
                continue;
            }
            let before = gathered.len();
            for result in filter.results(item.clone()) {
                match result {
                    Ok(value) => gathered.push(value),
                    Err(error) => {
                        *failed = Some(error);
                        break;
                    }
                }
            }
            if scanned && failed.is_none() && gathered.len() == before {
                self.alike.gave_nothing(number);
            }
        }
        if self.whole {
            self.items.push(item);
        }
    }

    /// Reads all pages.
    fn read(mut self, mut pages: Box<dyn Pages>) -> Result<Vec<Result<String, Refusal>>, Refusal> {
        let mut envelope: Option<Envelope> = None;
        let mut token = None;
        let mut restarts = 0;
        loop {
            self.pulse.waiting.store(true, Ordering::Relaxed);
            let next = pages.next(token.take().as_deref());
            self.pulse.waiting.store(false, Ordering::Relaxed);
            match next? {
                Next::Page(page) => {
                    let first = envelope.is_none();
                    let (of_page, next) = self.page(page, first)?;
                    token = next;
                    envelope.get_or_insert(of_page);
                }
                Next::Restart if restarts == MAX_RESTARTS => {
                    return Err(Refusal::Unreadable("the list expired again and again".to_owned()));
                }
                Next::Restart => {
                    restarts += 1;
                    envelope = None;
                    self.restart();
                }
                Next::End => break,
            }
        }
        // Without a page there is a list without items.
        let envelope = envelope.unwrap_or_else(Envelope::empty_list);
        Ok(self.results(envelope))
    }

    fn page(&mut self, page: Page, first: bool) -> Result<(Envelope, Option<String>), Refusal> {
        let fields = self.fields.clone();
        if page.content == PageContent::Item {
            page::item(page.body, page.format, &fields, self)?;
            return Ok((Envelope::empty_list(), None));
        }
        let envelope = page::answer(page.body, page.format, &fields, self)?;
        let token = envelope.check().map_err(|refusal| match refusal {
            // To begin with it was there.
            Refusal::NotFound if !first => {
                Refusal::Unreadable("the API path went away while its pages were read (404)".to_owned())
            }
            refusal => refusal,
        })?;
        if !first && !envelope.is_list {
            return Err(Refusal::NotAList);
        }
        Ok((envelope, token))
    }

    fn results(self, envelope: Envelope) -> Vec<Result<String, Refusal>> {
        let is_list = envelope.is_list;
        let whole = envelope.with_items(self.items);
        let pulse = self.pulse;
        let result = |work: Work| {
            pulse.beats.fetch_add(1, Ordering::Relaxed);
            let value = match work {
                Work::Each { failed: Some(error), .. } => Err(error),
                Work::Each { rest, gathered, .. } if is_list => rest.run(gathered.into_iter().collect()),
                Work::Each { whole: filter, .. } => Compiled::new(&filter).and_then(|f| f.run(whole.clone())),
                Work::Whole(filter) => filter.and_then(|filter| filter.run(whole.clone())),
                Work::Keep => Ok(whole.clone()),
            };
            value.map(|value| value.to_string()).map_err(|e| Refusal::Filter(e.to_string()))
        };
        self.filters.into_iter().map(result).collect()
    }
}

impl Take for Answer<'_> {
    fn json(&mut self, item: &[u8]) -> Result<(), serde_json::Error> {
        let scanned = self.alike.tells();
        if scanned {
            self.alike.scan(item)?;
        }
        let settled = |(number, work): (usize, &Work)| match work {
            Work::Each { failed, .. } => failed.is_some() || self.alike.gives_nothing(number),
            Work::Whole(_) | Work::Keep => false,
        };
        if self.filters.iter().enumerate().all(settled) {
            self.pulse.beats.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let mut json = serde_json::Deserializer::from_slice(item);
        let value = Wanted(&self.fields).deserialize(&mut json)?;
        json.end()?;
        self.filter(value, scanned);
        Ok(())
    }

    fn value(&mut self, item: Val) {
        self.filter(item, false);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::VecDeque;
    use std::io::Cursor;

    use super::*;
    use crate::source::{Format, OnePage};

    /// What a source gives, one after another: pages with the tokens that they are asked for with.
    struct Script(VecDeque<(Option<&'static str>, Step)>);

    #[derive(Clone)]
    enum Step {
        Answer(&'static str),
        Item(&'static str),
        Restart,
        End,
        Refuse(Refusal),
    }

    impl Pages for Script {
        fn next(&mut self, token: Option<&str>) -> Result<Next, Refusal> {
            let (asked, step) = self.0.pop_front().unwrap();
            assert_eq!(token, asked);
            let page = |content, text: &'static str| {
                Ok(Next::Page(Page { content, format: Format::Json, body: Box::new(Cursor::new(text)) }))
            };
            match step {
                Step::Answer(text) => page(PageContent::Answer, text),
                Step::Item(text) => page(PageContent::Item, text),
                Step::Restart => Ok(Next::Restart),
                Step::End => Ok(Next::End),
                Step::Refuse(refusal) => Err(refusal),
            }
        }
    }

    const FIRST: &str = r#"{"kind": "XList", "items": [{"n": 1}, {"n": 2}], "metadata": {"continue": "t"}}"#;
    const LAST: &str = r#"{"kind": "XList", "metadata": {}, "items": [{"n": 3}]}"#;

    fn run(filter: Option<&str>, steps: Vec<(Option<&'static str>, Step)>) -> Result<String, Refusal> {
        reduce(Box::new(Script(steps.into())), vec![filter.map(str::to_owned)]).remove(0)
    }

    #[test]
    fn pages_make_one_list() {
        let steps = || vec![(None, Step::Answer(FIRST)), (Some("t"), Step::Answer(LAST)), (None, Step::End)];
        let cases = [
            (r#"["m"] + [.items[] | .n]"#, r#"["m",1,2,3]"#),
            ("[.items[] | .n] | add", "6"),
            (".items | length", "3"),
            ("[.items[0].n, .items[2].n]", "[1,3]"),
        ];
        for (filter, result) in cases {
            assert_eq!(run(Some(filter), steps()).unwrap(), result, "{filter}");
        }
        let kept = r#"{"kind":"XList","items":[{"n":1},{"n":2},{"n":3}],"metadata":{"continue":"t"}}"#;
        assert_eq!(run(None, steps()).unwrap(), kept);
    }

    #[test]
    fn items_that_are_alike_are_each_judged() {
        // What a filter gives for some of these items, it gives for others that look much the same.
        let items: Vec<String> = [
            r#"{"n": "A", "v": 1}"#,
            r#"{"n": "B", "v": 1}"#,
            r#"{"n": "C", "v": 2}"#,
            r#"{"n": 1, "v": 1}"#,
            r#"{"n": 2, "v": 2}"#,
            r#"{"n": "D", "v": [{"x": 1}, {"x": 2}]}"#,
            r#"{"n": "E", "v": [{"x": 1}]}"#,
            r#"{"n": "F", "v": []}"#,
            r#"{"n": "G"}"#,
        ]
        .map(str::to_owned)
        .into();
        let filters = [
            "if .v == 2 then .n else empty end",
            "if .v == 2 then .n + \"!\" else empty end",
            ". as $i | (([$i.v?][0]) | arrays | .[]) as $e | if $e.x == 2 then [$i.n, $e] else empty end",
            ". as $i | select([$i.v?][0] | type == \"array\") | $i.n",
            "select(.n == \"B\")",
            ".v | numbers | select(. > 1) | tostring",
            "(.v | arrays | .[]), (.n | numbers)",
        ];
        for filter in filters {
            // In every order of three, twice.
            for (a, b, c) in (0..items.len().pow(3)).map(|n| (n % 9, n / 9 % 9, n / 81)) {
                let list = [a, b, c, a, b, c].map(|at| items[at].as_str()).join(",");
                let list = format!(r#"{{"kind": "XList", "items": [{list}]}}"#);
                let whole = format!("[.items | .[] | {filter}]");
                let whole = Compiled::new(&whole).unwrap();
                let expected = whole.run(jaq_json::read::parse_single(list.as_bytes()).unwrap());
                let page = Box::new(OnePage::new(Cursor::new(list.clone()), Format::Json));
                let found = reduce(page, vec![Some(format!("[.items[] | {filter}]"))]).remove(0);
                match expected {
                    Ok(expected) => assert_eq!(found.unwrap(), expected.to_string(), "{filter}: {list}"),
                    Err(_) => assert!(matches!(found, Err(Refusal::Filter(_))), "{filter}: {list}"),
                }
            }
        }
    }

    #[test]
    fn an_expired_list_begins_anew() {
        let steps = vec![
            (None, Step::Answer(FIRST)),
            (Some("t"), Step::Restart),
            (None, Step::Answer(LAST)),
            (None, Step::End),
        ];
        for filter in ["[.items[] | .n]", "[.items[].n] | .", ".items | map(.n)"] {
            assert_eq!(run(Some(filter), steps.clone()).unwrap(), "[3]", "{filter}");
        }
        let endless = (0..20).map(|_| (None, Step::Restart)).collect();
        assert!(matches!(run(Some("[.items[]]"), endless), Err(Refusal::Unreadable(_))));
    }

    #[test]
    fn items_may_come_one_by_one() {
        let steps =
            vec![(None, Step::Item(r#"{"n": 1}"#)), (None, Step::Item(r#"{"n": 2}"#)), (None, Step::End)];
        for filter in ["[.items[] | .n]", ".items | map(.n)"] {
            assert_eq!(run(Some(filter), steps.clone()).unwrap(), "[1,2]", "{filter}");
            assert_eq!(run(Some(filter), vec![(None, Step::End)]).unwrap(), "[]", "{filter}");
        }
        assert_eq!(run(None, vec![(None, Step::Item("[]"))]), Err(Refusal::NotAnObject));
    }

    #[test]
    fn a_list_that_breaks_off_gives_nothing() {
        let gone = r#"{"kind": "Status", "status": "Failure", "code": 404}"#;
        let refused = Refusal::Unreadable("reset".to_owned());
        let cases = [
            (Step::Refuse(refused.clone()), refused),
            (
                Step::Answer(r#"{"kind": "XList", "items": [{"n""#),
                Refusal::Malformed { format: "JSON", reason: String::new() },
            ),
            (Step::Answer(r#"{"kind": "X"}"#), Refusal::NotAList),
            (
                Step::Answer(r#"{"items": [], "items": []}"#),
                Refusal::Malformed { format: "JSON", reason: String::new() },
            ),
            (Step::Answer(gone), Refusal::Unreadable(String::new())),
        ];
        for (step, refusal) in cases {
            for filter in [Some("[.items[] | .n]"), Some(".items"), None] {
                let steps = vec![(None, Step::Answer(FIRST)), (Some("t"), step.clone())];
                let found = run(filter, steps).unwrap_err();
                assert_eq!(std::mem::discriminant(&found), std::mem::discriminant(&refusal), "{found}");
            }
        }
    }

    #[test]
    fn one_item_that_a_filter_fails_on_fails_the_filter() {
        let steps = || vec![(None, Step::Answer(r#"{"items": [{"n": 1}, {"n": "x"}]}"#)), (None, Step::End)];
        assert!(matches!(run(Some("[.items[] | .n + 1]"), steps()), Err(Refusal::Filter(_))));
        // What is no list has no items to go over.
        let object = vec![(None, Step::Answer(r#"{"kind": "X", "n": 1}"#)), (None, Step::End)];
        assert!(matches!(run(Some("[.items[] | .n]"), object), Err(Refusal::Filter(_))));
    }
}
