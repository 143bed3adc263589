//! The words, numbers and marks of a sentence, with what digits can mean by themselves: `2026-03-05`, `9:30`, `5th`.

use super::words::{Lexeme, look_up};
use crate::piece::lowered;
use synap_types::Timestamp;
use time::{Date, Month, Time};

/// Tokens of one sentence that are looked at.
const TOKENS_MAX: usize = 160;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// `2026`, `7`
    Number(u32),
    /// `5th`
    Ordinal(u32),
    /// `2026-03-05`, `3/5/2026` (the month first, unless it cannot be one), `25.03.2026` (only if it can be read in one way)
    Date(Date, Option<Time>),
    /// `2026-03`
    YearMonth(u32, u32),
    /// `9:30`, `10am-2pm`
    Clock(Time, Option<Time>),
    /// `3-7`, `2021-2023`
    Pair(u32, u32),
    /// `1990s`, `90s`
    Decade(u32),
    Mark(char),
    Other,
}

/// One token.
#[derive(Debug)]
pub(super) struct Token {
    /// In small letters, without a possessive ending; of a mark, the mark.
    pub(super) lower: String,
    /// It starts with a capital letter.
    pub(super) capital: bool,
    pub(super) kind: Kind,
    pub(super) lexeme: Lexeme,
}

impl Token {
    /// Whether a time expression may start with it.
    pub(super) const fn starts(&self) -> bool {
        self.lexeme.starts || self.is_number()
    }

    /// Whether it can make words around it a time expression.
    pub(super) const fn names(&self) -> bool {
        self.lexeme.names || self.is_number()
    }

    const fn is_number(&self) -> bool {
        !matches!(self.kind, Kind::Word | Kind::Mark(_) | Kind::Other)
    }
}

/// The tokens of a sentence.
pub(super) fn tokens(sentence: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = sentence;
    while found.len() < TOKENS_MAX {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else {
            break;
        };
        let length = if first.is_ascii_digit() {
            run(rest, in_number)
        } else if first.is_alphanumeric() {
            dotted(rest).unwrap_or_else(|| run(rest, in_word))
        } else {
            first.len_utf8()
        };
        let (raw, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        found.push(token(raw, first));
        rest = after;
    }
    found
}

/// The length of the run at the start of `text`. `belongs` is asked of each character and the one after it.
fn run(text: &str, belongs: fn(char, Option<char>) -> bool) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        if !belongs(c, next) {
            return at;
        }
    }
    text.len()
}

fn in_number(c: char, next: Option<char>) -> bool {
    let joins = matches!(c, '-' | '–' | '/' | '.' | ':' | ',' | '+');
    c.is_alphanumeric() || joins && next.is_some_and(|next| next.is_ascii_digit())
}

fn in_word(c: char, next: Option<char>) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '’') && next.is_some_and(char::is_alphanumeric)
}

/// `a.m.`, `p.m`
fn dotted(text: &str) -> Option<usize> {
    let head = text.get(..3)?;
    let whole = !text.get(3..)?.starts_with(char::is_alphanumeric);
    let half = head.eq_ignore_ascii_case("a.m") || head.eq_ignore_ascii_case("p.m");
    (half && whole).then_some(3)
}

fn token(raw: &str, first: char) -> Token {
    let lower = lowered(raw);
    let kind = if first.is_ascii_digit() {
        number(&lower.replace('–', "-"))
    } else if first.is_alphanumeric() {
        Kind::Word
    } else {
        Kind::Mark(first)
    };
    let lower = match lower.strip_suffix("'s") {
        Some(owner) if kind == Kind::Word => owner.to_owned(),
        _ if kind == Kind::Word && lower.contains('.') => lower.replace('.', ""),
        _ => lower,
    };
    Token {
        lexeme: if kind == Kind::Word {
            look_up(&lower)
        } else {
            Lexeme::default()
        },
        lower,
        capital: first.is_uppercase(),
        kind,
    }
}

