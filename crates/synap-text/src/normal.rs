//! When two texts say the same: a normal form for equality and a similarity for folding.

use std::cmp::Ordering;

/// Taken from the end of a text. Not `+`, `#`, `%` or brackets: "C++", "C#" and ":)" say something.
const CLOSING: &[char] = &[
    '.', ',', ';', ':', '!', '?', '…', '"', '\'', '`', '»', '。', '，', '；', '：', '！', '？',
    '、', ' ',
];
/// Taken from the start of a text. Not a full stop: ".NET".
const OPENING: &[char] = &['"', '\'', '`', '«', '¿', '¡', ' '];

/// Lower case, single spaces, plain quotes, without quotes and sentence marks at the ends; texts with the same form are
/// duplicates. Part of memory ids, so it is frozen: a change is a new generation of ids.
pub fn normal_form(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_whitespace() || c.is_control() => {
                if !collapsed.is_empty() && !collapsed.ends_with(' ') {
                    collapsed.push(' ');
                }
            }
            '‘' | '’' | 'ʼ' => collapsed.push('\''),
            '“' | '”' | '„' => collapsed.push('"'),
            c => collapsed.extend(c.to_lowercase()),
        }
    }
    let trimmed = collapsed
        .trim_end_matches(CLOSING)
        .trim_start_matches(OPENING);
    let kept = if trimmed.is_empty() {
        collapsed.trim()
    } else {
        trimmed
    };
    kept.to_owned()
}

/// How much two texts share, 0 to 1: terms in both by terms in either (Jaccard). Takes terms in ascending order; a term
/// that occurs twice counts once. Texts without terms share nothing.
pub fn similarity<T: Ord>(a: &[T], b: &[T]) -> f32 {
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    let (mut both, mut either) = (0_usize, 0_usize);
    while left.peek().is_some() || right.peek().is_some() {
        let order = match (left.peek(), right.peek()) {
            (Some(l), Some(r)) => l.cmp(r),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        either += 1;
        both += usize::from(order == Ordering::Equal);
        let (from_left, from_right) = (order != Ordering::Greater, order != Ordering::Less);
        let term = if from_left { left.peek() } else { right.peek() }.copied();
        while from_left && left.next_if(|next| Some(*next) == term).is_some() {}
        while from_right && right.next_if(|next| Some(*next) == term).is_some() {}
    }
    ratio(both, either)
}

/// Whether a word in small letters makes a statement its opposite: "not", "doesn't", "never".
pub(crate) fn is_negation(word: &str) -> bool {
    matches!(
        word,
        "cannot" | "never" | "no" | "nobody" | "none" | "not" | "nothing" | "without"
    ) || word.ends_with("n't")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a share of counts below 2^24 is exact enough for a threshold"
)]
fn ratio(part: usize, whole: usize) -> f32 {
    if whole == 0 {
        0.0
    } else {
        part as f32 / whole as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Frozen: memory ids are made of these bytes.
    #[test]
    fn normal_form_is_frozen() {
        for (text, expected) in [
            (
                "Deployment Process: Production: Tuesdays and Thursdays, 10am-2pm PT",
                "deployment process: production: tuesdays and thursdays, 10am-2pm pt",
            ),
            (
                "  Alice\tprefers \n dark   mode. ",
                "alice prefers dark mode",
            ),
            ("“It’s done!”", "it's done"),
            ("I like C++.", "i like c++"),
            ("I like C#", "i like c#"),
            (".NET is fast…", ".net is fast"),
            ("-5 degrees", "-5 degrees"),
            ("Feeling :)", "feeling :)"),
            ("ÄRGER über STRASSE", "ärger über strasse"),
            ("今日は晴れです。", "今日は晴れです"),
            ("🎉 Shipped!", "🎉 shipped"),
            ("...", "..."),
            ("a\u{0}b", "a b"),
            ("", ""),
        ] {
            assert_eq!(normal_form(text), expected, "{text:?}");
        }
    }

    #[track_caller]
    fn check(a: &[&str], b: &[&str], expected: f32) {
        let own = |terms: &[&str]| {
            terms
                .iter()
                .map(|term| (*term).to_owned())
                .collect::<Vec<_>>()
        };
        let found = similarity(&own(a), &own(b));
        assert!((found - expected).abs() < 1e-6, "{a:?} {b:?}: {found}");
    }

    #[test]
    fn similarity_is_the_share_of_common_terms() {
        check(&["a", "b"], &["a", "b"], 1.0);
        check(&["a", "a", "b"], &["a", "b", "b"], 1.0);
        check(&["a", "b"], &["b", "c", "d"], 0.25);
        check(&["a"], &["b"], 0.0);
        check(&[], &["b"], 0.0);
        check(&[], &[], 0.0);
    }

    proptest! {
        #[test]
        fn normal_form_of_a_normal_form_is_itself(text in any::<String>()) {
            let once = normal_form(&text);
            prop_assert_eq!(normal_form(&once), once);
        }

        #[test]
        fn similarity_is_a_share_even_of_unsorted_terms(a in proptest::collection::vec("[a-d]{1,2}", 0..8), b in proptest::collection::vec("[a-d]{1,2}", 0..8)) {
            let found = similarity(&a, &b);
            prop_assert!((0.0..=1.0).contains(&found));
        }
    }
}
