//! Signal: what stands around a passage matches. In a conversation the words of a question are in the question, and what
//! one wants to know is in the turn after it.

use crate::Ranking;
use crate::passages::Passages;
use synap_readmodel::PassageFlags;

/// What the neighbours of one passage say for it, each part 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Neighbours {
    /// The passages before it.
    pub(crate) before: f32,
    /// The passages after it.
    pub(crate) after: f32,
    /// The question before it, if there is one.
    pub(crate) answer: f32,
    /// Where that stands.
    pub(crate) asked: Option<usize>,
}

/// Of the passage at `at`; `bm25` has the scores of the scope's passages, as shares of the best.
pub(crate) fn neighbours(
    scope: &Passages,
    bm25: &[f32],
    at: usize,
    ranking: &Ranking,
) -> Neighbours {
    let own = |at: Option<usize>| at.and_then(|at| bm25.get(at)).copied().unwrap_or(0.0);
    let before = scope.before(at);
    let after = scope.after(at);
    let asked = asked(scope, at, &own);
    let further = |next: Option<usize>| ranking.further * own(next);
    Neighbours {
        before: own(before) + further(before.and_then(|at| scope.before(at))),
        after: own(after) + further(after.and_then(|at| scope.after(at))),
        answer: own(asked),
        asked,
    }
}

/// Messages on end of one speaker among which a question, or the way back to it, is looked for.
const RUN_MAX: usize = 4;

/// The question that a turn may answer: of what another said just before, that which matches best. People chat in short
/// messages, so the question as well as its answer may be one of several on end.
fn asked(scope: &Passages, at: usize, own: &impl Fn(Option<usize>) -> f32) -> Option<usize> {
    let back =
        |from: Option<usize>| std::iter::successors(from, |at| scope.before(*at)).take(RUN_MAX);
    let is_one = |a: usize, b: usize| {
        a == b || speaker(scope, a).is_some_and(|one| speaker(scope, b) == Some(one))
    };
    let last = back(scope.before(at)).find(|other| !is_one(*other, at))?;
    let run = back(Some(last)).take_while(|said| is_one(*said, last));
    let asks = |said: &usize| {
        let flags = scope.get(*said).map(|passage| passage.flags);
        flags.is_some_and(|flags| flags.has(PassageFlags::TURN | PassageFlags::ENDS_ASKING))
    };
    run.filter(asks)
        .max_by(|a, b| own(Some(*a)).total_cmp(&own(Some(*b))))
}

fn speaker(scope: &Passages, at: usize) -> Option<[u32; 2]> {
    let speaker = scope.get(at).map(|passage| passage.speaker);
    speaker.filter(|words| *words != [0; 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passages::passage;

    /// Turns of a conversation by their speaker; in capitals where they end with a question.
    fn asked_at(speakers: &str, bm25: &[f32]) -> Vec<Option<usize>> {
        let turn = |(at, who): (u32, char)| {
            let mut turn = passage(at, at.checked_sub(1), 7, 1);
            turn.speaker = [u32::from(who.to_ascii_lowercase()) - u32::from('-'), 0];
            turn.flags = PassageFlags::TURN | PassageFlags::ENDS_ASKING.when(who.is_uppercase());
            turn
        };
        let turns = (0..).zip(speakers.chars()).map(turn).collect();
        let scope = Passages::linked(turns);
        let found = |at| neighbours(&scope, bm25, at, &Ranking::default()).asked;
        (0..speakers.len()).map(found).collect()
    }

    #[test]
    fn a_turn_answers_the_question_before_it() {
        assert_eq!(asked_at("aBab", &[1.0; 4]), [None, None, Some(1), None]);
    }

    #[test]
    fn in_short_messages_question_and_answer_are_found_among_several() {
        let found = asked_at("AAabbb", &[0.2, 0.9, 0.1, 0.0, 0.0, 0.0]);
        assert_eq!(found, [None, None, None, Some(1), Some(1), Some(1)]);
        let found = asked_at("Abbbbb", &[1.0; 6]);
        assert_eq!(found[1..5], [Some(0); 4]);
        assert_eq!(found[5], None, "too far away");
    }

    #[test]
    fn who_is_not_known_is_nobody_s_second_message() {
        assert_eq!(asked_at("---", &[1.0; 3]), [None; 3]);
    }
}
