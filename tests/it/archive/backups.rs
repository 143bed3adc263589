//! A backup is whole or none, fits where it came from, and the server that starts on it catches up.

use super::{answers, applied, fill};
use crate::support::cli::Run;
use crate::support::server::command;
use crate::support::{Cli, Home, Http, Server, ids};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn back_up(server: &Server, name: &str) -> PathBuf {
    let dir = server.home().path(name);
    Cli::of(server)
        .run(["backup", dir.to_str().expect("a path")])
        .ok();
    assert!(dir.join("manifest.json").is_file());
    dir
}

/// `synap restore` into the data folder of `home`.
fn restore(dir: &Path, home: &Home, options: &[&str]) -> Run {
    let mut command = command();
    command
        .arg("restore")
        .arg(dir)
        .arg("--data-dir")
        .arg(home.data())
        .args(options);
    let done = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run {
        code: done.status.code(),
        stdout: text(&done.stdout),
        stderr: text(&done.stderr),
    }
}

fn wipe(home: &Home) {
    for partition in ["partition-00", "partition-shared"] {
        fs::remove_dir_all(home.data().join(partition)).expect("removed");
    }
}

fn live(http: &Http) -> Vec<u64> {
    let status = http.admin_status();
    let partitions = status["partitions"].as_array().expect("partitions");
    let number = |partition: &Value| partition["generation"].as_u64().expect("a number");
    partitions.iter().map(number).collect()
}

#[test]
fn a_restored_backup_catches_up_with_the_log_and_nothing_deleted_comes_back() {
    let home = Home::new();
    let server = home.start();
    fill(&server.http(), 300);
    let dir = back_up(&server, "backup");
    let delete = json!({"scope": "customer", "dry_run": false, "confirm": "c0"});
    server
        .http()
        .post("/v1/data/delete", &ids(Some("c0"), None, &delete))
        .ok();
    let later = json!({"document": "Written after the backup."});
    server.http().store(&ids(Some("c1"), Some("u1"), &later));
    applied(&server.http());
    let (before, seqs) = (answers(&server.http()), server.http().log_seqs());
    assert!(server.terminate().success());

    for wiped in [false, true] {
        if wiped {
            wipe(&home);
        }
        let said = restore(&dir, &home, &[]).ok().stdout;
        assert!(said.contains("partition 00: generation "), "{said}");
        let server = home.start();
        applied(&server.http());
        let expected = if wiped { [1, 1] } else { [2, 2] };
        assert_eq!(
            live(&server.http()),
            expected,
            "a number of its own; the one before goes with what was erased from it"
        );
        assert_eq!(server.http().log_seqs(), seqs, "the log is as it was");
        assert_eq!(answers(&server.http()), before);
        server.http().assert_verified();
        assert!(server.terminate().success());
    }
}

#[test]
fn a_backup_is_written_into_an_empty_folder_or_none_and_is_whole() {
    let server = Server::fresh();
    fill(&server.http(), 60);
    let http = server.http();
    let home = server.home();
    let empty = home.path("empty");
    fs::create_dir(&empty).expect("made");
    let post = |dir: &Path| http.post("/v1/admin/backup", &json!({ "dir": dir }));
    let done = post(&empty).ok();
    assert_eq!(done["partitions"][0]["partition"], "00");
    assert_eq!(done["partitions"][0]["seq"], http.log_seqs()[0]);
    let manifest = fs::read(empty.join("manifest.json")).expect("read");
    post(&empty).refused(409);
    assert_eq!(
        fs::read(empty.join("manifest.json")).expect("read"),
        manifest
    );
    fs::write(home.path("file"), "x").expect("written");
    for wrong in [
        Path::new("relative/folder"),
        Path::new("/"),
        &home.path("no/such/parent"),
        &home.path("file"),
    ] {
        assert_eq!(
            post(wrong).refused(400)["details"]["field"],
            "dir",
            "{wrong:?}"
        );
    }
    http.post("/v1/admin/backup", &json!({})).refused(400);
    // What a kill in the middle leaves is not a backup, and is not in the way.
    let left = home.path("next.synap-partial");
    fs::create_dir(&left).expect("made");
    fs::write(left.join("000001.sst"), "half").expect("written");
    post(&home.path("next")).ok();
    assert!(!left.exists());
    assert_eq!(restore(&left, home, &[]).code, Some(1));
}

