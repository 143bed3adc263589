//! `synap serve`: starts everything in order, says when it is ready, and ends everything in order.

use crate::app::App;
use crate::audit::{self, Audit, Records};
use crate::cmd::{complain, say};
use crate::config::{Config, NatsSettings, ServeArgs};
use crate::engine::Engine;
use crate::enrich;
use crate::erase;
use crate::grpc;
use crate::http::{self, router};
use crate::identity::Keyring;
use crate::inbox::InboxDrain;
use crate::ingest::{Acked, Ingest};
use crate::jobs::Jobs;
use crate::metrics;
use crate::models::Models;
use crate::nats_doors::NatsDoors;
use crate::node::Node;
use crate::operations::Operations;
use crate::retention;
use crate::upload::Reader;
use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use synap_log::EventLog;
use synap_nats::{
    AuditStream, ConnectSettings, Connection, Credentials, EmbeddedOptions, EmbeddedServer, Inbox,
    JetStreamLog, Launcher, LogOptions, OpenError, ServerSearch, Service, Tls, connect,
};
use synap_rocksdb::SharedMemory;
use synap_types::{PartitionCount, SystemClock};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How long requests may take to end after SIGTERM.
const DRAIN: Duration = Duration::from_secs(10);

/// Runs the server until SIGTERM or SIGINT.
pub(crate) fn run(args: &ServeArgs) -> anyhow::Result<()> {
    let config = Config::load(args)?;
    let filter = EnvFilter::try_new(&config.log).context("the setting log is no filter")?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would say on stderr that stderr cannot be written, which panics: on a full disk, in the midst of anything.
        .log_internal_errors(false);
    let discreet = filter_fn(|line| !is_indiscreet(line));
    if config.log_json {
        logs.json().finish().with(discreet).init();
    } else {
        logs.finish().with(discreet).init();
    }
    std::panic::set_hook(Box::new(panicked));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(config))
}

/// Below `INFO` the NATS client tells passwords of URLs and whole messages: that is never logged, whatever the filter.
fn is_indiscreet(line: &tracing::Metadata<'_>) -> bool {
    line.target().starts_with("async_nats") && *line.level() > tracing::Level::INFO
}

/// Logs where it was. The message of a panic may quote what was worked on, which is memory text.
fn panicked(panic: &std::panic::PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    tracing::error!(at, "panicked");
}

/// The NATS side of the server.
pub(crate) struct Nats {
    embedded: Option<EmbeddedServer>,
    connection: Connection,
    pub(crate) log: JetStreamLog,
    url: String,
}

impl Nats {
    /// Ends the log, the connection and the server, if that is ours.
    pub(crate) async fn close(self) {
        self.log.close().await;
        self.connection.close().await;
        if let Some(embedded) = self.embedded {
            embedded.shutdown().await;
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    std::fs::create_dir_all(&config.data_dir)
        .with_context(|| format!("cannot make the data folder {}", config.data_dir.display()))?;
    let keys = configured_keys(&config)?;
    allow_open_files()?;
    let listener = TcpListener::bind(config.http)
        .await
        .with_context(|| format!("cannot serve HTTP on {}", config.http))?;
    let http_address = listener.local_addr()?;
    let grpc_listener = TcpListener::bind(config.grpc)
        .await
        .with_context(|| format!("cannot serve gRPC on {}; --grpc says where", config.grpc))?;
    let grpc_address = grpc_listener.local_addr()?;
    let stop = stop_on_signal()?;
    let recorder = metrics::install()?;
    let nats = start_nats(&config).await?;
    let (keys, made_key) = open_keys(keys, &config)?;
    let (audit, records) = Audit::new(&config.audit);
    let app = Arc::new(open_app(&config, keys, &nats.log, recorder, audit)?);
    start_audit(&app, &config, &nats.connection, records, &stop).await?;
    let operations = &app.operations;
    app.go_on()?;
    let service = Service::start(
        &nats.connection,
        Arc::new(NatsDoors(Arc::clone(operations))),
    )
    .await?;
    let inbox = Inbox::open(&nats.connection, replicas(&config))
        .await
        .context("could not open the inbox")?;
    let drain = Arc::new(InboxDrain::new(Arc::clone(operations), stop.clone()));
    drop(
        app.tasks
            .spawn(inbox.run(move |message| drain.take(message), stop.clone())),
    );
    start_workers(&app, &config, &stop);
    let serving = http::serve(listener, router(Arc::clone(&app)), stop.clone());
    let mut serving = tokio::spawn(serving);
    let streaming = grpc::serve(Arc::clone(&app), grpc_listener, stop.clone());
    let mut streaming = tokio::spawn(streaming);
    if let Some(key) = made_key {
        complain(&format!(
            "synap: no API key was configured, so one was made. It is shown this once: {key}"
        ));
    }
    let ready = json!({"ready": true, "http": format!("http://{http_address}"),
        "grpc": format!("http://{grpc_address}"), "nats": nats.url,
        "durability": nats.log.durability().name()});
    say(&ready.to_string());
    tokio::select! {
        () = stop.cancelled() => {}
        ended = &mut serving => {
            stop.cancel();
            ended.context("the HTTP server panicked")?;
        }
        ended = &mut streaming => {
            stop.cancel();
            ended.context("the gRPC server panicked")?.context("the gRPC server failed")?;
        }
    }
    info!("draining");
    shut_down(service, (serving, streaming), &app, nats).await;
    info!("ended");
    Ok(())
}

/// The audit of fetches, where it is wanted.
async fn start_audit<L: EventLog>(
    app: &App<L>,
    config: &Config,
    connection: &Connection,
    records: Records,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    if config.audit.fetches > 0.0 {
        let max_age = config.audit.max_age.0.unwrap_or_default();
        let stream = AuditStream::open(connection, replicas(config), max_age);
        let stream = stream.await.context("could not open the audit stream")?;
        drop(app.tasks.spawn(audit::run(stream, records, stop.clone())));
    }
    Ok(())
}

/// What every partition has besides its projector.
fn start_workers<L: EventLog>(app: &App<L>, config: &Config, stop: &CancellationToken) {
    let rules = Arc::new(config.retention.clone());
    for partition in app.operations.engine.nodes.keys() {
        let operations = || Arc::clone(&app.operations);
        let (folder, rules) = (config.data_dir.clone(), Arc::clone(&rules));
        let enriching = enrich::run(operations(), *partition, stop.clone());
        drop(app.tasks.spawn(enriching));
        let erasing = erase::run(operations(), *partition, folder, stop.clone());
        drop(app.tasks.spawn(erasing));
        let ageing = retention::run(operations(), *partition, rules, stop.clone());
        drop(app.tasks.spawn(ageing));
    }
}

/// As many open files as the machine lets us have: shells give 1,024, which connections alone can use up.
fn allow_open_files() -> anyhow::Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most).context("cannot open more files")
}

