//! Generations over a log in memory and real rows: resumed, compared, switched, rolled back, outdated, verified.

use super::*;
use crate::ingest::tests::{PARTITION, Rig};
use crate::jobs::{JobKind, JobPart, Rebuild};
use serde_json::Value;
use synap_projection::fold;
use synap_readmodel::{Sample, WriteSet};
use synap_types::{ClientId, FetchRequest, FetchResponse, Isolation};

/// Fast, and not picky.
const FAST: Rebuild = Rebuild::at(1.0);

async fn rig(documents: usize) -> Rig {
    let rig = Rig::new();
    for number in 1..documents {
        let fields = format!(
            r#""document":"The plan of team {number} is ready.","document_id":"d{number}""#
        );
        rig.ingest(&fields).await.unwrap();
    }
    let last = r#""document":"The last plan is green.","document_id":"last""#;
    rig.applied(last).await;
    rig
}

async fn rebuild(rig: &Rig, options: Rebuild) -> anyhow::Result<Value> {
    let part = JobPart::new(JobKind::Rebuild(options), PARTITION);
    rig.node().rebuild(&part).await
}

async fn fetch(rig: &Rig) -> FetchResponse {
    let body = br#"{"customer_id":"acme","search_query":["the last plan is green"]}"#;
    let body = synap_types::json::parse_object(body).unwrap();
    let client: ClientId = "app".parse().unwrap();
    let request = FetchRequest::parse_strict(body, &client, &Isolation::strict()).unwrap();
    rig.ingest.engine.fetch(request, None).await.unwrap()
}

/// Says of the rows that another version of the projection made them.
fn pretend(store: &RocksStore, version: u32) {
    let mut checkpoint = store.snapshot().row(&key::checkpoint()).unwrap().unwrap();
    checkpoint.projection = version;
    let mut writes = WriteSet::default();
    writes.put(key::checkpoint(), &checkpoint);
    store.commit(&writes).unwrap();
}

fn pretend_in(generation: &Path, version: u32) {
    let options = StoreOptions::sharing(SharedMemory::default());
    pretend(&RocksStore::open(generation, &options).unwrap(), version);
}

