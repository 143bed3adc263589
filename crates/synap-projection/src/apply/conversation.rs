//! Turns of a conversation, and its summaries.

use super::memories::{Memories, Origin};
use super::{ApplyError, At, Effect};
use crate::State;
use crate::extract::{Texts, Worded, shown};
use synap_readmodel::{
    CompactedSentence, CompactionRow, ConversationIndexRow, ConversationRow, MemoryRow, Snapshot,
    TurnRow, key,
};
use synap_text::{SummaryTurn, estimate_tokens, summarise};
use synap_types::limits::{COMPACTION_BYTES_MAX, CONVERSATION_TURNS_MAX};
use synap_types::{
    ConversationCompacted, ConversationId, EventId, Id, MemoryId, MemorySource, MessageRecorded,
    Timestamp, TurnDoor, TurnRole,
};

/// Turns that are looked back for one that another door reported.
const LOOK_BACK: u32 = 64;
/// How far apart two reports of one turn may be: a client whose stream is stuck gives up within minutes.
const SAME_TURN_MICROS: u64 = 300 * 1_000_000;
/// A turn before it is one of the conversation's.
#[derive(Debug)]
pub(super) struct NewTurn<'a> {
    pub(super) message_id: EventId,
    pub(super) role: TurnRole,
    pub(super) speaker: Option<&'a str>,
    pub(super) content: &'a str,
    pub(super) said_at: Option<Timestamp>,
    pub(super) door: TurnDoor,
    pub(super) metadata: Option<EventId>,
}

/// One conversation on its way into the rows.
#[derive(Debug)]
pub(super) struct Conversation<'a> {
    at: &'a At<'a>,
    pub(super) row: ConversationRow,
    pub(super) memories: Memories<'a>,
}

impl<'a> Conversation<'a> {
    /// The conversation as it stands, or as it begins.
    pub(super) fn open<S: Snapshot>(
        at: &'a At<'a>,
        id: ConversationId,
        external_id: Option<&Id>,
        state: &State<'_, S>,
    ) -> Result<Self, ApplyError> {
        let memories = Memories::open(at, state)?;
        let known = state
            .row(&key::conversation(&at.hash, id))?
            .filter(|row| row.created_seq > memories.erased());
        let row = known.unwrap_or_else(|| ConversationRow {
            id,
            scope: at.scope.clone(),
            external_id: external_id.cloned(),
            turns: 0,
            doors: Vec::new(),
            tokens: 0,
            conversation_type: None,
            started_at: i64::MAX,
            ended_at: None,
            last_at: 0,
            analysis: None,
            transcript: None,
            compactions: 0,
            created_seq: at.seq.get(),
            seq: at.seq.get(),
        });
        Ok(Self { at, row, memories })
    }

    /// Turn `number` as it stands.
    pub(super) fn turn<S: Snapshot>(
        &self,
        number: u32,
        state: &State<'_, S>,
    ) -> Result<Option<TurnRow>, ApplyError> {
        Ok(state.row(&key::turn(&self.at.hash, self.row.id, number))?)
    }

    /// Adds a turn at the end, which says `statements`; answers its number and its memories.
    pub(super) fn push<S: Snapshot>(
        &mut self,
        turn: &NewTurn<'_>,
        statements: Vec<Worded>,
        state: &mut State<'_, S>,
    ) -> Result<(u32, Vec<MemoryId>), ApplyError> {
        if self.row.turns >= CONVERSATION_TURNS_MAX {
            return Err(ApplyError::ConversationFull);
        }
        let number = self.row.turns + 1;
        let origin = Origin {
            source: MemorySource::Conversation(self.row.id),
            turn: Some((number, turn.role)),
            said_at: turn.said_at,
            metadata: turn.metadata,
        };
        let (mut ids, mut ordinals) = (Vec::new(), Vec::new());
        for statement in statements {
            let id = MemoryRow::id_in_turn(turn.message_id, &statement.normal);
            if let Some(ordinal) = self.memories.add(id, statement, &origin, state)? {
                ids.push(id);
                ordinals.push(ordinal);
            }
        }
        self.memories.end_passage(state)?;
        let said_or_accepted = turn.said_at.unwrap_or(self.at.event.time).micros();
        self.row.turns = number;
        self.came_by(turn.door);
        let speaker = turn.speaker.unwrap_or_else(|| shown(turn.role));
        let said = format!("{speaker}: {}", turn.content);
        self.row.tokens += estimate_tokens(&said) as u64;
        self.row.started_at = self.row.started_at.min(said_or_accepted);
        self.row.last_at = self.row.last_at.max(said_or_accepted);
        let row = TurnRow {
            scope: self.at.scope.clone(),
            message_id: turn.message_id,
            role: turn.role,
            speaker: turn.speaker.map(ToOwned::to_owned),
            content: turn.content.to_owned(),
            said_at: turn.said_at.map(Timestamp::micros),
            accepted_at: self.at.accepted_at(),
            doors: vec![turn.door],
            ordinals,
            metadata: turn.metadata,
        };
        self.put_turn(number, &row, state);
        Ok((number, ids))
    }

