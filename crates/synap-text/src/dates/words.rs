//! The words of time expressions: months, weekdays, seasons, units, numbers, holidays. Data and look-ups only. A change
//! here raises `TEXT_VERSION`.

use std::collections::HashMap;
use std::sync::LazyLock;
use time::Weekday;

/// A stretch of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Minute,
    Hour,
    Day,
    Weekend,
    Week,
    Fortnight,
    Month,
    Quarter,
    Year,
    Decade,
}

/// How surely a word is a date's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// In small letters it is another word: "may", "march", "sun".
    Capital,
    /// It is nothing else.
    Always,
}

/// Months, with the names of German, French and Spanish. Those before the first `|` are other words, too.
const MONTHS: [&str; 12] = [
    "jan|january januar janvier enero",
    "feb|february februar février febrero",
    "mar march|märz mars marzo",
    "apr|april avril abril",
    "may mai|mayo",
    "jun|june juni juin junio",
    "jul|july juli juillet julio",
    "aug|august août agosto",
    "sep sept|september septembre septiembre",
    "oct|october oktober octobre octubre",
    "nov|november novembre noviembre",
    "dec dez|december dezember décembre diciembre",
];

/// Weekdays from Monday, as [`MONTHS`].
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon|monday mondays", Weekday::Monday),
    ("tue tues|tuesday tuesdays", Weekday::Tuesday),
    ("wed|wednesday wednesdays", Weekday::Wednesday),
    ("thu thur thurs|thursday thursdays", Weekday::Thursday),
    ("fri|friday fridays", Weekday::Friday),
    ("sat|saturday saturdays", Weekday::Saturday),
    ("sun|sunday sundays", Weekday::Sunday),
];

/// Number words, each with the least and the most that it says; equal for what is exact.
const COUNTS: &[(&str, u32, u32)] = &[
    ("a", 1, 1),
    ("an", 1, 1),
    ("one", 1, 1),
    ("two", 2, 2),
    ("couple", 2, 2),
    ("three", 3, 3),
    ("four", 4, 4),
    ("five", 5, 5),
    ("six", 6, 6),
    ("seven", 7, 7),
    ("eight", 8, 8),
    ("nine", 9, 9),
    ("ten", 10, 10),
    ("eleven", 11, 11),
    ("twelve", 12, 12),
    ("fifteen", 15, 15),
    ("twenty", 20, 20),
    ("thirty", 30, 30),
    ("few", 2, 4),
    ("several", 3, 7),
];

/// Ordinals from one.
const ORDINALS: &str = "first second third fourth fifth sixth seventh eighth ninth tenth";

/// Holidays of a fixed day: words, month, day. The longer ones first.
const HOLIDAYS: &[(&str, u32, u32)] = &[
    ("new year eve", 12, 31),
    ("new year day", 1, 1),
    ("christmas eve", 12, 24),
    ("christmas day", 12, 25),
    ("boxing day", 12, 26),
    ("independence day", 7, 4),
    ("valentine day", 2, 14),
    ("april fools day", 4, 1),
    ("halloween", 10, 31),
    ("christmas", 12, 25),
];

/// Units in the singular.
const UNITS: &[(&str, Unit)] = &[
    ("minute", Unit::Minute),
    ("hour", Unit::Hour),
    ("day", Unit::Day),
    ("night", Unit::Day),
    ("weekend", Unit::Weekend),
    ("week", Unit::Week),
    ("fortnight", Unit::Fortnight),
    ("month", Unit::Month),
    ("quarter", Unit::Quarter),
    ("year", Unit::Year),
    ("decade", Unit::Decade),
];

/// Seasons by their first month.
const SEASONS: &[(&str, u32)] = &[
    ("spring springtime", 3),
    ("summer summertime", 6),
    ("autumn fall", 9),
    ("winter wintertime", 12),
];

/// Words that name a time by themselves.
const NAMING: &str = "yesterday today tonight tomorrow evening morning afternoon other q1 q2 q3 q4 h1 h2 eod eow eom eoq eoy \
    hourly daily nightly weekly biweekly fortnightly monthly quarterly yearly annually weekdays weekday workday workdays \
    weekends once twice noon midday";

