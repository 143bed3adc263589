//! NATS subjects and stream names. Built and parsed here and nowhere else.
//!
//! ```text
//! synap.v1.events.<partition>.<client>.<customer>.<user>.<type>
//!
//! partition   00 … 63, shared
//! client      token of the client's id
//! customer    token of the first level's id, or -
//! user        token of the second level's id, or -; deeper paths: token of their hash
//! type        memory-ingested, …
//!
//! token       the id itself where it is [A-Za-z0-9_-]{1,48} and not "-",
//!             else "=" and 26 characters of base32 (its 128-bit BLAKE3)
//! ```
//!
//! nats-server accepts `*`, `>`, NUL and invalid UTF-8 in published subjects, so nothing of a caller's gets there as it is.

use crate::{Event, Hash128, LevelName, Partition, Scope};
use data_encoding::BASE32_DNSSEC;
use std::fmt;
use std::str::FromStr;

/// Longest id that stands in a subject as it is.
const TOKEN_BYTES_MAX: usize = 48;

/// Names of subjects and streams that carry no ids.
pub mod names {
    /// All events: what a change feed subscribes to.
    pub const EVENTS: &str = "synap.v1.events.>";
    /// Request-reply: ingest one document.
    pub const INGEST: &str = "synap.v1.ingest";
    /// Request-reply: fetch context.
    pub const FETCH: &str = "synap.v1.fetch";
    /// Request-reply: the status of one ingestion.
    pub const STATUS: &str = "synap.v1.status";
    /// Fire-and-forget ingest, drained when synap runs.
    pub const INBOX: &str = "synap.v1.inbox";
    /// What the inbox refused, with the reason.
    pub const REJECTED: &str = "synap.v1.rejected";
    /// Stream of what was taken out of the log.
    pub const ERASURES_STREAM: &str = "SYNAP_ERASURES";
    /// Its subjects.
    pub const ERASURES: &str = "synap.v1.erasures.*";

    /// The subject of what was taken out of `partition`.
    pub fn erasures_of(partition: super::Partition) -> String {
        format!("synap.v1.erasures.{partition}")
    }

    /// Stream of [`INBOX`].
    pub const INBOX_STREAM: &str = "SYNAP_INBOX";
    /// Stream of [`REJECTED`].
    pub const REJECTED_STREAM: &str = "SYNAP_REJECTED";
    /// Stream of [`AUDIT`].
    pub const AUDIT_STREAM: &str = "SYNAP_AUDIT";
    /// Records of fetches: what was told to whom.
    pub const AUDIT: &str = "synap.v1.audit";
    /// Durable consumer of [`INBOX_STREAM`].
    pub const INBOX_CONSUMER: &str = "ingest";
    /// Name of the NATS micro service.
    pub const SERVICE: &str = "synap";
}

/// Subject of one event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventSubject {
    partition: Partition,
    client: String,
    customer: String,
    user: String,
    event: String,
}

/// The text is no subject of an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the subject of an event")]
pub struct SubjectError;

impl EventSubject {
    /// The subject of `event` in `partition`.
    pub fn of(partition: Partition, event: &Event) -> Self {
        Self::new(partition, event.scope(), event.type_token())
    }

    /// The subject of an event with this `type` in `scope`.
    pub fn new(partition: Partition, scope: &Scope, event: &str) -> Self {
        let mut levels = scope.path().iter();
        let customer = levels
            .next()
            .map_or_else(absent, |level| token(level.id.as_str()));
        let user = match levels.as_slice() {
            [] => absent(),
            [user] => token(user.id.as_str()),
            [..] => hashed(&scope.hash()),
        };
        Self {
            partition,
            client: token(scope.client().as_str()),
            customer,
            user,
            event: event.to_owned(),
        }
    }

    /// The subjects of the events of `scope` itself: what a service subscribes to that follows it.
    pub fn filter_of(partition: Partition, scope: &Scope) -> String {
        Self::new(partition, scope, "*").to_string()
    }

    /// Subjects among which those of the events of `scope` are, and of what lies below it.
    pub fn filter_below(partition: Partition, scope: &Scope) -> String {
        let own = Self::new(partition, scope, "*");
        if scope.path().is_empty() || scope.kind() == LevelName::USER {
            return own.to_string();
        }
        // What lies between customer and user does not show in subjects.
        format!(
            "synap.v1.events.{partition}.{}.{}.>",
            own.client, own.customer
        )
    }

    /// Whether it is of an event of exactly `scope`.
    pub fn is_of(&self, scope: &Scope) -> bool {
        *self == Self::new(self.partition, scope, &self.event)
    }

    /// What the stream of `partition` stores.
    pub fn filter(partition: Partition) -> String {
        format!("synap.v1.events.{partition}.>")
    }
}

