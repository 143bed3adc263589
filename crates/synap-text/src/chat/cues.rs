//! Subtitles (`WebVTT`, `SubRip`) as what somebody said: cues of one speaker are put together, numbers and times left out.

use super::speaker::named;
use super::{Spoken, shown_name};
use crate::piece::{Flow, part};
use crate::when::seconds;
use std::ops::Range;

/// A time of a subtitle starts within so many lines.
const LINES_MAX: usize = 12;
/// What one speaker says is cut at a sentence's end beyond this.
const TURN_BYTES_GOOD: usize = 600;

/// What is said in subtitles; `None` when the text is none.
pub(super) fn read(text: &str) -> Option<Vec<Spoken>> {
    let vtt = text.trim_start_matches('\u{feff}').starts_with("WEBVTT");
    if !vtt && !text.lines().take(LINES_MAX).any(is_timing) {
        return None;
    }
    let mut cues = Cues::default();
    let (mut at, mut within) = (0, false);
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        if is_timing(line) {
            within = true;
        } else if line.trim().is_empty() {
            within = false;
        } else if within {
            cues.line(text, range);
        }
    }
    cues.end();
    (!cues.said.is_empty()).then_some(cues.said)
}

/// "00:00:01.000 --> 00:00:04,000".
fn is_timing(line: &str) -> bool {
    line.split_once("-->").is_some_and(|(from, to)| {
        let time = |text: &str| {
            let first = text.split_whitespace().next().unwrap_or_default();
            seconds(&first.replace(',', ".")).is_some()
        };
        time(from) && time(to)
    })
}

#[derive(Debug, Default)]
struct Cues {
    said: Vec<Spoken>,
    speaker: Option<String>,
    flow: Flow,
}

impl Cues {
    fn line(&mut self, text: &str, range: Range<usize>) {
        let line = part(text, range.clone());
        let mut from = range.start + (line.len() - line.trim_start().len());
        let end = range.start + line.trim_end().len();
        let said = part(text, from..end);
        if let Some((name, rest)) = said
            .strip_prefix("<v")
            .and_then(|rest| rest.split_once('>'))
            .map(|(name, rest)| (name.split_once(' ').map_or("", |(_, name)| name), rest))
        {
            from = end - rest.len();
            self.turn(shown_name(name));
        } else if let Some((name, body)) = named(said) {
            from += body;
            self.turn(Some(name));
        } else if let Some(rest) = said.strip_prefix(">>") {
            from = end - rest.len();
            self.turn(None);
        } else if self.is_full() {
            self.end();
        }
        self.words(text, from..end);
    }

    /// Another speaker, or the same one again.
    fn turn(&mut self, speaker: Option<String>) {
        if speaker != self.speaker || speaker.is_none() || self.is_full() {
            self.end();
            self.speaker = speaker;
        }
    }

    fn is_full(&self) -> bool {
        self.flow.text.len() > TURN_BYTES_GOOD
            && self
                .flow
                .text
                .trim_end()
                .ends_with(['.', '!', '?', '…', '。'])
    }

    fn end(&mut self) {
        let flow = std::mem::take(&mut self.flow);
        if !flow.text.trim().is_empty() {
            self.said.push(Spoken {
                speaker: self.speaker.clone(),
                said_at: None,
                words: flow,
            });
        }
    }

    /// Words without tags such as `<i>` and `<00:01.000>`.
    fn words(&mut self, text: &str, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            let rest = part(text, at..range.end);
            let plain = rest.find('<').unwrap_or(rest.len());
            self.flow.push(part(rest, 0..plain), at..at + plain);
            at += plain;
            let tag = part(rest, plain..rest.len());
            if tag.is_empty() {
                break;
            }
            let Some(end) = tag.find('>') else {
                self.flow.push(tag, at..range.end);
                break;
            };
            at += end + 1;
        }
        self.flow.push(" ", range.end..range.end);
    }
}
