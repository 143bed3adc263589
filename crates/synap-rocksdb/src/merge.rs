//! The merge operator behind `Write::Append`: the port says what a value and the bytes appended to it are together.
//!
//! Its name is written into the database. RocksDB calls it from its own threads through C, so it must not panic.

use rocksdb::MergeOperands;

/// As stored: another meaning needs another name.
pub(crate) const APPEND: &str = "synap.append.v2";

/// What `existing` and the bytes appended to it are together. Associative, so it also joins operands without a value.
///
/// The `Option`s are RocksDB's: `None` would mean that the bytes cannot be merged, which appending knows nothing of.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the signature is the merge operator's"
)]
pub(crate) fn append(
    key: &[u8],
    existing: Option<&[u8]>,
    appended: &MergeOperands,
) -> Option<Vec<u8>> {
    let existing = existing.unwrap_or_default();
    let bytes = existing.len() + appended.iter().map(<[u8]>::len).sum::<usize>();
    let mut value = Vec::with_capacity(bytes);
    value.extend_from_slice(existing);
    for operand in appended {
        synap_readmodel::append(key, &mut value, operand);
    }
    Some(value)
}
