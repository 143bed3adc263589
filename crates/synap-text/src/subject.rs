//! What a statement of a preference or of a lasting attribute is about, so that two of them can be told to contradict.
//!
//! Precision over recall: a statement that is not understood to its end has no subject, and what has none hides nothing.
//!
//! ```text
//! text ─► one sentence ─► holder ("I", "we", "Alice") ─► verb ─► Claim
//!   prefers A [over B] [for T]   choice of a listed dimension (lexicon), or an order of two things
//!   likes / does not like A      liking
//!   favourite / preferred X is A favourite
//!   lives in, works at, …        attribute, by the rules of profiles
//! ```

mod lexicon;
mod reading;

use crate::piece::part;
use crate::statement::Statement;
use crate::{kind, normal, profile, sentence};
use lexicon::COUNTRIES;
use reading::Reading;
use synap_types::MemoryType;

/// A text of more bytes says more than one thing.
const BYTES_MAX: usize = 240;
/// One of these is in every sentence that gives a lasting attribute: most sentences have none, and are not read for it.
const CUES: &[&str] = &[
    "live",
    "living",
    "based",
    "located",
    "reside",
    "moved",
    "relocated",
    "home",
    "city",
    "location",
    "work",
    "employ",
    "company",
    "timezone",
    "time zone",
    "birthday",
    "born",
    "utc",
    "gmt",
    "cet",
    "pst",
    "est",
];
/// Attributes of which a user has one at a time. Not an occupation, a language or an address of e-mail.
const SINGLE: &[&str] = &["location", "employer", "timezone", "birthday"];
/// Of whom something is said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    /// The one whose memory it is: "I", "the user", or the name.
    Own,
    /// Those whom the speaker is one of: "we", "the team".
    Group,
    /// Somebody by name.
    Named(String),
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Claim {
    /// One value of a dimension, wanted or not, for a topic.
    Choice(Choice),
    /// One thing before another.
    Order {
        better: Vec<String>,
        worse: Vec<String>,
    },
    /// The one thing of its sort.
    Favourite {
        what: Vec<String>,
        value: Vec<String>,
    },
    /// Something that is liked or not.
    Liking { object: Vec<String>, likes: bool },
    /// An attribute of which there is one at a time.
    Attribute { name: String, value: String },
}

/// One value of a dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    dimension: &'static str,
    value: &'static str,
    wanted: bool,
    /// What it is chosen for, where that is not what everybody chooses it for.
    topic: Vec<String>,
}

impl Choice {
    fn excludes(&self, other: &Self) -> bool {
        let another = self.wanted && other.wanted && self.value != other.value;
        let opposite = self.wanted != other.wanted && self.value == other.value;
        self.dimension == other.dimension && self.topic == other.topic && (another || opposite)
    }
}

/// Whose preference or attribute a statement gives, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    holder: Holder,
    claim: Claim,
}

impl Subject {
    /// Whether both cannot hold of the same holder at the same time. `same_scope` says whether both statements stand in
    /// one scope: in two, "we" of the wider one is answered by "I" of the narrower one.
    pub fn contradicts(&self, other: &Self, same_scope: bool) -> bool {
        let unnamed = |subject: &Self| !matches!(subject.holder, Holder::Named(_));
        let one_holder =
            self.holder == other.holder || !same_scope && unnamed(self) && unnamed(other);
        let lasting = |subject: &Self| matches!(subject.claim, Claim::Attribute { .. });
        // An attribute is of one person: a customer's does not speak of its users.
        one_holder && (same_scope || !lasting(self)) && self.claim.excludes(&other.claim)
    }
}

