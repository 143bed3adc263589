//! Names of the headers that synap reads and writes, and values that are safe to put into one.

use async_nats::{HeaderMap, HeaderValue};

/// Digest of an event's payload; checked when the event is read.
pub const DIGEST: &str = "Synap-Digest";
/// The caller's API key, as in HTTP.
pub const AUTHORIZATION: &str = "Authorization";
/// The caller's idempotency key, as in HTTP.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Why the inbox refused a message: the error code.
pub const REJECTED_CODE: &str = "Synap-Rejected-Code";
/// Why the inbox refused a message: a sentence.
pub const REJECTED_REASON: &str = "Synap-Rejected-Reason";

/// Longest value that synap writes into a header, in bytes.
const VALUE_BYTES_MAX: usize = 1024;

/// The digest of `payload` as the header holds it.
pub(crate) fn digest(payload: &[u8]) -> String {
    synap_log::payload_digest(payload).to_string()
}

/// `text` as a header value: one line, bounded. CR and LF would end the header, and the client library panics on them.
pub(crate) fn value(text: &str) -> HeaderValue {
    let mut line = String::new();
    for c in text.chars() {
        if line.len() + c.len_utf8() > VALUE_BYTES_MAX {
            break;
        }
        line.push(if c.is_control() { ' ' } else { c });
    }
    line.parse().unwrap_or_else(|_| HeaderValue::new())
}

/// The header `name`, however its letters are cased. An empty one is absent.
pub(crate) fn find(headers: Option<&HeaderMap>, name: &str) -> Option<String> {
    headers?
        .iter()
        .find(|(found, _)| AsRef::<str>::as_ref(*found).eq_ignore_ascii_case(name))
        .and_then(|(_, values)| values.last())
        .map(|value| value.as_str().trim().to_owned())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_one_bounded_line() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a\r\nNats-Rollup: all", "a  Nats-Rollup: all"),
            ("tab\tand nul\0", "tab and nul "),
        ] {
            assert_eq!(value(text).as_str(), expected, "{text:?}");
        }
        let long = value(&"é".repeat(VALUE_BYTES_MAX));
        assert_eq!(long.as_str().len(), VALUE_BYTES_MAX);
    }

    #[test]
    fn names_are_found_however_they_are_cased() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer k");
        headers.insert("Idempotency-Key", " ");
        let found = |name| find(Some(&headers), name);
        assert_eq!(found(AUTHORIZATION).as_deref(), Some("Bearer k"));
        assert_eq!(found(IDEMPOTENCY_KEY), None);
        assert_eq!(find(None, AUTHORIZATION), None);
    }

    #[test]
    fn digests_are_pinned() {
        assert_eq!(digest(b"{}").len(), 32);
        assert_ne!(digest(b"{}"), digest(b"{ }"));
    }
}
