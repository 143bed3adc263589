//! Long work that a caller starts and then watches: rebuild and verification.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synap_types::{Partition, Seq};

/// Finished jobs that are still shown.
const JOBS_MAX: usize = 64;

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobKind {
    /// `accept_loss`: also where the live rows hold events that the log has lost.
    Rebuild {
        accept_loss: bool,
    },
    Verify,
}

impl JobKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rebuild { .. } => "rebuild",
            Self::Verify => "verify",
        }
    }
}

#[derive(Debug, Clone)]
struct Part {
    applied: Seq,
    target: Seq,
    /// What came out of it.
    result: Option<Result<Value, String>>,
}

#[derive(Debug, Clone)]
struct Job {
    kind: JobKind,
    parts: BTreeMap<Partition, Part>,
}

/// All jobs of this process, by number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jobs(Arc<Mutex<BTreeMap<u64, Job>>>);

/// One partition's part of a job, for whoever does it.
#[derive(Debug, Clone)]
pub(crate) struct JobPart {
    jobs: Jobs,
    number: u64,
    partition: Partition,
}

impl Jobs {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new job over `partitions`.
    pub(crate) fn start(&self, kind: JobKind, partitions: &[Partition]) -> (u64, Vec<JobPart>) {
        let mut jobs = self.lock();
        let number = jobs.keys().next_back().map_or(1, |last| last + 1);
        let part = Part {
            applied: Seq::ZERO,
            target: Seq::ZERO,
            result: None,
        };
        let parts = partitions
            .iter()
            .map(|partition| (*partition, part.clone()))
            .collect();
        jobs.insert(number, Job { kind, parts });
        if jobs.len() > JOBS_MAX {
            let done = jobs
                .iter()
                .find(|(_, job)| job.parts.values().all(|part| part.result.is_some()));
            if let Some(oldest) = done.map(|(number, _)| *number) {
                jobs.remove(&oldest);
            }
        }
        let part = |partition: &Partition| JobPart {
            jobs: self.clone(),
            number,
            partition: *partition,
        };
        (number, partitions.iter().map(part).collect())
    }

    /// How far job `number` is.
    pub(crate) fn show(&self, number: &str) -> Option<Value> {
        let number: u64 = number.parse().ok()?;
        let jobs = self.lock();
        let job = jobs.get(&number)?;
        let results = || job.parts.values().map(|part| part.result.as_ref());
        let state = if results().any(|result| result.is_none()) {
            "running"
        } else if results().flatten().any(Result::is_err) {
            "failed"
        } else {
            "done"
        };
        let part = |(partition, part): (&Partition, &Part)| {
            let result = part.result.as_ref().and_then(|result| result.as_ref().ok());
            let error = part
                .result
                .as_ref()
                .and_then(|result| result.as_ref().err());
            json!({"partition": partition.token(), "applied_seq": part.applied, "target_seq": part.target,
                "result": result, "error": error})
        };
        let parts: Vec<Value> = job.parts.iter().map(part).collect();
        Some(
            json!({"job": number.to_string(), "kind": job.kind.name(), "state": state, "partitions": parts}),
        )
    }
}

impl JobPart {
    pub(crate) const fn partition(&self) -> Partition {
        self.partition
    }

    fn update(&self, change: impl FnOnce(&mut Part)) {
        let mut jobs = self.jobs.lock();
        if let Some(part) = jobs
            .get_mut(&self.number)
            .and_then(|job| job.parts.get_mut(&self.partition))
        {
            change(part);
        }
    }

    /// How far it is.
    pub(crate) fn report(&self, applied: Seq, target: Seq) {
        self.update(|part| (part.applied, part.target) = (applied, target));
    }

    /// What came out of it.
    pub(crate) fn finish(&self, result: Result<Value, String>) {
        self.update(|part| part.result = Some(result));
    }
}
