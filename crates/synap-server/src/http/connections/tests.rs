//! Real sockets, short patience.

use super::{House, Patience};
use axum::Router;
use axum::routing::get;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const NEVER: Duration = Duration::from_secs(3_600);
const SOON: Duration = Duration::from_millis(20);
const PATIENT: Patience = Patience {
    connections_max: 16,
    head: NEVER,
    idle: NEVER,
    crowded: NEVER,
};

struct Running {
    address: std::net::SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn serve(patience: Patience) -> Running {
    let slow = get(|| async {
        tokio::time::sleep(4 * SOON).await;
        "slow"
    });
    let drip = get(|| async {
        let chunks = futures::stream::unfold(0, |at| async move {
            tokio::time::sleep(SOON).await;
            let chunk = if at < 7 { "." } else { "drop slow" };
            (at < 8).then_some((Ok::<_, std::io::Error>(chunk), at + 1))
        });
        axum::body::Body::from_stream(chunks)
    });
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/drip", drip)
        .route("/slow", slow);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let task = tokio::spawn(House::new(router, patience, stop.clone()).run(listener));
    Running {
        address,
        stop,
        task,
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

async fn ask(stream: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    answer(stream).await
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n")
        || !bytes.ends_with(b"e") && !bytes.ends_with(b"slow")
    {
        let mut some = [0; 1024];
        let read = stream.read(&mut some).await.unwrap();
        assert!(read > 0, "closed after {}", String::from_utf8_lossy(&bytes));
        bytes.extend(some.iter().take(read));
    }
    String::from_utf8(bytes).unwrap()
}

/// Waits until the other side has closed.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is an end as well.
    drop(stream.read_to_end(&mut rest).await);
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let server = serve(Patience {
        head: SOON,
        ..PATIENT
    })
    .await;
    let mut silent = server.connect().await;
    closed(&mut silent).await;
    let mut half = server.connect().await;
    half.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    closed(&mut half).await;
    let mut second = server.connect().await;
    assert!(ask(&mut second, "/").await.ends_with("here"));
    second.write_all(b"GET / HT").await.unwrap();
    closed(&mut second).await;
}

#[tokio::test]
async fn neither_a_slow_answer_nor_an_idle_client_is_cut_off_by_the_limit_of_heads() {
    let server = serve(Patience {
        head: SOON,
        ..PATIENT
    })
    .await;
    let mut stream = server.connect().await;
    assert!(ask(&mut stream, "/slow").await.ends_with("slow"));
    tokio::time::sleep(4 * SOON).await;
    assert!(ask(&mut stream, "/").await.ends_with("here"));
}

#[tokio::test]
async fn a_connection_that_idles_for_too_long_ends() {
    let server = serve(Patience {
        idle: SOON,
        ..PATIENT
    })
    .await;
    let mut stream = server.connect().await;
    assert!(ask(&mut stream, "/slow").await.ends_with("slow"));
    closed(&mut stream).await;
}

#[tokio::test]
async fn who_idles_gives_way_to_who_waits() {
    let server = serve(Patience {
        connections_max: 1,
        crowded: SOON,
        ..PATIENT
    })
    .await;
    let mut first = server.connect().await;
    assert!(ask(&mut first, "/").await.ends_with("here"));
    let mut second = server.connect().await;
    assert!(ask(&mut second, "/").await.ends_with("here"));
    closed(&mut first).await;
}

#[tokio::test]
async fn a_long_answer_is_told_to_its_end() {
    let server = serve(Patience {
        head: SOON,
        idle: SOON,
        ..PATIENT
    })
    .await;
    let mut stream = server.connect().await;
    let request = b"GET /drip HTTP/1.1\r\nHost: x\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut bytes = vec![stream.read_u8().await.unwrap()];
    server.stop.cancel();
    drop(stream.read_to_end(&mut bytes).await);
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("drop slow"), "{text}");
    assert!(text.ends_with("\r\n0\r\n\r\n"), "{text}");
}

#[tokio::test]
async fn what_has_begun_is_answered_before_the_end() {
    let server = serve(PATIENT).await;
    let mut asking = server.connect().await;
    let mut idle = server.connect().await;
    assert!(ask(&mut idle, "/").await.ends_with("here"));
    let silent = server.connect().await;
    assert!(ask(&mut asking, "/").await.ends_with("here"));
    let request = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    asking.write_all(request).await.unwrap();
    // Both are there: the one that is answered at once has come after.
    let mut probe = server.connect().await;
    assert!(ask(&mut probe, "/").await.ends_with("here"));
    server.stop.cancel();
    assert!(answer(&mut asking).await.ends_with("slow"));
    server.task.await.unwrap();
    drop(silent);
}
