//! HTTP as no client speaks it: absurd heads, compressed and endless bodies, broken paths, half-open connections. Each gets a
//! clear 4xx or is cut off, and the server lives, within bounded memory.

use crate::support::server::Server;
use crate::support::{Http, KEY, until};
use serde_json::json;
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Far more than the server takes for any of this.
const MEMORY_KIB_MAX: u64 = 384 * 1024;
/// Bounds a test, not the server.
const PATIENCE: Duration = Duration::from_secs(60);

fn connect(server: &Server) -> TcpStream {
    let address = server.http_url().trim_start_matches("http://");
    let stream = TcpStream::connect(address).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream
}

/// Sends bytes as they are, and reads until the server closes. A connection that was reset before its answer answers "".
fn send(server: &Server, parts: &[&[u8]]) -> String {
    let mut stream = connect(server);
    for part in parts {
        if let Err(e) = stream.write_all(part) {
            assert!(is_cut_off(e.kind()), "{e}");
            break;
        }
    }
    read(&mut stream)
}

fn read(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    if let Err(e) = stream.read_to_end(&mut answer) {
        assert!(is_cut_off(e.kind()), "{e}");
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_cut_off(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// A request's head with the tests' key, without the empty line that ends it.
fn head(method: &str, path: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {KEY}\r\n"
    )
}

fn status(answer: &str) -> &str {
    answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3))
        .unwrap_or_default()
}

/// The server answers, and has not grown.
#[track_caller]
fn lives(server: &Server) {
    assert_eq!(server.http().get("/health").ok()["status"], "ok");
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it runs");
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"));
    let kib: u64 = resident.expect("VmRSS").trim().parse().expect("a number");
    assert!(kib < MEMORY_KIB_MAX, "the server takes {kib} KiB");
}

#[test]
fn heads_over_their_limits_are_refused() {
    let server = Server::fresh();
    let headers = |count: usize| {
        (0..count).fold(head("GET", "/health"), |mut head, number| {
            write!(head, "X-{number}: y\r\n").expect("written");
            head
        }) + "\r\n"
    };
    let long = |bytes: usize| {
        let value = "y".repeat(bytes);
        head("GET", "/health") + &format!("X-Long: {value}\r\n\r\n")
    };
    let path = |bytes: usize| head("GET", &format!("/{}", "y".repeat(bytes))) + "\r\n";
    for (request, expected) in [
        (headers(90), "200"),
        (headers(101), "431"),
        (long(60 * 1024), "200"),
        (path(60 * 1024), "404"),
    ] {
        let answer = send(&server, &[request.as_bytes()]);
        assert_eq!(status(&answer), expected, "{answer}");
        lives(&server);
    }
    // Of these the server does not read the rest; a client that still writes may miss the answer.
    for request in [headers(10_000), long(1024 * 1024), path(1024 * 1024)] {
        let answer = send(&server, &[request.as_bytes()]);
        assert!(["", "431", "414"].contains(&status(&answer)), "{answer}");
        lives(&server);
    }
}

/// Deflate of the same byte over and over, 258 times with every 13 bits.
fn bomb(bytes: usize) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut byte, mut filled) = (0_u8, 0);
    let mut push = |packed: &mut Vec<u8>, bits: &str| {
        for bit in bits.bytes() {
            byte |= (bit - b'0') << filled;
            filled += 1;
            if filled == 8 {
                packed.push(std::mem::take(&mut byte));
                filled = 0;
            }
        }
    };
    // A last block of fixed codes, and one zero to repeat.
    push(&mut packed, "11000110000");
    while packed.len() < bytes {
        push(&mut packed, "1100010100000");
    }
    packed
}

#[test]
fn compressed_bodies_are_refused_and_never_inflated() {
    let server = Server::fresh();
    let http = server.http();
    let bomb = bomb(4 * 1024 * 1024);
    for path in [
        "/api/v1/memories/create",
        "/api/v1/memories/upload",
        "/v1/context/client/fetch",
        "/v1/telemetry/batch",
        "/v1/admin/verify",
    ] {
        for encoding in ["gzip", "x-gzip", "deflate", "br", "zstd", "identity, gzip"] {
            let reply = http.send("POST", path, &[("Content-Encoding", encoding)], &bomb);
            assert_eq!(reply.status, 415, "{path} {encoding}: {reply:?}");
            assert_eq!(reply.code(), "UNSUPPORTED_MEDIA_TYPE");
        }
    }
    lives(&server);
    let plain = json!({"document": "A note."}).to_string();
    for encoding in ["identity", ""] {
        let headers = [("Content-Encoding", encoding)];
        let reply = http.send(
            "POST",
            "/api/v1/memories/create",
            &headers,
            plain.as_bytes(),
        );
        reply.ok();
    }
    assert_eq!(
        http.send("POST", "/api/v1/memories/create", &[], &bomb)
            .status,
        400
    );
}

