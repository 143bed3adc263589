//! Vectors of queries without a model: the sum of what is known of their words, in the space of the encoder's vectors. A
//! fast fetch compares it with the stored vectors of passages, which the encoder made after their ack.
//!
//! `data/static.safetensors` is made by `scripts/static.py`: `stems` (a text, one a line, in order of bytes), `rows` (four
//! bits a number, the low ones first, from -7 to 7 with 8 added) and `scales` (what one step of a stem's row is). Nothing of
//! it is stored, so a new table needs no rebuild.

use crate::encoder::DIMENSIONS;
use safetensors::{SafeTensorError, SafeTensors};
use std::sync::LazyLock;

const TABLE: &[u8] = include_bytes!("../data/static.safetensors");
const ROW_BYTES: usize = DIMENSIONS / 2;
/// What is added to a number to make it positive.
const ZERO: i8 = 8;

static KNOWN: LazyLock<Option<Table>> = LazyLock::new(|| Table::read(TABLE).ok());

struct Table {
    /// In order of bytes.
    stems: Vec<&'static str>,
    scales: Vec<f32>,
    rows: &'static [[u8; ROW_BYTES]],
}

impl Table {
    fn read(bytes: &'static [u8]) -> Result<Self, SafeTensorError> {
        let tensors = SafeTensors::deserialize(bytes)?;
        let of = |name: &str| tensors.tensor(name).map(|tensor| tensor.data());
        let stems = std::str::from_utf8(of("stems")?).unwrap_or_default();
        let scales = of("scales")?.as_chunks().0.iter();
        Ok(Self {
            stems: stems.lines().collect(),
            scales: scales.map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            rows: of("rows")?.as_chunks().0,
        })
    }

    fn row(&self, stem: &str) -> Option<(f32, &[u8; ROW_BYTES])> {
        let at = self.stems.binary_search(&stem).ok()?;
        Some((*self.scales.get(at)?, self.rows.get(at)?))
    }
}

/// Where the `terms` of a query point together: one vector of [`DIMENSIONS`] numbers, as long as the share of the terms that
/// are known; none where no term is. Terms are as `synap_text::query_terms` gives them.
pub fn look_up(terms: &[String]) -> Option<Vec<f32>> {
    let table = KNOWN.as_ref()?;
    let mut sum = vec![0.0_f32; DIMENSIONS];
    let mut known = 0.0;
    for (scale, row) in terms.iter().filter_map(|term| table.row(term)) {
        known += 1.0;
        for (pair, byte) in sum.as_chunks_mut::<2>().0.iter_mut().zip(row) {
            for (x, bits) in pair.iter_mut().zip([byte & 0x0F, byte >> 4]) {
                *x += scale * f32::from(bits.cast_signed() - ZERO);
            }
        }
    }
    let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt();
    let all = f32::from(u16::try_from(terms.len()).unwrap_or(u16::MAX));
    for x in &mut sum {
        *x *= known / (all * length);
    }
    (length > 0.0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(terms: &[&str]) -> Option<Vec<f32>> {
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        look_up(&terms)
    }

    fn cosine(a: &[&str], b: &[&str]) -> f32 {
        let (a, b) = (vector(a).unwrap(), vector(b).unwrap());
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn the_table_is_whole_and_in_order() {
        let table = KNOWN.as_ref().unwrap();
        assert!(table.stems.len() > 20_000);
        assert_eq!(table.stems.len(), table.scales.len());
        assert_eq!(table.stems.len(), table.rows.len());
        assert!(table.stems.is_sorted());
        assert!(
            table
                .scales
                .iter()
                .all(|scale| scale.is_finite() && *scale > 0.0)
        );
    }

    #[test]
    fn words_that_mean_nearly_the_same_point_the_same_way() {
        let near = cosine(&["holiday", "polici"], &["vacat", "rule"]);
        let far = cosine(&["holiday", "polici"], &["databas", "index"]);
        println!("near {near:.3}, far {far:.3}");
        assert!(near > far + 0.2, "near {near}, far {far}");
    }

    #[test]
    fn what_is_unknown_points_nowhere() {
        assert_eq!(vector(&[]), None);
        assert_eq!(vector(&["xqzzyx"]), None);
        let halves = vector(&["xqzzyx", "holiday"]).unwrap().into_iter();
        let whole = vector(&["holiday"]).unwrap().into_iter();
        for (half, whole) in halves.zip(whole) {
            assert!((half - whole / 2.0).abs() < 1e-6, "{half} of {whole}");
        }
    }

    /// What the encoder says of a query, and what is known of its words, agree.
    #[test]
    fn it_points_where_the_encoder_does() {
        let Some(encoder) = crate::encoder::tests::encoder() else {
            return;
        };
        let exact = encoder.encode(&["how many holidays do employees get in a year"]);
        let found = vector(&["mani", "holiday", "employe", "get", "year"]).unwrap();
        let cosine: f32 = found.iter().zip(&exact[0]).map(|(a, b)| a * b).sum();
        println!("cosine {cosine:.3}");
        assert!(cosine > 0.5, "cosine {cosine}");
    }
}