    fn put_turn<S: Snapshot>(&self, number: u32, row: &TurnRow, state: &mut State<'_, S>) {
        state.put(key::turn(&self.at.hash, self.row.id, number), row);
    }

    /// Writes a turn that `door` reported as well.
    pub(super) fn report<S: Snapshot>(
        &mut self,
        number: u32,
        mut known: TurnRow,
        door: TurnDoor,
        state: &mut State<'_, S>,
    ) {
        known.doors.push(door);
        self.came_by(door);
        self.put_turn(number, &known, state);
    }

    fn came_by(&mut self, door: TurnDoor) {
        if !self.row.doors.contains(&door) {
            self.row.doors.push(door);
        }
    }

    /// The turn that another door reported already, if `turn` is the same one.
    fn reported<S: Snapshot>(
        &self,
        turn: &NewTurn<'_>,
        state: &State<'_, S>,
    ) -> Result<Option<(u32, TurnRow)>, ApplyError> {
        if self.row.doors.iter().all(|door| *door == turn.door) {
            return Ok(None);
        }
        let first = self.row.turns.saturating_sub(LOOK_BACK) + 1;
        let when = turn.said_at.unwrap_or(self.at.event.time).micros();
        // The oldest one that fits: of two equal turns, the first report of the other door means the first.
        for number in first..=self.row.turns {
            let Some(known) = self.turn(number, state)? else {
                continue;
            };
            let known_when = known.said_at.unwrap_or(known.accepted_at);
            if known.role == turn.role
                && known.content == turn.content
                && !known.doors.contains(&turn.door)
                && when.abs_diff(known_when) <= SAME_TURN_MICROS
            {
                return Ok(Some((number, known)));
            }
        }
        Ok(None)
    }

    /// Writes what was counted.
    pub(super) fn close<S: Snapshot>(mut self, state: &mut State<'_, S>) -> Result<(), ApplyError> {
        self.row.seq = self.at.seq.get();
        if self.row.created_seq == self.row.seq {
            claim(self.at, self.row.id, state)?;
        }
        state.put(key::conversation(&self.at.hash, self.row.id), &self.row);
        self.memories.close(state)
    }
}

/// Notes whose the conversation is, for those who know only its id.
fn claim<S: Snapshot>(
    at: &At<'_>,
    id: ConversationId,
    state: &mut State<'_, S>,
) -> Result<(), ApplyError> {
    let index = || key::conversation_index(&at.client, id, &at.hash);
    if state.row(&index())?.is_none() {
        let row = ConversationIndexRow {
            scope: at.scope.clone(),
        };
        state.put(index(), &row);
    }
    Ok(())
}

/// One turn was recorded.
pub(super) fn record<S: Snapshot>(
    at: &At<'_>,
    data: &MessageRecorded,
    texts: Texts,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    let external = data.external_conversation_id.as_ref();
    let mut conversation = Conversation::open(at, data.conversation_id, external, state)?;
    let mut turn = NewTurn {
        message_id: data.message_id,
        role: data.role,
        speaker: None,
        content: &data.content,
        said_at: data.said_at,
        door: data.door,
        metadata: None,
    };
    let number = if let Some((number, known)) = conversation.reported(&turn, state)? {
        conversation.report(number, known, turn.door, state);
        number
    } else {
        let memories = &conversation.memories;
        turn.metadata = memories.metadata(data.message_id, &data.metadata, state);
        let said = texts.into_turns().into_iter().next();
        let statements = said.map_or_else(Vec::new, |(_, statements)| statements);
        conversation.push(&turn, statements, state)?.0
    };
    conversation.close(state)?;
    Ok(Effect {
        document_id: None,
        turn: Some(number),
    })
}

