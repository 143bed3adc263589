//! How something is said, as far as ranking cares: whether it asks, speaks of its speaker, tells a time; and names as hashes.

mod asking;

use unicode_segmentation::UnicodeSegmentation as _;

/// How a text is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// A question is in it.
    pub asks: bool,
    /// It ends with a question; what stands in brackets after it does not count.
    pub ends_asking: bool,
    /// Its speaker speaks of himself, herself or us.
    pub of_self: bool,
}

/// How `text` is said.
pub fn manner(text: &str) -> Manner {
    let is_mark = |c: char| matches!(c, '?' | '？' | '؟');
    let mut end = text.trim_end();
    while let Some((before, _)) = end
        .strip_suffix([']', ')'])
        .and_then(|inner| inner.rsplit_once(['[', '(']))
    {
        end = before.trim_end();
    }
    let of_self = text
        .unicode_words()
        .map(|word| word.split(['\'', '’']).next().unwrap_or_default())
        .any(|word| {
            const SELF: [&str; 9] = ["i", "me", "my", "mine", "myself", "we", "us", "our", "ours"];
            word.len() <= 6 && SELF.contains(&word.to_lowercase().as_str())
        });
    let ends_asking = end.ends_with(is_mark) || asking::is_unmarked_question(end);
    Manner {
        asks: ends_asking || text.contains(is_mark),
        ends_asking,
        of_self,
    }
}

/// Hashes of the first and the last word of a speaker's name, as [`named`] finds them in a query; 0 for a word that is
/// nobody's name: "User", "Assistant".
pub fn name_hashes(name: &str) -> [u32; 2] {
    let mut words = name.unicode_words();
    let first = words.next();
    let last = words.next_back();
    [first, last].map(|word| {
        word.map(str::to_lowercase)
            .filter(|word| word != "user" && !crate::kind::is_assistant(word))
            .map_or(0, |word| word_hash(&word))
    })
}

/// Hashes of the words of a query: whom it may name.
pub fn named(query: &str) -> Vec<u32> {
    query
        .unicode_words()
        .map(str::to_lowercase)
        .map(|word| {
            let owner = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s"));
            word_hash(owner.unwrap_or(&word))
        })
        .collect()
}

/// A term as it stands in the sequence of a memory. Two terms in 65,536 share a hash: for nearness that is no matter.
pub fn term_hash(term: &str) -> u16 {
    let hash = word_hash(term);
    u16::try_from((hash >> 16) ^ (hash & 0xffff)).unwrap_or_default()
}

/// FNV-1a, 32 bits: the same in every build. Never 0.
fn word_hash(word: &str) -> u32 {
    let hash = word.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, asks: bool, ends_asking: bool, of_self: bool) {
        let expected = Manner {
            asks,
            ends_asking,
            of_self,
        };
        assert_eq!(manner(text), expected, "{text:?}");
    }

    #[test]
    fn questions_and_first_persons_are_seen() {
        check("What did you do?", true, true, false);
        check("I went home. And you? [shares a photo]", true, true, true);
        check("Did you? I'm glad.", true, false, true);
        check("Deployments run on Tuesdays.", false, false, false);
        check("It is in Iceland (see our map).", false, false, true);
        check("hey, how was your trip", true, true, false);
        check("I got home. did you eat already", true, true, true);
        check("", false, false, false);
        check("]", false, false, false);
    }

    #[test]
    fn a_speaker_is_found_by_each_end_of_the_name() {
        let query = named("What did Dana's friend O'Neil say?");
        let [first, last] = name_hashes("Dana Maria O'Neil");
        assert!(query.contains(&first) && query.contains(&last));
        assert_eq!(name_hashes("User"), [0, 0]);
        assert_eq!(name_hashes("Assistant"), [0, 0]);
        assert_eq!(name_hashes("Dana")[1], 0);
        assert!(!named("what").contains(&first));
    }
}
