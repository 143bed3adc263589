//! What is evaluated: a running server, or the projection and the ranking alone in this process.

use super::body;
use super::data::{Doc, Question, SetScope};
use super::vectors::Vectors;
use crate::cli::EvalArgs;
use crate::enrich::bare::{self, Cursor, find};
use crate::models::looked_up;
use crate::remote::Remote;
use anyhow::{Context as _, anyhow, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use std::time::Duration;
use synap_models::Encoder;
use synap_projection::{State, apply};
use synap_query::{Means, Ranking, ScopeView, fetch};
use synap_readmodel::{MemoryStore, ReadStore as _};
use synap_types::limits::ENRICHED_MEMORIES_MAX;
use synap_types::{
    Author, ClientId, Clock as _, Content, Event, EventBody, FetchMode, FetchRequest,
    IdempotencyKey, IngestionId, Isolation, MemoriesEnriched, MemoryIngested, Scope, ScopeIds, Seq,
    SystemClock, Timestamp, Transcript, TranscriptIngested, TranscriptTurn, TurnRole,
};

/// Documents of one call.
const BATCH: usize = 100;
/// How often a server is asked whether a text can be found.
const PAUSE: Duration = Duration::from_millis(10);

/// Where texts go, and questions are asked.
pub(super) enum Target<'a> {
    /// A server, and what sets this run's customers apart from those of others.
    Server {
        remote: Remote,
        run: String,
        args: &'a EvalArgs,
    },
    /// Rows in memory: no log, no disk, no network.
    Process(Box<Process<'a>>),
}

pub(super) struct Process<'a> {
    store: MemoryStore,
    ranking: Ranking,
    client: ClientId,
    seq: u64,
    vectors: Option<Vectors>,
    /// Where the encoding of what is stored goes on.
    cursor: Cursor,
    args: &'a EvalArgs,
}

impl<'a> Target<'a> {
    pub(super) fn open(args: &'a EvalArgs, ranking: Ranking) -> anyhow::Result<Self> {
        if args.remote {
            ensure!(
                args.set.is_empty() && args.without.is_empty(),
                "a server weighs by its own configuration: --set and --without go without --remote"
            );
            let run = args.run.clone();
            let run = run.unwrap_or_else(|| format!("{:x}", SystemClock.now().micros()));
            let remote = Remote::new(&args.server);
            return Ok(Self::Server { remote, run, args });
        }
        let vectors = match &args.models {
            Some(folder) => Some(Vectors::open(folder, args.vectors.clone())?),
            None => None,
        };
        ensure!(
            args.mode == "fast" || vectors.is_some(),
            "--mode accurate asks a model: name its folder with --models, or a server that has one with --remote"
        );
        Ok(Self::Process(Box::new(Process {
            store: MemoryStore::default(),
            ranking,
            client: "eval".parse()?,
            seq: 0,
            vectors,
            cursor: Cursor::START,
            args,
        })))
    }

    /// Stores the texts of a scope, and returns when they can be found.
    pub(super) fn ingest(&mut self, scope: &SetScope, bar: &ProgressBar) -> anyhow::Result<()> {
        match self {
            Self::Server { remote, run, .. } => ingest_over_http(remote, run, scope, bar),
            Self::Process(process) => process.ingest(scope, bar),
        }
    }

    /// Has the model, if there is one in this process, look at what is stored.
    pub(super) fn encode(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Server { .. } => Ok(()),
            Self::Process(process) => process.encode(),
        }
    }

    /// The texts that answer a question, best first, as `scope id/text id`.
    pub(super) fn ask(&self, scope: &SetScope, question: &Question) -> anyhow::Result<Vec<String>> {
        let items = match self {
            Self::Server { remote, run, args } => {
                let mut body = body(args, question);
                body.insert(
                    "customer_id".to_owned(),
                    format!("{run}-{}", scope.id).into(),
                );
                let level = if scope.is_conversation() {
                    body.insert("user_id".to_owned(), format!("u-{}", scope.id).into());
                    "user"
                } else {
                    "customer"
                };
                let answer = remote.post(&format!("/v1/context/{level}/fetch"), &body.into())?;
                let items = answer.pointer("/context/items").and_then(Value::as_array);
                let items = items.context("the answer has no context.items")?.iter();
                items.map(told).collect()
            }
            Self::Process(process) => process.ask(scope, question)?,
        };
        in_scope_order(&items)?;
        Ok(items.into_iter().filter_map(|(_, id)| id).collect())
    }
}

/// Kind of the scope, and the id that the item was stored with.
type Told = (String, Option<String>);

