//! Text that is the same in every run: words with the frequencies of language, from a counter.

/// Common words come often: the n-th with a share of 1/n.
const VOCABULARY: usize = 4_000;

#[derive(Debug)]
pub(crate) struct Words {
    state: u64,
}

impl Words {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Splitmix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn word(&mut self) -> String {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        Self::named((VOCABULARY as f64).powf(share) as u64)
    }

    /// The word of this rank: 1 is the most frequent.
    pub(crate) fn named(rank: u64) -> String {
        let (mut number, mut word) = (rank, String::new());
        while number > 0 || word.len() < 4 {
            word.push(char::from(b"bdfgklmnprstvz"[(number % 14) as usize]));
            word.push(char::from(b"aeiou"[(number / 14 % 5) as usize]));
            number /= 70;
        }
        word
    }

    pub(crate) fn sentence(&mut self, words: usize) -> String {
        (0..words)
            .map(|_| self.word())
            .collect::<Vec<_>>()
            .join(" ")
    }
}
