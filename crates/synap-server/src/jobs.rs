//! Long work that a caller starts and then watches: rebuild, verification, rollback.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use synap_readmodel::Sample;
use synap_types::{Partition, Seq};

/// Finished jobs that are still shown.
const JOBS_MAX: usize = 64;

/// What a job does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum JobKind {
    Rebuild(Rebuild),
    Verify(Sample),
    Rollback,
}

/// How a rebuild goes about it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rebuild {
    /// Also where the live rows hold events that the log has lost.
    pub(crate) accept_loss: bool,
    /// Also where the new rows differ from the live ones of the same version.
    pub(crate) accept_difference: bool,
    /// Share of the time that it works at most, more than 0 and up to 1.
    pub(crate) cpu_share: f64,
    /// Which it fills: this one, beside the live one; else the next one.
    pub(crate) named: Option<String>,
}

impl Rebuild {
    /// As it goes without being told more.
    pub(crate) const fn at(cpu_share: f64) -> Self {
        Self {
            accept_loss: false,
            accept_difference: false,
            cpu_share,
            named: None,
        }
    }
}

impl JobKind {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Rebuild(_) => "rebuild",
            Self::Verify(_) => "verify",
            Self::Rollback => "rollback",
        }
    }

    /// Whether the two build the same, so that one of them is enough.
    fn is_same_build(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Rebuild(a), Self::Rebuild(b)) if a.named == b.named)
    }

    /// Takes over what `other`, which is to be the same build, is allowed to do.
    fn join(&mut self, other: &Self) {
        if let (Self::Rebuild(own), Self::Rebuild(other)) = (self, other) {
            own.accept_loss |= other.accept_loss;
            own.accept_difference |= other.accept_difference;
            own.cpu_share = other.cpu_share;
        }
    }
}

#[derive(Debug)]
struct Part {
    kind: JobKind,
    applied: Seq,
    target: Seq,
    /// What came out of it.
    result: Option<Result<Value, String>>,
    /// Why it has not come any further, while it tries again.
    trouble: Option<String>,
}

#[derive(Debug, Clone)]
struct Job {
    name: &'static str,
    /// A part may be one of several jobs.
    parts: BTreeMap<Partition, Arc<Mutex<Part>>>,
}

/// All jobs of this process, by number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jobs(Arc<Mutex<BTreeMap<u64, Job>>>);

/// One partition's part of a job, for whoever does it.
#[derive(Debug, Clone)]
pub(crate) struct JobPart {
    part: Arc<Mutex<Part>>,
    partition: Partition,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Job {
    fn is_done(&self) -> bool {
        self.parts
            .values()
            .all(|part| locked(part).result.is_some())
    }

    fn show(&self, number: u64) -> Value {
        let (mut running, mut failed, mut parts) = (false, false, Vec::new());
        for (partition, part) in &self.parts {
            let part = locked(part);
            let result = part.result.as_ref();
            running |= result.is_none();
            failed |= result.is_some_and(Result::is_err);
            let error = result.and_then(|result| result.as_ref().err());
            let error = error.or(part.trouble.as_ref());
            let result = result.and_then(|result| result.as_ref().ok());
            parts.push(
                json!({"partition": partition.token(), "applied_seq": part.applied,
                "target_seq": part.target, "result": result, "error": error}),
            );
        }
        let state = match (running, failed) {
            (true, _) => "running",
            (false, true) => "failed",
            (false, false) => "done",
        };
        json!({"job": number.to_string(), "kind": self.name, "state": state, "partitions": parts})
    }
}

impl Jobs {
    /// A new job over `partitions`; and the parts of it that are to be done. A rebuild that goes on already is joined.
    pub(crate) fn start(&self, kind: &JobKind, partitions: &[Partition]) -> (u64, Vec<JobPart>) {
        let mut jobs = locked(&self.0);
        let number = jobs.keys().next_back().map_or(1, |last| last + 1);
        let (mut parts, mut to_do) = (BTreeMap::new(), Vec::new());
        for partition in partitions {
            let mut going_on = jobs.values().filter_map(|job| job.parts.get(partition));
            let joined = going_on.find(|part| {
                let mut part = locked(part);
                let joins = part.result.is_none() && part.kind.is_same_build(kind);
                if joins {
                    part.kind.join(kind);
                }
                joins
            });
            let part = joined.map_or_else(
                || {
                    let part = JobPart::new(kind.clone(), *partition);
                    to_do.push(part.clone());
                    part.part
                },
                Arc::clone,
            );
            parts.insert(*partition, part);
        }
        let name = kind.name();
        jobs.insert(number, Job { name, parts });
        if jobs.len() > JOBS_MAX {
            let done = jobs.iter().find(|(_, job)| job.is_done());
            if let Some(oldest) = done.map(|(number, _)| *number) {
                jobs.remove(&oldest);
            }
        }
        (number, to_do)
    }