fn told(item: &Value) -> Told {
    let text = |pointer| {
        item.pointer(pointer)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    (text("/scope").unwrap_or_default(), text("/metadata/ext_id"))
}

fn in_scope_order(items: &[Told]) -> anyhow::Result<()> {
    let place = |(kind, _): &Told| {
        ["user", "customer", "client"]
            .iter()
            .position(|known| known == kind)
    };
    ensure!(
        items.is_sorted_by_key(place),
        "the items are not in the order of their scopes"
    );
    Ok(())
}

fn ext_id(scope: &SetScope, doc: &Doc) -> Map<String, Value> {
    let id = format!("{}/{}", scope.id, doc.id);
    [("ext_id".to_owned(), id.into())].into_iter().collect()
}

fn time(doc: &Doc) -> Option<Timestamp> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "microseconds of this era fit 64 bits"
    )]
    let micros = |seconds: f64| (seconds * 1e6) as i64;
    doc.ts
        .filter(|seconds| *seconds > 0.0)
        .map(|seconds| Timestamp::from_micros(micros(seconds)))
}

fn role(doc: &Doc, first: Option<&str>) -> TurnRole {
    if doc.speaker.as_deref() == first {
        TurnRole::User
    } else {
        TurnRole::Assistant
    }
}

fn ingest_over_http(
    remote: &Remote,
    run: &str,
    scope: &SetScope,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    let customer = format!("{run}-{}", scope.id);
    for (session, turns) in scope.sessions() {
        let first = turns.first().and_then(|turn| turn.speaker.as_deref());
        let turn = |doc: &&Doc| {
            let role = match role(doc, first) {
                TurnRole::User => "user",
                TurnRole::Assistant => "assistant",
            };
            json!({"role": role, "content": doc.text, "speaker": doc.speaker,
                "timestamp": time(doc).map(|at| at.to_string()), "metadata": ext_id(scope, doc)})
        };
        let transcript: Vec<Value> = turns.iter().map(turn).collect();
        let body = json!({"conversation_id": format!("{customer}-{session}"), "user_id": format!("u-{}", scope.id),
            "customer_id": customer, "transcript": transcript,
            "started_at": turns.first().and_then(|turn| time(turn)).map(|at| at.to_string())});
        let receipt = remote.post("/v1/conversations/ingest", &body)?;
        done(remote, &receipt)?;
        bar.inc(turns.len() as u64);
    }
    let documents: Vec<&Doc> = scope
        .docs
        .iter()
        .filter(|doc| doc.level(scope) != "user")
        .collect();
    for batch in documents.chunks(BATCH) {
        let document = |doc: &&Doc| {
            let owner = Some(&customer).filter(|_| doc.level(scope) == "customer");
            json!({"document": doc.text, "document_type": "document", "document_id": doc.id,
                "customer_id": owner, "metadata": ext_id(scope, doc)})
        };
        let documents: Vec<Value> = batch.iter().map(document).collect();
        let answer = remote.post("/api/v1/memories/batch", &json!({"documents": documents}))?;
        let results = answer.get("results").and_then(Value::as_array);
        for receipt in results.context("the answer has no results")? {
            done(remote, receipt)?;
        }
        bar.inc(batch.len() as u64);
    }
    Ok(())
}

/// Waits until what the receipt speaks of can be found.
fn done(remote: &Remote, receipt: &Value) -> anyhow::Result<()> {
    let id = receipt.get("ingestion_id").and_then(Value::as_str);
    let id = id.with_context(|| format!("not accepted: {receipt}"))?;
    loop {
        let status = remote.get(&format!("/api/v1/memories/status/{id}"))?;
        match status.get("status").and_then(Value::as_str) {
            Some("completed" | "partial_success") => return Ok(()),
            Some("failed") => return Err(anyhow!("ingestion {id} failed")),
            _ => std::thread::sleep(PAUSE),
        }
    }
}

