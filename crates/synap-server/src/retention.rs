//! Retention: what nothing has happened to for as long as a rule says is erased, like any deletion.
//!
//! The unit is what can be erased as a whole: a document with all its versions, or a conversation. Its age counts from its
//! last event, by when that was accepted. A deletion by policy is an event, with the instance as its author and
//! [`KEY_ID`] in the place of a key; the erasure worker does the rest.

use crate::engine::Rows;
use crate::identity::Instance;
use crate::node::Node;
use crate::operations::Operations;
use anyhow::Context as _;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use synap_log::EventLog;
use synap_readmodel::{
    HistoryRow, ReadStore as _, Snapshot as _, StatsRow, StoreError, codec, key,
};
use synap_types::{
    Author, ConversationId, DocumentErased, DocumentId, EventBody, EventId, Hash128, Id,
    InstanceId, Partition, Scope, ScopeErased, ScopeIds, Timestamp,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Who deletes, in events and histories.
const KEY_ID: &str = "retention";
/// How often it is looked: a tenth of the shortest age, within these.
const LOOK_EVERY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60 * 60));
/// What one look deletes in one partition.
const LOOK_MAX: usize = 1_000;
/// Events that are no sign of life.
const NO_LIFE: [&str; 4] = [
    "scope-erased",
    "document-erased",
    "erasure-completed",
    "memories-enriched",
];

/// `[retention]` of an instance.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetentionSetting {
    max_age: Option<MaxAge>,
    scopes: Vec<ScopeSetting>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeSetting {
    customer_id: Option<Id>,
    user_id: Option<Id>,
    max_age: MaxAge,
}

/// An age such as `90d`, `12h`, `30m` or `45s`, or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct MaxAge(pub(crate) Option<Duration>);

impl TryFrom<String> for MaxAge {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        let units = [("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];
        let parsed = units.iter().find_map(|(unit, seconds)| {
            let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
            (number > 0).then(|| Duration::from_secs(u64::from(number) * seconds))
        });
        let wrong = || {
            format!(
                "max_age is a whole number with d, h, m or s, such as \"90d\", or \"never\": not {text:?}"
            )
        };
        parsed.map(|age| Self(Some(age))).ok_or_else(wrong)
    }
}

/// Which scopes keep what for how long.
#[derive(Debug, Clone, Default)]
pub(crate) struct Retention(Vec<Rule>);

/// Of a scope and what lies below it, unless a narrower scope has a rule of its own.
#[derive(Debug, Clone)]
struct Rule {
    scope: Scope,
    instance: InstanceId,
    max_age: MaxAge,
}

impl Retention {
    /// What the instances want. Two rules for one scope are refused: they may contradict each other.
    pub(crate) fn of_all(instances: &[(Instance, RetentionSetting)]) -> anyhow::Result<Self> {
        let mut rules: Vec<Rule> = Vec::new();
        for (instance, setting) in instances {
            let all = setting.max_age.map(|max_age| ScopeSetting {
                customer_id: None,
                user_id: None,
                max_age,
            });
            for wanted in all.iter().chain(&setting.scopes) {
                let ids = ScopeIds {
                    customer_id: wanted.customer_id.clone(),
                    user_id: wanted.user_id.clone(),
                    ..ScopeIds::default()
                };
                let scope = instance.isolation.scope(&instance.client, &ids);
                let scope = scope.map_err(|refusal| anyhow::Error::msg(refusal.message))?;
                anyhow::ensure!(
                    rules.iter().all(|other| other.scope != scope),
                    "there are two rules for the {} of {}",
                    scope.kind(),
                    instance.id
                );
                rules.push(Rule {
                    scope,
                    instance: instance.id.clone(),
                    max_age: wanted.max_age,
                });
            }
        }
        Ok(Self(rules))
    }

