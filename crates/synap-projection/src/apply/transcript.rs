//! A whole conversation was ingested. Turns that had been recorded before, one by one, are not recorded again.

use super::conversation::{Conversation, NewTurn};
use super::{ApplyError, At, Effect};
use crate::State;
use crate::extract::Texts;
use std::collections::BTreeMap;
use synap_readmodel::{Snapshot, TurnRow};
use synap_types::{
    DocumentId, EventId, Id, Timestamp, TranscriptIngested, TranscriptTurn, TurnDoor, TurnRole,
};
use uuid::Uuid;

pub(super) fn apply<S: Snapshot>(
    at: &At<'_>,
    data: &TranscriptIngested,
    texts: Texts,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    let external = data.external_conversation_id.as_ref();
    let mut conversation = Conversation::open(at, data.conversation_id, external, state)?;
    let mut recorded = Recorded::read(&conversation, state)?;
    let under_all = conversation
        .memories
        .metadata(at.event.id, &data.metadata, state);
    let mut memory_ids = Vec::new();
    for (index, (turn, statements)) in (0_u32..).zip(texts.into_turns()) {
        if let Some((number, known)) = recorded.next_like(&turn) {
            conversation.report(number, known, TurnDoor::Transcript, state);
            continue;
        }
        let message_id = message_id(at.event.id, index);
        let metadata = if turn.metadata.is_empty() {
            under_all
        } else {
            // What is said of the turn outranks what is said of the whole.
            let mut all = data.metadata.clone();
            all.extend(turn.metadata.clone());
            conversation.memories.metadata(message_id, &all, state)
        };
        let new = NewTurn {
            message_id,
            role: turn.role,
            speaker: turn.speaker.as_deref(),
            content: &turn.content,
            said_at: turn.said_at.or(data.started_at),
            door: TurnDoor::Transcript,
            metadata,
        };
        memory_ids.extend(conversation.push(&new, statements, state)?.1);
    }
    let row = &mut conversation.row;
    row.transcript = Some(*data.transcript.content_hash().bytes());
    row.conversation_type = data
        .conversation_type
        .clone()
        .or_else(|| row.conversation_type.take());
    row.started_at = data.started_at.map_or(row.started_at, Timestamp::micros);
    row.ended_at = data.ended_at.map(Timestamp::micros).or(row.ended_at);
    if !data.analysis.is_empty() {
        row.analysis = serde_json::to_string(&data.analysis).ok();
    }
    let last = row.turns;
    conversation.close(state)?;
    // The status of an ingestion names a document: the conversation stands in for it.
    if let Ok(name) = data.conversation_id.to_string().parse::<Id>() {
        at.ingested(data.ingestion_id, DocumentId::from(name), memory_ids, state);
    }
    Ok(Effect {
        document_id: None,
        turn: Some(last),
    })
}

/// The id of a transcript's turn.
fn message_id(event: EventId, index: u32) -> EventId {
    EventId::new(Uuid::new_v5(&event.uuid(), &index.to_be_bytes()))
}

/// The turns that were there before the transcript, found again in its order.
#[derive(Debug)]
struct Recorded {
    rows: BTreeMap<u32, TurnRow>,
    /// Numbers of the turns that say the same, in order.
    like: BTreeMap<(TurnRole, String), Vec<u32>>,
    /// The last one that was found.
    last: u32,
}

impl Recorded {
    fn read<S: Snapshot>(
        conversation: &Conversation<'_>,
        state: &State<'_, S>,
    ) -> Result<Self, ApplyError> {
        let mut rows = BTreeMap::new();
        let mut like: BTreeMap<_, Vec<u32>> = BTreeMap::new();
        for number in 1..=conversation.row.turns {
            if let Some(row) = conversation.turn(number, state)? {
                let said = (row.role, row.content.clone());
                like.entry(said).or_default().push(number);
                rows.insert(number, row);
            }
        }
        Ok(Self {
            rows,
            like,
            last: 0,
        })
    }

    /// The next recorded turn, after the last one found, that says what `turn` says.
    fn next_like(&mut self, turn: &TranscriptTurn) -> Option<(u32, TurnRow)> {
        let numbers = self.like.get(&(turn.role, turn.content.clone()))?;
        let passed = numbers.partition_point(|number| *number <= self.last);
        let number = *numbers.get(passed)?;
        let row = self.rows.remove(&number)?;
        self.last = number;
        Some((number, row))
    }
}
