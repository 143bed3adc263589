//! The contract suite of the port. Every implementation runs [`run`]; it panics with the name of what is broken.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test suite: a panic is its verdict"
)]

use crate::{Appended, ErasedEvent, Erasure, EventLog, NewEvent, Recorded};
use bytes::Bytes;
use futures::{FutureExt as _, StreamExt as _, future, stream};
use std::collections::BTreeSet;
use synap_types::{
    Author, Content, DocumentType, Event, EventBody, EventId, EventSubject, Hash128, IngestionId,
    MemoryIngested, Partition, Scope, Seq, Timestamp,
};

/// The partition that the suite writes to.
const HERE: Partition = Partition::Numbered(0);

/// An event of the application's own scope, told apart by `name`.
pub fn event(partition: Partition, name: &str) -> NewEvent {
    let uuid = Hash128::of("contract", [name.as_bytes()]).to_uuid();
    let body = MemoryIngested {
        ingestion_id: IngestionId::new(uuid),
        scope: Scope::of_client("app".parse().unwrap()),
        document_id: name.parse().unwrap(),
        document_type: DocumentType::DOCUMENT.parse().unwrap(),
        content: Content::Text(format!("text of {name}")),
        document_created_at: None,
        metadata: serde_json::Map::new(),
        author: Author {
            instance_id: "inst".parse().unwrap(),
            key_id: "key".to_owned(),
        },
    };
    let event = Event {
        id: EventId::new(uuid),
        time: Timestamp::from_micros(0),
        body: EventBody::MemoryIngested(Box::new(body)),
    };
    NewEvent {
        id: event.id,
        partition,
        subject: EventSubject::of(partition, &event),
        payload: Bytes::from(event.to_json()),
    }
}

/// Runs every test of the contract, each over a fresh, empty log with the partitions `00` and `shared`.
pub async fn run<L: EventLog, F: Future<Output = L>>(make: impl Fn() -> F) {
    events_read_back_in_order_byte_for_byte(&make().await).await;
    seqs_rise_by_one_per_partition(&make().await).await;
    a_repeated_id_is_stored_once(&make().await).await;
    concurrent_appends_are_all_stored_once(&make().await).await;
    appends_in_order_stand_in_order(&make().await).await;
    readers_start_anywhere_and_wait_for_the_next(&make().await).await;
    state_counts_every_acked_append(&make().await).await;
    what_is_erased_is_gone_and_explained(&make().await).await;
}

async fn take(log: &impl EventLog, partition: Partition, from: u64, count: usize) -> Vec<Recorded> {
    let events = log.read(partition, Seq::new(from)).take(count);
    events.map(Result::unwrap).collect().await
}

async fn events_read_back_in_order_byte_for_byte(log: &impl EventLog) {
    let events: Vec<NewEvent> = (0..5).map(|n| event(HERE, &format!("e{n}"))).collect();
    for event in &events {
        log.append(event.clone()).await.unwrap();
    }
    let found = take(log, HERE, 1, 5).await;
    for (at, (event, found)) in events.iter().zip(&found).enumerate() {
        assert_eq!(
            found.seq.get(),
            at as u64 + 1,
            "seqs start at 1 and rise by one"
        );
        assert_eq!(
            found.payload, event.payload,
            "payloads read back byte for byte"
        );
        assert_eq!(
            found.subject,
            event.subject.to_string(),
            "subjects read back"
        );
    }
}

async fn seqs_rise_by_one_per_partition(log: &impl EventLog) {
    for (partition, name, seq) in [(HERE, "a", 1), (Partition::Shared, "b", 1), (HERE, "c", 2)] {
        let appended = log.append(event(partition, name)).await.unwrap();
        assert_eq!(appended.seq, Seq::new(seq), "{name} in {partition}");
    }
    assert_eq!(
        take(log, Partition::Shared, 1, 1).await.len(),
        1,
        "partitions are read apart"
    );
}

async fn appends_in_order_stand_in_order(log: &impl EventLog) {
    let named = |names: std::ops::Range<u32>| names.map(|n| event(HERE, &format!("o{n}")));
    log.append(event(HERE, "before")).await.unwrap();
    assert!(log.append_in_order(Vec::new()).await.unwrap().is_empty());
    // More than the 1,000 of one grouped append, beside others that are appended at the same time.
    let row = log.append_in_order(named(0..1_200).collect());
    let others = (0..40).map(|n| log.append(event(HERE, &format!("other {n}"))));
    let (row, others) = future::join(row, future::join_all(others)).await;
    assert!(others.iter().all(Result::is_ok), "others were appended");
    let seqs: Vec<Seq> = row.unwrap().iter().map(|one| one.seq).collect();
    assert!(
        seqs.is_sorted() && seqs.len() == 1_200,
        "in the order given"
    );
    // Some are there already: the others follow, in order.
    let again = log.append_in_order(named(1_190..1_230).collect());
    let again = again.await.unwrap();
    let known: Vec<bool> = again.iter().map(|one| one.duplicate).collect();
    assert_eq!(known.iter().filter(|known| **known).count(), 10);
    assert!(known.iter().take(10).all(|known| *known));
    assert_eq!(again[0].seq, seqs[1_190], "where it was");
    let new: Vec<Seq> = again.iter().skip(10).map(|one| one.seq).collect();
    assert!(new.is_sorted(), "{new:?}");
    let stored = take(log, HERE, 1, 1_271).await;
    for (seq, event) in seqs.iter().chain(&new).zip(named(0..1_230)) {
        let found = stored.iter().find(|stored| stored.seq == *seq);
        assert_eq!(found.map(|found| &found.payload), Some(&event.payload));
    }
}

