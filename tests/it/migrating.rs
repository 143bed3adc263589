//! `docs/migrate.md`: every block of commands and code on that page is run as it stands there.

use crate::support::{Home, KEY, Server, shell};
use crate::tidy::root;
use serde_json::{Value, json};
use std::fs;

/// The blocks of the page, in its order. `package` is run by `python/tests/e2e`, which has what it needs.
const BLOCKS: [(&str, &str); 9] = [
    ("environment", "sh"),
    ("check", "sh"),
    ("sources", "sh"),
    ("package", "python"),
    ("export-platform", "python"),
    ("export-library", "python"),
    ("isolation", "toml"),
    ("import", "sh"),
    ("verify", "sh"),
];
/// What mem0 answers, without mem0: its platform in pages of one, its library for one user.
const MEM0: &str = r#"
KINDS = ("user_id", "agent_id", "app_id", "run_id")
FOUND = [
    {"id": "m1", "memory": "Alice likes green tea.", "user_id": "alice", "agent_id": None, "metadata": {"a": 1}},
    {"id": "m2", "memory": "Bob likes coffee.", "user_id": "bob", "agent_id": "waiter", "score": 0.4},
    {"id": "m3", "memory": "The bar closes at ten.", "user_id": None, "agent_id": "waiter", "metadata": None},
]


class MemoryClient:
    def get_all(self, *, filters, page, page_size):
        assert filters == {"OR": [{kind: "*"} for kind in KINDS]} and page_size <= 200
        following = f"/v3/memories/?page={page + 1}" if page < len(FOUND) else None
        return {"count": len(FOUND), "next": following, "previous": None, "results": FOUND[page - 1 : page]}


class Memory:
    def get_all(self, *, filters, top_k=20):
        assert top_k > 20
        found = [memory for memory in FOUND if memory["user_id"] == filters["user_id"]]
        return {"results": found}
"#;

struct Block {
    name: String,
    language: String,
    text: String,
}

/// The page's blocks; one without a name has none.
fn blocks() -> Vec<Block> {
    let page = fs::read_to_string(root().join("docs/migrate.md")).expect("the page");
    let mut found = Vec::new();
    let (mut name, mut open) = (String::new(), None::<Block>);
    for line in page.lines() {
        let marked = line
            .strip_prefix("<!-- block: ")
            .and_then(|rest| rest.strip_suffix(" -->"));
        match (line.strip_prefix("```"), open.as_mut(), marked) {
            (Some(_), Some(_), _) => found.extend(open.take()),
            (Some(language), None, _) => {
                open = Some(Block {
                    name: std::mem::take(&mut name),
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (None, Some(block), _) => block.text.extend([line, "\n"]),
            (None, None, Some(marked)) => marked.clone_into(&mut name),
            (None, None, None) => {}
        }
    }
    found
}

#[track_caller]
fn block(name: &str) -> String {
    let found = blocks().into_iter().find(|block| block.name == name);
    found.unwrap_or_else(|| panic!("no block {name}")).text
}

/// Runs blocks of shell in a folder, one after another in one shell, with the page's environment set for this server.
#[track_caller]
fn run(server: &Server, names: &[&str]) -> String {
    let mut script = block("environment")
        .replace("synap_…", KEY)
        .replace("http://127.0.0.1:7117", server.http_url());
    for name in names {
        script += &block(name);
    }
    shell(&script, &server.home().path("")).ok().stdout
}

/// Runs a block of Python beside a module `mem0` that answers as mem0 does.
fn export(home: &Home, name: &str) {
    fs::write(home.path("mem0.py"), MEM0).expect("written");
    fs::write(home.path("export.py"), block(name)).expect("written");
    shell("python3 export.py", &home.path("")).ok();
}

fn exported(home: &Home) -> Vec<Value> {
    let text = fs::read_to_string(home.path("mem0.jsonl")).expect("an export");
    let parse = |line| serde_json::from_str(line).expect("JSON");
    text.lines().map(parse).collect()
}

#[test]
fn every_block_of_the_page_is_known_to_a_test() {
    let blocks = blocks();
    let found: Vec<(&str, &str)> = blocks
        .iter()
        .map(|block| (block.name.as_str(), block.language.as_str()))
        .collect();
    assert_eq!(found, BLOCKS);
}

#[test]
fn five_variables_and_no_other_move_the_vendors_sdk() {
    let script = format!(
        "unset SYNAP_CACHE SYNAP_NATS_SERVER\n{}env | grep ^SYNAP_ | sort",
        block("environment")
    );
    let set = shell(&script, &root()).ok().stdout;
    let expected = "SYNAP_API_KEY=synap_…\nSYNAP_BASE_URL=http://127.0.0.1:7117\nSYNAP_GRPC_HOST=127.0.0.1\n\
        SYNAP_GRPC_PORT=7118\nSYNAP_GRPC_USE_TLS=false\n";
    assert_eq!(set, expected);
}

#[test]
fn the_check_and_the_ingest_of_the_page_work() {
    let server = Server::fresh();
    let folder = server.home().path("handbook");
    fs::create_dir(&folder).expect("made");
    fs::write(folder.join("a.md"), "The window is Tuesday.\n").expect("written");
    let said = run(&server, &["check", "sources", "sources"]);
    for words in [
        "ok    server",
        "ok    API key",
        "1 stored, 0 unchanged",
        "0 stored, 1 unchanged",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_move_from_mem0_goes_as_the_page_says() {
    let home = Home::new();
    let server = home.serve().config(&block("isolation")).start();
    export(&home, "export-library");
    let of_users: Vec<Value> = exported(&home)
        .iter()
        .map(|memory| memory["id"].clone())
        .collect();
    assert_eq!(of_users, ["m1", "m2"]);
    export(&home, "export-platform");
    assert_eq!(exported(&home).len(), 3, "every page");

    let said = run(&server, &["import"]);
    let expected = "3 read: 2 to send, 0 failed, 1 skipped (nothing was sent)\nskipped: no user_id: 1 (m3)\n\
        score: 1 not mapped\n3 read: 2 stored, 0 unchanged, 0 failed, 1 skipped\nskipped: no user_id: 1 (m3)\n\
        score: 1 not mapped\n";
    assert_eq!(said, expected);

    let said = run(&server, &["verify"]);
    assert!(
        said.starts_with("3 read: 0 stored, 2 unchanged, 0 failed"),
        "{said}"
    );
    assert!(
        said.contains("Alice likes green tea.") && !said.contains("Bob"),
        "{said}"
    );
    let answer: Value = serde_json::from_str(said.lines().last().expect("JSON")).expect("JSON");
    let metadata = &answer["context"]["items"][0]["metadata"];
    assert_eq!(
        metadata,
        &json!({"a": 1, "mem0": {"id": "m1", "user_id": "alice"}})
    );
}
