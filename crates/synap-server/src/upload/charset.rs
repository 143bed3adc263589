//! Bytes of a text file into characters: by the byte order mark, else UTF-8, else what was declared, else Windows-1252,
//! in which any bytes are a text.

use encoding_rs::{Encoding, WINDOWS_1252};

/// How far into a page its own declaration is looked for.
const DECLARED_WITHIN: usize = 1024;

/// The text of a file. `declared` is the name of an encoding, as in `charset=…`.
pub(super) fn decode(bytes: &[u8], declared: Option<&str>) -> String {
    if let Some((encoding, mark_bytes)) = Encoding::for_bom(bytes) {
        let (text, _) =
            encoding.decode_without_bom_handling(bytes.get(mark_bytes..).unwrap_or_default());
        return text.into_owned();
    }
    if let Ok(text) = str::from_utf8(bytes) {
        return text.to_owned();
    }
    let declared = declared.and_then(|name| Encoding::for_label(name.as_bytes()));
    let (text, _) = declared
        .unwrap_or(WINDOWS_1252)
        .decode_without_bom_handling(bytes);
    text.into_owned()
}

/// The same for a page, which may declare its encoding itself.
pub(super) fn decode_html(bytes: &[u8], declared: Option<&str>) -> String {
    let head = bytes.get(..DECLARED_WITHIN).unwrap_or(bytes);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let own = head.split_once("charset=").map(|(_, after)| after);
    let own = own.map(|after| after.trim_start_matches(['"', '\'']));
    let own = own.and_then(|after| after.split(['"', '\'', '>', ';', '/', ' ']).next());
    decode(bytes, declared.or(own))
}

/// Whether the bytes are no text: they hold NUL (outside UTF-16), or many control characters.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    if Encoding::for_bom(bytes).is_some() {
        return decode(bytes, None).contains('\0');
    }
    let control =
        |byte: &&u8| **byte < b' ' && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    bytes.contains(&0) || bytes.iter().filter(control).count() > bytes.len() / 50
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], declared: Option<&str>, expected: &str) {
        assert_eq!(decode(bytes, declared), expected);
        assert!(!is_binary(bytes));
    }

    #[test]
    fn texts_are_read_in_the_encoding_that_they_show() {
        check("Zoë.".as_bytes(), None, "Zoë.");
        check(b"\xef\xbb\xbfZo\xc3\xab.", None, "Zoë.");
        check(b"\xff\xfeZ\0o\0\xeb\0.\0", None, "Zoë.");
        check(b"\xfe\xff\0Z\0o\0\xeb\0.", Some("latin1"), "Zoë.");
        check(b"Zo\xeb \x80 5.", None, "Zoë € 5.");
        check(b"\xa3ukasz", Some("iso-8859-2"), "Łukasz");
        check("Łukasz".as_bytes(), Some("iso-8859-2"), "Łukasz");
        check(b"Zo\xeb", Some("no such encoding"), "Zoë");
    }

    #[test]
    fn a_page_declares_its_own_encoding() {
        for meta in [
            r#"<meta charset="iso-8859-2">"#,
            "<META HTTP-EQUIV=Content-Type CONTENT='text/html; Charset=ISO-8859-2'>",
        ] {
            let page = [meta.as_bytes(), b"\xa3ukasz"].concat();
            assert!(decode_html(&page, None).ends_with("Łukasz"), "{meta}");
            assert!(decode_html(&page, Some("latin1")).ends_with("£ukasz"));
        }
    }

    #[test]
    fn what_is_no_text_is_told() {
        assert!(is_binary(b"a\0b"));
        assert!(is_binary(b"\xff\xfe\0\0a\0\0\0"), "UTF-32");
        assert!(is_binary(b"\x01\x02\x03\x04 and more of it"));
        assert!(!is_binary(b"\x1b[1mbold\x1b[0m\tand\r\nlines\x0c"));
    }
}
