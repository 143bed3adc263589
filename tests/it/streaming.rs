//! The gRPC stream: order, acks of what is durable, each event once, whose it is, and what it does with junk.

use crate::support::{Home, Http, Server, items};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;
use synap_proto::stream_event::Payload as Sent;
use synap_proto::stream_response::Payload as Answer;
use synap_proto::synap_service_client::SynapServiceClient;
use synap_proto::{ConversationEvent, HeartbeatPing, StreamEvent, StreamResponse, TelemetryEvent};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

/// Longer than any answer takes.
const PATIENCE: Duration = Duration::from_secs(20);
const CONVERSATION: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";
const KEY_B2C: &str = "it-key-of-a-consumer-app";
const INSTANCES: &str = r#"
[[instances]]
client_id = "client_b2c"
instance_id = "inst_b2c"
isolation = "equals_customer"
api_keys = ["it-key-of-a-consumer-app"]
"#;

/// An open stream, with what it has answered.
struct Stream {
    runtime: Runtime,
    events: Option<Sender<StreamEvent>>,
    answers: Streaming<StreamResponse>,
    acked: Vec<String>,
    counts: Vec<i64>,
    signals: Vec<String>,
    pongs: usize,
}

fn client(runtime: &Runtime, server: &Server) -> SynapServiceClient<Channel> {
    let connected = SynapServiceClient::connect(server.grpc_url().to_owned());
    runtime.block_on(connected).expect("a connection")
}

fn with_key<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    let header: MetadataValue<_> = format!("Bearer {key}").parse().expect("a header");
    request.metadata_mut().insert("authorization", header);
    // As the vendor's client sends them before it knows them.
    for name in ["x-client-id", "x-instance-id"] {
        request
            .metadata_mut()
            .insert(name, MetadataValue::from_static(""));
    }
    request
}

impl Stream {
    fn open(server: &Server, key: &str) -> Result<Self, Status> {
        let runtime = Runtime::new().expect("a runtime");
        let mut client = client(&runtime, server);
        let (events, sent) = channel(1_024);
        let request = with_key(ReceiverStream::new(sent), key);
        let answers = runtime.block_on(client.listen(request))?.into_inner();
        Ok(Self {
            runtime,
            events: Some(events),
            answers,
            acked: Vec::new(),
            counts: Vec::new(),
            signals: Vec::new(),
            pongs: 0,
        })
    }

    fn send(&self, payload: Sent) {
        let event = StreamEvent {
            payload: Some(payload),
        };
        let events = self.events.as_ref().expect("open");
        self.runtime.block_on(events.send(event)).expect("sent");
    }

    fn send_event(&self, event: ConversationEvent) {
        self.send(Sent::ConversationEvent(event));
    }

    /// Takes one answer; `None` at the end.
    fn take(&mut self) -> Option<Result<(), Status>> {
        let next = async { tokio::time::timeout(PATIENCE, self.answers.message()).await };
        let answer = match self.runtime.block_on(next).expect("an answer in time") {
            Ok(answer) => answer?,
            Err(status) => return Some(Err(status)),
        };
        match answer.payload.expect("an answer says something") {
            Answer::EventAck(ack) => self.acked.extend(ack.event_ids),
            Answer::ConversationState(state) => self.counts.push(state.message_count),
            Answer::Signal(signal) => self.signals.push(signal.signal_type),
            Answer::HeartbeatPong(_) => self.pongs += 1,
            Answer::ContextBundle(bundle) => panic!("nobody asked for {bundle:?}"),
        }
        Some(Ok(()))
    }

    fn take_until(&mut self, reached: impl Fn(&Self) -> bool) {
        while !reached(self) {
            self.take().expect("the stream is open").expect("an answer");
        }
    }

    /// Closes this side, and answers how the other one ended and after how long.
    fn close(&mut self) -> (Option<Status>, Duration) {
        self.events = None;
        let closed = Instant::now();
        loop {
            match self.take() {
                None => return (None, closed.elapsed()),
                Some(Err(status)) => return (Some(status), closed.elapsed()),
                Some(Ok(())) => {}
            }
        }
    }
}

