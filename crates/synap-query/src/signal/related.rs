//! Signal: words that mean nearly the same. Questions name kinds ("pets", "current projects"), memories name instances
//! ("my dog", "sprint planning").
//!
//! `data/related.tsv` is a table of stems: for each at most twelve others, with a likeness in per cent. It is made by
//! `scripts/related.py` from a sentence encoder's reading of `WordNet` and from `GloVe`, and from a few groups of working
//! life's words. Nothing of it is stored with a memory, so a new table needs no rebuild.

/// One line a stem: `stem`, a tab, `other:percent other:percent …`, in the order of bytes.
const TABLE: &str = include_str!("../../data/related.tsv");

/// Stems that mean nearly the same as `term`, and how nearly, from 0 to 1; the nearest first.
pub(crate) fn related(term: &str) -> impl Iterator<Item = (&'static str, f32)> {
    line(term)
        .unwrap_or_default()
        .split(' ')
        .filter_map(|entry| {
            let (other, percent) = entry.rsplit_once(':')?;
            Some((other, percent.parse::<f32>().ok()? / 100.0))
        })
}

/// What stands behind `term`, by bisection of the table as it is.
fn line(term: &str) -> Option<&'static str> {
    let mut rest = TABLE;
    while !rest.is_empty() {
        let middle = (0..=rest.len() / 2)
            .rev()
            .find(|at| rest.is_char_boundary(*at))?;
        let (before, after) = rest.split_at(middle);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let length = after.find('\n').unwrap_or(after.len());
        let found = rest.get(start..middle + length)?;
        let (stem, others) = found.split_once('\t')?;
        match term.cmp(stem) {
            std::cmp::Ordering::Equal => return Some(others),
            std::cmp::Ordering::Less => rest = rest.get(..start)?,
            std::cmp::Ordering::Greater => rest = rest.get(middle + length + 1..).unwrap_or(""),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use synap_text::terms;

    #[test]
    fn kinds_lead_to_instances() {
        let of = |word: &str| {
            related(&terms(word)[0])
                .map(|(other, _)| other)
                .collect::<Vec<_>>()
        };
        assert!(of("projects").contains(&"sprint"));
        assert!(of("pets").contains(&"dog"));
        assert!(of("kids").contains(&"children"));
        assert!(of("qwertz").is_empty());
    }

    #[test]
    fn every_line_is_found_and_sound() {
        let mut before = "";
        for line in TABLE.lines() {
            let (stem, others) = line.split_once('\t').unwrap();
            assert!(before < stem, "{stem} is out of order");
            before = stem;
            let found: Vec<_> = related(stem).collect();
            assert_eq!(found.len(), others.split(' ').count(), "{stem}");
            for (other, likeness) in found {
                assert!(
                    other != stem && likeness > 0.0 && likeness <= 1.0,
                    "{stem} {other}"
                );
            }
        }
    }
}
