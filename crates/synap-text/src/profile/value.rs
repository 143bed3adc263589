//! The value that follows a pattern.

use super::rules::{ENDS, NO_VALUES, Rule, TRADES, Take};
use super::wish::slug;
use super::words::{Found, Word};

/// Words of a value.
const WORDS_MAX: usize = 6;
/// A value is at most this long.
const BYTES_MAX: usize = 80;
/// Words of a person's name.
const NAME_WORDS_MAX: usize = 3;
/// Digits of a number of a telephone.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
const MONTHS: &str = "january february march april may june july august september october november december jan feb mar apr jun jul \
    aug sep sept oct nov dec";
/// Capitalised words that say of what sort somebody is, or when, not who.
const SORTS: &str = "american australian austrian belgian brazilian british canadian chinese christian danish dutch english finnish french \
    german greek hindu hungarian indian irish italian japanese jewish korean mexican muslim norwegian polish portuguese \
    russian spanish swedish swiss turkish ukrainian monday tuesday wednesday thursday friday saturday sunday tomorrow";

/// The value, and what the attribute's name is completed by: "wife", "peanut".
pub(super) fn of(rule: &Rule, found: &Found<'_>) -> Option<(String, Option<String>)> {
    let about = matches!(rule.name, "family" | "pet");
    if rule.name == "allergy" {
        let value = found.slot.clone().or_else(|| phrase(&found.rest))?;
        let slug = slug(value.rsplit(' ').next()?);
        return (!slug.is_empty()).then_some((value, Some(slug)));
    }
    let value = match rule.take {
        Take::Phrase => without_article(phrase(&found.rest)?),
        Take::Proper => proper(found)?,
        Take::Person => person(found)?,
        Take::Trade => trade(&found.rest)?,
        Take::Email => email(&found.rest)?,
        Take::Phone => phone(&found.rest)?,
        Take::Date => date(&found.rest)?,
        Take::Matched => matched(rule, found)?,
        Take::Without => format!("no {}", phrase(&found.rest)?),
    };
    Some((value, if about { found.slot.clone() } else { None }))
}

fn is_one_of(word: &str, list: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed == word)
}

/// The words to the end of the phrase, which may start with an article.
fn phrase(words: &[Word<'_>]) -> Option<String> {
    phrase_to(words, |word, first| {
        let article = first && matches!(word.lower.as_str(), "a" | "an" | "the");
        !article && is_one_of(&word.lower, ENDS)
    })
}

fn phrase_to(words: &[Word<'_>], ends: impl Fn(&Word<'_>, bool) -> bool) -> Option<String> {
    let mut value = String::new();
    for (at, word) in words.iter().take(WORDS_MAX).enumerate() {
        if ends(word, at == 0) {
            break;
        }
        if at > 0 {
            value.push(' ');
        }
        value.push_str(word.raw);
        if word.closes {
            break;
        }
    }
    let lower = value.to_lowercase();
    let said = !value.is_empty() && value.len() <= BYTES_MAX && !is_one_of(&lower, NO_VALUES);
    said.then_some(value)
}

fn without_article(value: String) -> String {
    ["a ", "an ", "the "]
        .iter()
        .find_map(|article| value.strip_prefix(article).map(ToOwned::to_owned))
        .unwrap_or(value)
}

/// A place, a company or a language, to the end of the phrase; "Lisbon, Portugal" and "English and German" are whole.
fn proper(found: &Found<'_>) -> Option<String> {
    let first = found.rest.first()?;
    let second = found.rest.get(1);
    let capital = |word: &Word<'_>| {
        word.raw.starts_with(char::is_uppercase) || word.raw.starts_with(char::is_numeric)
    };
    let named = capital(first) || first.lower == "the" && second.is_some_and(capital);
    if !named && (!found.casual || is_one_of(&first.lower, NO_VALUES)) {
        return None;
    }
    let joined = |at: usize| {
        let (word, next) = (found.rest.get(at), found.rest.get(at + 1));
        word.is_some_and(|word| matches!(word.lower.as_str(), "and" | "of"))
            && next.is_some_and(|next| capital(next) && next.raw.len() > 1)
    };
    let mut count = 0;
    while let Some(word) = found.rest.get(count) {
        if count > 0 && is_one_of(&word.lower, ENDS) && !joined(count) {
            break;
        }
        count += 1;
        if word.closes || count == WORDS_MAX {
            break;
        }
    }
    let value = phrase_to(found.rest.get(..count)?, |_, _| false)?;
    let region = found.rest.get(count).filter(|region| {
        let ends = found.rest.get(count + 1).is_none() || region.closes;
        capital(region) && ends && found.rest.get(count - 1).is_some_and(|word| word.closes)
    });
    Some(region.map_or_else(
        || value.clone(),
        |region| format!("{value}, {}", region.raw),
    ))
}