fn event(id: &str, event_type: &str, user: &str, content: &str) -> ConversationEvent {
    ConversationEvent {
        event_type: event_type.to_owned(),
        conversation_id: CONVERSATION.to_owned(),
        user_id: user.to_owned(),
        customer_id: "acme".to_owned(),
        content: content.to_owned(),
        event_id: id.to_owned(),
        sent_at_ms: 1_795_355_175_093,
        timestamp_ms: 1_795_355_175_094,
        metadata: HashMap::from([("agent_model".to_owned(), "m".to_owned())]),
        ..ConversationEvent::default()
    }
}

fn said(http: &Http, query: &str) -> Vec<String> {
    let path = format!("/v1/conversations/{CONVERSATION}/messages?{query}");
    let answer = http.get(&path).ok();
    let turns = answer["turns"].as_array().expect("turns").iter();
    turns
        .map(|turn| turn["content"].as_str().expect("content").to_owned())
        .collect()
}

#[test]
fn turns_stand_in_order_and_are_acked_each_once() {
    let server = Server::fresh();
    let mut stream = Stream::open(&server, crate::support::KEY).expect("open");
    let ids: Vec<String> = (0..100).map(|number| format!("event-{number}")).collect();
    for (number, id) in ids.iter().enumerate() {
        let event_type = ["user_message", "assistant_message"][number % 2];
        stream.send_event(event(id, event_type, "alice", &format!("turn {number}")));
        // Sent again, as a client does that missed the ack.
        stream.send_event(event(id, event_type, "alice", &format!("turn {number}")));
    }
    stream.send_event(event("hint", "tool_call", "alice", "not a turn"));
    stream.send_event(event("nameless", "", "alice", "of no type"));
    stream.send_event(event("nobody's", "user_message", "", "not a turn"));
    stream.take_until(|stream| stream.acked.len() == 203);
    assert_eq!(stream.counts.iter().max(), Some(&100));
    let mut acked = stream.acked.clone();
    acked.dedup();
    assert_eq!(acked[..100], ids[..], "acked in order");
    assert_eq!(
        stream.signals,
        ["error"],
        "an event without a type is refused aloud"
    );
    let expected: Vec<String> = (0..100).map(|number| format!("turn {number}")).collect();
    assert_eq!(said(&server.http(), "limit=500"), expected);
    let body = json!({"conversation_id": CONVERSATION, "search_query": "turn 7", "response_shape": "ranked"});
    let found = items(
        &server
            .http()
            .post("/v1/context/conversation/fetch", &body)
            .ok(),
    );
    assert_eq!(found[0]["metadata"]["agent_model"], "m");
    assert_eq!(found[0]["said_at"], "2026-11-22T13:46:15.093Z");
    server.http().assert_verified();
}

#[test]
fn what_was_acked_survives_a_kill_and_is_not_stored_again() {
    let home = Home::new();
    let mut server = home.serve().start();
    let mut expected = Vec::new();
    for round in 0..3 {
        let mut stream = Stream::open(&server, crate::support::KEY).expect("open");
        let ids: Vec<String> = (0..20)
            .map(|number| format!("event-{round}-{number}"))
            .collect();
        for id in &ids {
            stream.send_event(event(id, "user_message", "alice", id));
        }
        stream.take_until(|stream| !stream.acked.is_empty());
        server.kill();
        server = home.serve().start();
        let before = said(&server.http(), "user_id=alice&customer_id=acme");
        for acked in &stream.acked {
            assert!(before.contains(acked), "{acked} was acked: {before:?}");
        }
        // The client sends all of them again, under the same ids.
        let mut again = Stream::open(&server, crate::support::KEY).expect("open");
        for id in &ids {
            again.send_event(event(id, "user_message", "alice", id));
        }
        again.take_until(|stream| stream.acked.len() == ids.len());
        expected.extend(ids);
        assert_eq!(said(&server.http(), "limit=500"), expected);
    }
    server.http().assert_verified();
}

#[test]
fn a_closed_side_gets_its_acks_and_a_quiet_end() {
    let server = Server::fresh();
    let mut stream = Stream::open(&server, crate::support::KEY).expect("open");
    stream.send(Sent::HeartbeatPing(HeartbeatPing { timestamp_ms: 1 }));
    for number in 0..5 {
        stream.send_event(event(&format!("e{number}"), "user_message", "alice", "ok"));
    }
    let (status, after) = stream.close();
    assert!(status.is_none(), "{status:?}");
    assert_eq!((stream.acked.len(), stream.pongs), (5, 1));
    // A lower bound: the client must have noted that it closed the stream before it sees the end.
    assert!(after >= Duration::from_millis(200), "{after:?}");
    assert_eq!(said(&server.http(), "").len(), 5);
}

