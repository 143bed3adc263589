//! Memories go from scope to scope, and their last change can be undone, again and again.

use crate::changes::{event, forgotten, updated};
use crate::conversations::alice;
use crate::mixed::received;
use crate::world::{
    applied, apply, author, digest_of, ingest_into, live_texts, log_of, memories, scope,
};
use synap_readmodel::{MemoryRow, MemoryStore, ReadStore as _, SnapshotExt as _, key};
use synap_types::{
    ChangeUndone, Event, EventBody, MemoryMoved, MemoryReceived, MergeStrategy, Scope,
};

const HOME: &str = "I live in Porto. The parking lot is closed.";

fn acme() -> Scope {
    scope(&["acme"])
}

/// A user with two memories, and what happens to them.
struct World {
    events: Vec<Event>,
    store: MemoryStore,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            events: Vec::new(),
            store: MemoryStore::default(),
        };
        world.add(ingest_into(&alice(), "home", HOME, "home"));
        world
    }

    /// Applies the event; the same log in one turn gives the same rows.
    fn add(&mut self, event: Event) -> Event {
        self.events.push(event.clone());
        let log = log_of(&self.events);
        let last = log.last().cloned();
        apply(&self.store, last.as_slice());
        assert_eq!(digest_of(&applied(&log)), digest_of(&self.store));
        event
    }

    /// The first memory as it is now.
    fn home(&self) -> MemoryRow {
        let all = memories(&self.store, &alice());
        let id = all[0].id;
        all.into_iter().rfind(|row| row.id == id).unwrap()
    }

    fn undo(&mut self, row: &MemoryRow, undone: &Event) -> Event {
        let key = format!("undo {} at {}", undone.id, self.events.len());
        let event = event(&key, &row.scope, |_| {
            EventBody::ChangeUndone(Box::new(ChangeUndone {
                scope: row.scope.clone(),
                memory_id: row.id,
                source: row.source.clone(),
                undoes: undone.id,
                counterpart: None,
                author: author(),
            }))
        });
        self.add(event)
    }

    fn told(&self) -> Vec<String> {
        let mut told = live_texts(&self.store, &alice());
        told.sort();
        told
    }

    fn lives_in(&self) -> Option<String> {
        let profile = self.store.snapshot().row(&key::profile(&alice().hash()));
        let profile = profile.unwrap()?;
        let known = profile.attributes.get("location");
        known.map(|known| known.value.clone())
    }
}

const PARKING: &str = "The parking lot is closed.";
const PORTO: &str = "I live in Porto.";

#[test]
fn an_update_is_undone_and_done_again() {
    let mut world = World::new();
    let first = world.home();
    let update = world.add(updated(&first, "I live in Lisbon.", MergeStrategy::Replace));
    assert_eq!(world.told(), ["I live in Lisbon.", PARKING]);
    let undo = world.undo(&first, &update);
    assert_eq!(world.told(), [PORTO, PARKING]);
    let row = world.home();
    assert_eq!(
        (row.id, row.event_id, row.kind),
        (first.id, undo.id, first.kind)
    );
    // The update is not the last change any more.
    world.undo(&first, &update);
    let again = world.undo(&first, &undo);
    assert_eq!(world.told(), ["I live in Lisbon.", PARKING]);
    world.undo(&first, &again);
    assert_eq!(world.told(), [PORTO, PARKING]);
    // Another version of the document takes the place of all of it.
    world.add(ingest_into(&alice(), "home", "All is new here.", "home 2"));
    assert_eq!(world.told(), ["All is new here."]);
}

#[test]
fn a_forgotten_memory_is_told_again_and_says_again_what_it_said_of_the_user() {
    let mut world = World::new();
    let first = world.home();
    assert_eq!(world.lives_in().as_deref(), Some("Porto"));
    let forget = world.add(forgotten(&first));
    assert_eq!(
        (world.told(), world.lives_in()),
        (vec![PARKING.to_owned()], None)
    );
    let undo = world.undo(&first, &forget);
    assert_eq!(world.told(), [PORTO, PARKING]);
    assert_eq!(world.lives_in().as_deref(), Some("Porto"));
    assert_eq!(world.home().previous, Some(0), "a version of its own");
    // Forgotten again by undoing that, it does not come back with its document, and once more it does.
    let again = world.undo(&first, &undo);
    world.add(ingest_into(&alice(), "other", PARKING, "other"));
    assert_eq!(world.told(), [PARKING, PARKING]);
    let longer = format!("{HOME} It rains.");
    world.add(ingest_into(&alice(), "home", &longer, "home 2"));
    assert!(!world.told().contains(&PORTO.to_owned()));
    // Its document was replaced since: what it says comes from the new version, or from nowhere.
    world.undo(&first, &again);
    assert!(!world.told().contains(&PORTO.to_owned()));
}

#[test]
fn what_somebody_said_since_is_not_overruled_by_what_is_told_again() {
    let mut world = World::new();
    let first = world.home();
    let forget = world.add(forgotten(&first));
    world.add(ingest_into(&alice(), "new", "I live in Lisbon.", "new"));
    world.undo(&first, &forget);
    assert_eq!(world.lives_in().as_deref(), Some("Lisbon"));
}

#[test]
fn a_moved_memory_is_told_in_one_scope_and_moved_back_when_both_halves_are_undone() {
    let mut world = World::new();
    let first = world.home();
    let copy_id = MemoryReceived::id_in(&acme(), first.id);
    let receive = event("receive", &acme(), |id| received(first.clone(), acme(), id));
    let receive = world.add(receive);
    assert_eq!(live_texts(&world.store, &acme()), [PORTO]);
    let moved = world.add(event("move", &alice(), |id| moved(&first, id)));
    assert_eq!(world.told(), [PARKING]);
    // A later version of its document does not bring it back.
    let copy = memories(&world.store, &acme()).remove(0);
    assert_eq!((copy.id, copy.turn, copy.kind), (copy_id, None, first.kind));
    let back = world.undo(&first, &moved);
    let gone = world.undo(&copy, &receive);
    assert_eq!(world.told(), [PORTO, PARKING]);
    assert!(live_texts(&world.store, &acme()).is_empty());
    world.undo(&copy, &gone);
    world.undo(&first, &back);
    assert_eq!(live_texts(&world.store, &acme()), [PORTO]);
    assert_eq!(world.told(), [PARKING]);
    world.add(ingest_into(
        &alice(),
        "home",
        &format!("{HOME} It rains."),
        "2",
    ));
    assert!(
        !world.told().contains(&PORTO.to_owned()),
        "{:?}",
        world.told()
    );
}

fn moved(row: &MemoryRow, id: synap_types::EventId) -> EventBody {
    EventBody::MemoryMoved(Box::new(MemoryMoved {
        scope: row.scope.clone(),
        memory_id: row.id,
        source: row.source.clone(),
        event_id: row.event_id,
        span: row.span,
        to: acme(),
        moved_to: MemoryReceived::id_in(&acme(), row.id),
        counterpart: id,
        author: author(),
    }))
}

#[test]
fn what_was_changed_since_it_was_received_elsewhere_stays() {
    let mut world = World::new();
    let first = world.home();
    world.add(updated(&first, "I live in Lisbon.", MergeStrategy::Replace));
    world.add(event("move", &alice(), |id| moved(&first, id)));
    assert_eq!(world.told(), ["I live in Lisbon.", PARKING]);
}
