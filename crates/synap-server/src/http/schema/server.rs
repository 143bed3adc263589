//! The server itself: who a key is, health, credits, telemetry, and what its operator does.

use super::common::{id, parameters};
use super::shape::{
    Shape, a, anything, between, count, either, fields, flag, list, null, one_of, shapes, share,
    text, text_between, uuid,
};
use synap_text::Extractor;

shapes! {
    /// Whom the key stands for.
    Whoami = Shape::new()
        .has("client_id", text(), "The application")
        .has("instance_id", text(), "Its instance")
        .has("user_context_isolation", one_of(&["strict", "equals_customer"]), "`strict`: a user is named with its customer. `equals_customer`: every user is a customer of his own")
        .has("levels", list(text()), "Levels of a scope, widest first")
        .has("key_id", text(), "Names the key without telling it");
    /// How the server is. No ids, no positions.
    Health = Shape::new()
        .has("status", health(), "`degraded`: some answers may be stale")
        .has("version", text(), "The server's version")
        .has("durability", one_of(&["power-safe", "relaxed"]), "`relaxed` where a power cut may lose a write")
        .has("partitions", count(), "Partitions of the log")
        .has("partitions_behind", count(), "Those whose rows lag behind")
        .has("partitions_halted", count(), "Those that have stopped; `synap status` says why")
        .has("models", a::<ModelsReport>(), "The optional models");
    /// The optional models.
    ModelsReport = Shape::new().has("encoder", a::<EncoderReport>(), "The sentence encoder, for `mode: accurate`");
    /// A model, and how far its work on stored memories is.
    EncoderReport = Shape::new()
        .has("state", one_of(&["absent", "loaded"]), "`absent`: `accurate` is answered as `fast`")
        .may("name", text(), "Its name")
        .may("hash", text(), "SHA-256 of its weights")
        .may("pending", count(), "Applied events that it has not looked at yet")
        .may("done", count(), "Memories that it encoded since the server started");
    /// The process runs.
    Live = Shape::new().has("status", one_of(&["ok"]), "Always `ok`");
    /// Every partition.
    Status = Shape::new()
        .has("status", health(), "`degraded`: some answers may be stale")
        .has("version", text(), "The server's version")
        .has("durability", text(), "As in `/health`")
        .has("partitions", list(a::<PartitionStatus>()), "The partitions")
        .has("partitions_behind", count(), "Those whose rows lag behind")
        .has("partitions_halted", count(), "Those that have stopped")
        .has("jobs", list(a::<Job>()), "Work that goes on now")
        .has("models", a::<ModelsReport>(), "As in `/health`");
    /// One partition.
    PartitionStatus = Shape::new()
        .has("partition", text(), "Its number, or `SHARED`")
        .has("state", one_of(&["catching_up", "following", "retrying", "halted", "outdated"]), "What its projector does. `outdated`: there is none, another version read the texts; a rebuild goes on")
        .may("reason", text(), "Why it does not follow")
        .has("applied_seq", count(), "The last event in its rows")
        .has("parked", count(), "Events that were set aside")
        .has("generation", count(), "Which read model is live")
        .has("disk_bytes", count(), "Its size")
        .may("log_seq", count(), "The last event in the log; absent while the log does not answer")
        .may("log_bytes", count(), "The log's size")
        .may("lag", count(), "Events that are not applied yet");
    /// Events that were set aside.
    Parked = Shape::new().has("parked", list(a::<ParkedEvent>()), "The events");
    /// An event that could not be applied, or waits behind one.
    ParkedEvent = Shape::new()
        .has("partition", text(), "Its partition")
        .has("seq", count(), "Its place in the log")
        .has("reason", text(), "Why")
        .has("behind", anything(), "The event that it waits behind")
        .has("subject", text(), "Its subject");
    /// Which partitions to rebuild. No body at all means all.
    RebuildBody = Shape::new()
        .takes("partition", id(), "One partition only; default: all")
        .takes("accept_loss", flag(), "Also where the rows hold events that the log has lost")
        .takes("accept_difference", flag(), "Also where the new rows differ from the live ones of the same version")
        .takes("cpu_share", share(), "Share of one processor that it takes at most, more than 0; 1 is as fast as it goes, on several. Default: as configured, 0.5")
        .takes("as", text_between(1, 64), "Fill a generation of this name beside the live one, and switch nothing")
        .takes("set", fields(), "With `as`: weights by their names, which this generation answers with")
        .takes("extractor", one_of(&Extractor::ALL.map(Extractor::name)), "With `as`: how its texts are cut. Default: `sentences`");
    /// Which partitions to roll back. No body at all means all.
    RollbackBody = Shape::new()
        .takes("partition", id(), "One partition only; default: all");
    /// The generations of every partition.
    Generations = Shape::new().has("partitions", list(a::<PartitionGenerations>()), "The partitions");
    /// The generations of one partition.
    PartitionGenerations = Shape::new()
        .has("partition", text(), "Its number, or `SHARED`")
        .has("live", count(), "Which one answers")
        .has("previous", either([count(), null()]), "Which one a rollback goes back to")
        .has("filling", list(count()), "Those that a rebuild has begun")
        .has("named", list(a::<NamedGeneration>()), "Those that answer by their name");
    /// A generation with a name.
    NamedGeneration = Shape::new()
        .has("name", text(), "Its name")
        .has("set", either([fields(), null()]), "Weights that differ from the server's")
        .has("extractor", one_of(&Extractor::ALL.map(Extractor::name)), "How its texts are cut")
        .has("state", one_of(&["filling", "catching_up", "following", "halted"]), "`filling`: it does not answer yet; `halted`: it cannot go on, remove it")
        .may("applied_seq", count(), "The last event in its rows")
        .may("disk_bytes", count(), "Its size");
    /// Which named generation to remove.
    RemoveGenerationBody = Shape::new()
        .has("name", text_between(1, 64), "Its name");
    /// It is gone.
    RemovedGeneration = Shape::new()
        .has("removed", text(), "Its name");
    /// Which partitions to verify. No body at all means all.
    VerifyBody = Shape::new()
        .takes("partition", id(), "One partition only; default: all")
        .takes("sample", share(), "Compare only about this share of the rows, more than 0: the same ones each time. Default: 1");
    /// Work that goes on in the background.
    Job = Shape::new()
        .has("job", text(), "To ask for it again")
        .has("kind", one_of(&["rebuild", "rollback", "verify"]), "What it does")
        .has("state", one_of(&["running", "done", "failed"]), "How far it is")
        .has("partitions", list(a::<JobPart>()), "The same for each partition");
    /// One partition of a job.
    JobPart = Shape::new()
        .has("partition", text(), "Its number, or `SHARED`")
        .has("applied_seq", count(), "Events done")
        .has("target_seq", count(), "Events to do")
        .has("result", either([fields(), null()]), "What came out of it")
        .has("error", either([text(), null()]), "What went wrong; while it runs: what keeps it, it tries again");
    /// What became of events of an export.
    Imported = Shape::new()
        .has("new", count(), "Events that were appended")
        .has("known", count(), "Events that were there already");
    /// Where to write a backup.
    BackupBody = Shape::new()
        .takes("dir", text(), "An absolute path on the server's machine, of an empty folder or of none");
    /// A backup that is whole.
    Backup = Shape::new()
        .has("projection", count(), "Version of the projection that made the rows")
        .has("partitions", list(a::<BackupPart>()), "The same for each partition");
    /// One partition of a backup.
    BackupPart = Shape::new()
        .has("partition", text(), "Its number, or `shared`")
        .has("seq", count(), "The last event in its rows")
        .has("generation", count(), "Which read model was live")
        .has("files", count(), "Files")
        .has("bytes", count(), "Their size");
    /// What a client measured.
    TelemetryBody = Shape::new()
        .takes("events", list(anything()), "Counted and not kept");
    /// How much was counted.
    TelemetryAnswer = Shape::new()
        .has("status", one_of(&["accepted"]), "Always `accepted`")
        .has("events_received", count(), "How many");
    /// Nothing is paid for on a server of one's own.
    Balance = Shape::new()
        .has("client_id", text(), "The application")
        .has("balance_credits", count(), "A large number, for clients that compare")
        .has("unlimited", flag(), "Always `true`")
        .has("warning_low", flag(), "Always `false`")
        .has("buckets", list(fields()), "Always empty");
    /// Nothing is paid for, so nothing is booked.
    Ledger = Shape::new()
        .has("entries", list(fields()), "Always empty")
        .has("total", count(), "Always 0")
        .has("limit", count(), "As asked for")
        .has("offset", count(), "As asked for");
    /// What would be done.
    EstimateBody = Shape::new();
    /// Nothing costs anything.
    Estimate = Shape::new()
        .has("credits_estimate", count(), "Always 0")
        .has("unlimited", flag(), "Always `true`");
    /// A code.
    RedeemBody = Shape::new()
        .has("code", text_between(1, 256), "Any");
    /// Nothing is granted, and nothing is needed.
    Redeemed = Shape::new()
        .has("redemption_id", uuid(), "Names this answer")
        .has("credits_granted", count(), "Always 0")
        .has("new_balance_credits", count(), "A large number")
        .has("unlimited", flag(), "Always `true`");
    /// This document: OpenAPI 3.1.
    OpenApiDocument = Shape::new()
        .has("openapi", text(), "The version of OpenAPI")
        .has("info", fields(), "What it describes")
        .has("paths", fields(), "The routes")
        .has("components", fields(), "What they refer to");
}

parameters! {
    /// A page of the ledger.
    LedgerQuery in Query {
        "limit": between(0, u32::MAX as usize), "Entries of a page. Default: 50";
        "offset": between(0, u32::MAX as usize), "Entries before it. Default: 0";
    }
}

fn health() -> super::shape::Kind {
    one_of(&["ok", "degraded"])
}