/// A summary was asked for: of all turns up to here.
pub(super) fn compact<S: Snapshot>(
    at: &At<'_>,
    data: &ConversationCompacted,
    state: &mut State<'_, S>,
) -> Result<Effect, ApplyError> {
    let mut conversation = Conversation::open(at, data.conversation_id, None, state)?;
    if conversation.row.turns == 0 {
        return Ok(Effect::default());
    }
    let turns = newest_turns(&conversation, state)?;
    let earlier = earlier_sentences(&conversation, &turns, state)?;
    let mut shown_turns: Vec<SummaryTurn<'_>> = earlier.iter().map(of_sentence).collect();
    shown_turns.extend(turns.iter().map(|(number, turn)| SummaryTurn {
        number: *number,
        role: turn.role,
        speaker: turn.speaker.as_deref().unwrap_or_else(|| shown(turn.role)),
        content: &turn.content,
        said_at: turn.said_at.map(Timestamp::from_micros),
    }));
    let source_tokens = conversation.row.tokens;
    let target = data.target_tokens.map_or_else(
        || {
            let source = usize::try_from(source_tokens).unwrap_or(usize::MAX);
            data.strategy.target(source)
        },
        |tokens| tokens as usize,
    );
    let summary = summarise(&shown_turns, target);
    conversation.row.compactions += 1;
    let version = conversation.row.compactions;
    let sentence = |sentence: synap_text::SummarySentence| CompactedSentence {
        turn: sentence.turn,
        speaker: sentence.speaker,
        text: sentence.text,
        section: sentence.section.name().to_owned(),
    };
    let row = CompactionRow {
        id: data.compaction_id,
        scope: at.scope.clone(),
        version,
        strategy: data.strategy,
        turns: conversation.row.turns,
        source_tokens,
        tokens: summary.tokens as u64,
        sentences: summary.sentences.into_iter().map(sentence).collect(),
        accepted_at: at.accepted_at(),
    };
    state.put(
        key::compaction(&at.hash, data.conversation_id, version),
        &row,
    );
    conversation.close(state)?;
    Ok(Effect::default())
}

/// The newest turns, in order, up to [`COMPACTION_BYTES_MAX`] bytes of text.
fn newest_turns<S: Snapshot>(
    conversation: &Conversation<'_>,
    state: &State<'_, S>,
) -> Result<Vec<(u32, TurnRow)>, ApplyError> {
    let (mut turns, mut bytes) = (Vec::new(), 0);
    for number in (1..=conversation.row.turns).rev() {
        let Some(turn) = conversation.turn(number, state)? else {
            continue;
        };
        bytes += turn.content.len();
        if bytes > COMPACTION_BYTES_MAX && !turns.is_empty() {
            break;
        }
        turns.push((number, turn));
    }
    turns.reverse();
    Ok(turns)
}

/// What the last summary kept of the turns before `turns`.
fn earlier_sentences<S: Snapshot>(
    conversation: &Conversation<'_>,
    turns: &[(u32, TurnRow)],
    state: &State<'_, S>,
) -> Result<Vec<CompactedSentence>, ApplyError> {
    let first = turns.first().map_or(0, |(number, _)| *number);
    let (id, version) = (conversation.row.id, conversation.row.compactions);
    if first <= 1 || version == 0 {
        return Ok(Vec::new());
    }
    let last = state.row(&key::compaction(&conversation.at.hash, id, version))?;
    let sentences = last.map_or_else(Vec::new, |row| row.sentences);
    Ok(sentences
        .into_iter()
        .filter(|sentence| sentence.turn < first)
        .collect())
}

fn of_sentence(sentence: &CompactedSentence) -> SummaryTurn<'_> {
    SummaryTurn {
        number: sentence.turn,
        role: TurnRole::User,
        speaker: &sentence.speaker,
        content: &sentence.text,
        said_at: None,
    }
}
