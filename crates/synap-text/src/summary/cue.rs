//! Phrases by which sentences of a conversation are weighed: data and how it is matched. A change here raises
//! `TEXT_VERSION`.

use crate::normal::is_negation;

/// Signs of a decision, each between spaces in small letters.
const DECISIONS: &[&str] = &[
    "agreed",
    "approved",
    "decided",
    "decision is",
    "final answer",
    "final decision",
    "finally settled",
    "go ahead with",
    "going to go with",
    "going with",
    "i will go with",
    "i'll go with",
    "i'll take the",
    "it's settled",
    "let us go with",
    "let us use",
    "let's do",
    "let's go with",
    "let's keep",
    "let's stick with",
    "let's use",
    "our plan is",
    "settled on",
    "signed off",
    "the plan is",
    "we agree",
    "we are going with",
    "we chose",
    "we picked",
    "we will",
    "we won't",
    "we'll",
    "we're going with",
];

/// What an assistant says of its work and not of the matter, at the start of a sentence.
const MANNERS: &[&str] = &[
    "can i help",
    "feel free",
    "glad to",
    "happy to",
    "here are",
    "here is",
    "here's",
    "hope that helps",
    "hope this helps",
    "i can help",
    "i'd be happy",
    "i'm happy to",
    "i'm here to",
    "let me know",
    "would you like me",
];

/// Words of which greetings, thanks and consent are made.
const FILLERS: &[&str] = &[
    "absolutely",
    "afternoon",
    "ah",
    "alright",
    "awesome",
    "bye",
    "care",
    "cheers",
    "cool",
    "course",
    "day",
    "dear",
    "definitely",
    "evening",
    "exactly",
    "excellent",
    "fantastic",
    "fine",
    "gladly",
    "glad",
    "good",
    "goodbye",
    "got",
    "great",
    "haha",
    "happy",
    "hello",
    "help",
    "hey",
    "hi",
    "hm",
    "hmm",
    "hope",
    "indeed",
    "interesting",
    "know",
    "later",
    "lol",
    "lot",
    "love",
    "luck",
    "makes",
    "morning",
    "much",
    "nice",
    "night",
    "no",
    "noted",
    "ok",
    "okay",
    "oh",
    "perfect",
    "please",
    "pleasure",
    "problem",
    "really",
    "right",
    "see",
    "sense",
    "soon",
    "sorry",
    "sounds",
    "sure",
    "thank",
    "thanks",
    "thx",
    "understood",
    "welcome",
    "well",
    "will",
    "wonderful",
    "wow",
    "yeah",
    "yep",
    "yes",
    "yup",
];

/// A sentence in small letters, its words between single spaces, with one at either end.
#[derive(Debug)]
pub(super) struct Plain {
    text: String,
}

impl Plain {
    pub(super) fn new(sentence: &str) -> Self {
        let mut text = String::with_capacity(sentence.len() + 2);
        text.push(' ');
        for c in sentence.chars() {
            match c {
                '\'' | '’' => text.push('\''),
                c if c.is_alphanumeric() => text.extend(c.to_lowercase()),
                _ if !text.ends_with(' ') => text.push(' '),
                _ => {}
            }
        }
        if !text.ends_with(' ') {
            text.push(' ');
        }
        Self { text }
    }

    /// Whether something is agreed.
    pub(super) fn decides(&self) -> bool {
        DECISIONS.iter().any(|phrase| self.has(phrase))
    }

    /// Whether there is a "not" in it.
    pub(super) fn denies(&self) -> bool {
        self.text.split(' ').any(is_negation)
    }

    /// Whether an assistant only offers its help.
    pub(super) fn is_manners(&self) -> bool {
        MANNERS.iter().any(|phrase| {
            self.text
                .trim_start()
                .strip_prefix(phrase)
                .is_some_and(|rest| rest.starts_with(' '))
        })
    }

    /// Whether all its telling words are those of greetings, thanks and consent.
    pub(super) fn is_filler(&self, is_telling: impl Fn(&str) -> bool) -> bool {
        self.text
            .split(' ')
            .filter(|word| !word.is_empty())
            .all(|word| FILLERS.contains(&word) || !is_telling(word))
    }

    fn has(&self, phrase: &str) -> bool {
        self.text.match_indices(phrase).any(|(at, _)| {
            let before = self.text.get(..at).is_some_and(|head| head.ends_with(' '));
            before
                && self
                    .text
                    .get(at + phrase.len()..)
                    .is_some_and(|rest| rest.starts_with(' '))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_matched_as_whole_words() {
        assert!(Plain::new("OK, we’ll use Postgres!").decides());
        assert!(Plain::new("Let's go with the blue one").decides());
        assert!(!Plain::new("He disagreed with us").decides());
        assert!(!Plain::new("").decides());
        assert!(Plain::new("Happy to help!").is_manners());
        assert!(!Plain::new("The happy to-do list").is_manners());
        assert!(Plain::new("Great, thanks a lot!").is_filler(|word| word.len() > 1));
        assert!(!Plain::new("Thanks for the invoice").is_filler(|word| word.len() > 3));
    }
}
