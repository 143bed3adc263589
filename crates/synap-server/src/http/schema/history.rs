//! What happened to memories and scopes.

use super::common::{id, parameters, scoped};
use super::moves::Place;
use super::shape::{Shape, a, between, count, flag, list, one_of, shapes, text, time, uuid};
use synap_types::MemoryType;
use synap_types::limits::{EVENTS_MAX, FEED_WAIT_MS_MAX};

shapes! {
    /// An event of a scope. It holds no memory text.
    Event = event(Shape::new());
    /// An event that ended a version.
    Ending = event(Shape::new())
        .has("how", one_of(&["superseded", "updated", "forgotten", "moved", "undone", "erased"]), "What it did: a newer version of the document, a change, a wish to forget, a move to another scope, or that a change was undone");
    /// What a memory said, from one event to another.
    Version = Shape::new()
        .has("version", count(), "1 for the first")
        .has("content", text(), "What it said")
        .has("memory_type", one_of(&MemoryType::ALL.map(MemoryType::name)), "What it was taken for")
        .has("source", text(), "The document or the conversation that it comes from")
        .has("span", list(count()), "Where in the text of that event it stands: first byte, and the one after the last")
        .has("created", a::<Event>(), "What made it")
        .may("ended", a::<Ending>(), "What ended it");
    /// What became of a memory.
    History = scoped(Shape::new()
        .has("memory_id", uuid(), "The memory")
        .has("is_told", flag(), "Whether fetches tell it now")
        .has("versions", list(a::<Version>()), "Oldest first")
        .may("moved_to", a::<Place>(), "Where it is told instead")
        .may("moved_from", a::<Place>(), "What it was before, and whose"));
    /// A page of a scope's events.
    Events = scoped(Shape::new()
        .has("events", list(a::<Event>()), "Oldest first")
        .has("next", text(), "A position: give it as `after` to go on")
        .has("more", flag(), "Whether there are more by now")
        .has("nats_subject", text(), "The NATS subjects of the same events, as they are appended"));
}

fn event(shape: Shape) -> Shape {
    shape
        .has("event_id", uuid(), "The event")
        .has("seq", count(), "Its place in its partition's log")
        .has("type", text(), "What happened, such as `memory.ingested`")
        .has(
            "about",
            text(),
            "The document, conversation or model that it is about",
        )
        .has("time", time(), "When it was accepted")
        .has(
            "position",
            text(),
            "Its position, for `as_of`, `position` and `after`",
        )
        .may(
            "by",
            text(),
            "The id of the key that wrote it; none for what a model computed",
        )
        .may(
            "undoes",
            uuid(),
            "The event that it compensates, where it undoes one",
        )
}

parameters! {
    /// Whose events, and which.
    EventsQuery in Query {
        "customer_id": id(), "The customer. Required with `user_id`, unless every user is a customer of his own: then it is refused";
        "user_id": id(), "The user, at level `user`";
        "after": text(), "A position: what came after it. Default: from the first event on";
        "limit": between(1, EVENTS_MAX), "At most this many. Default: 100";
        "wait_ms": between(0, usize::try_from(FEED_WAIT_MS_MAX).unwrap_or(usize::MAX)), "How long an empty page waits for the next event. Default: 0";
    }
}
