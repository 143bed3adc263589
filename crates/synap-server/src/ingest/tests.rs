//! Ingests against a log in memory, with rows that follow it, or are held back.

use super::*;
use crate::config::ModelSettings;
use crate::models::Models;
use crate::node::Node;
use std::path::PathBuf;
use std::time::Duration;
use synap_log::MemoryLog;
use synap_projection::wait_for;
use synap_rocksdb::SharedMemory;
use synap_types::{ClientId, Isolation, PartitionCount, SystemClock};
use tempfile::TempDir;

pub(crate) const PARTITION: Partition = Partition::Numbered(0);

/// Ingests into a log in memory, with real rows. What is ingested is of a customer, so of the numbered partition.
pub(crate) struct Rig {
    pub(crate) ingest: Ingest<MemoryLog>,
    identity: Identity,
    pub(crate) folder: TempDir,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::over(Arc::new(MemoryLog::default()), folder)
    }

    pub(crate) fn over(log: Arc<MemoryLog>, folder: TempDir) -> Self {
        let (data_dir, memory) = (folder.path(), SharedMemory::default());
        let open = |partition| {
            let node = Node::open(Arc::clone(&log), data_dir, partition, &memory).unwrap();
            (partition, Arc::new(node))
        };
        let models = Models::load(&ModelSettings {
            dir: PathBuf::new(),
            tokenizer: None,
            accurate_ms: 0,
        });
        let engine = Arc::new(Engine {
            models: Arc::new(models.unwrap()),
            count: PartitionCount::ONE,
            nodes: [open(PARTITION), open(Partition::Shared)].into(),
            ranking: synap_query::Ranking::default(),
        });
        let identity = Identity {
            client: "app".parse().unwrap(),
            instance: "instance".parse().unwrap(),
            isolation: Isolation::strict(),
            key_id: "key".to_owned(),
            admin: false,
        };
        Self {
            ingest: Ingest {
                log,
                engine,
                clock: Arc::new(SystemClock),
                acked: Acked::default(),
            },
            identity,
            folder,
        }
    }

    pub(crate) fn node(&self) -> &Arc<Node<MemoryLog>> {
        &self.ingest.engine.nodes[&PARTITION]
    }

    /// The same log and folder, opened again after `change` in the folder.
    pub(crate) async fn changed(self, change: impl FnOnce(&std::path::Path)) -> Self {
        for node in self.ingest.engine.nodes.values() {
            node.stop().await;
        }
        let (log, folder) = (Arc::clone(&self.ingest.log), self.folder);
        drop(self.ingest);
        change(folder.path());
        Self::over(log, folder)
    }

    /// The same log and folder, with rows that follow again.
    async fn reopened(self) -> Self {
        let rig = self.changed(|_| {}).await;
        rig.ingest.engine.catch_up(PARTITION).await.unwrap();
        rig
    }

    pub(crate) async fn ingest(&self, fields: &str) -> Result<IngestReceipt, ApiError> {
        let client: ClientId = "app".parse().unwrap();
        let body = format!("{{\"customer_id\":\"acme\",{fields}}}");
        let body = synap_types::json::parse_object(body.as_bytes())?;
        let request = IngestRequest::parse_strict(body, &client, &Isolation::strict())?;
        self.ingest.ingest(&self.identity, request).await
    }

    /// Ingests and waits until the rows have it.
    pub(crate) async fn applied(&self, fields: &str) -> IngestReceipt {
        let receipt = self.ingest(fields).await.unwrap();
        let mut progress = self.node().live().progress.clone();
        let wait = Duration::from_secs(10);
        wait_for(&mut progress, None, receipt.position.seq, wait)
            .await
            .unwrap();
        receipt
    }

    /// Whether the current version of `document` has this text.
    pub(crate) async fn holds(&self, document: &str, text: &str) -> bool {
        let client: ClientId = "app".parse().unwrap();
        let ids = synap_types::ScopeIds {
            customer_id: Some("acme".parse().unwrap()),
            ..Default::default()
        };
        let scope = Isolation::strict().scope(&client, &ids).unwrap();
        let id = Some(document.parse().unwrap());
        let state = self.ingest.engine.ingest_state(&scope, None, id).await;
        let text = synap_types::Content::Text(text.to_owned());
        let hash = IdempotencyKey::content_hash(&text);
        state.unwrap().document.unwrap().content == *hash.bytes()
    }
}

#[tokio::test]
async fn going_back_to_earlier_content_is_stored_although_the_rows_are_behind() {
    let rig = Rig::new();
    rig.node().stop().await;
    for text in ["one", "two", "one"] {
        let fields = format!(r#""document":"{text}","document_id":"d""#);
        let receipt = rig.ingest(&fields).await.unwrap();
        assert!(!receipt.duplicate, "{text}");
    }
    let rig = rig.reopened().await;
    assert!(rig.holds("d", "one").await, "the last that was acked stays");
}

#[tokio::test]
async fn equal_content_of_a_document_is_stored_once() {
    let rig = Rig::new();
    let first = rig.applied(r#""document":"one","document_id":"d""#).await;
    let again = rig.applied(r#""document":"one","document_id":"d""#).await;
    assert!(again.duplicate);
    assert_eq!(again.ingestion_id, first.ingestion_id);
    assert_eq!(again.position, first.position);
}

#[tokio::test]
async fn content_without_a_document_id_is_there_as_long_as_its_document_has_it() {
    let rig = Rig::new();
    let first = rig.applied(r#""document":"one""#).await;
    let id = first.document_id.as_str();
    assert!(rig.applied(r#""document":"one""#).await.duplicate);
    let changed = format!(r#""document":"two","document_id":"{id}""#);
    rig.applied(&changed).await;
    let again = rig.applied(r#""document":"one""#).await;
    assert!(!again.duplicate && again.document_id != first.document_id);
    assert!(rig.holds(again.document_id.as_str(), "one").await);
    let third = rig.applied(r#""document":"one""#).await;
    assert_eq!(
        (third.duplicate, third.document_id),
        (true, again.document_id)
    );
}

#[tokio::test]
async fn a_used_key_is_known_although_the_rows_are_behind() {
    let rig = Rig::new();
    let first = rig
        .applied(r#""document":"one","idempotency_key":"k""#)
        .await;
    rig.node().stop().await;
    rig.ingest(r#""document":"two""#).await.unwrap();
    let again = rig
        .ingest(r#""document":"one","idempotency_key":"k""#)
        .await;
    assert_eq!(again.unwrap().position, first.position);
}

#[tokio::test]
async fn whoever_wants_no_replacement_is_not_answered_from_rows_that_are_behind() {
    let rig = Rig::new();
    rig.node().stop().await;
    rig.ingest(r#""document":"one","document_id":"d""#)
        .await
        .unwrap();
    let reject = r#""document":"two","document_id":"d","on_conflict":"reject""#;
    let refusal = rig.ingest(reject).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::NotYetApplied);
    let rig = rig.reopened().await;
    let refusal = rig.ingest(reject).await.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Conflict);
}