    /// How far job `number` is.
    pub(crate) fn show(&self, number: &str) -> Option<Value> {
        let number: u64 = number.parse().ok()?;
        let jobs = locked(&self.0);
        Some(jobs.get(&number)?.show(number))
    }

    /// The jobs that go on, oldest first.
    pub(crate) fn running(&self) -> Vec<Value> {
        let jobs = locked(&self.0);
        let running = jobs.iter().filter(|(_, job)| !job.is_done());
        running.map(|(number, job)| job.show(*number)).collect()
    }
}

impl JobPart {
    pub(crate) fn new(kind: JobKind, partition: Partition) -> Self {
        let part = Part {
            kind,
            applied: Seq::ZERO,
            target: Seq::ZERO,
            result: None,
            trouble: None,
        };
        Self {
            part: Arc::new(Mutex::new(part)),
            partition,
        }
    }

    pub(crate) const fn partition(&self) -> Partition {
        self.partition
    }

    /// What is to be done, as far as it is known now: others may join, and allow more.
    pub(crate) fn kind(&self) -> JobKind {
        locked(&self.part).kind.clone()
    }

    /// How far it is.
    pub(crate) fn report(&self, applied: Seq, target: Seq) {
        let mut part = locked(&self.part);
        (part.applied, part.target, part.trouble) = (applied, target, None);
    }

    /// What keeps it from coming further: it tries again.
    pub(crate) fn trouble(&self, reason: String) {
        locked(&self.part).trouble = Some(reason);
    }

    /// What came out of it.
    pub(crate) fn finish(&self, result: Result<Value, String>) {
        locked(&self.part).result = Some(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTITIONS: [Partition; 2] = [Partition::Numbered(0), Partition::Shared];

    fn rebuild() -> JobKind {
        JobKind::Rebuild(Rebuild::at(0.5))
    }

    #[test]
    fn a_rebuild_that_goes_on_is_joined_and_allowed_more() {
        let jobs = Jobs::default();
        let (first, parts) = jobs.start(&rebuild(), &PARTITIONS[..1]);
        assert_eq!(parts.len(), 1);
        let accepting = JobKind::Rebuild(Rebuild {
            accept_difference: true,
            ..Rebuild::at(0.25)
        });
        let (second, more) = jobs.start(&accepting, &PARTITIONS);
        assert_eq!(more.len(), 1, "the other partition only");
        assert_eq!(more[0].partition(), PARTITIONS[1]);
        assert_eq!(parts[0].kind(), accepting);
        parts[0].report(Seq::new(7), Seq::new(9));
        let shown = |number: u64| jobs.show(&number.to_string()).unwrap();
        assert_eq!(shown(second)["partitions"][0]["applied_seq"], 7);
        parts[0].finish(Ok(Value::Null));
        assert_eq!(
            (&shown(first)["state"], &shown(second)["state"]),
            (&json!("done"), &json!("running"))
        );
        assert_eq!(jobs.running().len(), 1);
        let (_, again) = jobs.start(&rebuild(), &PARTITIONS);
        assert_eq!(again.len(), 1, "what is done is done anew");
    }

    #[test]
    fn other_work_is_not_joined() {
        let jobs = Jobs::default();
        let named = JobKind::Rebuild(Rebuild {
            named: Some("x".to_owned()),
            ..Rebuild::at(1.0)
        });
        for kind in [
            rebuild(),
            named,
            JobKind::Verify(Sample::ALL),
            JobKind::Verify(Sample::ALL),
        ] {
            assert_eq!(jobs.start(&kind, &PARTITIONS).1.len(), 2, "{kind:?}");
        }
    }
}