#[test]
fn bodies_that_lie_about_their_length_or_do_not_end_are_refused() {
    let server = Server::fresh();
    let create = head("POST", "/api/v1/memories/create");
    for length in [
        "99999999999999999999999",
        "18446744073709551615",
        "1099511627776",
        "-1",
        "0x10",
        "2, 3",
        "2\r\nContent-Length: 3",
        "",
    ] {
        let request = format!("{create}Content-Length: {length}\r\n\r\n{{}}");
        let mut stream = connect(&server);
        stream.write_all(request.as_bytes()).expect("written");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let answer = read(&mut stream);
        assert!(
            ["400", "431"].contains(&status(&answer)),
            "{length:?}: {answer}"
        );
    }
    lives(&server);
    let chunked = format!("{create}Transfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"100000\r\n", " ".repeat(1024 * 1024).as_bytes(), b"\r\n"].concat();
    let mut parts = vec![chunked.as_bytes()];
    parts.extend(std::iter::repeat_n(chunk.as_slice(), 70));
    let answer = send(&server, &parts);
    assert!(["400", ""].contains(&status(&answer)), "{answer}");
    for broken in ["zz\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "5\r\nabc"] {
        let mut stream = connect(&server);
        let request = format!("{chunked}{broken}");
        stream.write_all(request.as_bytes()).expect("written");
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let answer = read(&mut stream);
        assert!(
            ["400", ""].contains(&status(&answer)),
            "{broken:?}: {answer}"
        );
    }
    let deep = [b"{\"document\":".to_vec(), vec![b'['; 1_000_000]].concat();
    let reply = server
        .http()
        .send("POST", "/api/v1/memories/create", &[], &deep);
    assert_eq!(reply.status, 400, "{reply:?}");
    lives(&server);
}

fn record(http: &Http, user: &str, name: &str) {
    let turn = json!({"conversation_id": format!("of {user}"), "role": "user", "customer_id": "acme", "user_id": user,
        "content": format!("My name is {name}.")});
    http.post("/v1/conversations/messages", &turn).ok();
}

#[test]
fn paths_are_decoded_once_and_what_is_no_text_is_nobody() {
    let server = Server::fresh();
    let http = server.http();
    let users = [
        ("a/b", "a%2Fb", "Ada"),
        ("a%2Fb", "a%252Fb", "Bea"),
        ("a?b=c", "a%3Fb=c", "Cleo"),
        ("..", "%2E%2E", "Dora"),
        ("ü", "%C3%BC", "Ella"),
        ("\u{fffd}", "%EF%BF%BD", "Fay"),
    ];
    for (user, _, name) in users {
        record(&http, user, name);
    }
    for (user, encoded, name) in users {
        let path = format!("/v1/users/{encoded}/profile?customer_id=acme");
        let request = head("GET", &path) + "\r\n";
        let mut answer = String::new();
        until("the profile is there", || {
            answer = send(&server, &[request.as_bytes()]);
            status(&answer) == "200"
        });
        assert!(
            answer.contains(&format!("\"value\":\"{name}\"")),
            "{user}: {answer}"
        );
    }
    for (path, expected) in [
        ("/v1/users/a/b/profile?customer_id=acme", "404"),
        ("/v1/users/%00/profile?customer_id=acme", "400"),
        ("/v1/users/%FF/profile?customer_id=acme", "404"),
        ("/v1/users/%C3/profile?customer_id=acme", "404"),
        ("/v1/users/%EF%BF%BD/profile?customer_id=%00", "400"),
        ("/v1/users/%EF%BF%BD/profile?customer_id=%FF", "400"),
        ("/v1/users/x/profile?%FF=x&customer_id=acme", "400"),
        (
            "/v1/users/x/profile?customer_id=acme&customer_id=acme",
            "400",
        ),
        ("/%2e%2e/%2e%2e/etc/passwd", "404"),
    ] {
        let answer = send(&server, &[(head("GET", path) + "\r\n").as_bytes()]);
        assert_eq!(status(&answer), expected, "{path}: {answer}");
    }
    for raw in [
        &b"GET /v1/users/\xff/profile HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"GET /v1/users/\0/profile HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: x\r\nX: \0\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
    ] {
        let answer = send(&server, &[raw]);
        let shown = String::from_utf8_lossy(raw);
        assert!(
            ["400", "401", "404", "505"].contains(&status(&answer)),
            "{shown:?}: {answer}"
        );
    }
    lives(&server);
}

#[test]
fn half_open_connections_are_closed_and_shut_nobody_out() {
    let server = Server::fresh();
    let open_files = || {
        let files = fs::read_dir(format!("/proc/{}/fd", server.pid()));
        files.expect("it runs").count()
    };
    let before = open_files();
    let mut half_open: Vec<TcpStream> = (0..2_000)
        .map(|number| {
            let mut stream = connect(&server);
            if number % 2 == 0 {
                stream.write_all(b"GET /health HT").expect("written");
            }
            stream
        })
        .collect();
    assert!(open_files() > before + 500, "they are there");
    lives(&server);
    for stream in &mut half_open {
        assert_eq!(read(stream), "");
    }
    until("all are gone", || open_files() < before + 50);
    lives(&server);
}