fn configured_keys(config: &Config) -> anyhow::Result<Keyring> {
    let mut keys = Keyring::default();
    for instance in &config.instances {
        keys.add(instance)?;
    }
    Ok(keys)
}

/// All keys there are; and the one that was made, if there was none.
fn open_keys(mut keys: Keyring, config: &Config) -> anyhow::Result<(Keyring, Option<String>)> {
    let default = config.instances.first().context("there is no instance")?;
    keys.load(&config.data_dir, default)?;
    let made = if keys.is_empty() {
        Some(keys.create(&config.data_dir, default)?)
    } else {
        None
    };
    Ok((keys, made))
}

fn open_app(
    config: &Config,
    keys: Keyring,
    log: &JetStreamLog,
    metrics: PrometheusHandle,
    audit: Audit,
) -> anyhow::Result<App<JetStreamLog>> {
    let engine = Arc::new(open_engine(config, log)?);
    let log = Arc::new(log.clone());
    let ingest = Ingest {
        log: Arc::clone(&log),
        engine: Arc::clone(&engine),
        clock: Arc::new(SystemClock),
        acked: Acked::default(),
    };
    let operations = Arc::new(Operations {
        keys,
        ingest,
        engine,
        audit,
    });
    Ok(App {
        operations,
        log,
        jobs: Jobs::default(),
        metrics,
        reader: Reader::new()?,
        cpu_share: config.rebuild.cpu_share,
        tasks: TaskTracker::new(),
    })
}

fn replicas(config: &Config) -> usize {
    usize::from(config.nats.replicas.unwrap_or(1))
}

/// Ends in the opposite order of starting: doors, appends, projectors, NATS.
async fn shut_down(
    service: Service,
    (serving, streaming): (
        JoinHandle<()>,
        JoinHandle<Result<(), tonic::transport::Error>>,
    ),
    app: &App<JetStreamLog>,
    nats: Nats,
) {
    for node in app.operations.engine.nodes.values() {
        node.close();
    }
    let doors = async {
        service.stop().await;
        if !serving.is_finished() {
            drop(serving.await);
        }
        if !streaming.is_finished() {
            drop(streaming.await);
        }
        app.tasks.close();
        app.tasks.wait().await;
    };
    if tokio::time::timeout(DRAIN, doors).await.is_err() {
        tracing::warn!("requests that did not end in time were cut off");
    }
    nats.log.close().await;
    for node in app.operations.engine.nodes.values() {
        node.stop().await;
    }
    nats.close().await;
}

fn stop_on_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let token = stop.clone();
    drop(tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    }));
    Ok(stop)
}

