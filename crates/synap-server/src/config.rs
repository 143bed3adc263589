//! Configuration: a TOML file, then the environment, then flags; each wins over the one before. Unknown keys are errors.

use crate::identity::Instance;
use crate::retention::{MaxAge, Retention, RetentionSetting};
use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use synap_models::Encoder;
use synap_nats::ServerSearch;
use synap_query::Ranking;
use synap_types::limits::ACCURATE_MS_DEFAULT;
use synap_types::{ClientId, InstanceId, Isolation, LevelName, PartitionCount};

/// Client and instance of a server that is not told others.
const DEFAULT_CLIENT: &str = "cli_0000000000000001";
const DEFAULT_INSTANCE: &str = "inst_0000000000000001";
/// Records of fetches are kept for thirty days.
const AUDIT_AGE_DEFAULT: MaxAge = MaxAge(Some(Duration::from_secs(30 * 24 * 60 * 60)));
/// A rebuild leaves as much as it takes.
const CPU_SHARE_DEFAULT: f64 = 0.5;

/// Flags of `synap serve`, each with its variable. What is given here wins over the file.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeArgs {
    /// TOML file with the same settings; flags and variables win over it
    #[arg(long, env = "SYNAP_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for everything that is stored [default: ./synap-data]
    #[arg(long, env = "SYNAP_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where to serve HTTP; port 0 picks a free one [default: 127.0.0.1:7117]
    #[arg(long, env = "SYNAP_HTTP", value_name = "ADDR")]
    http: Option<SocketAddr>,
    /// Where to serve gRPC, in plain text; port 0 picks a free one [default: 127.0.0.1:7118]
    #[arg(long, env = "SYNAP_GRPC", value_name = "ADDR")]
    grpc: Option<SocketAddr>,
    /// Use this NATS server instead of starting a private one
    #[arg(long, env = "SYNAP_NATS_URL", value_name = "URL")]
    nats_url: Option<String>,
    /// Number of partitions, when the log is created [default: 1, or what the log has]
    #[arg(long, env = "SYNAP_PARTITIONS", value_name = "N")]
    partitions: Option<u8>,
    /// Accept this API key, for the default instance; may be repeated, or hold several with commas
    #[arg(
        long = "api-key",
        env = "SYNAP_API_KEYS",
        value_name = "KEY",
        value_delimiter = ',',
        hide_env_values = true
    )]
    api_keys: Vec<String>,
    /// Folder of the optional model files; one without them turns models off [default: models in the data folder, or
    /// where scripts/setup.sh puts them]
    #[arg(long, env = "SYNAP_MODELS", value_name = "DIR")]
    models: Option<PathBuf>,
    /// `tokenizer.json` of the language model that is prompted, by which tokens are counted [default: tokens are estimated]
    #[arg(long, env = "SYNAP_TOKENIZER", value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// What to log, such as `info` or `synap_projection=debug` [default: info]
    #[arg(long, env = "SYNAP_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Log lines as JSON
    #[arg(long, env = "SYNAP_LOG_JSON")]
    log_json: bool,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    data_dir: Option<PathBuf>,
    http: Option<SocketAddr>,
    grpc: Option<SocketAddr>,
    partitions: Option<u8>,
    api_keys: Vec<String>,
    isolation: Option<IsolationSetting>,
    log: Option<String>,
    log_json: bool,
    nats: NatsSettings,
    models: ModelsFile,
    ranking: Ranking,
    rebuild: RebuildSettings,
    retention: RetentionSetting,
    audit: AuditSettings,
    instances: Vec<InstanceSetting>,
}

/// `[rebuild]` of the file.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RebuildSettings {
    /// Share of one processor that a rebuild takes at most, more than 0; 1 is as fast as it goes, on several.
    pub(crate) cpu_share: f64,
}

impl Default for RebuildSettings {
    fn default() -> Self {
        Self {
            cpu_share: CPU_SHARE_DEFAULT,
        }
    }
}

impl RebuildSettings {
    fn check(self) -> anyhow::Result<()> {
        anyhow::ensure!(
            is_share(self.cpu_share),
            "cpu_share must be more than 0 and at most 1"
        );
        Ok(())
    }
}

/// Whether it is a share of something, and not nothing.
pub(crate) fn is_share(share: f64) -> bool {
    share > 0.0 && share <= 1.0
}

