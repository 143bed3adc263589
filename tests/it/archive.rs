//! The log can be taken out and put into another installation, whatever happens on the way; and the read model can be
//! backed up and put back.

mod backups;
mod files;
mod known;

use crate::support::{Cli, Door as _, Http, Server, ids, items, until};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const CONVERSATION: &str = "8e87bb1c-f11b-4ba4-a6dc-c182d7de8fa4";

/// Memories of three customers, their users and the application; some changed, forgotten and deleted; and conversations.
pub(crate) fn fill(http: &Http, documents: usize) {
    let document = |at: usize| {
        let text = format!(
            "Note n{at}e: team t{} ships on a Friday. The office of c{} is open.",
            at % 10,
            at % 3
        );
        let more = json!({"document": text, "document_type": "document", "document_id": format!("d{}", at % 200)});
        let (customer, user) = (format!("c{}", at % 3), format!("u{}", at % 4));
        match at % 7 {
            0 => ids(None, None, &more),
            1 | 2 => ids(Some(&customer), None, &more),
            _ => ids(Some(&customer), Some(&user), &more),
        }
    };
    let bodies: Vec<Value> = (0..documents).map(document).collect();
    let answer = http
        .post("/api/v1/memories/batch", &json!({ "documents": bodies }))
        .ok();
    assert_eq!(answer["failed"], 0);
    for (role, text) in [
        ("user", "My name is Alice and I like tea."),
        ("assistant", "Noted, Alice."),
    ] {
        let turn = json!({"conversation_id": CONVERSATION, "role": role, "content": text});
        http.post(
            "/v1/conversations/messages",
            &ids(Some("c1"), Some("u1"), &turn),
        )
        .ok();
    }
    applied(http);
    let found = items(&fetch(http, Some("c1"), Some("u1"), "team t4 ships"));
    let memory = |at: usize| found[at]["id"].as_str().expect("an id").to_owned();
    let change = json!({"document": "Team t4 ships on a Monday.", "merge_strategy": "replace"});
    let path = format!("/api/v1/memories/{}", memory(0));
    http.send("PATCH", &path, &[], change.to_string().as_bytes())
        .ok();
    http.send(
        "DELETE",
        &format!("/api/v1/memories/{}", memory(1)),
        &[],
        b"",
    )
    .ok();
    let delete = json!({"scope": "user", "dry_run": false, "confirm": "u3"});
    let deleted = http
        .post("/v1/data/delete", &ids(Some("c2"), Some("u3"), &delete))
        .ok();
    let after = json!({"document": "Note after a deletion."});
    http.store(&ids(Some("c2"), Some("u3"), &after));
    erased(http, &deleted);
    applied(http);
}

/// Waits until what was deleted is out of the log.
pub(crate) fn erased(http: &Http, deleted: &Value) {
    let id = deleted["deletion_id"].as_str().expect("an id");
    let path = format!("/v1/data/delete/{id}");
    until("it is erased", || {
        http.get(&path).ok()["completed_at"].is_string()
    });
}

/// Waits until the rows hold what the log holds.
pub(crate) fn applied(http: &Http) {
    until("all is applied", || {
        let status = http.admin_status();
        let partitions = status["partitions"].as_array().expect("partitions").clone();
        partitions.iter().all(|partition| partition["lag"] == 0)
    });
}

fn fetch(http: &Http, customer: Option<&str>, user: Option<&str>, query: &str) -> Value {
    let more = json!({"search_query": [query], "response_shape": "ranked", "max_results": 30});
    http.fetch(&ids(customer, user, &more)).ok()
}

/// What a list of fetches tells: ids, texts and scopes, in order.
pub(crate) fn answers(http: &Http) -> Vec<Value> {
    let mut told = Vec::new();
    let users = ["u0", "u1", "u2", "u3"].map(Some);
    for query in [
        "team t4 ships on a Friday",
        "who likes tea",
        "the office",
        "",
    ] {
        told.push(fetch(http, None, None, query));
        for customer in ["c0", "c1", "c2"] {
            for user in users.into_iter().chain([None]) {
                told.push(fetch(http, Some(customer), user, query));
            }
        }
    }
    let shown = |item: &Value| {
        json!([
            item["id"],
            item["content"],
            item["scope"],
            item["scope_path"]
        ])
    };
    let told: Vec<Value> = told
        .iter()
        .map(|answer| items(answer).iter().map(shown).collect())
        .collect();
    let is_empty = |answer: &Value| answer.as_array().is_none_or(Vec::is_empty);
    assert!(
        told.iter().filter(|answer| !is_empty(answer)).count() > 30,
        "there is something to compare"
    );
    told
}

