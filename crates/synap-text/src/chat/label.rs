//! Labels of those who talk: roles, names, and the fields of forms and letters that look like names.

use super::capital;

/// Those who talk in transcripts, in alphabetical order.
const ROLES: &[&str] = &[
    "ai",
    "assistant",
    "bot",
    "chatbot",
    "chatgpt",
    "claude",
    "developer",
    "gpt",
    "human",
    "system",
    "user",
];
/// Roles that are words of documents, too: they count when they recur.
const RECURRING: &[&str] = &[
    "agent",
    "answer",
    "caller",
    "client",
    "customer",
    "doctor",
    "guest",
    "host",
    "interviewee",
    "interviewer",
    "me",
    "moderator",
    "operator",
    "patient",
    "representative",
    "speaker",
    "student",
    "support",
    "teacher",
    "tool",
    "you",
];
/// Labels that are fields of a form or of a letter, even when they recur.
const FIELDS: &[&str] = &[
    "action",
    "actions",
    "address",
    "agenda",
    "attendees",
    "author",
    "bcc",
    "budget",
    "category",
    "cc",
    "city",
    "company",
    "conclusion",
    "cons",
    "context",
    "country",
    "date",
    "deadline",
    "decision",
    "description",
    "due",
    "email",
    "error",
    "example",
    "examples",
    "from",
    "goal",
    "goals",
    "hint",
    "http",
    "https",
    "id",
    "important",
    "info",
    "input",
    "key",
    "location",
    "name",
    "next steps",
    "note",
    "notes",
    "output",
    "owner",
    "participants",
    "phone",
    "plan",
    "priority",
    "production",
    "project",
    "pros",
    "ps",
    "purpose",
    "question",
    "re",
    "reason",
    "result",
    "results",
    "role",
    "section",
    "sent",
    "staging",
    "status",
    "step",
    "subject",
    "summary",
    "tags",
    "task",
    "tasks",
    "tel",
    "time",
    "tip",
    "title",
    "to",
    "todo",
    "topic",
    "type",
    "update",
    "url",
    "version",
    "warning",
    "website",
];

/// Roles with a capital, names as they are.
pub(super) fn shown(label: &str) -> String {
    let lower = label.to_lowercase();
    if matches!(lower.as_str(), "ai" | "gpt") {
        return lower.to_uppercase();
    }
    if is_role(label) || is_recurring(label) {
        capital(&lower)
    } else {
        label.to_owned()
    }
}

pub(crate) fn is_role(label: &str) -> bool {
    ROLES.binary_search(&label.to_lowercase().as_str()).is_ok()
}

pub(super) fn is_recurring(label: &str) -> bool {
    RECURRING.contains(&label.to_lowercase().as_str())
}

/// Whether a label may be a name: no field, and each word has a capital or it is one word.
pub(super) fn is_name(label: &str) -> bool {
    let lower = label.to_lowercase();
    let words = label.split_whitespace().count();
    !FIELDS.contains(&lower.as_str())
        && label.split_whitespace().all(|word| {
            words == 1
                || word
                    .starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || !c.is_ascii())
        })
}

/// Whether a name that occurs once, in a transcript where others recur, is one more speaker.
pub(super) fn shows_a_person(label: &str) -> bool {
    label.starts_with(char::is_uppercase) && label.split_whitespace().count() <= 2
}