impl fmt::Display for EventSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            client,
            customer,
            user,
            event,
        } = self;
        write!(
            f,
            "synap.v1.events.{partition}.{client}.{customer}.{user}.{event}"
        )
    }
}

impl FromStr for EventSubject {
    type Err = SubjectError;

    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let rest = text.strip_prefix("synap.v1.events.").ok_or(SubjectError)?;
        let parts: Vec<&str> = rest.split('.').collect();
        let [partition, client, customer, user, event] = parts.as_slice() else {
            return Err(SubjectError);
        };
        let owned = |part: &str| {
            if is_token(part) {
                Ok(part.to_owned())
            } else {
                Err(SubjectError)
            }
        };
        let subject = Self {
            partition: partition.parse().map_err(|_| SubjectError)?,
            client: owned(client)?,
            customer: owned(customer)?,
            user: owned(user)?,
            event: owned(event)?,
        };
        // One spelling only: "0" and "00" would be two subjects of one partition.
        if subject.to_string() == text {
            Ok(subject)
        } else {
            Err(SubjectError)
        }
    }
}

fn absent() -> String {
    "-".to_owned()
}

fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=TOKEN_BYTES_MAX).contains(&text.len()) && text.chars().all(plain)
}

fn token(id: &str) -> String {
    if is_plain(id) && id != "-" {
        id.to_owned()
    } else {
        hashed(&Hash128::of("synap.subject.v1", [id.as_bytes()]))
    }
}

fn hashed(hash: &Hash128) -> String {
    format!("={}", BASE32_DNSSEC.encode(hash.bytes()))
}

fn is_token(text: &str) -> bool {
    match text.strip_prefix('=') {
        Some(hash) => BASE32_DNSSEC
            .decode(hash.as_bytes())
            .is_ok_and(|bytes| bytes.len() == 16),
        None => is_plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScopeLevel;
    use proptest::prelude::*;

    fn scope(ids: &[&str]) -> Scope {
        let names = ["customer", "user", "device"];
        let level = |(name, id): (&&str, &&str)| ScopeLevel {
            level: name.parse().unwrap(),
            id: id.parse().unwrap(),
        };
        Scope::new(
            "app".parse().unwrap(),
            names.iter().zip(ids).map(level).collect(),
        )
        .unwrap()
    }

    #[track_caller]
    fn check(ids: &[&str], expected: &str) {
        let subject = EventSubject::new(Partition::Numbered(3), &scope(ids), "memory-ingested");
        assert_eq!(
            subject.to_string(),
            format!("synap.v1.events.03.app.{expected}.memory-ingested")
        );
        assert_eq!(subject.to_string().parse(), Ok(subject));
    }

    #[test]
    fn plain_ids_stand_as_they_are_and_others_are_hashed() {
        check(&[], "-.-");
        check(&["acme_corp"], "acme_corp.-");
        check(&["acme_corp", "user-1"], "acme_corp.user-1");
        check(&["-"], "=bolc6aoarmt192cu2cvp5og04g.-");
        check(
            &["*", ">"],
            "=hbhkv26laa7juvno50pvpui6tc.=h7ktm7shctel18388fe18hbmvs",
        );
    }

    #[test]
    fn foreign_subjects_are_refused() {
        for text in [
            "",
            "synap.v1.events.0.app.-.-.x",
            "synap.v1.events.00.app.-.-",
            "synap.v1.events.00.app.-.-.x.y",
            "synap.v1.events.00.a*p.-.-.x",
            "synap.v1.events.00.app.=abc.-.x",
            "synap.v1.events.99.app.-.-.x",
        ] {
            assert_eq!(text.parse::<EventSubject>(), Err(SubjectError), "{text:?}");
        }
    }

    fn ids() -> impl Strategy<Value = Vec<String>> {
        let id = prop_oneof!["[a-c.*>=-]{1,3}", "[a-zA-Z0-9_-]{46,50}", "\\PC{1,20}"];
        proptest::collection::vec(id, 0..3)
    }

    proptest! {
        /// Injective, parseable, and made of bounded tokens of a fixed alphabet.
        #[test]
        fn no_two_scopes_share_a_subject(a in ids(), b in ids()) {
            let make = |ids: &[String]| {
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                EventSubject::new(Partition::Shared, &scope(&ids), "t").to_string()
            };
            prop_assert_eq!(a == b, make(&a) == make(&b));
            let text = make(&a);
            prop_assert!(text.len() <= 200);
            prop_assert_eq!(text.matches('.').count(), 7);
            prop_assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "_-=.".contains(c)));
            prop_assert!(text.parse::<EventSubject>().is_ok());
        }
    }
}