/// Damages one row without anybody noticing; answers its key.
fn damage(store: &RocksStore) -> String {
    let mut found = None;
    let snapshot = store.snapshot();
    let memories = synap_readmodel::Table::Memories;
    let client: ClientId = "app".parse().unwrap();
    let ids = synap_types::ScopeIds {
        customer_id: Some("acme".parse().unwrap()),
        ..Default::default()
    };
    let scope = Isolation::strict().scope(&client, &ids).unwrap().hash();
    snapshot
        .scan_table(memories, &mut |bytes, _| {
            found = Some(data_encoding::HEXLOWER.encode(bytes));
            ControlFlow::Break(())
        })
        .unwrap();
    let named = found.unwrap();
    let newest = (0..100_u32)
        .rev()
        .find(|ordinal| {
            let row = snapshot.row(&key::memory(&scope, *ordinal)).unwrap();
            row.is_some()
        })
        .unwrap();
    let mut row = snapshot.row(&key::memory(&scope, newest)).unwrap().unwrap();
    row.confidence = 0.123;
    let mut writes = WriteSet::default();
    writes.put(key::memory(&scope, newest), &row);
    let bytes = data_encoding::HEXLOWER.encode(key::memory(&scope, newest).key().bytes());
    assert_eq!(bytes, named, "the newest comes first");
    drop(snapshot);
    store.commit(&writes).unwrap();
    named
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_compares_the_rows_at_one_event_and_says_so() {
    let rig = rig(20).await;
    let done = rebuild(&rig, FAST).await.unwrap();
    assert_eq!(
        (&done["equal"], &done["compared_seq"]),
        (&true.into(), &20.into()),
        "{done}"
    );
    assert_eq!(done["digest"], done["live_digest"]);
    assert_eq!(
        (&done["generation"], &done["resumed_from"]),
        (&2.into(), &0.into())
    );
    assert!(done["switch_ms"].is_number());
    assert!(!fetch(&rig).await.stale);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_was_interrupted_goes_on_where_it_was() {
    let rig = rig(20).await;
    let node = Arc::clone(rig.node());
    let (number, path) = node.generations.create_filling(PROJECTION_VERSION).unwrap();
    let store = Arc::new(RocksStore::open(&path, &node.options()).unwrap());
    let until = Seq::new(11);
    fold(&*node.log, &store, PARTITION, until, |_, _| {})
        .await
        .unwrap();
    drop((store, node));
    let rig = rig.changed(|_| {}).await;
    assert!(rig.node().wants_rebuild().unwrap());
    let done = rebuild(&rig, FAST).await.unwrap();
    assert_eq!(
        (&done["generation"], &done["resumed_from"]),
        (&number.into(), &11.into())
    );
    assert_eq!(done["equal"], true);
    assert!(!rig.node().wants_rebuild().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_not_gone_on_with() {
    let rig = rig(5).await;
    let node = rig.node();
    node.generations
        .create_filling(PROJECTION_VERSION + 1)
        .unwrap();
    let (_, other_log) = node.generations.create_filling(PROJECTION_VERSION).unwrap();
    let store = Arc::new(RocksStore::open(&other_log, &node.options()).unwrap());
    fold(&*node.log, &store, PARTITION, Seq::new(3), |_, _| {})
        .await
        .unwrap();
    let mut checkpoint = store.snapshot().row(&key::checkpoint()).unwrap().unwrap();
    checkpoint.incarnation += 1;
    let mut writes = WriteSet::default();
    writes.put(key::checkpoint(), &checkpoint);
    store.commit(&writes).unwrap();
    drop(store);
    let done = rebuild(&rig, FAST).await.unwrap();
    assert_eq!(done["resumed_from"], 0, "{done}");
    assert_eq!(done["equal"], true);
    assert_eq!(
        rig.node().generations.list().unwrap(),
        [1, 2],
        "both are gone"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_differ_stay_out_unless_they_are_accepted() {
    let rig = rig(8).await;
    let key = damage(&rig.node().live().store);
    let refused = format!("{:#}", rebuild(&rig, FAST).await.unwrap_err());
    assert!(
        refused.contains(&format!("Memory row {key}, scope ")),
        "{refused}"
    );
    assert!(refused.contains("customer=acme"), "{refused}");
    assert!(refused.contains("seq 8,"), "{refused}");
    assert!(!refused.contains("green"), "no text: {refused}");
    assert_eq!(rig.node().live().number, 1);
    assert_eq!(
        rig.node().generations.list().unwrap(),
        [1],
        "it leaves nothing"
    );
    let accepting = Rebuild {
        accept_difference: true,
        ..FAST
    };
    let done = rebuild(&rig, accepting).await.unwrap();
    assert_eq!(done["equal"], false);
    assert_ne!(done["digest"], done["live_digest"]);
    assert_eq!(rig.node().live().number, 2);
    let found = rig.node().verify(Sample::ALL, |_, _| {}).await.unwrap();
    assert!(found.equal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_is_named_by_a_verification_and_by_the_samples_that_hold_it() {
    let rig = rig(8).await;
    let key = damage(&rig.node().live().store);
    let found = rig.node().verify(Sample::ALL, |_, _| {}).await.unwrap();
    assert!(!found.equal);
    assert_eq!(found.differences.len(), 1, "{found:?}");
    assert!(
        found.differences[0].starts_with(&format!("Memory row {key}, ")),
        "{found:?}"
    );
    for percent in [1, 10, 50, 99] {
        let sample = Sample::of_share(f64::from(percent) / 100.0).unwrap();
        let sampled = rig.node().verify(sample, |_, _| {}).await.unwrap();
        assert!(sampled.rows < found.rows);
        assert_eq!(sampled.equal, sampled.differences.is_empty());
        assert!(sampled.equal || sampled.differences == found.differences);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_goes_back_and_forth_with_all_that_was_written_since() {
    let rig = rig(3).await;
    let none = rig.node().rollback().await.unwrap_err().to_string();
    assert!(none.contains("no generation before"), "{none}");
    rebuild(&rig, FAST).await.unwrap();
    for (turn, expected) in [1, 2, 1].into_iter().enumerate() {
        let receipt = rig
            .applied(&format!(r#""document":"Turn {turn} is to come.""#))
            .await;
        let done = rig.node().rollback().await.unwrap();
        assert_eq!(done["generation"], expected);
        let live = rig.node().live();
        assert_eq!(
            (live.number, live.progress.borrow().applied),
            (expected, receipt.position.seq)
        );
    }
    assert!(
        rig.node()
            .verify(Sample::ALL, |_, _| {})
            .await
            .unwrap()
            .equal
    );
    let rig = rig.changed(|_| {}).await;
    assert_eq!(rig.node().live().number, 1, "known after a restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_of_another_version_is_not_gone_back_to() {
    let rig = rig(3).await;
    rebuild(&rig, FAST).await.unwrap();
    pretend_in(&rig.node().generations.path(1), PROJECTION_VERSION + 1);
    let refused = rig.node().rollback().await.unwrap_err().to_string();
    assert!(
        refused.contains("another version of the projection"),
        "{refused}"
    );
    assert_eq!(rig.node().live().number, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_with_other_texts_are_read_only_until_a_rebuild_is_done() {
    let rig = rig(6).await;
    let outdated = PROJECTION_VERSION ^ 1;
    let rig = rig
        .changed(|data| pretend_in(&data.join("partition-00/gen-0001"), outdated))
        .await;
    assert!(rig.node().live().is_outdated() && rig.node().wants_rebuild().unwrap());
    let before = fetch(&rig).await;
    assert!(
        before.stale && !before.items.is_empty(),
        "it answers, and says so"
    );
    rig.ingest(r#""document":"Not in the rows yet.""#)
        .await
        .unwrap();
    assert_eq!(rig.node().live().progress.borrow().applied, Seq::new(6));
    assert!(rig.node().verify(Sample::ALL, |_, _| {}).await.is_err());

    let done = rebuild(&rig, FAST).await.unwrap();
    assert!(
        done["not_compared"]
            .as_str()
            .unwrap()
            .contains("another version"),
        "{done}"
    );
    let live = rig.node().live();
    assert_eq!((live.number, live.is_outdated()), (2, false));
    assert_eq!(live.progress.borrow().applied, Seq::new(7));
    assert!(!fetch(&rig).await.stale);
    let refused = rig.node().rollback().await.unwrap_err().to_string();
    assert!(refused.contains("another version"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_another_layout_are_not_read() {
    let rig = rig(6).await;
    let other = PROJECTION_VERSION + (1 << 16);
    let rig = rig
        .changed(|data| pretend_in(&data.join("partition-00/gen-0001"), other))
        .await;
    let live = rig.node().live();
    assert_eq!(
        (live.number, live.is_outdated()),
        (2, false),
        "a fresh one fills while it serves"
    );
    let wait = Duration::from_secs(10);
    rig.node().reach(None, Seq::new(6), wait).await.unwrap();
    assert!(
        rig.node()
            .verify(Sample::ALL, |_, _| {})
            .await
            .unwrap()
            .equal
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn outdated_rows_of_another_log_are_not_given_up_unasked() {
    let rig = rig(6).await;
    let rig = rig
        .changed(|data| {
            let folder = data.join("partition-00/gen-0001");
            pretend_in(&folder, PROJECTION_VERSION ^ 1);
            let options = StoreOptions::sharing(SharedMemory::default());
            let store = RocksStore::open(&folder, &options).unwrap();
            let mut checkpoint = store.snapshot().row(&key::checkpoint()).unwrap().unwrap();
            checkpoint.incarnation += 1;
            let mut writes = WriteSet::default();
            writes.put(key::checkpoint(), &checkpoint);
            store.commit(&writes).unwrap();
        })
        .await;
    let refused = rebuild(&rig, FAST).await.unwrap_err().to_string();
    assert!(refused.contains("--accept-loss"), "{refused}");
    assert_eq!(rig.ingest.engine.halted(), 1);
    let accepting = Rebuild {
        accept_loss: true,
        ..FAST
    };
    rebuild(&rig, accepting).await.unwrap();
    assert_eq!(
        (rig.node().live().number, rig.ingest.engine.halted()),
        (2, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_an_event_waits_through_switches() {
    let rig = Arc::new(rig(10).await);
    let stop = CancellationToken::new();
    let (reader, ended) = (Arc::clone(&rig), stop.clone());
    let waits = tokio::spawn(async move {
        let mut count = 0_u32;
        while !ended.is_cancelled() {
            let fields = format!(r#""document":"Number {count} was waited for.""#);
            let receipt = reader.ingest(&fields).await.unwrap();
            let wait = Duration::from_secs(10);
            let live = reader.node().reach(None, receipt.position.seq, wait).await;
            assert!(live.unwrap().progress.borrow().applied >= receipt.position.seq);
            count += 1;
        }
        count
    });
    for _ in 0..4 {
        rebuild(&rig, FAST).await.unwrap();
        rig.node().rollback().await.unwrap();
    }
    stop.cancel();
    assert!(waits.await.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_the_end_of_the_server_breaks_off_is_kept() {
    let rig = rig(10).await;
    let node = Arc::clone(rig.node());
    let part = JobPart::new(JobKind::Rebuild(FAST), PARTITION);
    node.close();
    let refused = node.rebuild(&part).await.unwrap_err();
    assert!(refused.is::<build::Closing>(), "{refused:#}");
    assert_eq!(node.generations.filling().unwrap().len(), 1);
    drop(node);
    let rig = rig.changed(|_| {}).await;
    assert_eq!(rebuild(&rig, FAST).await.unwrap()["generation"], 2);
}
