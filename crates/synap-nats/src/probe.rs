//! Asks a stream which events it has already, without storing anything.
//!
//! Each event is published once more, on the condition that the stream's last message has an id that no event has. The
//! server looks for the event's own id first: one that it knows is answered with its place, any other is refused for
//! the condition. Nothing is synced to disk, so a thousand are asked in the time of a few appends. That the server
//! knows ids for two minutes only is enough here: this is for groups whose batch was refused or whose ack was lost.

use crate::ack::{Ack, Nack};
use crate::group::Outgoing;
use crate::publish::{event_headers, request};
use async_nats::Client;

/// Events' ids are UUIDs.
const NO_EVENT: &str = "no-event";

/// Where `event` stands, or that the stream does not know it.
pub(crate) async fn place(client: &Client, event: &Outgoing) -> Result<Option<Ack>, Nack> {
    let mut headers = event_headers(event);
    headers.insert(async_nats::header::NATS_EXPECTED_LAST_MESSAGE_ID, NO_EVENT);
    match request(client, event, headers).await {
        Ok(ack) => Ok(Some(ack)),
        Err(Nack::WrongLastId) => Ok(None),
        Err(nack) => Err(nack),
    }
}