/// `[audit]` of the file.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AuditSettings {
    /// Share of the fetches that are recorded, 0 to 1.
    pub(crate) fetches: f64,
    /// How long a record is kept.
    pub(crate) max_age: MaxAge,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self {
            fetches: 0.0,
            max_age: AUDIT_AGE_DEFAULT,
        }
    }
}

impl AuditSettings {
    fn check(self) -> anyhow::Result<()> {
        anyhow::ensure!(
            (0.0..=1.0).contains(&self.fetches),
            "fetches must be 0 to 1"
        );
        Ok(())
    }
}

/// `[models]` of the file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ModelsFile {
    dir: Option<PathBuf>,
    tokenizer: Option<PathBuf>,
    accurate_ms: Option<u64>,
}

/// Where the optional model files are, and how long a fetch waits for them.
#[derive(Debug, Clone)]
pub(crate) struct ModelSettings {
    pub(crate) dir: PathBuf,
    /// The vocabulary by which tokens are counted, if they are.
    pub(crate) tokenizer: Option<PathBuf>,
    /// How long an accurate fetch waits for the vectors of its queries, in milliseconds.
    pub(crate) accurate_ms: u64,
}

/// Where model files are if nobody says so: in the data folder, else where the set-up script puts them.
fn model_folder(data_dir: &Path) -> PathBuf {
    let own = data_dir.join("models");
    let set_up = ServerSearch::from_env().cache;
    let set_up = set_up.map(|cache| cache.join("models").join(Encoder::folder()));
    match set_up {
        Some(set_up) if !own.exists() && set_up.exists() => set_up,
        _ => own,
    }
}

/// How to reach a NATS server that is not ours.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NatsSettings {
    pub(crate) url: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) nkey_seed_file: Option<PathBuf>,
    pub(crate) creds_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) require_tls: bool,
    /// Replicas of every stream, when it is created.
    pub(crate) replicas: Option<u8>,
    /// The operator vouches that every server runs with `sync_interval: always`.
    pub(crate) assume_sync_always: bool,
}

/// `"strict"`, `"equals_customer"`, or a ladder such as `["customer", "team", "user"]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum IsolationSetting {
    Name(String),
    Ladder(Vec<LevelName>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InstanceSetting {
    client_id: ClientId,
    instance_id: InstanceId,
    #[serde(default)]
    isolation: Option<IsolationSetting>,
    api_keys: Vec<String>,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    retention: RetentionSetting,
}

impl InstanceSetting {
    fn read(self) -> anyhow::Result<(Instance, RetentionSetting)> {
        let instance = Instance {
            client: self.client_id,
            id: self.instance_id,
            isolation: isolation(self.isolation)?,
            admin: self.admin,
            api_keys: self.api_keys,
        };
        Ok((instance, self.retention))
    }
}

/// Everything that `synap serve` needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) partitions: Option<PartitionCount>,
    pub(crate) nats: NatsSettings,
    pub(crate) models: ModelSettings,
    /// How fetches weigh what they find.
    pub(crate) ranking: Ranking,
    pub(crate) rebuild: RebuildSettings,
    /// What is noted of fetches.
    pub(crate) audit: AuditSettings,
    /// What is deleted for its age.
    pub(crate) retention: Retention,
    /// The first one is the default: keys that the server makes are its.
    pub(crate) instances: Vec<Instance>,
    pub(crate) log: String,
    pub(crate) log_json: bool,
}