#[test]
fn streams_of_others_stay_apart() {
    let server = Home::new().serve().config(INSTANCES).start();
    let mut streams: Vec<Stream> = ["alice", "bob"]
        .into_iter()
        .map(|user| {
            let stream = Stream::open(&server, crate::support::KEY).expect("open");
            stream.send_event(event(
                "same id",
                "user_message",
                user,
                &format!("I am {user}."),
            ));
            stream
        })
        .collect();
    let consumer = Stream::open(&server, KEY_B2C).expect("open");
    let mut of_consumer = event("same id", "user_message", "alice", "I am a consumer.");
    of_consumer.customer_id = String::new();
    consumer.send_event(of_consumer);
    // A customer where there are none is refused, and acked: it would be refused for ever.
    consumer.send_event(event("wrong", "user_message", "alice", "I am of acme."));
    streams.push(consumer);
    for stream in &mut streams {
        stream.take_until(|stream| stream.acked.contains(&"same id".to_owned()));
    }
    streams[2].take_until(|stream| stream.acked.len() == 2);
    assert_eq!(streams[2].signals, ["error"]);
    let http = server.http();
    assert_eq!(
        said(&http, "user_id=alice&customer_id=acme"),
        ["I am alice."]
    );
    assert_eq!(said(&http, "user_id=bob&customer_id=acme"), ["I am bob."]);
    assert_eq!(
        said(&http.with_key(Some(KEY_B2C)), "user_id=alice"),
        ["I am a consumer."]
    );
}

#[test]
fn without_a_key_nothing_opens() {
    let server = Server::fresh();
    for key in ["", "wrong"] {
        let refused = Stream::open(&server, key).err().expect("a refusal");
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
    let runtime = Runtime::new().expect("a runtime");
    let mut client = client(&runtime, &server);
    let telemetry = |key: &str| {
        let events = tokio_stream::iter(vec![TelemetryEvent::default(); 3]);
        with_key(events, key)
    };
    let refused = runtime.block_on(client.ingest_telemetry(telemetry("wrong")));
    assert_eq!(
        refused.expect_err("a refusal").code(),
        Code::Unauthenticated
    );
    let counted = runtime.block_on(client.ingest_telemetry(telemetry(crate::support::KEY)));
    assert_eq!(counted.expect("an answer").into_inner().events_received, 3);
}

#[test]
fn what_is_too_large_is_refused_and_the_server_lives() {
    let server = Server::fresh();
    let mut stream = Stream::open(&server, crate::support::KEY).expect("open");
    let long = "x".repeat(300 * 1024);
    stream.send_event(event("long", "user_message", "alice", &long));
    stream.send_event(event("short", "user_message", "alice", "still here"));
    stream.take_until(|stream| stream.acked.len() == 2);
    assert_eq!(stream.signals, ["error"]);
    assert_eq!(said(&server.http(), ""), ["still here"]);
    // Over the limit of a message, the stream ends, and only this one.
    let huge = "x".repeat(5 * 1024 * 1024);
    stream.send_event(event("huge", "user_message", "alice", &huge));
    let (status, _) = stream.close();
    assert_eq!(status.expect("a refusal").code(), Code::OutOfRange);
    assert_eq!(
        server.http().get("/health").ok()["status"],
        Value::from("ok")
    );
}

#[test]
fn a_server_that_stops_says_so_and_loses_nothing() {
    let home = Home::new();
    let server = home.serve().start();
    let mut stream = Stream::open(&server, crate::support::KEY).expect("open");
    stream.send_event(event("e1", "user_message", "alice", "before the end"));
    stream.take_until(|stream| !stream.counts.is_empty());
    assert!(server.terminate().success());
    while let Some(Ok(())) = stream.take() {}
    assert_eq!(
        (stream.signals, stream.acked),
        (vec!["closing".to_owned()], vec!["e1".to_owned()])
    );
    let server = home.serve().start();
    assert_eq!(said(&server.http(), ""), ["before the end"]);
}
