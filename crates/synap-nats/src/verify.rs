//! Compares a stream's settings with the wanted ones, field by field. Only what can lose or change an event counts; an
//! operator's description, placement or byte limit (which refuses, and does not discard) is left alone.

use async_nats::jetstream::stream::{Compression, Config, PersistenceMode};
use std::fmt;

/// One setting that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    field: String,
    found: String,
    wanted: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            found,
            wanted,
        } = self;
        write!(f, "{field} is {found}, {wanted} is wanted")
    }
}

/// Every dangerous difference between `found` and `wanted`.
pub(crate) fn differences(found: &Config, wanted: &Config) -> Vec<Difference> {
    let mut all = Differences(Vec::new());
    kept(found, wanted, &mut all);
    stored(found, wanted, &mut all);
    allowed(found, wanted, &mut all);
    for (key, value) in &wanted.metadata {
        let there = found.metadata.get(key).map_or("absent", String::as_str);
        all.add(&format!("metadata {key}"), there, value);
    }
    all.0
}

/// How long and how much is kept.
fn kept(found: &Config, wanted: &Config, all: &mut Differences) {
    all.add("subjects", &found.subjects, &wanted.subjects);
    all.add("retention", &found.retention, &wanted.retention);
    all.add("discard", &found.discard, &wanted.discard);
    all.add("max_age", &found.max_age, &wanted.max_age);
    let limit = |number: i64| number.max(0);
    all.add(
        "max_msgs",
        &limit(found.max_messages),
        &limit(wanted.max_messages),
    );
    all.add(
        "max_msgs_per_subject",
        &limit(found.max_messages_per_subject),
        &limit(wanted.max_messages_per_subject),
    );
    if found.duplicate_window < wanted.duplicate_window {
        all.add(
            "duplicate_window",
            &found.duplicate_window,
            &wanted.duplicate_window,
        );
    }
}

/// How it is stored.
fn stored(found: &Config, wanted: &Config, all: &mut Differences) {
    all.add("storage", &found.storage, &wanted.storage);
    if found.num_replicas < wanted.num_replicas {
        all.add("num_replicas", &found.num_replicas, &wanted.num_replicas);
    }
    all.add(
        "compression",
        &found.compression.clone().unwrap_or(Compression::None),
        &wanted.compression.clone().unwrap_or(Compression::None),
    );
    let mode = |config: &Config| config.persist_mode.unwrap_or(PersistenceMode::Default);
    all.add("persist_mode", &mode(found), &mode(wanted));
    all.add("no_ack", &found.no_ack, &wanted.no_ack);
    all.add("mirror", &found.mirror.is_some(), &wanted.mirror.is_some());
    let sourced = |config: &Config| config.sources.as_ref().is_some_and(|all| !all.is_empty());
    all.add("sources", &sourced(found), &sourced(wanted));
    all.add(
        "subject_transform",
        &found.subject_transform.is_some(),
        &wanted.subject_transform.is_some(),
    );
}

/// What may be done with it.
fn allowed(found: &Config, wanted: &Config, all: &mut Differences) {
    all.add("sealed", &found.sealed, &wanted.sealed);
    all.add(
        "allow_atomic",
        &found.allow_atomic_publish,
        &wanted.allow_atomic_publish,
    );
    all.add(
        "allow_rollup_hdrs",
        &found.allow_rollup,
        &wanted.allow_rollup,
    );
    all.add("deny_delete", &found.deny_delete, &wanted.deny_delete);
    all.add("deny_purge", &found.deny_purge, &wanted.deny_purge);
}

struct Differences(Vec<Difference>);

impl Differences {
    fn add<T: PartialEq + fmt::Debug + ?Sized>(&mut self, field: &str, found: &T, wanted: &T) {
        if found != wanted {
            self.0.push(Difference {
                field: field.to_owned(),
                found: format!("{found:?}"),
                wanted: format!("{wanted:?}"),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_nats::jetstream::stream::{DiscardPolicy, RetentionPolicy, StorageType};
    use std::time::Duration;

    fn wanted() -> Config {
        Config {
            name: "S".to_owned(),
            subjects: vec!["s.>".to_owned()],
            discard: DiscardPolicy::New,
            max_messages: -1,
            num_replicas: 1,
            duplicate_window: Duration::from_secs(120),
            allow_atomic_publish: true,
            metadata: [("synap.format".to_owned(), "1".to_owned())].into(),
            ..Config::default()
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Config), expected: &[&str]) {
        let mut found = wanted();
        change(&mut found);
        let all = differences(&found, &wanted());
        let all: Vec<String> = all.iter().map(Difference::to_string).collect();
        assert_eq!(all, expected);
    }

    #[test]
    fn dangerous_differences_are_named() {
        check(
            |c| c.max_age = Duration::from_secs(60),
            &["max_age is 60s, 0ns is wanted"],
        );
        check(
            |c| c.discard = DiscardPolicy::Old,
            &["discard is Old, New is wanted"],
        );
        check(|c| c.max_messages = 5, &["max_msgs is 5, 0 is wanted"]);
        check(
            |c| c.storage = StorageType::Memory,
            &["storage is Memory, File is wanted"],
        );
        check(
            |c| c.retention = RetentionPolicy::Interest,
            &["retention is Interest, Limits is wanted"],
        );
        check(
            |c| c.compression = Some(Compression::S2),
            &["compression is S2, None is wanted"],
        );
        check(
            |c| c.persist_mode = Some(PersistenceMode::Async),
            &["persist_mode is Async, Default is wanted"],
        );
        check(
            |c| c.allow_atomic_publish = false,
            &["allow_atomic is false, true is wanted"],
        );
        check(
            |c| c.duplicate_window = Duration::from_secs(1),
            &["duplicate_window is 1s, 120s is wanted"],
        );
        check(
            |c| c.metadata.clear(),
            &["metadata synap.format is \"absent\", \"1\" is wanted"],
        );
        check(
            |c| c.subjects = vec!["x".to_owned()],
            &["subjects is [\"x\"], [\"s.>\"] is wanted"],
        );
    }

    #[test]
    fn harmless_differences_are_left_alone() {
        check(|c| c.max_bytes = 1_000_000, &[]);
        check(|c| c.num_replicas = 3, &[]);
        check(|c| c.description = Some("mine".to_owned()), &[]);
        check(|c| c.duplicate_window = Duration::from_secs(600), &[]);
        check(|c| c.compression = Some(Compression::None), &[]);
        check(
            |c| {
                c.metadata
                    .insert("_nats.ver".to_owned(), "2.15.1".to_owned());
            },
            &[],
        );
    }
}