/// Starts a private nats-server unless one is given, and opens the log on it.
pub(crate) async fn start_nats(config: &Config) -> anyhow::Result<Nats> {
    let embedded = if config.nats.url.is_none() {
        Some(start_embedded(config).await?)
    } else {
        None
    };
    let given = || config.nats.url.clone().unwrap_or_default();
    let url = embedded.as_ref().map_or_else(given, EmbeddedServer::url);
    let settings = connect_settings(&config.nats, &url)?;
    let connection = connect(&settings)
        .await
        .context("could not connect to NATS")?;
    let log = open_log(
        config,
        &connection,
        embedded.as_ref().map(|_| nats_folder(config)),
    )
    .await
    .context("could not open the log")?;
    Ok(Nats {
        embedded,
        connection,
        log,
        url: without_credentials(&url),
    })
}

/// Where the embedded nats-server has its files.
fn nats_folder(config: &Config) -> PathBuf {
    config.data_dir.join("nats")
}

async fn start_embedded(config: &Config) -> anyhow::Result<EmbeddedServer> {
    let options = EmbeddedOptions {
        folder: nats_folder(config),
        launcher: Launcher::this_program("exec-nats-server")?,
        search: ServerSearch::from_env(),
    };
    EmbeddedServer::start(options)
        .await
        .context("could not start nats-server")
}

fn connect_settings(nats: &NatsSettings, url: &str) -> anyhow::Result<ConnectSettings> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let credentials = match nats {
        NatsSettings {
            creds_file: Some(file),
            ..
        } => Credentials::CredsFile(file.clone()),
        NatsSettings {
            nkey_seed_file: Some(file),
            ..
        } => Credentials::NkeySeed(read(file)?.trim().to_owned()),
        NatsSettings {
            token: Some(token), ..
        } => Credentials::Token(token.clone()),
        NatsSettings {
            user: Some(name),
            password,
            ..
        } => Credentials::User {
            name: name.clone(),
            password: password.clone().unwrap_or_default(),
        },
        NatsSettings { .. } => Credentials::None,
    };
    let tls = Tls {
        required: nats.require_tls,
        ca_file: nats.ca_file.clone(),
        client_files: None,
    };
    Ok(ConnectSettings {
        credentials,
        tls,
        ..ConnectSettings::new(url, "synap")
    })
}

/// `nats://user:password@host` without what must not be shown.
fn without_credentials(url: &str) -> String {
    let shown = |url: &str| match url.split_once("://") {
        Some((scheme, rest)) => format!(
            "{scheme}://{}",
            rest.rsplit_once('@').map_or(rest, |(_, host)| host)
        ),
        None => url
            .rsplit_once('@')
            .map_or(url, |(_, host)| host)
            .to_owned(),
    };
    url.split(',').map(shown).collect::<Vec<_>>().join(",")
}

/// Opens the log with as many partitions as were asked for, else as it has, else one.
async fn open_log(
    config: &Config,
    connection: &Connection,
    embedded: Option<PathBuf>,
) -> Result<JetStreamLog, OpenError> {
    let open = |partitions| {
        let options = LogOptions {
            replicas: replicas(config),
            assume_sync_always: embedded.is_some() || config.nats.assume_sync_always,
            embedded: embedded.clone(),
            ..LogOptions::new(partitions)
        };
        JetStreamLog::open(connection, options)
    };
    match open(config.partitions.unwrap_or(PartitionCount::ONE)).await {
        Err(OpenError::Partitions { found, wanted }) => {
            let stored = found
                .parse::<u8>()
                .ok()
                .and_then(|count| PartitionCount::try_from(count).ok());
            match (config.partitions, stored) {
                (None, Some(stored)) => open(stored).await,
                _ => Err(OpenError::Partitions { found, wanted }),
            }
        }
        done => done,
    }
}

/// Opens every partition's read model and starts its projector.
fn open_engine(config: &Config, log: &JetStreamLog) -> anyhow::Result<Engine<JetStreamLog>> {
    let memory = SharedMemory::default();
    let log = Arc::new(log.clone());
    let mut nodes = BTreeMap::new();
    for partition in log.partitions().all() {
        let node = Node::open(Arc::clone(&log), &config.data_dir, partition, &memory)
            .with_context(|| format!("could not open partition {partition}"))?;
        nodes.insert(partition, Arc::new(node));
    }
    Ok(Engine {
        count: log.partitions(),
        nodes,
        ranking: config.ranking,
        models: Arc::new(Models::load(&config.models)?),
    })
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(
            without_credentials("nats://u:p@h:1,tls://h2:2"),
            "nats://h:1,tls://h2:2"
        );
        assert_eq!(without_credentials("u:p@h:1"), "h:1");
    }
}
