//! Signal: words that mean the same kind of thing. Questions name kinds ("current projects", "this quarter"), memories
//! name instances ("sprint planning", "Q2"); without a model, a small table bridges the two.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use synap_text::terms;

/// Words of one group stand for each other. General vocabulary of work; nothing of any one customer.
const GROUPS: &[&str] = &[
    "project initiative sprint roadmap milestone planning okr migration",
    "priority goal objective okr focus target planning sprint",
    "quarter q1 q2 q3 q4",
    "deadline due deliver ship",
    "deploy deployment release rollout ship",
    "database db datastore storage",
    "chat messaging communication communicate slack",
    "prefer preference like favorite favourite",
    "issue problem bug incident outage",
    "meeting call sync standup",
    "price pricing cost fee",
    "employee staff engineer headcount",
    "phone mobile telephone",
    "car vehicle automobile",
    "doctor physician appointment",
    "movie film",
    "holiday vacation trip travel",
    "child kid son daughter",
    "wife husband spouse partner",
    "job work career occupation",
    "home house apartment live",
    "hobby pastime interest",
    "food meal dish cuisine",
    "pet dog cat",
];

/// Stemmed words by stemmed word.
fn table() -> &'static BTreeMap<String, Vec<String>> {
    static TABLE: OnceLock<BTreeMap<String, Vec<String>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for group in GROUPS {
            let group = terms(group);
            for word in &group {
                let others = table.entry(word.clone()).or_default();
                others.extend(group.iter().filter(|other| *other != word).cloned());
                others.sort_unstable();
                others.dedup();
            }
        }
        table
    })
}

/// Terms that stand for the same kind of thing as `term`, in a fixed order.
pub(crate) fn related(term: &str) -> impl Iterator<Item = String> {
    table().get(term).into_iter().flatten().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_lead_to_instances() {
        let of = |word: &str| related(&terms(word)[0]).collect::<Vec<_>>();
        assert!(of("projects").contains(&"sprint".to_owned()));
        assert!(of("quarter").contains(&"q2".to_owned()));
        assert!(of("xylophone").is_empty());
    }
}
