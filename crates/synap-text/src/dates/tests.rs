//! What the labelled sentences do not show: what is left unread, which expression wins, hostile text, bounds.

use super::*;
use proptest::prelude::*;
use synap_types::Precision;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Said on Thursday, 15 February 2024, at 16:45.
fn read(text: &str) -> Option<EventTime> {
    event_time(text, Some(at("2024-02-15T16:45:10Z")))
}

#[track_caller]
fn check(text: &str, date: &str, end: &str, precision: Precision) {
    let found = read(text).unwrap_or_else(|| panic!("no time in {text:?}"));
    assert_eq!(found.date, Some(at(date)), "{text:?}");
    assert_eq!(found.end, Some(at(end)), "{text:?}");
    assert_eq!(found.precision, Some(precision), "{text:?}");
}

#[track_caller]
fn check_none(text: &str) {
    assert_eq!(read(text), None, "{text:?}");
}

#[test]
fn ordinary_words_are_no_dates() {
    for text in [
        "You may leave the room.",
        "MAY I COME IN?",
        "They march on Rome.",
        "The second of three parts.",
        "Wait a second.",
        "Stocks fall sharply.",
        "I spring out of bed.",
        "The sun sets in the west.",
        "He sat down and wed her.",
        "A jan of all trades and a dec of cards.",
        "June is my aunt.",
        "The August Wilson theatre is closed.",
        "We have 2019 items in stock.",
        "Flight 2024 to Rome.",
        "It costs 1,999 dollars.",
        "Open ports 80-443 and 3-7 of the range.",
        "The ratio is 16:9.",
        "Read section 3.4.2 of the manual.",
        "It weighs 5 or 10 kg.",
        "Daily limits apply.",
        "",
        "?!",
    ] {
        check_none(text);
    }
}

#[test]
fn days_that_do_not_exist_are_no_dates() {
    for text in [
        "2026-02-30",
        "31.02.2026",
        "13/13/2026",
        "30 February 2026 was odd",
        "2026-99-01",
    ] {
        let found = read(text);
        let day = found.and_then(|time| time.precision) == Some(Precision::Day);
        assert!(!day, "{text:?}");
    }
}

#[test]
fn the_first_date_is_the_events_and_today_gives_way() {
    check(
        "On 3 May 2023 we met, on 4 May 2023 we parted.",
        "2023-05-03",
        "2023-05-04",
        Precision::Day,
    );
    check(
        "Today we booked the trip of 9 June 2024.",
        "2024-06-09",
        "2024-06-10",
        Precision::Day,
    );
    check(
        "Hello there. We met in 2019. Bye.",
        "2019-01-01",
        "2020-01-01",
        Precision::Year,
    );
}

#[test]
fn hours_count_from_the_minute_of_saying() {
    check(
        "Two hours ago the alarm went off.",
        "2024-02-15T14:45:00Z",
        "2024-02-15T14:46:00Z",
        Precision::Minute,
    );
    check(
        "Tomorrow from 10am-2pm.",
        "2024-02-16T10:00:00Z",
        "2024-02-16T14:00:00Z",
        Precision::Minute,
    );
}

#[test]
fn months_that_are_shorter_and_years_that_leap_are_counted_well() {
    let said = Some(at("2024-03-31T00:00:00Z"));
    let found = event_time("It started a month ago.", said).unwrap();
    assert_eq!(found.date, Some(at("2024-02-01")));
    let found = event_time("The sale runs until the end of February 2028.", said).unwrap();
    assert_eq!(found.valid_until, Some(at("2028-03-01")));
    let found = event_time("I was there last week.", Some(at("2024-01-01"))).unwrap();
    assert_eq!(found.date, Some(at("2023-12-25")));
    let found = event_time("We meet next month.", Some(at("2023-12-31"))).unwrap();
    assert_eq!(found.date, Some(at("2024-01-01")));
}

#[test]
fn without_a_time_of_saying_only_what_names_its_year_has_a_date() {
    assert_eq!(event_time("We met yesterday.", None), None);
    assert_eq!(event_time("We met in May.", None), None);
    let found = event_time("We met in May 2021 and meet every Friday.", None).unwrap();
    assert_eq!(found.date, Some(at("2021-05-01")));
    assert_eq!(found.recurrence.as_deref(), Some("FREQ=WEEKLY;BYDAY=FR"));
    assert!(has_time("We met yesterday."));
    assert!(!has_time("We met."));
}

#[test]
fn what_is_over_has_no_end_ahead() {
    assert_eq!(
        read("I had finished it by Monday.").unwrap().valid_until,
        None
    );
    assert_eq!(
        read("Finish it by Monday.").unwrap().valid_until,
        Some(at("2024-02-20"))
    );
}

#[test]
fn small_letters_are_enough_where_there_are_no_others() {
    check("see you on fri", "2024-02-16", "2024-02-17", Precision::Day);
    check(
        "i moved in march 2021",
        "2021-03-01",
        "2021-04-01",
        Precision::Month,
    );
}

#[test]
fn years_at_the_edge_of_the_calendar_are_harmless() {
    for said in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        for text in [
            "a decade ago",
            "in 900 years",
            "next week",
            "yesterday",
            "last summer",
            "until the end of the year",
            "1000 years ago",
        ] {
            let _found = event_time(text, Some(at(said)));
        }
    }
}

proptest! {
    /// Words of time expressions in any order: nothing panics, ends come after dates, and the same text reads the same.
    #[test]
    fn whatever_is_said_ends_after_it_begins(
        words in proptest::collection::vec(prop_oneof![
            "the|last|next|this|every|each|until|by|since|before|after|from|to|early|late|around|in|on|of|ago",
            "week|month|day|year|quarter|weekend|Monday|Fri|Tuesdays|May|March|summer|Christmas|yesterday|today",
            "[0-9]{1,4}|[0-9]{1,2}(st|th)|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}:[0-9]{2}|two|few|first|end|,|-|[a-z]{1,5}",
        ], 0..24),
        micros in any::<i64>(),
    ) {
        let text = words.join(" ");
        let said = Timestamp::from_micros(micros);
        let found = event_time(&text, Some(said));
        if let Some(time) = &found {
            prop_assert_eq!(time.date.is_some(), time.precision.is_some());
            prop_assert!(time.date.is_some() || time.end.is_none());
            prop_assert!(time.end.is_none_or(|end| Some(end) > time.date), "{} {:?}", text, time);
        }
        prop_assert_eq!(found, event_time(&text, Some(said)));
        if let Some(period) = query_time(&text, said) {
            prop_assert!(period.start < period.end);
        }
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,300}") {
        let _found = (event_time(&text, None), has_time(&text), asks_when(&text), crate::entities(&text));
    }
}