impl Config {
    /// File, environment and flags, in that order.
    pub(crate) fn load(args: &ServeArgs) -> anyhow::Result<Self> {
        let file = match &args.config {
            None => File::default(),
            Some(path) => {
                let text = fs::read_to_string(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                toml::from_str(&text).with_context(|| format!("in {}", path.display()))?
            }
        };
        let args = args.clone();
        let partitions = args
            .partitions
            .or(file.partitions)
            .map(PartitionCount::try_from)
            .transpose();
        let default = Instance {
            client: DEFAULT_CLIENT.parse()?,
            id: DEFAULT_INSTANCE.parse()?,
            isolation: isolation(file.isolation)?,
            admin: true,
            api_keys: if args.api_keys.is_empty() {
                file.api_keys
            } else {
                args.api_keys
            },
        };
        let mut instances = vec![(default, file.retention)];
        for setting in file.instances {
            instances.push(setting.read()?);
        }
        let retention = Retention::of_all(&instances).context("in [retention]")?;
        let instances = instances
            .into_iter()
            .map(|(instance, _)| instance)
            .collect();
        let url = args.nats_url.or_else(|| file.nats.url.clone());
        let data_dir = args
            .data_dir
            .or(file.data_dir)
            .unwrap_or_else(|| "synap-data".into());
        file.ranking.check().context("in [ranking]")?;
        file.rebuild.check().context("in [rebuild]")?;
        file.audit.check().context("in [audit]")?;
        let models = args.models.or(file.models.dir);
        Ok(Self {
            ranking: file.ranking,
            rebuild: file.rebuild,
            audit: file.audit,
            retention,
            models: ModelSettings {
                dir: models.unwrap_or_else(|| model_folder(&data_dir)),
                tokenizer: args.tokenizer.or(file.models.tokenizer),
                accurate_ms: file.models.accurate_ms.unwrap_or(ACCURATE_MS_DEFAULT),
            },
            data_dir,
            http: args
                .http
                .or(file.http)
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 7117))),
            grpc: args
                .grpc
                .or(file.grpc)
                .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 7118))),
            partitions: partitions.map_err(anyhow::Error::msg)?,
            nats: NatsSettings { url, ..file.nats },
            instances,
            log: args.log.or(file.log).unwrap_or_else(|| "info".to_owned()),
            log_json: args.log_json || file.log_json,
        })
    }
}

fn isolation(setting: Option<IsolationSetting>) -> anyhow::Result<Isolation> {
    match setting {
        None => Ok(Isolation::strict()),
        Some(IsolationSetting::Name(name)) if name == "strict" => Ok(Isolation::strict()),
        Some(IsolationSetting::Name(name)) if name == "equals_customer" => {
            Ok(Isolation::equals_customer())
        }
        Some(IsolationSetting::Name(name)) => {
            anyhow::bail!(
                "isolation is \"strict\", \"equals_customer\" or a list of levels, not {name:?}"
            )
        }
        Some(IsolationSetting::Ladder(levels)) => {
            Isolation::try_from(levels).map_err(anyhow::Error::msg)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, args: ServeArgs) -> anyhow::Result<Config> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("synap.toml");
        fs::write(&path, toml)?;
        Config::load(&ServeArgs {
            config: Some(path),
            ..args
        })
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let toml = "http = '127.0.0.1:1'\npartitions = 4\n[nats]\nurl = 'nats://a'\nuser = 'u'";
        let flags = ServeArgs {
            http: Some(SocketAddr::from(([127, 0, 0, 1], 2))),
            ..ServeArgs::default()
        };
        let config = load(toml, flags).unwrap();
        assert_eq!(config.http.port(), 2);
        assert_eq!(config.partitions.map(PartitionCount::get), Some(4));
        assert_eq!(config.nats.url.as_deref(), Some("nats://a"));
        assert_eq!(config.data_dir, PathBuf::from("synap-data"));
    }

    #[test]
    fn unknown_keys_and_impossible_values_are_errors() {
        for toml in [
            "htp = 1",
            "[nats]\nurll = 'x'",
            "partitions = 0",
            "[ranking]\nbm52 = 1.0",
            "[ranking]\nbm25 = 1e9",
            "[rebuild]\ncpu_share = 0",
            "[rebuild]\ncpu_share = 1.5",
            "[rebuild]\ncpu_share = nan",
            "[audit]\nfetches = 1.5",
            "[audit]\nfetches = 0.5\nmax_age = 'long'",
            "isolation = 'loose'",
            "isolation = ['user', 'customer']",
        ] {
            assert!(load(toml, ServeArgs::default()).is_err(), "{toml}");
        }
    }

    #[test]
    fn further_instances_have_their_own_client_and_isolation() {
        let toml = "[[instances]]\nclient_id = 'b'\ninstance_id = 'ib'\nisolation = 'equals_customer'\napi_keys = ['k']";
        let config = load(toml, ServeArgs::default()).unwrap();
        assert_eq!(config.instances.len(), 2);
        assert_eq!(config.instances[1].isolation, Isolation::equals_customer());
        assert!(!config.instances[1].admin);
    }
}
