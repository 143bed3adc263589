//! Whether the connection is up, and whether it is still the one that something was sent over.
//!
//! The client library keeps requests over a reconnect, but an answer that was on its way to the old connection never
//! comes. Whoever waits for one asks here, and asks again over the new connection.

use async_nats::connection::State;
use async_nats::{Client, Statistics};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// How often the connection is looked at while something waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Which life of the connection: every reconnect starts another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life(u64);

/// A client and what is known of its connection.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    client: Client,
    statistics: Arc<Statistics>,
}

impl Link {
    pub(crate) fn new(client: Client) -> Self {
        let statistics = client.statistics();
        Self { client, statistics }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn life(&self) -> Life {
        Life(self.statistics.connects.load(Ordering::Relaxed))
    }

    pub(crate) fn is_up(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Ends when the connection is up.
    pub(crate) async fn up(&self) {
        while !self.is_up() {
            sleep(LOOK_EVERY).await;
        }
    }

    /// Ends when what was sent in `life` may have lost its answer: there is another connection now.
    pub(crate) async fn renewed(&self, life: Life) {
        while self.life() == life {
            sleep(LOOK_EVERY).await;
        }
    }
}