/// Capitalised words; in a text without capitals one word, at the end.
fn person(found: &Found<'_>) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for word in found.rest.iter().take(NAME_WORDS_MAX) {
        let name = word.raw.starts_with(char::is_uppercase)
            && word
                .raw
                .chars()
                .all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’' | '.'))
            && (word.raw.len() == 1 || word.raw.chars().any(char::is_lowercase))
            && !is_one_of(&word.lower, SORTS)
            && !is_one_of(&word.lower, ENDS);
        if !name {
            break;
        }
        names.push(word.raw);
        if word.closes {
            break;
        }
    }
    if names.is_empty() && found.casual && found.slot.is_none() {
        let first = found.rest.first()?;
        let alone = found.rest.len() == 1 || first.closes;
        let name = alone
            && first.raw.chars().all(char::is_alphabetic)
            && !is_one_of(&first.lower, NO_VALUES);
        return name.then(|| first.raw.to_owned());
    }
    (!names.is_empty()).then(|| names.join(" "))
}

/// "senior software engineer": the phrase ends in a profession.
fn trade(words: &[Word<'_>]) -> Option<String> {
    let value = phrase(words)?;
    let last = value.rsplit(' ').next()?.to_lowercase();
    is_one_of(&last, TRADES).then_some(value)
}

fn email(words: &[Word<'_>]) -> Option<String> {
    let word = words.iter().take(2).find(|word| word.raw.contains('@'))?;
    let (local, domain) = word.raw.split_once('@')?;
    let address = !local.is_empty()
        && domain.contains('.')
        && !domain.contains('@')
        && word.raw.len() <= 254
        && !domain.starts_with('.');
    address.then(|| word.raw.to_owned())
}

/// Digits with marks between them.
fn phone(words: &[Word<'_>]) -> Option<String> {
    let mut number: Vec<&str> = Vec::new();
    for word in words.iter().take(DIGITS.end() + 1) {
        if !word
            .raw
            .chars()
            .all(|c| c.is_ascii_digit() || "+-./()".contains(c))
        {
            break;
        }
        number.push(word.raw);
        if word.closes {
            break;
        }
    }
    let number = number.join(" ");
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    DIGITS.contains(&digits).then_some(number)
}

/// A phrase with a number or a month.
fn date(words: &[Word<'_>]) -> Option<String> {
    let joins = |word: &Word<'_>| matches!(word.lower.as_str(), "the" | "of");
    let dated = |word: &Word<'_>| {
        word.raw.starts_with(|c: char| c.is_ascii_digit()) || is_one_of(&word.lower, MONTHS)
    };
    let date: Vec<&Word<'_>> = words
        .iter()
        .take(WORDS_MAX)
        .take_while(|word| joins(word) || dated(word))
        .collect();
    let value: Vec<&str> = date.iter().map(|word| word.raw).collect();
    let value = without_article(value.join(" "));
    date.iter().any(|word| dated(word)).then_some(value)
}

/// The word of the pattern: a zone in capitals, a diet as it is, where no other noun follows ("a vegetarian restaurant").
fn matched(rule: &Rule, found: &Found<'_>) -> Option<String> {
    let word = found.slot.clone()?;
    if rule.name == "timezone" {
        return Some(word.to_uppercase());
    }
    let open = found
        .rest
        .first()
        .is_none_or(|next| is_one_of(&next.lower, ENDS) || next.lower == "not");
    let closed = found.rest.is_empty() || open;
    closed.then_some(word)
}