/// Exports to a file, with these options.
#[track_caller]
pub(crate) fn export(server: &Server, to: &Path, options: &[&str]) {
    let to = to.to_str().expect("a path");
    let run = Cli::of(server)
        .run([&["export", "--out", to], options].concat())
        .ok();
    assert!(run.stderr.contains("events exported"), "{run:?}");
    assert!(!Path::new(&format!("{to}.partial")).exists());
}

/// Imports a file; answers how many events were new, and known.
#[track_caller]
pub(crate) fn import(server: &Server, file: &Path) -> (u64, u64) {
    let args = ["import", "events", "--json", file.to_str().expect("a path")];
    let done = Cli::of(server).run(args).ok().json()[0].clone();
    let count = |name: &str| done[name].as_u64().expect("a number");
    assert_eq!(count("left_out"), 0);
    (count("new"), count("known"))
}

#[test]
fn an_export_gives_the_same_answers_in_an_installation_with_other_partitions() {
    let (from, to) = (Server::fresh(), crate::support::Home::new());
    fill(&from.http(), 400);
    let file = from.home().path("all.jsonl.zst");
    export(&from, &file, &[]);
    let lines = zstd_lines(&from, &file);
    let to = to.serve().args(["--partitions", "5"]).start();
    let events = lines - 2;
    assert_eq!(import(&to, &file), (events, 0));
    applied(&to.http());
    assert_eq!(answers(&to.http()), answers(&from.http()));
    assert_eq!(import(&to, &file), (0, events), "again: nothing new");
    assert_eq!(import(&from, &file), (0, events), "nor where it came from");
    to.http().assert_verified();
    from.http().assert_verified();
    let back = to.home().path("back.jsonl");
    export(&to, &back, &[]);
    let third = Server::fresh();
    assert_eq!(
        import(&third, &back),
        (events, 0),
        "from five partitions to one"
    );
    applied(&third.http());
    assert_eq!(answers(&third.http()), answers(&from.http()));
}

/// Lines of the same export without compression.
fn zstd_lines(server: &Server, compressed: &Path) -> u64 {
    let plain = server.home().path("all.jsonl");
    export(server, &plain, &[]);
    let text = fs::read_to_string(&plain).expect("read");
    let size = |path: &Path| fs::metadata(path).expect("its size").len();
    assert!(size(compressed) * 2 < size(&plain), "it is compressed");
    text.lines().count() as u64
}

#[test]
fn an_export_of_a_scope_holds_nothing_of_others() {
    let home = crate::support::Home::new();
    let server = home.serve().args(["--partitions", "2"]).start();
    let http = server.http();
    let scopes = [
        (None, None),
        (Some("acme"), None),
        (Some("acme"), Some("ann")),
        (Some("acme"), Some("bob")),
        (Some("acme2"), None),
        (Some("acme2"), Some("ann")),
    ];
    let canary = |at: usize| format!("canary{at}bird");
    for (at, (customer, user)) in scopes.into_iter().enumerate() {
        let more = json!({"document": format!("Here sings the {}.", canary(at)), "document_id": canary(at)});
        http.store(&ids(customer, user, &more));
    }
    for (options, expected) in [
        (&[][..], &[0, 1, 2, 3, 4, 5][..]),
        (&["--customer", "acme"], &[1, 2, 3]),
        (&["--customer", "acme", "--user", "ann"], &[2]),
        (&["--customer", "acme2"], &[4, 5]),
        (&["--customer", "acm"], &[]),
    ] {
        let file = home.path("scope.jsonl");
        export(&server, &file, options);
        let text = fs::read_to_string(&file).expect("read");
        let found: Vec<usize> = (0..6).filter(|at| text.contains(&canary(*at))).collect();
        assert_eq!(found, expected, "{options:?}");
        assert_eq!(text.lines().count(), expected.len() + 2);
        assert!(options.len() != 4 || !text.contains("bob"), "{text}");
    }
    for wrong in [&["--user", "ann"][..], &["--customer", ""]] {
        let run = Cli::of(&server).run([&["export", "--out", "-"], wrong].concat());
        assert_ne!(run.code, Some(0), "{run:?}");
        assert_eq!(run.stdout, "");
    }
    for query in ["customer=acme", "customer_id=", "user_id=ann"] {
        http.get(&format!("/v1/admin/export?{query}")).refused(400);
    }
}