fn number(lower: &str) -> Kind {
    if lower.contains('t')
        && let Ok(at) = lower.to_uppercase().parse::<Timestamp>()
    {
        let at = at.to_datetime();
        return Kind::Date(at.date(), Some(at.time()));
    }
    let digits = lower.bytes().take_while(u8::is_ascii_digit).count();
    let (head, tail) = lower.split_at_checked(digits).unwrap_or((lower, ""));
    let value = head.parse().ok().filter(|_| head.len() <= 4);
    match (value, tail) {
        (Some(value), "") => Kind::Number(value),
        (Some(value), "st" | "nd" | "rd" | "th") => Kind::Ordinal(value),
        (Some(value), "s") if value % 10 == 0 && matches!(head.len(), 2 | 4) => {
            Kind::Decade(if value < 100 { 1900 + value } else { value })
        }
        _ => date(lower)
            .map(|date| Kind::Date(date, None))
            .or_else(|| clocks(lower))
            .or_else(|| pair(lower))
            .unwrap_or(Kind::Other),
    }
}

/// A number of one to four digits.
fn digits(text: &str) -> Option<u32> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn date(text: &str) -> Option<Date> {
    let mark = ['-', '/', '.']
        .into_iter()
        .find(|mark| text.matches(*mark).count() == 2)?;
    let mut parts = text.split(mark);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    let numbers = (digits(first)?, digits(second)?, digits(third)?);
    if first.len() == 4 {
        return day(numbers.0, numbers.1, numbers.2);
    }
    if third.len() != 4 || first.len() > 2 || second.len() > 2 {
        return None;
    }
    let (one, two, year) = numbers;
    match mark {
        '/' if one <= 12 => day(year, one, two),
        '.' if one <= 12 && two <= 12 && one != two => None,
        _ => day(year, two, one),
    }
}

/// A day of the calendar.
pub(super) fn day(year: u32, month: u32, day: u32) -> Option<Date> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()
}

fn clocks(text: &str) -> Option<Kind> {
    let (from, to) = match text.split_once('-') {
        Some((from, to)) => (from, Some(to)),
        None => (text, None),
    };
    let half = |text: &str| text.ends_with("am") || text.ends_with("pm");
    match to {
        None => clock(from).map(|from| Kind::Clock(from, None)),
        Some(to) => {
            // "1-2pm": the second half of the day holds for both.
            let from = if half(to) && !half(from) {
                clock(&format!("{from}{}", to.get(to.len().checked_sub(2)?..)?))
            } else {
                clock(from)
            };
            Some(Kind::Clock(from?, Some(clock(to)?)))
        }
    }
}

fn clock(text: &str) -> Option<Time> {
    let (text, half) = match (text.strip_suffix("am"), text.strip_suffix("pm")) {
        (Some(text), _) => (text, Some(0)),
        (_, Some(text)) => (text, Some(12)),
        _ => (text, None),
    };
    let mut parts = text.split(':');
    let hour = digits(parts.next()?)?;
    let minute = match (parts.next(), half) {
        (Some(minute), _) if minute.len() == 2 => digits(minute)?,
        (None, Some(_)) => 0,
        _ => return None,
    };
    time_of(hour, minute, half)
}

/// A time of day; `half` is 0 before noon, 12 after it, `None` on a clock of 24 hours.
pub(super) fn time_of(hour: u32, minute: u32, half: Option<u32>) -> Option<Time> {
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    Time::from_hms(u8::try_from(hour).ok()?, u8::try_from(minute).ok()?, 0).ok()
}

fn pair(text: &str) -> Option<Kind> {
    let (from, to) = text.split_once('-')?;
    let ordinal = |text: &str| {
        let plain = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        matches!(text.len() - plain.len(), 0 | 2)
            .then(|| digits(plain))
            .flatten()
    };
    let (first, second) = (ordinal(from)?, ordinal(to)?);
    if from.len() == 4 && to.len() == 2 && (1..=12).contains(&second) {
        return Some(Kind::YearMonth(first, second));
    }
    (first < second).then_some(Kind::Pair(first, second))
}
