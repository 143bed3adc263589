//! A disk that is full while rows are rebuilt: the build ends and says why, serving goes on, and a later build works.

use crate::archive::applied;
use crate::support::{Door as _, Home, Http, contents, ids, value};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Size of the disk, and what is left of it when the rebuild begins: room to begin with, and not for all.
const DISK: &str = "96m";
const LEFT_BYTES: u64 = 1_500_000;
const DOCUMENTS: usize = 150;

/// A small disk in memory.
struct Disk(PathBuf);

impl Disk {
    /// None where it may not be mounted.
    fn mount(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let size = format!("size={DISK},mode=0700");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(at)
            .output();
        let mounted = done.is_ok_and(|done| done.status.success());
        mounted.then(|| Self(at.to_owned()))
    }

    /// Takes all room but [`LEFT_BYTES`]. Answers what to remove to have it back.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("ballast");
        let mut file = File::create(&path).expect("a file");
        let zeros = vec![0; 64 * 1024];
        while file.write_all(&zeros).is_ok() {}
        let length = file.metadata().expect("its length").len();
        file.set_len(length - LEFT_BYTES).expect("room again");
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

fn told(http: &Http) -> Vec<String> {
    let more =
        json!({"search_query": ["the oldest plan"], "response_shape": "ranked", "max_results": 20});
    contents(&http.fetch(&ids(Some("acme"), None, &more)).ok())
}

/// Rebuilds, and answers the job as it ended; meanwhile the answers are `before`.
fn rebuilt(http: &Http, before: &[String]) -> Value {
    let started = http
        .post("/v1/admin/rebuild", &json!({"cpu_share": 1}))
        .ok();
    let path = format!("/v1/admin/jobs/{}", started["job"].as_str().expect("a job"));
    value("the job ends", || {
        assert_eq!(told(http), before);
        let shown = http.get(&path).ok();
        (shown["state"] != "running").then_some(shown)
    })
}

#[test]
fn a_full_disk_ends_a_rebuild_and_nothing_else() {
    let home = Home::new();
    let Some(disk) = Disk::mount(&home.data()) else {
        println!("SKIPPED (a disk in memory cannot be mounted here)");
        return;
    };
    let server = home.start();
    let http = server.http();
    for number in 0..DOCUMENTS {
        let lines = (0..60)
            .map(|line| format!("Plan {number} has a step {line} of its own, s{number}x{line}."));
        let text = lines.collect::<Vec<_>>().join(" ");
        let document = json!({"document": text, "document_type": "document", "document_id": format!("plan-{number}")});
        http.ingest(&ids(Some("acme"), None, &document)).ok();
    }
    http.store(&ids(
        Some("acme"),
        None,
        &json!({"document": "The oldest plan is this one."}),
    ));
    applied(&http);
    let before = told(&http);
    let live = http.admin_status()["partitions"][0]["generation"].clone();
    let ballast = disk.fill();
    let ended = rebuilt(&http, &before);
    assert_eq!(ended["state"], "failed", "{ended}");
    let error = ended["partitions"][0]["error"].as_str().unwrap_or_default();
    assert!(error.contains("No space left on device"), "{ended}");
    assert_eq!(http.admin_status()["partitions"][0]["generation"], live);
    assert_eq!(told(&http), before);
    fs::remove_file(ballast).expect("room again");
    let ended = rebuilt(&http, &before);
    assert_eq!(ended["partitions"][0]["result"]["equal"], true, "{ended}");
    http.store(&ids(
        Some("acme"),
        None,
        &json!({"document": "It goes on."}),
    ));
    http.assert_verified();
}