impl Process<'_> {
    fn ingest(&mut self, scope: &SetScope, bar: &ProgressBar) -> anyhow::Result<()> {
        let customer = format!("c-{}", scope.id);
        for (session, turns) in scope.sessions() {
            let whose = self.scope(Some(&customer), Some(&format!("u-{}", scope.id)))?;
            let first = turns.first().and_then(|turn| turn.speaker.as_deref());
            let turn = |doc: &&Doc| TranscriptTurn {
                role: role(doc, first),
                speaker: doc.speaker.clone(),
                content: doc.text.clone(),
                said_at: time(doc),
                metadata: ext_id(scope, doc),
            };
            let key = IdempotencyKey::Caller(format!("{customer}-{session}"));
            let id = key.event_id(&whose);
            let body = TranscriptIngested {
                ingestion_id: IngestionId::new(id.uuid()),
                scope: whose,
                conversation_id: id.uuid().to_string().parse()?,
                external_conversation_id: None,
                transcript: Transcript::Turns(turns.iter().map(turn).collect()),
                conversation_type: None,
                analysis: Map::new(),
                metadata: Map::new(),
                started_at: turns.first().and_then(|turn| time(turn)),
                ended_at: None,
                author: self.author()?,
            };
            self.apply(vec![(key, EventBody::TranscriptIngested(Box::new(body)))])?;
            bar.inc(turns.len() as u64);
        }
        let documents: Vec<&Doc> = scope
            .docs
            .iter()
            .filter(|doc| doc.level(scope) != "user")
            .collect();
        for batch in documents.chunks(BATCH) {
            let mut bodies = Vec::with_capacity(batch.len());
            for doc in batch {
                let owner = Some(customer.as_str()).filter(|_| doc.level(scope) == "customer");
                let whose = self.scope(owner, None)?;
                let key = IdempotencyKey::Caller(format!("{}/{}", scope.id, doc.id));
                let body = MemoryIngested {
                    ingestion_id: IngestionId::new(key.event_id(&whose).uuid()),
                    scope: whose,
                    document_id: doc.id.parse()?,
                    document_type: "document".parse()?,
                    content: Content::Text(doc.text.clone()),
                    document_created_at: time(doc),
                    metadata: ext_id(scope, doc),
                    author: self.author()?,
                };
                bodies.push((key, EventBody::MemoryIngested(Box::new(body))));
            }
            self.apply(bodies)?;
            bar.inc(batch.len() as u64);
        }
        Ok(())
    }

    /// As the enrichment worker does.
    fn encode(&mut self) -> anyhow::Result<()> {
        let Some(mut vectors) = self.vectors.take() else {
            return Ok(());
        };
        let style = "encoding [{bar:40}] {human_pos}/{human_len} events  {eta} left";
        let bar = ProgressBar::new(self.seq).with_style(ProgressStyle::with_template(style)?);
        let model = MemoriesEnriched::model_key(Encoder::NAME, Encoder::HASH);
        let stored = Seq::new(self.seq);
        while self.cursor.seq <= stored.get() {
            let (pending, next) = find(&self.store.snapshot(), &model, self.cursor, stored)?;
            let mut bodies = Vec::new();
            for (scope, passages) in pending.by_scope {
                for passages in passages.chunks(ENRICHED_MEMORIES_MAX) {
                    let texts: Vec<&str> = passages.iter().map(|one| one.text.as_str()).collect();
                    let vectors = vectors.of(&texts).into_iter();
                    let found = passages.iter().zip(vectors);
                    let found = found
                        .map(|(passage, vector)| passage.with(vector))
                        .collect();
                    let key = format!("vectors/{}/{}", self.seq, bodies.len());
                    bodies.push((IdempotencyKey::Caller(key), bare::event(&scope, found)));
                }
            }
            self.apply(bodies)?;
            self.cursor = next;
            bar.set_position(next.seq);
        }
        bar.finish_and_clear();
        vectors.save()?;
        self.vectors = Some(vectors);
        Ok(())
    }

    fn author(&self) -> anyhow::Result<Author> {
        Ok(Author {
            instance_id: self.client.as_str().parse()?,
            key_id: "eval".to_owned(),
        })
    }

    fn scope(&self, customer: Option<&str>, user: Option<&str>) -> anyhow::Result<Scope> {
        let ids = ScopeIds {
            customer_id: customer.map(str::parse).transpose()?,
            user_id: user.map(str::parse).transpose()?,
            ..ScopeIds::default()
        };
        Ok(Isolation::strict().scope(&self.client, &ids)?)
    }

    /// Applies events as a projector does, in one batch.
    fn apply(&mut self, bodies: Vec<(IdempotencyKey, EventBody)>) -> anyhow::Result<()> {
        let snapshot = self.store.snapshot();
        let mut state = State::new(&snapshot);
        for (key, body) in bodies {
            self.seq += 1;
            let mut event = Event {
                id: key.event_id(&Scope::of_client(self.client.clone())),
                time: Timestamp::from_micros(1_000_000 * i64::try_from(self.seq)?),
                body,
            };
            event.id = key.event_id(event.scope());
            apply(&event, Seq::new(self.seq), &mut state)?;
            state.accept();
        }
        let writes = state.into_writes();
        drop(snapshot);
        self.store.commit(&writes)?;
        Ok(())
    }

    fn ask(&self, scope: &SetScope, question: &Question) -> anyhow::Result<Vec<Told>> {
        let mut body = body(self.args, question);
        body.insert("customer_id".to_owned(), format!("c-{}", scope.id).into());
        let level = if scope.is_conversation() {
            body.insert("user_id".to_owned(), format!("u-{}", scope.id).into());
            "user"
        } else {
            "customer"
        };
        let request = FetchRequest::parse(body, level, &self.client, &Isolation::strict())?;
        let snapshot = self.store.snapshot();
        let views = request
            .scope
            .chain()
            .map(|scope| ScopeView::new(scope, &snapshot));
        let views = views.collect::<Result<Vec<_>, _>>()?;
        let vectors = match request.mode {
            FetchMode::Fast => looked_up(&request.queries),
            FetchMode::Accurate => self
                .vectors
                .as_ref()
                .map(|all| all.of_query(&question.text)),
        };
        let answer = fetch(
            &request,
            &views,
            Means::of(&self.ranking).with(vectors.as_ref()),
            false,
        )?;
        let told = answer.items.into_iter().map(|item| {
            let id = item.metadata.get("ext_id").and_then(Value::as_str);
            (item.scope, id.map(ToOwned::to_owned))
        });
        Ok(told.collect())
    }
}
