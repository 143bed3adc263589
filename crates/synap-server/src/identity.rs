//! Who is asking: from an API key to the client, instance and isolation that it stands for.

use anyhow::{Context as _, bail};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use synap_types::{ApiError, ClientId, InstanceId, Isolation};

/// File of the keys that were made by the server, below the data folder. It holds hashes, never keys.
const KEYS_FILE: &str = "keys.json";
/// Bytes of randomness in a key of ours.
const KEY_BYTES: usize = 32;

/// What a key stands for. The request may narrow it, never widen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) client: ClientId,
    pub(crate) instance: InstanceId,
    pub(crate) isolation: Isolation,
    /// Public name of the key: in events and logs, where the key must never be.
    pub(crate) key_id: String,
    /// Whether it may see and steer the server as a whole.
    pub(crate) admin: bool,
}

/// One instance as it is configured.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) client: ClientId,
    pub(crate) id: InstanceId,
    pub(crate) isolation: Isolation,
    pub(crate) admin: bool,
    pub(crate) api_keys: Vec<String>,
}

/// Every key, by its hash.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keyring(HashMap<KeyHash, Arc<Identity>>);

/// BLAKE3 of a key. Keys have full entropy or are the operator's own choice; looking the hash up leaks nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct KeyHash([u8; 32]);

/// A key in [`KEYS_FILE`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKey {
    key_id: String,
    hash: String,
}

impl KeyHash {
    fn of(key: &str) -> Self {
        Self(*blake3::hash(key.as_bytes()).as_bytes())
    }

    fn key_id(&self) -> String {
        let hex = HEXLOWER.encode(&self.0);
        format!("key_{}", hex.get(..12).unwrap_or_default())
    }
}

impl Keyring {
    /// Adds the keys of `instance`. A key of two instances is refused: it would not say whose memories it opens.
    pub(crate) fn add(&mut self, instance: &Instance) -> anyhow::Result<()> {
        for key in &instance.api_keys {
            if key.trim() != key
                || key.is_empty()
                || key.chars().any(|c| c.is_control() || c == ' ')
            {
                bail!("an API key must not be empty, nor hold spaces or control characters");
            }
            self.insert(KeyHash::of(key), instance)?;
        }
        Ok(())
    }

    fn insert(&mut self, hash: KeyHash, instance: &Instance) -> anyhow::Result<()> {
        let identity = Identity {
            client: instance.client.clone(),
            instance: instance.id.clone(),
            isolation: instance.isolation.clone(),
            key_id: hash.key_id(),
            admin: instance.admin,
        };
        if let Some(other) = self.0.insert(hash, Arc::new(identity.clone()))
            && *other != identity
        {
            bail!(
                "API key {} is given to two instances: {} and {}",
                other.key_id,
                other.instance,
                identity.instance
            );
        }
        Ok(())
    }

    /// Whether there is no key at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the keys that the server made in earlier runs, for `instance`.
    pub(crate) fn load(&mut self, data_dir: &Path, instance: &Instance) -> anyhow::Result<()> {
        let path = data_dir.join(KEYS_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        };
        let unreadable = || format!("{} is not a list of keys", path.display());
        let stored: Vec<StoredKey> = serde_json::from_str(&text).with_context(unreadable)?;
        for key in stored {
            let hash = HEXLOWER
                .decode(key.hash.as_bytes())
                .ok()
                .and_then(|bytes| bytes.try_into().ok());
            self.insert(KeyHash(hash.with_context(unreadable)?), instance)?;
        }
        Ok(())
    }

    /// Makes a key for `instance`, stores its hash, and answers the key: the only time that it is known.
    pub(crate) fn create(
        &mut self,
        data_dir: &Path,
        instance: &Instance,
    ) -> anyhow::Result<String> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no randomness for a key: {e}"))?;
        let key = format!("synap_{}", BASE32_NOPAD.encode(&bytes).to_lowercase());
        let hash = KeyHash::of(&key);
        let stored = [StoredKey {
            key_id: hash.key_id(),
            hash: HEXLOWER.encode(&hash.0),
        }];
        write_private(
            &data_dir.join(KEYS_FILE),
            &serde_json::to_vec_pretty(&stored)?,
        )?;
        self.insert(hash, instance)?;
        Ok(key)
    }

    /// Whom the value of an `Authorization` header stands for.
    pub(crate) fn authenticate(
        &self,
        authorization: Option<&str>,
    ) -> Result<Arc<Identity>, ApiError> {
        let (scheme, key) = authorization
            .and_then(|value| value.split_once(' '))
            .ok_or_else(ApiError::unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::unauthorized());
        }
        self.0
            .get(&KeyHash::of(key.trim()))
            .cloned()
            .ok_or_else(ApiError::unauthorized)
    }
}

/// Writes a file that only its owner can read, whole or not at all.
fn write_private(path: &PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
    let temporary = path.with_extension("tmp");
    let write = || {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(client: &str, keys: &[&str]) -> Instance {
        Instance {
            client: client.parse().unwrap(),
            id: format!("inst_{client}").parse().unwrap(),
            isolation: Isolation::strict(),
            admin: false,
            api_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        }
    }

    #[test]
    fn a_key_opens_its_own_client_only() {
        let mut keys = Keyring::default();
        keys.add(&instance("a", &["key-a", "key-a2"])).unwrap();
        keys.add(&instance("b", &["key-b"])).unwrap();
        let client = |header| {
            keys.authenticate(header)
                .map(|found| found.client.to_string())
        };
        assert_eq!(client(Some("Bearer key-a2")).as_deref(), Ok("a"));
        assert_eq!(client(Some("bearer key-b")).as_deref(), Ok("b"));
        for wrong in [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer "),
            Some("Basic key-a"),
            Some("Bearer key-A"),
        ] {
            assert_eq!(client(wrong), Err(ApiError::unauthorized()), "{wrong:?}");
        }
        assert!(
            keys.add(&instance("c", &["key-b"])).is_err(),
            "one key, two clients"
        );
    }

    #[test]
    fn a_made_key_survives_a_restart_and_is_not_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let (mut keys, owner) = (Keyring::default(), instance("a", &[]));
        let key = keys.create(dir.path(), &owner).unwrap();
        let mut again = Keyring::default();
        again.load(dir.path(), &owner).unwrap();
        assert!(again.authenticate(Some(&format!("Bearer {key}"))).is_ok());
        let stored = fs::read_to_string(dir.path().join(KEYS_FILE)).unwrap();
        assert!(!stored.contains(&key) && !stored.contains(key.strip_prefix("synap_").unwrap()));
    }
}