async fn a_repeated_id_is_stored_once(log: &impl EventLog) {
    let first = log.append(event(HERE, "same")).await.unwrap();
    let again = log.append(event(HERE, "same")).await.unwrap();
    assert_eq!(
        again,
        Appended {
            duplicate: true,
            ..first
        },
        "the second append names the first one's place"
    );
    assert_eq!(
        log.state(HERE).await.unwrap().last,
        first.seq,
        "nothing was written"
    );
}

async fn concurrent_appends_are_all_stored_once(log: &impl EventLog) {
    // Each twice at the same time, so that groups hold duplicates of their own and of earlier groups.
    let names: Vec<String> = (0..200).map(|n| format!("c{}", n % 100)).collect();
    let acks = future::join_all(names.iter().map(|name| log.append(event(HERE, name)))).await;
    let seqs: Vec<Seq> = acks.into_iter().map(|ack| ack.unwrap().seq).collect();
    let stored = take(log, HERE, 1, 100).await;
    let payloads: BTreeSet<Bytes> = stored.iter().map(|found| found.payload.clone()).collect();
    assert_eq!(payloads.len(), 100, "every event is there once");
    assert_eq!(
        log.state(HERE).await.unwrap().last,
        Seq::new(100),
        "and nothing else is"
    );
    for (name, seq) in names.iter().zip(seqs) {
        let at = usize::try_from(seq.get()).unwrap() - 1;
        assert_eq!(
            stored[at].payload,
            event(HERE, name).payload,
            "the ack of {name} names its place"
        );
    }
}

async fn readers_start_anywhere_and_wait_for_the_next(log: &impl EventLog) {
    for name in ["a", "b", "c"] {
        log.append(event(HERE, name)).await.unwrap();
    }
    assert_eq!(
        take(log, HERE, 3, 1).await[0].seq,
        Seq::new(3),
        "reading starts where it is told to"
    );
    let mut tail = log.read(HERE, Seq::new(4));
    assert!(
        tail.next().now_or_never().is_none(),
        "past the end a reader waits"
    );
    log.append(event(HERE, "d")).await.unwrap();
    assert_eq!(
        tail.next().await.unwrap().unwrap().seq,
        Seq::new(4),
        "and is woken by the next append"
    );
    let two = stream::select(log.read(HERE, Seq::new(1)), log.read(HERE, Seq::new(1))).take(8);
    assert_eq!(
        two.map(Result::unwrap).collect::<Vec<_>>().await.len(),
        8,
        "readers do not share events"
    );
}

async fn state_counts_every_acked_append(log: &impl EventLog) {
    let empty = log.state(HERE).await.unwrap();
    assert_eq!(
        (empty.first, empty.last),
        (Seq::new(1), Seq::ZERO),
        "an empty log has no last event"
    );
    for n in 1..=3_u64 {
        let appended = log.append(event(HERE, &format!("s{n}"))).await.unwrap();
        let state = log.state(HERE).await.unwrap();
        assert_eq!(
            (state.first, state.last),
            (Seq::new(1), Seq::new(n)),
            "an acked append is counted at once"
        );
        assert_eq!(
            state.incarnation, appended.incarnation,
            "acks name the log's life"
        );
        assert_ne!(state.incarnation.0, 0, "an incarnation is never 0");
    }
}

async fn what_is_erased_is_gone_and_explained(log: &impl EventLog) {
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        log.append(event(HERE, name)).await.unwrap();
    }
    let subject = take(log, HERE, 1, 1).await[0].subject.clone();
    let all = |filter: &str| {
        let events = log.select(HERE, vec![filter.to_owned()]);
        events
            .map(|event| event.unwrap().seq.get())
            .collect::<Vec<_>>()
    };
    let (prefix, _) = subject.rsplit_once('.').unwrap();
    assert_eq!(all(&subject).await, [1, 2, 3, 4, 5]);
    assert_eq!(all(&format!("{prefix}.*")).await, [1, 2, 3, 4, 5]);
    assert!(all(&format!("{prefix}.scope-erased")).await.is_empty());
    let scope = Scope::of_client("app".parse().unwrap());
    let deletion_id = EventId::new(Hash128::of("contract", [b"deletion".as_slice()]).to_uuid());
    let whose = Some((scope.hash(), deletion_id));
    let events = [(1, whose), (2, None), (4, whose)].map(|(seq, id)| ErasedEvent {
        seq: Seq::new(seq),
        id,
    });
    let erasure = Erasure {
        deletion_id,
        scope,
        below: true,
        counts: (7, 8),
        events: events.into(),
    };
    for _ in 0..2 {
        log.erase(HERE, erasure.clone()).await.unwrap();
    }
    let left = take(log, HERE, 1, 2).await;
    assert_eq!((left[0].seq.get(), left[1].seq.get()), (3, 5));
    assert_eq!(all(&subject).await, [3, 5]);
    let state = log.state(HERE).await.unwrap();
    assert_eq!((state.first.get(), state.last.get()), (3, 5));
    assert_eq!(
        log.erasures(HERE).await.unwrap(),
        [erasure.clone(), erasure]
    );
    assert_eq!(log.erasures(Partition::Shared).await.unwrap(), []);
    let next = log.append(event(HERE, "f")).await.unwrap();
    assert_eq!(next.seq.get(), 6, "places are not used again");
}
