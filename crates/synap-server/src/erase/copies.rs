//! Memories that were moved elsewhere from what is erased: they are erased with it, each as a document of its own scope.

use crate::operations::Operations;
use synap_log::EventLog;
use synap_query::{deletion, moved_from};
use synap_readmodel::ReceivedRow;
use synap_types::{
    ApiError, Author, DocumentErased, EventBody, EventId, IdempotencyKey, MemoryReceived,
    MemorySource, MoveOrigin, Scope, Timestamp,
};

/// What a deletion means of memories that are elsewhere by now.
#[derive(Debug, Clone)]
pub(crate) struct Meant {
    pub(crate) scope: Scope,
    /// Only what came from this.
    pub(crate) about: Option<MemorySource>,
    /// What was moved away later is of a new beginning.
    pub(crate) until: Timestamp,
}

impl Meant {
    fn has(&self, origin: &MoveOrigin) -> bool {
        match &self.about {
            Some(source) => origin.scope == self.scope && origin.source == *source,
            None => origin.scope.sees(&self.scope),
        }
    }

    /// Whether the deletion takes out the scope that the memory is in by now.
    fn covers(&self, copy: &ReceivedRow) -> bool {
        self.about.is_none() && copy.scope.sees(&self.scope)
    }
}

impl<L: EventLog> Operations<L> {
    /// The memories that were moved elsewhere, and are in rows yet.
    pub(crate) async fn copies(&self, meant: Meant) -> Result<Vec<ReceivedRow>, ApiError> {
        let found = self.engine.find_all(move |rows| {
            let client = meant.scope.client();
            let mut found = moved_from(rows, client, |origin| meant.has(origin))?;
            found.retain(|copy| copy.accepted_at <= meant.until.micros() && !meant.covers(copy));
            Ok(found)
        });
        found.await
    }

    /// Erases memories that were moved elsewhere, for the deletion of what they came from. Each has a receipt of its own.
    pub(crate) async fn erase_copies(
        &self,
        of: EventId,
        copies: &[ReceivedRow],
        author: &Author,
    ) -> Result<(), ApiError> {
        for copy in copies {
            let Some(document_id) = MemoryReceived::document_of(copy.memory_id) else {
                continue;
            };
            let key = IdempotencyKey::Caller(format!("erase {} with {of}", copy.event_id));
            let deletion_id = key.event_id(&copy.scope);
            let client = copy.scope.client().clone();
            let known = self
                .engine
                .read_as_is(copy.scope.clone(), move |view| {
                    deletion(view.snapshot, &client, deletion_id)
                })
                .await?;
            if known.is_none() {
                let data = DocumentErased {
                    deletion_id,
                    scope: copy.scope.clone(),
                    document_id,
                    author: author.clone(),
                };
                let body = EventBody::DocumentErased(Box::new(data));
                self.change(&copy.scope, deletion_id, body).await?;
            }
        }
        Ok(())
    }
}
