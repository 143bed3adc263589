//! A set made here: what a customer and everybody share must be found by users who have said ten thousand other things.

use super::data::{Doc, Level, Question, Set, SetScope};
use serde_json::Value;

/// Users, each of a customer of its own.
const USERS: usize = 3;
/// Turns of one session.
const SESSION: usize = 100;

/// The customer's handbook: what it says, and how it is asked for.
const HANDBOOK: &[(&str, &str)] = &[
    (
        "Leave > Carrying over: Up to five unused vacation days move into the next year and lapse on 31 March.",
        "How many vacation days can I carry over?",
    ),
    (
        "Expenses > Limits: Meals on business trips are refunded up to 45 euros a day against receipts.",
        "How much is refunded for meals on a business trip?",
    ),
    (
        "Security > Lost devices: Report a lost laptop to the security desk within one hour, even at night.",
        "I lost my laptop, whom do I report it to?",
    ),
    (
        "Onboarding > Buddies: Every new colleague has a buddy from another team for the first eight weeks.",
        "How long does a new colleague have a buddy?",
    ),
    (
        "Deployment > Windows: Production deployments run on Tuesdays and Thursdays between 10 and 12.",
        "On which days do production deployments run?",
    ),
    (
        "Incidents > Roles: The incident commander decides, the scribe writes the timeline, nobody does both.",
        "Who writes the timeline of an incident?",
    ),
    (
        "Parental leave > Duration: Parents of either gender get sixteen weeks of fully paid parental leave.",
        "How many weeks of paid parental leave are there?",
    ),
    (
        "Hiring > Interviews: An interview panel has three people, one of them from outside the department.",
        "How many people are on an interview panel?",
    ),
    (
        "Travel > Trains: Trains are booked in second class; first class is allowed above four hours.",
        "When may I book a first class train?",
    ),
    (
        "Remote work > Abroad: Working from abroad is possible for thirty days a year after tax clearance.",
        "How many days a year may I work from abroad?",
    ),
    (
        "Training > Budget: Each employee has a training budget of 1,200 euros a year for courses and books.",
        "What is the yearly training budget?",
    ),
    (
        "Data retention > Logs: Access logs are kept for ninety days and then deleted automatically.",
        "How long are access logs kept?",
    ),
    (
        "Office > Visitors: Visitors sign in at the reception and wear a yellow badge at all times.",
        "Which badge do visitors wear?",
    ),
    (
        "Procurement > Approval: Purchases above 5,000 euros need the approval of the finance director.",
        "Who approves purchases above 5,000 euros?",
    ),
    (
        "Code review > Approvals: Every change needs two approvals, one of them by the owner of the module.",
        "How many approvals does a change need?",
    ),
    (
        "Sickness > Certificate: A doctor's certificate is needed from the fourth day of sickness on.",
        "From which day do I need a doctor's certificate?",
    ),
    (
        "Pets > Dogs: Dogs may come to the office on Fridays if nobody in the room is allergic.",
        "When may dogs come to the office?",
    ),
    (
        "Bikes > Leasing: The company pays half of the leasing rate of a bicycle for up to three years.",
        "How much of a bicycle's leasing rate does the company pay?",
    ),
    (
        "Phones > Private use: Company phones may be used privately, but not for paid services.",
        "May I use the company phone privately?",
    ),
    (
        "Meetings > Length: Meetings end five minutes before the hour so that people can walk to the next one.",
        "When do meetings end?",
    ),
];

/// The product's manual: what it says, and how it is asked for.
const MANUAL: &[(&str, &str)] = &[
    (
        "Export > Formats: Reports are exported as CSV, PDF or Parquet from the menu behind the three dots.",
        "In which formats can reports be exported?",
    ),
    (
        "API > Rate limits: The API accepts 600 requests a minute per key and answers 429 beyond that.",
        "How many requests a minute does the API accept?",
    ),
    (
        "Webhooks > Retries: A failed webhook is retried eight times with growing pauses over one day.",
        "How often is a failed webhook retried?",
    ),
    (
        "Login > Two factors: Two-factor login uses an authenticator app; text messages are not offered.",
        "Can two-factor login use text messages?",
    ),
    (
        "Dashboards > Sharing: A dashboard is shared by a link that can expire and carry a password.",
        "How is a dashboard shared?",
    ),
    (
        "Billing > Invoices: Invoices are issued on the first of the month and paid within fourteen days.",
        "When are invoices issued?",
    ),
    (
        "Search > Operators: A minus before a word excludes it, quotes keep words together.",
        "How do I exclude a word from the search?",
    ),
    (
        "Alerts > Quiet hours: During quiet hours alerts are collected and sent as one summary at seven.",
        "What happens to alerts during quiet hours?",
    ),
    (
        "Backups > Schedule: The product makes a backup every six hours and keeps thirty of them.",
        "How often does the product make a backup?",
    ),
    (
        "Import > Duplicates: Rows with a known key are updated, others are added; nothing is deleted.",
        "What does an import do with rows that have a known key?",
    ),
    (
        "Themes > Dark: The dark theme follows the operating system unless it is fixed in the settings.",
        "Does the dark theme follow the operating system?",
    ),
    (
        "Roles > Auditor: The auditor sees everything and changes nothing, not even own settings.",
        "What may the auditor role change?",
    ),
    (
        "Mobile > Offline: The mobile app works offline for a week and syncs when it is connected again.",
        "How long does the mobile app work offline?",
    ),
    (
        "Integrations > Calendar: The calendar integration writes due dates as all-day entries.",
        "How does the calendar integration write due dates?",
    ),
    (
        "Attachments > Size: An attachment may have up to 250 megabytes; larger files go through the bucket.",
        "How large may an attachment be?",
    ),
    (
        "Shortcuts > Palette: Control and K opens the command palette from every page.",
        "Which keys open the command palette?",
    ),
    (
        "Languages > Right to left: Arabic and Hebrew are laid out from right to left, numbers are not.",
        "Which languages are laid out from right to left?",
    ),
    (
        "Trash > Restoring: Deleted projects stay in the trash for sixty days and are restored by their owner.",
        "How long do deleted projects stay in the trash?",
    ),
    (
        "Status page > Updates: During an outage the status page is updated every twenty minutes.",
        "How often is the status page updated during an outage?",
    ),
    (
        "Tokens > Expiry: Access tokens expire after ninety days and cannot be prolonged.",
        "When do access tokens expire?",
    ),
];

