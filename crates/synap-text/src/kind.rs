//! Decides what kind of memory a statement is, by the rules in `rules.rs`. Reads at most [`SENTENCES_MAX`] sentences of
//! [`word::WORDS_MAX`] words.

mod pattern;
mod rules;
mod word;

use crate::piece::part;
use crate::sentence;
use rules::Sign;
use std::collections::HashMap;
use std::sync::LazyLock;
use synap_types::MemoryType;
use word::{Class, Word};

/// Sentences of one statement that are looked at.
const SENTENCES_MAX: usize = 12;
/// Up to here, a verb in the past outweighs a time to come.
const SURE_WEAK: f32 = 0.7;
/// No rule applied.
const SURE_DEFAULT: f32 = 0.5;

/// A kind, and how it was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Typed {
    pub(crate) kind: MemoryType,
    /// 0 to 1, coarse.
    pub(crate) confidence: f32,
    /// Which feeling an emotion is; what anything else is about, where a word tells. A preference always has one.
    pub(crate) category: Option<&'static str>,
}

/// Types the text of a statement. `context`: its headings. An assistant's likes and feelings are manners, hence facts.
pub(crate) fn of(text: &str, context: Option<&str>, speaker: Option<&str>) -> Typed {
    let assistant = speaker.is_some_and(is_assistant);
    let mut best = Typed {
        kind: MemoryType::Fact,
        confidence: SURE_DEFAULT,
        category: None,
    };
    for range in sentence::cut(text).into_iter().take(SENTENCES_MAX) {
        let found = one(part(text, range));
        let manners =
            assistant && matches!(found.kind, MemoryType::Preference | MemoryType::Emotion);
        let better = found.kind != MemoryType::Fact && best.kind == MemoryType::Fact
            || found.confidence > best.confidence;
        if better && !manners && (found.kind != MemoryType::Fact || best.kind == MemoryType::Fact) {
            best = found;
        }
    }
    if best.kind == MemoryType::Fact
        && let Some(found) = context.and_then(by_heading)
    {
        best = found;
    }
    Typed {
        category: best.category.or_else(|| category(best.kind, text)),
        ..best
    }
}

/// Whether a capitalised word at the start of a sentence is one that starts sentences, hence no name.
pub(crate) fn opens_sentences(word: &str) -> bool {
    word::is_listed(&word.to_lowercase(), Class::Opener)
}

/// Whether a word in small letters stands for a person or before a noun, hence is no name.
pub(crate) fn is_pronoun(lower: &str) -> bool {
    [Class::Pronoun, Class::Determiner]
        .into_iter()
        .any(|class| word::is_listed(lower, class))
}

/// Whether a speaker's name is that of an assistant: "Assistant", "AI", "system".
pub(crate) fn is_assistant(name: &str) -> bool {
    word::is_listed(&name.to_lowercase(), Class::Assistant)
}

/// Whether a word in small letters is the name of a month or a weekday.
pub(crate) fn is_calendar(lower: &str) -> bool {
    [
        Class::Month,
        Class::MonthShort,
        Class::MonthVerb,
        Class::Weekday,
        Class::WeekdayShort,
        Class::Weekdays,
    ]
    .into_iter()
    .any(|class| word::is_listed(lower, class))
}

/// Which way a sentence looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tense {
    Past,
    Future,
    /// The present, or no verb that tells: what it names lies ahead more often than behind.
    Other,
}

/// The tense of a sentence, by its verbs and by words such as "ago".
pub(crate) fn tense(sentence: &str) -> Tense {
    let words = word::words(sentence);
    let lower = |at: usize| words.get(at).map_or("", |word| word.lower.as_str());
    let ahead = |at: usize| {
        let word = lower(at);
        matches!(
            word,
            "will" | "won't" | "shall" | "tomorrow" | "upcoming" | "must" | "should"
        ) || word.ends_with("'ll")
            || word == "going" && lower(at + 1) == "to" && at > 0
    };
    if (0..words.len()).any(ahead) {
        return Tense::Future;
    }
    let back = |at: usize| {
        let before = at.checked_sub(1).map_or("", lower);
        let passive = matches!(
            before,
            "is" | "are" | "be" | "i'm" | "am" | "get" | "gets" | "getting" | "to"
        );
        matches!(
            lower(at),
            "was" | "were" | "did" | "didn't" | "had" | "been" | "ago" | "wasn't" | "weren't"
        ) || words.get(at).is_some_and(|word| word.is(Class::Past)) && !passive
    };
    if (0..words.len()).any(back) {
        Tense::Past
    } else {
        Tense::Other
    }
}