    /// The rule for a scope: of the nearest scope around it that has one.
    fn of(&self, scope: &Scope) -> Option<(&Rule, Duration)> {
        let around = self.0.iter().filter(|rule| scope.sees(&rule.scope));
        let rule = around.max_by_key(|rule| rule.scope.path().len())?;
        Some((rule, rule.max_age.0?))
    }

    /// How often to look; `None` if nothing ever goes.
    fn look_every(&self) -> Option<Duration> {
        let ages = self.0.iter().filter_map(|rule| rule.max_age.0);
        let (least, most) = LOOK_EVERY;
        ages.min().map(|age| (age / 10).clamp(least, most))
    }
}

/// Something that is too old.
#[derive(Debug)]
struct Expired {
    scope: Scope,
    instance: InstanceId,
    about: About,
    /// When its last event was accepted, in microseconds since 1970.
    last: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Document(DocumentId),
    Conversation(ConversationId),
}

impl About {
    fn parse(about: &str) -> Option<Self> {
        if let Some(id) = about.strip_prefix("documents/") {
            return Some(Self::Document(id.parse().ok()?));
        }
        let id = about.strip_prefix("conversations/")?;
        Some(Self::Conversation(id.parse().ok()?))
    }
}

/// Looks after one partition until `stop`. Ends at once where there is no rule.
pub(crate) async fn run<L: EventLog>(
    operations: Arc<Operations<L>>,
    partition: Partition,
    retention: Arc<Retention>,
    stop: CancellationToken,
) {
    let Some(node) = operations.engine.nodes.get(&partition) else {
        return;
    };
    let Some(look_every) = retention.look_every() else {
        return;
    };
    while !stop.is_cancelled() {
        if let Err(e) = look(&operations, node, &retention).await {
            warn!(%partition, error = format!("{e:#}"), "the retention waits");
        }
        stop.run_until_cancelled(tokio::time::sleep(look_every))
            .await;
    }
}

async fn look<L: EventLog>(
    operations: &Arc<Operations<L>>,
    node: &Arc<Node<L>>,
    retention: &Arc<Retention>,
) -> anyhow::Result<()> {
    let (live, rules) = (node.live(), Arc::clone(retention));
    let now = operations.ingest.clock.now();
    let find = move || expired(&live.store.snapshot(), &rules, now);
    let found = tokio::task::spawn_blocking(find).await;
    let found = found.context("the search panicked")??;
    for one in &found {
        let (id, body) = one.deletion();
        let placed = operations.ingest.append_event(id, body).await?;
        let engine = &operations.engine;
        engine.applied(placed.partition, placed.at).await;
    }
    if !found.is_empty() {
        info!(partition = %node.partition, count = found.len(), "deleted for its age");
    }
    Ok(())
}

/// What is older than its scope's rule says, at most [`LOOK_MAX`].
fn expired(
    rows: &Rows<'_>,
    retention: &Retention,
    now: Timestamp,
) -> Result<Vec<Expired>, StoreError> {
    let mut scopes = Vec::new();
    rows.scan(&key::all_stats(), &mut |_, value| {
        scopes.push(codec::decode::<StatsRow>(value).map(|row| row.scope));
        ControlFlow::Continue(())
    })?;
    let mut found = Vec::new();
    // A row that cannot be read is told by whoever fetches from it; what is beside it still goes.
    for scope in scopes.into_iter().flatten() {
        let Some((rule, max_age)) = retention.of(&scope) else {
            continue;
        };
        let max_age = i64::try_from(max_age.as_micros()).unwrap_or(i64::MAX);
        let until = now.micros().saturating_sub(max_age);
        let units = last_events(rows, &scope, until)?;
        let old = units.into_iter().filter(|(_, last)| *last < until);
        found.extend(old.map(|(about, last)| Expired {
            scope: scope.clone(),
            instance: rule.instance.clone(),
            about,
            last,
        }));
    }
    found.truncate(LOOK_MAX);
    Ok(found)
}

/// When something last happened to each document and conversation of a scope; nothing if even its first event is younger
/// than `until`.
fn last_events(
    rows: &Rows<'_>,
    scope: &Scope,
    until: i64,
) -> Result<BTreeMap<About, i64>, StoreError> {
    let mut last = BTreeMap::new();
    rows.scan(&key::histories(&scope.hash()), &mut |_, value| {
        let Ok(row) = codec::decode::<HistoryRow>(value) else {
            return ControlFlow::Continue(());
        };
        if last.is_empty() && row.latest >= until {
            return ControlFlow::Break(());
        }
        if !NO_LIFE.contains(&row.event_type.as_str())
            && let Some(about) = About::parse(&row.about)
        {
            last.insert(about, row.time);
        }
        ControlFlow::Continue(())
    })?;
    Ok(last)
}

impl Expired {
    /// The event; the same one whoever finds it, and another if it is stored anew and grows old again.
    fn deletion(&self) -> (EventId, EventBody) {
        let (hash, last) = (self.scope.hash(), self.last.to_be_bytes());
        let about = match &self.about {
            About::Document(id) => id.to_string(),
            About::Conversation(id) => id.to_string(),
        };
        let parts = [&hash.bytes()[..], about.as_bytes(), &last];
        let id = EventId::new(Hash128::of("synap.retention.v1", parts).to_uuid());
        let author = Author {
            instance_id: self.instance.clone(),
            key_id: KEY_ID.to_owned(),
        };
        let scope = self.scope.clone();
        let body = match &self.about {
            About::Document(document_id) => EventBody::DocumentErased(Box::new(DocumentErased {
                deletion_id: id,
                scope,
                document_id: document_id.clone(),
                author,
            })),
            About::Conversation(conversation) => EventBody::ScopeErased(Box::new(ScopeErased {
                deletion_id: id,
                scope,
                conversation_id: Some(*conversation),
                author,
            })),
        };
        (id, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synap_types::Isolation;

    fn retention(toml: &str) -> anyhow::Result<Retention> {
        let instance = Instance {
            client: "app".parse()?,
            id: "inst".parse()?,
            isolation: Isolation::strict(),
            admin: true,
            api_keys: Vec::new(),
        };
        Retention::of_all(&[(instance, toml::from_str(toml)?)])
    }

    #[test]
    fn the_nearest_scope_with_a_rule_decides() {
        let rules = retention(
            "max_age = '365d'\nscopes = [{customer_id = 'acme', max_age = '30d'},\n\
             {customer_id = 'acme', user_id = 'al', max_age = 'never'}]",
        )
        .unwrap();
        let age = |customer: Option<&str>, user: Option<&str>| {
            let ids = ScopeIds {
                customer_id: customer.map(|id| id.parse().unwrap()),
                user_id: user.map(|id| id.parse().unwrap()),
                ..ScopeIds::default()
            };
            let scope = Isolation::strict().scope(&"app".parse().unwrap(), &ids);
            let found = rules.of(&scope.unwrap());
            found.map(|(_, age)| age.as_secs() / (24 * 60 * 60))
        };
        assert_eq!(age(None, None), Some(365));
        assert_eq!(age(Some("zeta"), Some("al")), Some(365));
        assert_eq!(age(Some("acme"), Some("bo")), Some(30));
        assert_eq!(age(Some("acme"), Some("al")), None);
        assert_eq!(rules.look_every(), Some(Duration::from_secs(60 * 60)));
        assert_eq!(Retention::default().look_every(), None);
    }

    #[test]
    fn rules_that_say_nothing_or_too_much_are_refused() {
        for toml in [
            "max_age = '30'",
            "max_age = '0d'",
            "max_age = '-1d'",
            "max_age = 30",
            "max_age = '1d'\nscopes = [{max_age = '2d'}]",
            "scopes = [{user_id = 'al', max_age = '2d'}]",
            "scopes = [{customer_id = 'acme'}]",
        ] {
            assert!(retention(toml).is_err(), "{toml}");
        }
        assert!(retention("").unwrap().look_every().is_none());
    }
}
