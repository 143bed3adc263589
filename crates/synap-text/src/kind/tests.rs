//! Typing, over a labelled set of sentences.

use super::*;
use MemoryType::{Emotion, Episode, Fact, Preference, TemporalEvent};

/// Sentences and what a person calls them.
const LABELLED: &[(&str, MemoryType)] = &[
    ("Alice deployed the billing service last Tuesday", Episode),
    ("Alice prefers dark mode.", Preference),
    ("Alice is frustrated with the invoice delay.", Emotion),
    ("The renewal deadline is on 2026-12-01.", TemporalEvent),
    ("PostgreSQL is the primary database", Fact),
    (
        "Sprint planning: migrating auth service to OAuth 2.1 by end of Q2.",
        TemporalEvent,
    ),
    ("Acme Corp uses Slack for internal communication", Fact),
    ("Acme Corp's fiscal year runs April to March", TemporalEvent),
    ("Blue-green deployment support available", Fact),
    ("Our API supports pagination via cursor", Fact),
    (
        "Production: Tuesdays and Thursdays, 10am-2pm PT",
        TemporalEvent,
    ),
    ("Hotfix deployments require VP Engineering approval", Fact),
    ("Automatic rollback if the error rate exceeds 1%", Fact),
    ("Every PR requires two code review approvals", Fact),
    ("CI must pass before merge", Fact),
    (
        "Platform Team: 8 engineers, infrastructure, CI/CD, observability",
        Fact,
    ),
    ("She lives in Lisbon.", Fact),
    ("Acme headquarters is in Berlin.", Fact),
    ("Refund policy is 30 days.", Fact),
    ("Alice plays chess.", Fact),
    ("Alice visited Porto in May.", Episode),
    ("My name is Dana.", Fact),
    ("I work as a nurse at a children's hospital.", Fact),
    ("The API key has 32 characters.", Fact),
    ("We may migrate to Kubernetes.", Fact),
    ("The service listens on port 8080.", Fact),
    ("My sister has two dogs.", Fact),
    ("You should read the manual before you start.", Fact),
    ("The rate limit is 100 requests per minute.", Fact),
    ("It looks like rain.", Fact),
    ("When did Alice deploy the service?", Fact),
    ("Do you like tea?", Fact),
    ("I really love hiking in the mountains.", Preference),
    ("I don't like phone calls.", Preference),
    ("Bob hates long meetings.", Preference),
    ("I'd rather get an email than a call.", Preference),
    ("My favourite colour is green.", Preference),
    ("She always orders a window seat.", Preference),
    ("He wants to learn Rust.", Preference),
    ("Please avoid jargon in your answers.", Preference),
    ("Dana enjoys jazz and old films.", Preference),
    ("I'm not a fan of spicy food.", Preference),
    ("We prefer tabs over spaces.", Preference),
    ("Always use bullet points in summaries.", Preference),
    ("I can't stand loud music.", Preference),
    ("I would like a vegetarian menu.", Preference),
    ("I am so happy about the promotion!", Emotion),
    ("Bob feels anxious about the audit.", Emotion),
    ("She was really disappointed by the result.", Emotion),
    ("I'm overwhelmed with work right now.", Emotion),
    ("The team is excited about the launch.", Emotion),
    ("We are worried that the migration fails.", Emotion),
    ("The delay made him angry.", Emotion),
    ("Dana sounded a bit confused on the phone.", Emotion),
    ("I felt lonely after the move.", Emotion),
    ("Carol is proud of her daughter.", Emotion),
    ("They were very upset yesterday.", Emotion),
    ("I'm grateful for your help.", Emotion),
    ("I bought a new bike two weeks ago.", Episode),
    ("Yesterday we fixed the login bug.", Episode),
    ("Bob met Carol in Vienna in 2019.", Episode),
    ("The billing service crashed last night.", Episode),
    ("We launched the beta on Monday.", Episode),
    ("I went to the dentist this morning.", Episode),
    ("Dana moved to Porto in March.", Episode),
    ("She told me about her new job.", Episode),
    ("Our team won the hackathon last year.", Episode),
    ("Alice has already renewed the contract.", Episode),
    ("He recently adopted a puppy.", Episode),
    ("I finally finished the marathon on Sunday.", Episode),
    (
        "The standup takes place every Monday at 9:30.",
        TemporalEvent,
    ),
    ("My flight leaves tomorrow at 7am.", TemporalEvent),
    ("The report is due by Friday.", TemporalEvent),
    ("The conference is on 12 May.", TemporalEvent),
    ("We will ship the release next week.", TemporalEvent),
    ("Backups run daily at 02:00.", TemporalEvent),
    ("The contract expires on 31 January 2027.", TemporalEvent),
    ("Payroll is processed twice a month.", TemporalEvent),
    ("My daughter's birthday is in June.", TemporalEvent),
    ("The offsite is scheduled for September.", TemporalEvent),
    ("Until March 15 the office stays open.", TemporalEvent),
    ("Freeze starts on 2026-12-20.", TemporalEvent),
    ("I swim on Tuesdays.", TemporalEvent),
    ("The exam is next Thursday.", TemporalEvent),
    ("The beta was launched on Monday.", Episode),
    ("Invoices are sent quarterly.", TemporalEvent),
];

#[test]
fn nine_of_ten_labelled_sentences_are_typed_as_labelled() {
    let wrong: Vec<_> = LABELLED
        .iter()
        .map(|(text, expected)| (*text, *expected, of(text, None, None).kind))
        .filter(|(_, expected, found)| expected != found)
        .collect();
    println!(
        "{} of {} right; wrong: {wrong:#?}",
        LABELLED.len() - wrong.len(),
        LABELLED.len()
    );
    assert!(wrong.len() * 10 <= LABELLED.len(), "{wrong:#?}");
}

#[test]
fn the_sentences_of_the_contract_are_typed_as_it_says() {
    for (text, expected) in LABELLED.iter().take(22) {
        assert_eq!(of(text, None, None).kind, *expected, "{text}");
    }
}

#[track_caller]
fn check_category(text: &str, expected: Option<&str>) {
    assert_eq!(of(text, None, None).category, expected, "{text}");
}

#[test]
fn preferences_and_emotions_have_categories() {
    check_category(
        "I'd rather get an email than a call.",
        Some("communication"),
    );
    check_category("Alice prefers dark mode.", Some("interface"));
    check_category("I love my garden.", Some("general"));
    check_category(
        "Alice is frustrated with the invoice delay.",
        Some("frustration"),
    );
    check_category("I feel betrayed.", Some("general"));
}

#[test]
fn what_others_are_about_is_told_where_a_word_tells() {
    check_category("PostgreSQL is the primary database", Some("tools"));
    check_category("I went to the dentist yesterday.", Some("health"));
    check_category("The rent is due on Friday.", Some("finance"));
    check_category("She lives in Lisbon.", None);
}

#[test]
fn an_assistants_manners_are_facts() {
    let text = "I'd love to help, I'm excited about your trip.";
    assert_eq!(of(text, None, Some("Assistant")).kind, Fact);
    assert_ne!(of(text, None, Some("User")).kind, Fact);
    assert_eq!(of("I am happy to help.", None, None).kind, Fact);
}

#[test]
fn a_heading_types_what_no_rule_does() {
    assert_eq!(
        of("Dark mode", Some("User Preferences"), None).kind,
        Preference
    );
    assert_eq!(of("Dark mode", Some("Settings"), None).kind, Fact);
}
