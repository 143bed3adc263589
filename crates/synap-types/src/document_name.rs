//! The words that a document's id tells of it: people name files and pages by what they are about.

use crate::{DocumentId, MemorySource};

/// Words of a name.
const WORDS_MAX: usize = 12;
/// A part of at least so many characters that mixes letters and digits was made by a machine, as hashes and UUIDs are.
const MADE_CHARS_MIN: usize = 8;
/// What many files are called, whatever they are about: the folder's name tells more.
const SAYS_NOTHING: [&str; 7] = [
    "readme", "index", "main", "default", "untitled", "document", "doc",
];

impl DocumentId {
    /// What the document is called, in words, if its id is made of such: "people/one-on-ones.md#3" is called "one on ones",
    /// "policies/leave/README.md" is called "leave". Of a path that is its last part, without what follows `#` or `?` and
    /// without the file's extension. Numbers but years are left out; an id that a machine made says nothing.
    pub fn name(&self) -> Option<String> {
        let path = self.as_str().split(['#', '?']).next().unwrap_or_default();
        let parts = path.rsplit(['/', '\\']).filter(|part| !part.is_empty());
        let mut names = parts.map(|part| words(without_extension(part)));
        let name = names.find(|words| match words.as_deref() {
            Some([word]) => !SAYS_NOTHING.contains(&word.to_lowercase().as_str()),
            Some(_) | None => true,
        });
        name.flatten().map(|words| words.join(" "))
    }
}

impl MemorySource {
    /// What the document is called, see [`DocumentId::name`]. Conversations have no name.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Document(id) => id.name(),
            Self::Conversation(_) => None,
        }
    }
}

fn without_extension(part: &str) -> &str {
    match part.rsplit_once('.') {
        Some((name, extension))
            if !name.is_empty()
                && (1..=5).contains(&extension.len())
                && extension.chars().all(|c| c.is_ascii_alphanumeric()) =>
        {
            name
        }
        _ => part,
    }
}

/// The words of one part of a path; `None` where it is none that a person would choose.
fn words(part: &str) -> Option<Vec<&str>> {
    let mut words = Vec::new();
    for run in part.split(|c: char| !c.is_alphanumeric()) {
        let has_digit = run.contains(|c: char| c.is_numeric());
        let has_letter = run.contains(char::is_alphabetic);
        if has_digit && has_letter && run.chars().count() >= MADE_CHARS_MIN {
            return None;
        }
        if has_letter {
            words.extend(humps(run));
        } else if is_year(run) {
            words.push(run);
        }
    }
    words.truncate(WORDS_MAX);
    let letters = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count();
    words.iter().any(|word| letters(word) > 1).then_some(words)
}

/// The words of "camelCase".
fn humps(run: &str) -> impl Iterator<Item = &str> {
    let mut rest = run;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let next = rest.char_indices().zip(rest.chars().skip(1));
        let end = next
            .filter(|((_, one), other)| one.is_lowercase() && other.is_uppercase())
            .map(|((at, one), _)| at + one.len_utf8())
            .next();
        let (word, left) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = left;
        Some(word)
    })
}

fn is_year(run: &str) -> bool {
    run.len() == 4
        && run.bytes().all(|c| c.is_ascii_digit())
        && (run.starts_with("19") || run.starts_with("20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, name: Option<&str>) {
        let id: DocumentId = id.parse().unwrap();
        assert_eq!(id.name().as_deref(), name, "{id}");
    }

    #[test]
    fn files_and_pages_are_called_what_people_call_them() {
        check("pages/people/one-on-ones.md#161", Some("one on ones"));
        check("leavePolicy", Some("leave Policy"));
        check("C:\\notes\\Sprint 12 review.txt", Some("Sprint review"));
        check("minutes-2024-05-03.docx", Some("minutes 2024"));
        check(
            "https://wiki.example/Travel_guide?lang=en",
            Some("Travel guide"),
        );
        check("q3-okrs", Some("q3 okrs"));
        check(
            "Mitarbeiter/Kündigungsfristen.pdf",
            Some("Kündigungsfristen"),
        );
        check("v1.2", None);
    }

    #[test]
    fn a_file_of_a_common_name_is_called_by_its_folder() {
        check("policies/leave/README.md", Some("leave"));
        check("policies/leave/index.html#2", Some("leave"));
        check("README.md", None);
    }

    #[test]
    fn what_a_machine_made_says_nothing() {
        for id in [
            "550e8400-e29b-41d4-a716-446655440000",
            "doc_9f86d081884c7d65",
            "12345",
            "d12",
            "#",
            "///",
            "a",
        ] {
            check(id, None);
        }
    }
}
