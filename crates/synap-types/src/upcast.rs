//! Old event shapes, lifted step by step to the latest when they are read. Stored events are never rewritten.

use serde_json::Value;

/// One step: version `from` of an event to `from + 1`.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    /// The event's name without prefix and version, such as `memory.ingested`.
    pub event: &'static str,
    /// The version that it reads.
    pub from: u16,
    /// Old data in, new data out. Pure.
    pub lift: fn(Value) -> Value,
}

/// Every upcaster there is, oldest first. Add at the end; never edit one that shipped.
pub const UPCASTERS: &[Upcaster] = &[];

/// Lifts `data` as far as a table of upcasters goes; answers the version it ended at.
pub fn upcast(table: &[Upcaster], event: &str, version: u16, data: Value) -> (u16, Value) {
    table.iter().fold((version, data), |(version, data), step| {
        if step.event == event && step.from == version {
            (version + 1, (step.lift)(data))
        } else {
            (version, data)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seconds_to_millis(mut data: Value) -> Value {
        let millis = data["at_s"].as_u64().map(|s| s * 1_000);
        data["at_ms"] = json!(millis);
        data
    }

    fn name_to_names(mut data: Value) -> Value {
        data["names"] = json!([data["name"].take()]);
        data
    }

    const TABLE: &[Upcaster] = &[
        Upcaster {
            event: "made.up",
            from: 1,
            lift: seconds_to_millis,
        },
        Upcaster {
            event: "made.up",
            from: 2,
            lift: name_to_names,
        },
        Upcaster {
            event: "other",
            from: 1,
            lift: name_to_names,
        },
    ];

    #[test]
    fn old_versions_are_lifted_step_by_step() {
        let (version, data) = upcast(TABLE, "made.up", 1, json!({"at_s": 2, "name": "a"}));
        assert_eq!(version, 3);
        assert_eq!(
            (&data["at_ms"], &data["names"]),
            (&json!(2_000), &json!(["a"]))
        );
    }

    #[test]
    fn a_later_version_starts_in_the_middle() {
        let (version, data) = upcast(TABLE, "made.up", 2, json!({"at_ms": 5, "name": "a"}));
        assert_eq!(version, 3);
        assert_eq!(data["at_ms"], json!(5));
    }

    #[test]
    fn the_latest_version_and_foreign_events_are_left_alone() {
        let data = json!({"name": "a"});
        assert_eq!(upcast(TABLE, "made.up", 3, data.clone()), (3, data.clone()));
        assert_eq!(upcast(TABLE, "unheard.of", 1, data.clone()), (1, data));
    }
}
