//! The words of a sentence and the classes that rules name: `<month>`, `<past>`, `<feel>`.

use super::rules;
use crate::piece::lowered;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Words of one sentence that are looked at.
pub(super) const WORDS_MAX: usize = 80;

/// A class of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Month,
    MonthShort,
    MonthVerb,
    Weekday,
    WeekdayShort,
    Weekdays,
    Quarter,
    Year,
    Date,
    Clock,
    Number,
    Unit,
    Units,
    Past,
    NotPast,
    Feel,
    Be,
    Have,
    Very,
    Adverb,
    Pronoun,
    Name,
    Determiner,
    Opener,
    Assistant,
}

/// The classes of each word in the lists.
static LISTED: LazyLock<HashMap<&'static str, u32>> = LazyLock::new(|| {
    let mut listed = HashMap::new();
    let feelings = rules::FEELINGS
        .iter()
        .map(|(_, words)| (&Class::Feel, words));
    let classes = rules::CLASSES.iter().map(|(class, words)| (class, words));
    for (class, words) in classes.chain(feelings) {
        for word in words.split(' ') {
            *listed.entry(word).or_default() |= class.bit();
        }
    }
    listed
});

/// The feeling of each word for one.
static FEELINGS: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let of = |(feeling, words): &(&'static str, &'static str)| {
        words
            .split(' ')
            .map(|word| (word, *feeling))
            .collect::<Vec<_>>()
    };
    rules::FEELINGS.iter().flat_map(of).collect()
});

/// Whether a word in small letters is in the list of a class.
pub(super) fn is_listed(lower: &str, class: Class) -> bool {
    LISTED
        .get(lower)
        .is_some_and(|classes| classes & class.bit() != 0)
}

impl Class {
    /// All classes that rules may name, as they name them.
    pub(super) const NAMED: [(Self, &'static str); 17] = [
        (Self::Month, "<month>"),
        (Self::Weekday, "<weekday>"),
        (Self::Weekdays, "<weekdays>"),
        (Self::Quarter, "<quarter>"),
        (Self::Year, "<year>"),
        (Self::Date, "<date>"),
        (Self::Clock, "<clock>"),
        (Self::Number, "<number>"),
        (Self::Unit, "<unit>"),
        (Self::Units, "<units>"),
        (Self::Past, "<past>"),
        (Self::Feel, "<feel>"),
        (Self::Be, "<be>"),
        (Self::Very, "<very>"),
        (Self::Adverb, "<adverb>"),
        (Self::Pronoun, "<pronoun>"),
        (Self::Name, "<name>"),
    ];

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A word, in small letters without marks at its ends.
#[derive(Debug)]
pub(super) struct Word<'a> {
    pub(super) lower: String,
    /// As it stands.
    raw: &'a str,
    classes: u32,
}

impl Word<'_> {
    /// Whether the word belongs to a class.
    pub(super) fn is(&self, class: Class) -> bool {
        self.classes & class.bit() != 0
    }

    /// What a word for a feeling says.
    pub(super) fn feeling(&self) -> Option<&'static str> {
        FEELINGS.get(self.lower.as_str()).copied()
    }
}

/// The words of a sentence with their classes.
pub(super) fn words(sentence: &str) -> Vec<Word<'_>> {
    let mut words: Vec<Word<'_>> = sentence
        .split(|c: char| c.is_whitespace() || matches!(c, '–' | '—' | '(' | ')' | '…'))
        .filter_map(|raw| {
            let raw = raw.trim_matches(|c: char| !c.is_alphanumeric());
            (!raw.is_empty()).then(|| Word {
                lower: lowered(raw),
                raw,
                classes: 0,
            })
        })
        .take(WORDS_MAX)
        .collect();
    let mut next = Next::default();
    for at in (0..words.len()).rev() {
        if let Some(word) = words.get_mut(at) {
            word.classes = classes(word, at == 0, next);
            next = Next {
                is_number: word.is(Class::Number) || word.is(Class::Year),
                is_name: word.is(Class::Name),
            };
        }
    }
    words
}

/// What follows a word.
#[derive(Debug, Clone, Copy, Default)]
struct Next {
    is_number: bool,
    is_name: bool,
}

fn classes(word: &Word<'_>, first: bool, next: Next) -> u32 {
    let lower = word.lower.as_str();
    let mut listed = LISTED.get(lower).copied().unwrap_or_default();
    let capital = word.raw.starts_with(char::is_uppercase);
    // "April Jones", "the Sunday Times": part of a name.
    if capital && next.is_name {
        listed &= !(Class::Month.bit() | Class::Weekday.bit());
    }
    let is = |class: Class| listed & class.bit() != 0;
    let has_digit = lower.bytes().any(|byte| byte.is_ascii_digit());
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let year = lower.len() == 4 && number && (lower.starts_with("19") || lower.starts_with("20"));
    let month = is(Class::Month)
        || capital && is(Class::MonthShort)
        || capital && is(Class::MonthVerb) && (!first || next.is_number);
    let weekday = is(Class::Weekday) || capital && is(Class::WeekdayShort);
    let (head, tail) = lower.split_once('\'').unwrap_or((lower, ""));
    let pronoun = is_listed(head, Class::Pronoun);
    let past = is(Class::Past)
        || !is(Class::NotPast)
            && lower.len() > 4
            && lower.ends_with("ed")
            && !lower.ends_with("eed");
    let other = pronoun || month || weekday || is(Class::Opener) || first && past;
    [
        (Class::Month, month),
        (Class::Weekday, weekday),
        (Class::Quarter, has_digit && is_quarter(lower)),
        (Class::Year, year),
        (Class::Date, has_digit && is_date(lower)),
        (Class::Clock, has_digit && is_clock(lower)),
        (
            Class::Number,
            number && !year && digits.len() + 2 >= lower.len(),
        ),
        (Class::Past, past),
        (Class::Be, matches!(tail, "m" | "re" | "s")),
        (Class::Have, tail == "ve"),
        (Class::Pronoun, pronoun),
        (Class::Name, capital && !other),
    ]
    .into_iter()
    .filter(|(_, holds)| *holds)
    .fold(listed, |classes, (class, _)| classes | class.bit())
}

/// `q2`, `h1`, `fy26`, `q2-2026`
fn is_quarter(lower: &str) -> bool {
    let digits = lower
        .trim_start_matches("fy")
        .trim_start_matches(['q', 'h']);
    let head = lower.len() - digits.len();
    (1..=3).contains(&head)
        && lower.len() <= 8
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'/' | b'\''))
        && (!lower.starts_with('h') || matches!(lower, "h1" | "h2"))
}

/// `2026-12-01` with or without a time, `1/12/2026`, `1.12.2026`
fn is_date(lower: &str) -> bool {
    let date = lower.split('t').next().unwrap_or_default();
    ['-', '/', '.'].iter().any(|mark| {
        let parts: Vec<&str> = date.splitn(4, *mark).collect();
        let digits = parts.iter().all(|part| {
            (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        });
        parts.len() == 3 && digits && parts.iter().any(|part| part.len() == 4)
    })
}

/// `10am`, `10:30`, `10am-2pm`, `9:00-17:00`
fn is_clock(lower: &str) -> bool {
    lower.len() <= 16
        && lower.split('-').all(|time| {
            let half = time.strip_suffix("am").or_else(|| time.strip_suffix("pm"));
            let digits = half.unwrap_or(time);
            let (hour, minute) = digits.split_once(':').unwrap_or((digits, ""));
            let two = |text: &str| {
                (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
            };
            two(hour) && (two(minute) && minute.len() == 2 || minute.is_empty() && half.is_some())
        })
}