fn by_heading(context: &str) -> Option<Typed> {
    let lower = context.to_lowercase();
    rules::HEADINGS
        .iter()
        .find(|(word, _)| lower.contains(word))
        .map(|(_, kind)| Typed {
            kind: *kind,
            confidence: 0.6,
            category: None,
        })
}

/// What the rules found in a sentence.
#[derive(Default)]
struct Signs {
    wish: f32,
    feeling: Option<(&'static str, f32)>,
    polite: bool,
    past: f32,
    around: f32,
    due: f32,
}

fn one(sentence: &str) -> Typed {
    let words = word::words(sentence);
    let signs = signs(&words);
    let acted = acted(&words);
    let fact = Typed {
        kind: MemoryType::Fact,
        confidence: SURE_DEFAULT,
        category: None,
    };
    let typed = |kind, confidence| Typed {
        kind,
        confidence,
        category: category(kind, sentence),
    };
    if sentence.trim_end().ends_with(['?', '？', '؟']) {
        return fact;
    }
    let feeling = signs.feeling.or_else(|| idiom(sentence));
    if let Some((feeling, sure)) = feeling.filter(|_| !signs.polite) {
        return Typed {
            kind: MemoryType::Emotion,
            confidence: sure,
            category: Some(feeling),
        };
    }
    if signs.wish > 0.0 {
        return typed(MemoryType::Preference, signs.wish);
    }
    let moved = words
        .iter()
        .any(|word| word.is(Class::Past) || word.lower == "been");
    if signs.past > 0.0 && moved {
        return typed(MemoryType::Episode, signs.past);
    }
    if acted && signs.around > 0.0 {
        return typed(MemoryType::Episode, 0.9);
    }
    if signs.due > SURE_WEAK || signs.due > 0.0 && !acted {
        return typed(MemoryType::TemporalEvent, signs.due);
    }
    if acted {
        return typed(MemoryType::Episode, 0.6);
    }
    if signs.around > 0.0 {
        let was = moved
            && words
                .iter()
                .any(|word| matches!(word.lower.as_str(), "was" | "were"));
        return if was {
            typed(MemoryType::Episode, 0.7)
        } else {
            typed(MemoryType::TemporalEvent, signs.around)
        };
    }
    if asks_politely(&words) {
        return typed(MemoryType::Preference, 0.6);
    }
    fact
}

/// A feeling that a turn of phrase says.
fn idiom(sentence: &str) -> Option<(&'static str, f32)> {
    let lower = sentence.to_lowercase();
    let found = rules::IDIOMS
        .iter()
        .find(|(phrase, _)| lower.contains(phrase))?;
    Some((found.1, 0.7))
}

/// "Please use short words", "no calls, please".
fn asks_politely(words: &[Word<'_>]) -> bool {
    let is = |word: Option<&Word<'_>>| word.is_some_and(|word| word.lower == "please");
    words.len() > 1 && (is(words.first()) || is(words.last()))
}

fn signs(words: &[Word<'_>]) -> Signs {
    let mut signs = Signs::default();
    for found in pattern::find(words) {
        match found.rule.sign {
            Sign::Wish => signs.wish = signs.wish.max(found.rule.sure),
            Sign::Feel => {
                let feeling = found.feeling.unwrap_or("general");
                if signs.feeling.is_none_or(|(_, sure)| found.rule.sure > sure) {
                    signs.feeling = Some((feeling, found.rule.sure));
                }
            }
            Sign::Polite => signs.polite = true,
            Sign::Past => signs.past = signs.past.max(found.rule.sure),
            Sign::Around => signs.around = signs.around.max(found.rule.sure),
            Sign::Due => signs.due = signs.due.max(found.rule.sure),
        }
    }
    signs
}

/// Whether the sentence starts with somebody who did something: a pronoun, a name or a noun, then a verb in the past. A
/// time may come first; and notes leave "I" out.
fn acted(words: &[Word<'_>]) -> bool {
    let words = words.get(opening_time(words)..).unwrap_or_default();
    let numbers = words
        .iter()
        .take_while(|word| word.is(Class::Number))
        .count();
    let words = words.get(numbers..).unwrap_or_default();
    if note(words) || done(words) {
        return true;
    }
    let subject = words
        .iter()
        .take_while(|word| word.is(Class::Name) || word.is(Class::Pronoun))
        .count();
    let subject = subject.min(4);
    let determined = words.first().is_some_and(|word| word.is(Class::Determiner));
    let noun_subject = subject == 0 && (determined || numbers > 0);
    let start = if subject > 0 {
        subject
    } else if noun_subject {
        1 + usize::from(determined)
    } else {
        return false;
    };
    // "I've got a meeting" says what there is.
    let owns = words
        .iter()
        .take(start + 1)
        .any(|word| word.is(Class::Have));
    words
        .iter()
        .skip(start)
        .take(4)
        .take_while(|word| !word.is(Class::Be) || word.is(Class::Have) || word.is(Class::Past))
        .find(|word| {
            let skipped = word.is(Class::Adverb) || word.is(Class::Have);
            !skipped && (!noun_subject || word.is(Class::Past))
        })
        .is_some_and(|word| word.is(Class::Past) && !(word.lower == "got" && owns))
}

/// How many words a time at the start of a sentence has: "In 2018", "On Monday", "Last week".
fn opening_time(words: &[Word<'_>]) -> usize {
    let opens = words.first().is_some_and(|word| {
        matches!(
            word.lower.as_str(),
            "in" | "on" | "at" | "during" | "last" | "back"
        )
    });
    if !opens {
        return 0;
    }
    let timed = |word: &Word<'_>| {
        [
            Class::Year,
            Class::Month,
            Class::Weekday,
            Class::Date,
            Class::Clock,
            Class::Number,
            Class::Unit,
            Class::Quarter,
        ]
        .into_iter()
        .any(|class| word.is(class))
    };
    let last = words.iter().take(5).rposition(timed);
    last.map_or(0, |at| at + 1)
}

/// "Had lunch with Paul": a note that leaves its subject out.
fn note(words: &[Word<'_>]) -> bool {
    let told = words.iter().position(|word| !word.is(Class::Adverb));
    let verb = told.and_then(|at| words.get(at));
    let object = told.and_then(|at| words.get(at + 1));
    verb.is_some_and(|word| word.lower == "had" || word::is_listed(&word.lower, Class::Past))
        && object.is_some_and(|word| {
            word.is(Class::Determiner)
                || matches!(word.lower.as_str(), "to" | "back" | "with" | "out")
        })
}

/// "The ticket was closed", "they have been told".
fn done(words: &[Word<'_>]) -> bool {
    words.windows(2).any(|pair| match pair {
        [be, verb] => {
            matches!(be.lower.as_str(), "was" | "were")
                && verb.is(Class::Past)
                && verb.feeling().is_none()
        }
        _ => false,
    })
}

/// The place of each topic's words in [`rules::TOPICS`].
static TOPICS: LazyLock<HashMap<&'static str, usize>> = LazyLock::new(|| {
    let mut places = HashMap::new();
    for (place, (_, words)) in rules::TOPICS.iter().enumerate() {
        for word in words.split(' ') {
            places.entry(word).or_insert(place);
        }
    }
    places
});

fn category(kind: MemoryType, text: &str) -> Option<&'static str> {
    if kind == MemoryType::Emotion {
        return None;
    }
    // Of a preference, a weekday is what it is about; of anything else, when it is.
    let preferred = kind == MemoryType::Preference;
    let lower = text.to_lowercase();
    let topics = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| {
            let place = *TOPICS.get(word)?;
            Some((place, rules::TOPICS.get(place)?.0))
        });
    topics
        .filter(|(_, topic)| preferred || *topic != "schedule")
        .min()
        .map(|(_, topic)| topic)
        .or_else(|| preferred.then_some("general"))
}

#[cfg(test)]
mod tests;
