//! The audit stream: what was told to whom. Optional, kept for a time, and no part of the log.

use crate::connect::{Connection, jetstream};
use crate::streams::{self, OpenError};
use async_nats::jetstream::Context;
use bytes::Bytes;
use std::time::Duration;
use synap_types::names;

/// Where records of fetches go.
#[derive(Debug, Clone)]
pub struct AuditStream(Context);

impl AuditStream {
    /// Makes the stream, or gives the one that is there another age.
    pub async fn open(
        connection: &Connection,
        replicas: usize,
        max_age: Duration,
    ) -> Result<Self, OpenError> {
        let context = jetstream(connection.client());
        streams::open_audit(&context, replicas, max_age).await?;
        Ok(Self(context))
    }

    /// Appends one record, and waits until it is stored.
    pub async fn publish(&self, record: Bytes) -> Result<(), async_nats::Error> {
        let sent = self.0.publish(names::AUDIT, record).await?;
        sent.await?;
        Ok(())
    }
}
