//! Ten thousand turns of a user on other things, a customer's handbook and the application's manual: questions about each.
//!
//! The turns share words with the questions, as talk does: they are made of a vocabulary that the documents use, too.

use crate::world::{World, request, scope};
use synap_types::{FetchRequest, Scope};

/// What a user talks about: everyday words, those of the questions among them.
const TALK: [&str; 40] = [
    "weekend", "dinner", "garden", "train", "meeting", "team", "office", "budget", "travel",
    "hotel", "laptop", "music", "coffee", "sister", "birthday", "price", "window", "report",
    "photo", "holiday", "policy", "customer", "days", "release", "market", "weather", "football",
    "doctor", "school", "kitchen", "request", "limit", "paint", "support", "shop", "movie",
    "phone", "review", "market", "book",
];
/// Subjects of the handbook and of the manual: one memory each, asked for in other words around its name.
const SUBJECTS: [&str; 25] = [
    "parental leave",
    "expense claims",
    "laptop replacement",
    "sabbatical",
    "overtime",
    "remote work",
    "probation",
    "performance review",
    "referral bonus",
    "travel booking",
    "parking permits",
    "dress code",
    "on-call duty",
    "code review",
    "incident response",
    "badge access",
    "visitor policy",
    "pension plan",
    "training budget",
    "bereavement leave",
    "jury duty",
    "relocation support",
    "meeting rooms",
    "gift policy",
    "data retention",
];
const FEATURES: [&str; 25] = [
    "pagination",
    "webhooks",
    "rate limits",
    "api keys",
    "bulk export",
    "single sign-on",
    "audit log",
    "sandbox mode",
    "custom fields",
    "search filters",
    "email templates",
    "two-factor login",
    "usage reports",
    "idempotency",
    "file uploads",
    "role permissions",
    "scheduled jobs",
    "dark theme",
    "time zones",
    "data import",
    "csv format",
    "retry policy",
    "event stream",
    "price plans",
    "status page",
];

fn user() -> Scope {
    scope(&["acme", "dana"])
}

/// A small generator (Knuth's constants), so that the turns are the same in every run.
fn turns(world: &mut World) {
    let mut state = 7_u64;
    let mut pick = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        TALK[(state >> 33) as usize % TALK.len()]
    };
    let text: Vec<String> = (0..10_000)
        .map(|number| {
            format!(
                "User: I told them the {} was about {} and {} at {number}.",
                pick(),
                pick(),
                pick()
            )
        })
        .collect();
    for (at, chunk) in text.chunks(100).enumerate() {
        world.add_as(
            "ai-chat-conversation",
            &user(),
            &format!("chat-{at}"),
            &chunk.join("\n"),
        );
    }
}

struct Question {
    text: String,
    scope: &'static str,
    answer: String,
}

/// Stores everything; answers the questions.
fn crowded() -> (World, Vec<Question>) {
    let (mut world, mut questions) = (World::default(), Vec::new());
    turns(&mut world);
    let mut add = |owner: &Scope, kind, subject: &str, answer: String, text: String| {
        world.add(owner, subject, &answer);
        questions.push(Question {
            text,
            scope: kind,
            answer,
        });
    };
    for (number, subject) in SUBJECTS.iter().enumerate() {
        let answer = format!("Acme grants {subject} after {number} days, see page {number}.");
        add(
            &scope(&["acme"]),
            "customer",
            subject,
            answer,
            format!("What does our office say about {subject}?"),
        );
    }
    for (number, feature) in FEATURES.iter().enumerate() {
        let answer = format!("The product offers {feature} from version {number} on.");
        add(
            &scope(&[]),
            "client",
            feature,
            answer,
            format!("Does the product support {feature} for a customer?"),
        );
    }
    for number in (0..10_000).step_by(400) {
        let answer = format!(" at {number}.");
        let text = format!("what did I tell them at {number}");
        questions.push(Question {
            text,
            scope: "user",
            answer,
        });
    }
    (world, questions)
}

#[test]
fn ten_thousand_turns_crowd_out_no_handbook_and_no_manual() {
    let (world, questions) = crowded();
    let mut found = 0;
    for question in &questions {
        let asked = FetchRequest {
            max_results: 5,
            ..request(&user(), &[&question.text])
        };
        let answer = world.ask(&asked);
        let is_right = |item: &synap_types::ContextItem| {
            item.scope == question.scope && item.content.contains(&question.answer)
        };
        let right = answer.items.iter().any(is_right);
        found += usize::from(right);
        if !right {
            println!(
                "not found: {:?} {:?}",
                question.text,
                crate::world::told(&answer)
            );
        }
        let places = answer.items.iter().map(|item| {
            ["user", "customer", "client"]
                .iter()
                .position(|kind| item.scope == *kind)
        });
        assert!(places.is_sorted(), "scope order");
    }
    println!(
        "{found} of {} questions answered among five memories",
        questions.len()
    );
    assert!(
        found * 100 >= questions.len() * 99,
        "{found} of {}",
        questions.len()
    );
}