/// Restoring the backup in `dir` fails, and says `what`.
#[track_caller]
fn refused(dir: &Path, home: &Home, what: &str) {
    let said = restore(dir, home, &[]).failed().stderr;
    assert!(said.contains(what), "{said}");
}

fn manifest_of(dir: &Path) -> (PathBuf, String, Value) {
    let path = dir.join("manifest.json");
    let text = fs::read_to_string(&path).expect("read");
    let manifest = serde_json::from_str(&text).expect("JSON");
    (path, text, manifest)
}

/// Nothing was switched to, and nothing is left over; and what is whole can be restored.
fn is_as_it_was(dir: &Path, home: &Home) {
    let current = |name: &str| fs::read_to_string(home.data().join(name)).expect("read");
    assert_eq!(current("partition-00/CURRENT"), "gen-0001\n");
    for partition in ["00", "shared"] {
        for left in [
            format!("restore-{partition}"),
            format!("partition-{partition}/gen-0002"),
        ] {
            assert!(!home.data().join(&left).exists(), "{left}");
        }
    }
    restore(dir, home, &[]).ok();
    let server = home.start();
    applied(&server.http());
    server.http().assert_verified();
}

#[test]
fn a_manifest_that_does_not_fit_is_refused_and_changes_nothing() {
    let home = Home::new();
    let server = home.start();
    fill(&server.http(), 60);
    let dir = back_up(&server, "backup");
    let refused = |home: &Home, what: &str| refused(&dir, home, what);
    refused(&home, "is a server running on this folder");
    assert!(server.terminate().success());
    let (path, text, manifest) = manifest_of(&dir);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut changed = manifest.clone();
        change(&mut changed);
        fs::write(&path, changed.to_string()).expect("written");
    };
    with(&|manifest| manifest["client"] = "somebody_else".into());
    refused(
        &home,
        "of client somebody_else, and this server's configuration is of cli_0000000000000001",
    );
    with(&|manifest| manifest["projection"] = 9_999.into());
    refused(&home, "rows are of projection 9999");
    with(&|manifest| manifest["synap_backup"] = 2.into());
    refused(&home, "format 2");
    with(&|manifest| manifest["partitions"][0]["incarnation"] = "17".into());
    refused(&home, "of another log");
    with(&|manifest| manifest["partitions"][0]["seq"] = 100_000.into());
    refused(&home, "ends at seq 100000");
    with(&|manifest| manifest["partitions"][0]["partition"] = "01".into());
    refused(&home, "another number of partitions");
    fs::write(&path, &text).expect("written");

    let other = Server::fresh();
    let elsewhere = other.home().clone();
    assert!(other.terminate().success());
    refused(&elsewhere, "of another log");
    is_as_it_was(&dir, &home);
}

#[test]
fn a_backup_whose_files_changed_is_refused_and_changes_nothing() {
    let home = Home::new();
    let server = home.start();
    fill(&server.http(), 60);
    let dir = back_up(&server, "backup");
    assert!(server.terminate().success());
    let (_, _, manifest) = manifest_of(&dir);
    let files = &manifest["partitions"][1]["files"];
    let files = files.as_array().expect("files").iter();
    let mut names = files.map(|file| file["name"].as_str().expect("a name"));
    let table = names.find(|name| Path::new(name).extension().is_some_and(|e| e == "sst"));
    let table = dir.join("partition-shared").join(table.expect("a table"));
    let whole = fs::read(&table).expect("read");
    // Not in place: the live rows may share the file.
    fs::remove_file(&table).expect("removed");
    refused(&dir, &home, "cannot copy");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    fs::write(&table, &flipped).expect("written");
    refused(&dir, &home, "its hash is another");
    fs::write(&table, &whole).expect("written");
    is_as_it_was(&dir, &home);
}