impl Claim {
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Choice(one), Self::Choice(other)) => one.excludes(other),
            (
                Self::Order {
                    better: a,
                    worse: b,
                },
                Self::Order {
                    better: c,
                    worse: d,
                },
            ) => a == d && b == c,
            (Self::Favourite { what: a, value: x }, Self::Favourite { what: b, value: y }) => {
                a == b && x != y && !contains(x, y) && !contains(y, x)
            }
            (
                Self::Liking {
                    object: a,
                    likes: x,
                },
                Self::Liking {
                    object: b,
                    likes: y,
                },
            ) => a == b && x != y,
            (Self::Attribute { name: a, value: x }, Self::Attribute { name: b, value: y }) => {
                a == b
                    && !x.contains(y.as_str())
                    && !y.contains(x.as_str())
                    && (a != "location" || is_country(x) == is_country(y))
            }
            _ => false,
        }
    }
}

fn contains(all: &[String], some: &[String]) -> bool {
    some.iter().all(|term| all.contains(term))
}

fn is_country(place: &str) -> bool {
    let last = place.rsplit(' ').next().unwrap_or_default();
    COUNTRIES
        .split_ascii_whitespace()
        .any(|country| country == last)
}

/// The subject of a statement that gives one preference or lasting attribute and nothing else; `None` of every other.
///
/// `speaker` said it, and stands at its start; `names` are how the one whose memory it is may be called.
pub fn preference_subject(text: &str, speaker: Option<&str>, names: &[&str]) -> Option<Subject> {
    let speaker = speaker.or_else(|| label(text));
    if speaker.is_some_and(kind::is_assistant) {
        return None;
    }
    let body = speaker
        .and_then(|name| text.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or(text);
    if body.len() > BYTES_MAX || body.trim_end().ends_with(['?', '？', '؟']) {
        return None;
    }
    let said_by = speaker.map_or(Holder::Own, |name| holder_of(name, names));
    let found = Reading::of(body, names, &said_by)?.preference();
    let is_one = || sentence::cut(body).len() == 1;
    match found {
        Some(found) => is_one().then_some(found),
        // In this order: most turns are several sentences, and reading attributes costs more than cutting them.
        None if is_one() => attribute(text, speaker, names, said_by),
        None => None,
    }
}

/// "User" of "User: I prefer tea", where it is a word or two.
fn label(text: &str) -> Option<&str> {
    let (name, _) = text.split_once(": ")?;
    let is_name = name.len() <= 40 && name.split(' ').count() <= 2 && !name.contains(['.', ',']);
    let is_heading = name
        .split(' ')
        .any(|word| !word.starts_with(char::is_uppercase));
    let about = name.to_lowercase();
    let says = !about.contains("prefer") && !about.contains("favo");
    (is_name && !is_heading && says).then_some(name)
}

fn holder_of(name: &str, names: &[&str]) -> Holder {
    let lower = name.to_lowercase();
    let own = |word: &str| names.iter().any(|own| own.eq_ignore_ascii_case(word));
    if matches!(
        lower.as_str(),
        "user" | "human" | "customer" | "client" | "me"
    ) || lower.split(' ').any(own)
    {
        Holder::Own
    } else {
        Holder::Named(lower)
    }
}

/// An attribute of which a user has one at a time, if the sentence gives it and nothing else.
fn attribute(text: &str, speaker: Option<&str>, names: &[&str], holder: Holder) -> Option<Subject> {
    let lower = text.to_lowercase();
    if !CUES.iter().any(|cue| lower.contains(cue)) {
        return None;
    }
    let statement = Statement {
        text: text.to_owned(),
        span: 0..0,
        kind: MemoryType::Fact,
        speaker: speaker.map(ToOwned::to_owned),
        confidence: 0.5,
        category: None,
        title: None,
        said_at: None,
        time: None,
        entities: Vec::new(),
    };
    let mut found = profile::attributes(&statement, names).into_iter();
    let (first, second) = (found.next()?, found.next());
    if second.is_some() || !SINGLE.contains(&first.name.as_str()) {
        return None;
    }
    let value = normal::normal_form(part(&first.value, 0..first.value.len()));
    Some(Subject {
        holder,
        claim: Claim::Attribute {
            name: first.name,
            value,
        },
    })
}

#[cfg(test)]
mod tests;
