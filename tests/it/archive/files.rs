//! Imports that meet something wrong: a damaged file, another client, a newer synap, a kill in the middle.

use super::{answers, applied, export, fill, import};
use crate::support::process::signal;
use crate::support::server::{binary, clean};
use crate::support::{Cli, Home, KEY, Server, until};
use nix::sys::signal::Signal;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// An export of some hundred events, as text.
fn exported(server: &Server) -> String {
    let file = server.home().path("all.jsonl");
    export(server, &file, &[]);
    fs::read_to_string(file).expect("read")
}

/// Imports `bytes`, which fails; answers what is said.
#[track_caller]
fn fails(server: &Server, bytes: &[u8]) -> String {
    let file = server.home().path("damaged.jsonl");
    fs::write(&file, bytes).expect("written");
    let run = Cli::of(server).run(["import", file.to_str().expect("a path")]);
    run.failed().stderr
}

fn events(server: &Server) -> u64 {
    server.http().log_seqs().iter().sum()
}

#[test]
fn a_damaged_file_is_applied_up_to_its_damage_and_goes_on_when_it_is_repaired() {
    let (from, to) = (Server::fresh(), Server::fresh());
    fill(&from.http(), 300);
    let text = exported(&from);
    let lines: Vec<&str> = text.lines().collect();
    let total = lines.len() as u64 - 2;

    let cut: usize = lines.iter().take(100).map(|line| line.len() + 1).sum();
    let said = fails(&to, &text.as_bytes()[..cut + 50]);
    assert!(said.contains("line 101 is cut short"), "{said}");
    assert_eq!(events(&to), 99, "whole events only");

    let mut flipped = text.clone().into_bytes();
    let start: usize = lines.iter().take(199).map(|line| line.len() + 1).sum();
    let at = start + lines[199].find("Note").expect("a note");
    flipped[at] ^= 0x02;
    let said = fails(&to, &flipped);
    assert!(
        said.contains("line 200: the event does not match its digest"),
        "{said}"
    );
    assert_eq!(events(&to), 198);

    let whole = lines[..lines.len() - 1].join("\n") + "\n";
    let said = fails(&to, whole.as_bytes());
    assert!(
        said.contains(&format!("line {} is missing", lines.len())),
        "{said}"
    );
    assert_eq!(events(&to), total, "all but the trailer was there");
    assert_eq!(import(&to, &from.home().path("all.jsonl")), (0, total));
    applied(&to.http());
    assert_eq!(answers(&to.http()), answers(&from.http()));
}

#[test]
fn events_of_another_client_or_a_newer_synap_are_refused_before_anything_is_appended() {
    let from = Server::fresh();
    fill(&from.http(), 60);
    let text = exported(&from);
    let home = Home::new();
    let config = "[[instances]]\nclient_id = \"other\"\ninstance_id = \"io\"\napi_keys = [\"key-of-other\"]\nadmin = true\n\
                  [[instances]]\nclient_id = \"third\"\ninstance_id = \"it\"\napi_keys = [\"key-of-third\"]\n";
    let to = home.serve().config(config).start();
    let file = from.home().path("all.jsonl");
    let file = file.to_str().expect("a path");
    let said = Cli::new(to.http_url(), "key-of-other")
        .run(["import", file])
        .failed()
        .stderr;
    assert!(
        said.contains("cli_0000000000000001") && said.contains("client other"),
        "{said}"
    );
    let said = Cli::new(to.http_url(), "key-of-third")
        .run(["import", file])
        .failed()
        .stderr;
    assert!(said.contains("may not steer"), "{said}");
    let out = Cli::new(to.http_url(), "key-of-third")
        .run(["export", "--out", "-"])
        .failed();
    assert!(
        out.stderr.contains("may not steer") && out.stdout.is_empty(),
        "{out:?}"
    );

    // The last event has a type of the future; those before it are fine.
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len() - 2];
    let newer = last.replacen(".v1\",\"subject\"", ".v9\",\"subject\"", 1);
    assert_ne!(newer, last);
    let said = fails(&to, text.replace(last, &newer).as_bytes());
    assert!(
        said.contains(".v9 is unknown to this version of synap"),
        "{said}"
    );
    let header = lines[0].replace(
        "\"event_types\":[",
        "\"event_types\":[\"synap.made.up.v1\",",
    );
    let run = Cli::of(&to).run_with(
        ["import", "-"],
        text.replace(lines[0], &header).as_bytes(),
        |_| {},
    );
    assert!(run.failed().stderr.contains("synap.made.up.v1 is unknown"));
    assert_eq!(events(&to), 0, "nothing was appended");

    let other = home.path("other.jsonl");
    let other = other.to_str().expect("a path");
    Cli::new(to.http_url(), "key-of-other")
        .run(["export", "--out", other])
        .ok();
    assert_eq!(import(&to, Path::new(file)).1, 0);
    Cli::new(to.http_url(), "key-of-other")
        .run(["export", "--out", other])
        .ok();
    let text = fs::read_to_string(other).expect("read");
    assert_eq!(
        text.lines().count(),
        2,
        "one client's export has nothing of another's"
    );
}

/// An import that runs beside the test.
fn start_import(server: &Server, file: &Path) -> std::process::Child {
    let mut command = clean(Command::new(binary()));
    command
        .arg("import")
        .arg(file)
        .env("SYNAP_BASE_URL", server.http_url())
        .env("SYNAP_API_KEY", KEY)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("it runs")
}

#[test]
fn an_import_goes_on_after_a_kill_of_either_side() {
    let (from, home) = (Server::fresh(), Home::new());
    fill(&from.http(), 1_000);
    let file = from.home().path("all.jsonl");
    let text = exported(&from);
    let total = text.lines().count() as u64 - 2;
    let mut to = home.start();
    for round in 0_u64..4 {
        let mut running = start_import(&to, &file);
        let goal = (round + 1) * total / 6;
        until("some of it is there", || events(&to) >= goal);
        if round % 2 == 0 {
            assert!(signal(running.id(), Signal::SIGKILL));
        } else {
            to.kill();
            to = home.start();
        }
        drop(running.wait());
    }
    let (new, known) = import(&to, &file);
    assert_eq!(new + known, total);
    assert_eq!(events(&to), total, "each event once");
    applied(&to.http());
    assert_eq!(answers(&to.http()), answers(&from.http()));
    to.http().assert_verified();
}
