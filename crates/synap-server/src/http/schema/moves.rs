//! Moves of memories from scope to scope, and what undoes a change.

use super::common::{scope_ids, scoped};
use super::shape::{Shape, a, flag, list, shapes, text_between, uuid};
use synap_types::limits::LEVEL_NAME_BYTES_MAX;

shapes! {
    /// Which wider scope.
    PromoteBody = scope_ids(Shape::new()
        .has("to", text_between(1, LEVEL_NAME_BYTES_MAX), "Kind of the scope that it goes to, one of the memory's own chain: `customer`, `client`, or a level between. Ids that are given have to be the memory's own"))
        .takes("confirm", flag(), "Has to be `true` for `client`: every customer and every user is told it then");
    /// Which narrower scope.
    DemoteBody = scope_ids(Shape::new()
        .has("to", text_between(1, LEVEL_NAME_BYTES_MAX), "Kind of the scope that it goes to: `user`, `customer`, or a level between. The ids say whose; those of the memory's own scope need not be repeated"));
    /// A memory, and whose it is.
    Place = scoped(Shape::new().has("memory_id", uuid(), "The memory"));
    /// Where a memory is told now.
    Moved = scoped(Shape::new()
        .has("memory_id", uuid(), "Its id there")
        .has("moved_from", a::<Place>(), "What it was, and whose")
        .has("event_id", uuid(), "The event of the move: give it to undo"));
    /// A memory of an undone change.
    UndoneMemory = scoped(Shape::new()
        .has("memory_id", uuid(), "The memory")
        .has("is_told", flag(), "Whether fetches tell it now"));
    /// What was undone.
    Undone = Shape::new()
        .has("event_id", uuid(), "The event that undid it, which can be undone as well")
        .has("undoes", uuid(), "The event that it compensates")
        .has("memories", list(a::<UndoneMemory>()), "The memory; of a move, both, first the one that the event is about; of a version of a document, those of the one before");
}