/// What the user did say, and how it is asked for.
const OWN: &[(&str, &str)] = &[
    (
        "I am allergic to hazelnuts, so no pralines for me please.",
        "What is the user allergic to?",
    ),
    (
        "My sister Jolanda lives in Trondheim now.",
        "Where does the sister Jolanda live?",
    ),
    (
        "I sold my old sailing boat to a dentist from Kiel.",
        "Who bought the sailing boat?",
    ),
    (
        "My thesis was about the migration of storks.",
        "What was the thesis about?",
    ),
    (
        "I never drink coffee after four in the afternoon.",
        "Until when does the user drink coffee?",
    ),
    (
        "The vet said that our cat Minka needs new drops twice a day.",
        "What does the cat Minka need?",
    ),
    (
        "I keep the spare key under the third flower pot.",
        "Where is the spare key?",
    ),
    (
        "For my fortieth birthday I want to walk from Porto to Santiago.",
        "What does the user want to do for the fortieth birthday?",
    ),
];

/// What else is said: these together, in every combination.
const WHO: &[&str] = &[
    "My neighbour",
    "A colleague of mine",
    "The new intern",
    "My brother",
    "Somebody at the gym",
    "Our landlord",
    "An old friend",
    "The woman next door",
    "My uncle",
    "The postman",
];
const DID: &[&str] = &[
    "talked about",
    "complained about",
    "was happy about",
    "sent me a picture of",
    "asked me about",
    "made a joke about",
    "had forgotten",
    "showed me",
    "wants to sell",
    "lost",
];
const WHAT: &[&str] = &[
    "the weather",
    "a laptop bag",
    "the train",
    "an invoice",
    "a badge",
    "the dashboard of the car",
    "a backup plan for Sunday",
    "the first meeting",
    "a doctor's waiting room",
    "a bicycle",
    "two concert tickets",
    "a phone case",
    "the dark corridor",
    "a search for mushrooms",
    "the calendar on the wall",
    "a training shoe",
    "the office party",
    "an export beer",
    "a project in the garden",
    "the key of the cellar",
];
const WHEN: &[&str] = &[
    "this morning",
    "yesterday",
    "again",
    "for an hour",
    "at lunch",
    "on the stairs",
    "in the rain",
    "after work",
    "on the phone",
    "before breakfast",
];

/// One set for each of three users, with so many unrelated turns: they share the client's scope, so each stands alone.
pub(super) fn sets(turns: usize) -> impl Iterator<Item = Set> {
    (0..USERS).map(move |user| Set {
        name: format!("crowding-{user}"),
        scopes: vec![scope(user, turns)],
    })
}

fn scope(user: usize, turns: usize) -> SetScope {
    let id = format!("crowd-{user}");
    let mut docs: Vec<Doc> = (0..turns).map(|turn| said(user, turn)).collect();
    let mut queries = Vec::new();
    let mut ask = |id: &str, text: &str, cat: &str| {
        queries.push(Question {
            id: format!("q-{id}"),
            text: text.to_owned(),
            cat: Some(cat.to_owned()),
            gold: vec![id.to_owned()],
        });
    };
    for (number, (text, question)) in OWN.iter().enumerate() {
        // Spread over all that was said.
        let at = (number + 1) * turns / (OWN.len() + 1);
        let id = format!("own-{number}");
        ask(&id, question, "user");
        let session = session_of(at);
        docs.insert(
            at.min(docs.len()),
            doc(id, text, Some("Robin"), session, Level::Own),
        );
    }
    for (number, (text, question)) in HANDBOOK.iter().enumerate() {
        let id = format!("handbook-{user}.md#{number}");
        ask(&id, question, "customer");
        docs.push(doc(id, text, None, Value::Null, Level::Customer));
    }
    for (number, (text, question)) in MANUAL.iter().enumerate() {
        let id = format!("manual-{user}.md#{number}");
        ask(&id, question, "client");
        docs.push(doc(id, text, None, Value::Null, Level::Client));
    }
    SetScope { id, docs, queries }
}

/// One unrelated turn; no two of a user are the same before all combinations are used up.
fn said(user: usize, turn: usize) -> Doc {
    let pick = |from: &[&'static str], number: usize| {
        from.get(number % from.len().max(1))
            .copied()
            .unwrap_or_default()
    };
    // Mixed, so that neighbours differ in all parts.
    let number = turn * 7_919 + user * 104_729;
    let text = format!(
        "{} {} {} {}.",
        pick(WHO, number),
        pick(DID, number / 10),
        pick(WHAT, number / 100),
        pick(WHEN, number / 2_000)
    );
    doc(
        format!("t{turn}"),
        &text,
        Some("Robin"),
        session_of(turn),
        Level::Own,
    )
}

fn session_of(turn: usize) -> Value {
    Value::from(turn / SESSION)
}

fn doc(id: String, text: &str, speaker: Option<&str>, session: Value, scope: Level) -> Doc {
    Doc {
        id,
        text: text.to_owned(),
        speaker: speaker.map(ToOwned::to_owned),
        ts: None,
        session,
        scope,
    }
}
