//! Character references of HTML: `&amp;`, `&eacute;`, `&#39;`, `&#x1F600;`.

use crate::piece::{floor, part};

/// No reference is longer.
const BYTES_MAX: usize = 12;
/// Those that occur in pages and mails, in alphabetical order of bytes.
const NAMED: &[(&str, char)] = &[
    ("Aring", 'Å'),
    ("Auml", 'Ä'),
    ("Eacute", 'É'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("aacute", 'á'),
    ("agrave", 'à'),
    ("amp", '&'),
    ("apos", '\''),
    ("aring", 'å'),
    ("auml", 'ä'),
    ("bdquo", '„'),
    ("bull", '•'),
    ("ccedil", 'ç'),
    ("cent", '¢'),
    ("copy", '©'),
    ("deg", '°'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("euro", '€'),
    ("frac12", '½'),
    ("gt", '>'),
    ("hellip", '…'),
    ("iacute", 'í'),
    ("laquo", '«'),
    ("ldquo", '“'),
    ("lsquo", '‘'),
    ("lt", '<'),
    ("mdash", '—'),
    ("middot", '·'),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("ntilde", 'ñ'),
    ("oacute", 'ó'),
    ("ouml", 'ö'),
    ("para", '¶'),
    ("pound", '£'),
    ("quot", '"'),
    ("raquo", '»'),
    ("rarr", '→'),
    ("rdquo", '”'),
    ("reg", '®'),
    ("rsquo", '’'),
    ("sect", '§'),
    ("szlig", 'ß'),
    ("thinsp", ' '),
    ("times", '×'),
    ("trade", '™'),
    ("uacute", 'ú'),
    ("uuml", 'ü'),
    ("yen", '¥'),
];

/// The character that the reference at the start of `rest` stands for, and the reference's length.
pub(super) fn reference(rest: &str) -> Option<(char, usize)> {
    let head = part(rest, 0..floor(rest, BYTES_MAX)).strip_prefix('&')?;
    let (name, _) = head.split_once(';')?;
    let length = name.len() + 2;
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        let found = char::from_u32(code.ok()?).filter(|c| !c.is_control() && *c != '\u{feff}');
        return Some((found.unwrap_or(' '), length));
    }
    let at = NAMED
        .binary_search_by(|(known, _)| known.as_bytes().cmp(name.as_bytes()))
        .ok()?;
    NAMED.get(at).map(|(_, c)| (*c, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read() {
        assert!(NAMED.is_sorted());
        for (text, expected) in [
            ("&amp; b", Some(('&', 5))),
            ("&#39;", Some(('\'', 5))),
            ("&#x1F600;", Some(('😀', 9))),
            ("&#0;", Some((' ', 4))),
            ("&nope;", None),
            ("& amp;", None),
            ("&#99999999;", Some((' ', 11))),
        ] {
            let found = reference(text);
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