/// Words that a time expression may start with.
const STARTING: &str = "the in at from between last this next past previous current coming following early mid middle late \
    start beginning end around about circa ca approximately roughly until till til through thru bis by later expire \
    expires expired expiring within before since seit depuis desde effective starting as after for every each";

/// What a word is in time expressions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Lexeme {
    /// From 1.
    pub(super) month: Option<(u32, Sure)>,
    pub(super) weekday: Option<(Weekday, Sure)>,
    /// Its first month.
    pub(super) season: Option<u32>,
    pub(super) unit: Option<Unit>,
    /// At least and at most.
    pub(super) count: Option<(u32, u32)>,
    pub(super) ordinal: Option<u32>,
    /// A holiday's name starts with it.
    pub(super) holiday: bool,
    /// A time expression may start with it.
    pub(super) starts: bool,
    /// No time expression is without such a word, or without a number.
    pub(super) names: bool,
}

static LEXICON: LazyLock<HashMap<String, Lexeme>> = LazyLock::new(|| {
    let mut lexicon: HashMap<String, Lexeme> = HashMap::new();
    let mut set = |word: &str, names: bool, with: &dyn Fn(&mut Lexeme)| {
        let lexeme = lexicon.entry(word.to_owned()).or_default();
        lexeme.starts = true;
        lexeme.names |= names;
        with(lexeme);
    };
    for (month, list) in (1..).zip(MONTHS) {
        for (word, sure) in sorted(list) {
            set(word, true, &|lexeme| lexeme.month = Some((month, sure)));
        }
    }
    for (list, weekday) in WEEKDAYS {
        for (word, sure) in sorted(list) {
            set(word, true, &|lexeme| lexeme.weekday = Some((weekday, sure)));
        }
    }
    for (list, month) in SEASONS {
        for word in list.split(' ') {
            set(word, true, &|lexeme| lexeme.season = Some(*month));
        }
    }
    for (word, unit) in UNITS {
        set(word, true, &|lexeme| lexeme.unit = Some(*unit));
        set(&format!("{word}s"), true, &|lexeme| {
            lexeme.unit = Some(*unit);
        });
    }
    for (word, least, most) in COUNTS {
        set(word, false, &|lexeme| lexeme.count = Some((*least, *most)));
    }
    for (number, word) in (1..).zip(ORDINALS.split(' ')) {
        set(word, false, &|lexeme| lexeme.ordinal = Some(number));
    }
    for (mut words, ..) in holidays() {
        set(words.next().unwrap_or_default(), true, &|lexeme| {
            lexeme.holiday = true;
        });
    }
    for word in NAMING.split_whitespace() {
        set(word, true, &|_| {});
    }
    for word in STARTING.split_whitespace() {
        set(word, false, &|_| {});
    }
    lexicon
});

/// The words of a list, each with how sure it is.
fn sorted(list: &'static str) -> impl Iterator<Item = (&'static str, Sure)> {
    let (either, always) = list.split_once('|').unwrap_or(("", list));
    let either = either.split(' ').map(|word| (word, Sure::Capital));
    let always = always.split(' ').map(|word| (word, Sure::Always));
    either.chain(always).filter(|(word, _)| !word.is_empty())
}

/// What a word in small letters is.
pub(super) fn look_up(word: &str) -> Lexeme {
    LEXICON
        .get(word)
        .or_else(|| {
            LEXICON
                .get(word.strip_suffix('s')?)
                .filter(|lexeme| lexeme.holiday)
        })
        .copied()
        .unwrap_or_default()
}

/// Whether a weekday's name is in the plural.
pub(super) fn is_plural(word: &str) -> bool {
    word.ends_with("days")
}

/// Holidays: their words, month and day.
pub(super) fn holidays() -> impl Iterator<Item = (std::str::Split<'static, char>, u32, u32)> {
    HOLIDAYS
        .iter()
        .map(|(words, month, day)| (words.split(' '), *month, *day))
}

/// Part of a day: it narrows a day down no further here.
pub(super) fn is_day_part(word: &str) -> bool {
    matches!(word, "morning" | "afternoon" | "evening" | "night" | "noon")
}
