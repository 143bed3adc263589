//! Sets of texts and questions.
//!
//! `{"name", "scopes": [{"id", "docs": [{"id", "text", "speaker"?, "ts"?, "session"?, "scope"?}], "queries": [{"id", "text",
//! "cat"?, "gold": [doc ids]}]}]}`. A scope whose first text has a speaker is a user's conversation, session by session;
//! others are documents of a customer. With `"scope": "customer"` or `"client"` a text of a conversation's set is a document
//! of the customer, or of everyone.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

#[derive(Debug, Deserialize)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) scopes: Vec<SetScope>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SetScope {
    pub(super) id: String,
    pub(super) docs: Vec<Doc>,
    pub(super) queries: Vec<Question>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Doc {
    pub(super) id: String,
    pub(super) text: String,
    #[serde(default)]
    pub(super) speaker: Option<String>,
    /// Seconds since 1970.
    #[serde(default)]
    pub(super) ts: Option<f64>,
    #[serde(default)]
    pub(super) session: Value,
    #[serde(default)]
    pub(super) scope: Level,
}

/// Whose a text is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Level {
    /// The user's where there are conversations, else the customer's.
    #[default]
    Own,
    Customer,
    Client,
}

#[derive(Debug, Deserialize)]
pub(super) struct Question {
    pub(super) id: String,
    pub(super) text: String,
    #[serde(default)]
    pub(super) cat: Option<String>,
    pub(super) gold: Vec<String>,
}

impl Set {
    /// Reads a file, and checks that every answer is a text of its scope.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let set: Self =
            serde_json::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        set.check()
            .with_context(|| format!("in {}", path.display()))?;
        Ok(set)
    }

    fn check(&self) -> anyhow::Result<()> {
        for (number, scope) in self.scopes.iter().enumerate() {
            let at = format!("scopes[{number}] ({})", scope.id);
            ensure!(!scope.docs.is_empty(), "{at}: docs is empty");
            let mut ids = BTreeSet::new();
            for doc in &scope.docs {
                ensure!(
                    ids.insert(doc.id.as_str()),
                    "{at}: docs has {:?} twice",
                    doc.id
                );
                let speaks = doc.speaker.is_some() || doc.level(scope) != "user";
                ensure!(
                    speaks,
                    "{at}: doc {:?} of a conversation has no speaker",
                    doc.id
                );
            }
            for question in &scope.queries {
                ensure!(
                    !question.gold.is_empty(),
                    "{at}: gold of query {:?} is empty",
                    question.id
                );
                for gold in &question.gold {
                    let known = ids.contains(gold.as_str());
                    ensure!(
                        known,
                        "{at}: gold of query {:?} names {gold:?}, which is no doc",
                        question.id
                    );
                }
            }
        }
        Ok(())
    }
}

impl SetScope {
    /// Whether it is a user's.
    pub(super) fn is_conversation(&self) -> bool {
        self.docs.iter().any(|doc| doc.speaker.is_some())
    }

    /// The turns of a conversation, session by session.
    pub(super) fn sessions(&self) -> Vec<(String, Vec<&Doc>)> {
        let mut sessions: Vec<(String, Vec<&Doc>)> = Vec::new();
        for doc in self.docs.iter().filter(|doc| doc.level(self) == "user") {
            let name = doc
                .session
                .as_str()
                .map_or_else(|| doc.session.to_string(), ToOwned::to_owned);
            match sessions.iter_mut().find(|(known, _)| *known == name) {
                Some((_, turns)) => turns.push(doc),
                None => sessions.push((name, vec![doc])),
            }
        }
        sessions
    }
}

impl Doc {
    /// Kind of the scope that it belongs to.
    pub(super) fn level(&self, scope: &SetScope) -> &'static str {
        match self.scope {
            Level::Own if scope.is_conversation() => "user",
            Level::Own | Level::Customer => "customer",
            Level::Client => "client",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(json: &str, says: &str) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("set.json");
        std::fs::write(&path, json).unwrap();
        let error = format!("{:#}", Set::read(&path).unwrap_err());
        assert!(
            error.contains(says) && error.contains("set.json"),
            "{error}"
        );
    }

    #[test]
    fn bad_data_is_named_by_file_and_place() {
        refused("{", "EOF");
        refused(r#"{"name": "n"}"#, "missing field `scopes`");
        let set = |docs: &str, gold: &str| {
            format!(
                r#"{{"name":"n","scopes":[{{"id":"s","docs":[{docs}],"queries":[{{"id":"q","text":"t","gold":[{gold}]}}]}}]}}"#
            )
        };
        let doc = r#"{"id":"d","text":"t"}"#;
        refused(&set("", ""), "scopes[0] (s): docs is empty");
        refused(&set(&format!("{doc},{doc}"), "\"d\""), "\"d\" twice");
        refused(&set(doc, "\"e\""), "gold of query \"q\" names \"e\"");
        refused(&set(doc, ""), "gold of query \"q\" is empty");
        let mixed = r#"{"id":"a","text":"t","speaker":"A"},{"id":"d","text":"t"}"#;
        refused(
            &set(mixed, "\"a\""),
            "doc \"d\" of a conversation has no speaker",
        );
    }
}
