//! The sentence encoder: texts to vectors, from the files of one folder.

use crate::bert::{Bert, WIDTH};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};
use tokenizers::{Tokenizer, TruncationParams};

/// Numbers of a vector.
pub const DIMENSIONS: usize = WIDTH;
/// Tokens of a text that count, as the model was trained.
pub const TOKENS_MAX: usize = 256;

const WEIGHTS: &str = "model.safetensors";
const WEIGHTS_SHA256: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";
const VOCABULARY: &str = "tokenizer.json";
const VOCABULARY_SHA256: &str = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037";

/// Why the files of a folder cannot be used. Reads well after "cannot use the model: ".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not the one that is known by this name.
    #[error("{} has the SHA-256 {found}, not {wanted}", path.display())]
    OtherContent {
        /// Which.
        path: PathBuf,
        /// What it has.
        found: String,
        /// What it should have.
        wanted: &'static str,
    },
    /// The right bytes, but not what they should hold.
    #[error("{} cannot be used", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A sentence encoder, its files read and checked. It may be shared by threads; a call uses the one that makes it.
pub struct Encoder {
    tokenizer: Tokenizer,
    network: Bert,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl Encoder {
    /// The model's name: all-MiniLM-L6-v2, Apache-2.0; `scripts/setup.sh` fetches the same files.
    pub const NAME: &str = "all-minilm-l6-v2";
    /// SHA-256 of its weights, in hexadecimal.
    pub const HASH: &str = WEIGHTS_SHA256;

    /// The folder that `scripts/setup.sh` puts the files into, below its folder of models.
    pub fn folder() -> String {
        let (start, _) = Self::HASH.split_at(12);
        format!("{}-{start}", Self::NAME)
    }

    /// Reads the model in `folder`. `None` where its files are not there, or not both of them.
    pub fn open(folder: &Path) -> Result<Option<Self>, ModelError> {
        let (weights, vocabulary) = (folder.join(WEIGHTS), folder.join(VOCABULARY));
        let Some(vocabulary_bytes) = checked(&vocabulary, VOCABULARY_SHA256)? else {
            return Ok(None);
        };
        let Some(weights_bytes) = checked(&weights, WEIGHTS_SHA256)? else {
            return Ok(None);
        };
        let mut tokenizer =
            Tokenizer::from_bytes(vocabulary_bytes).map_err(|source| ModelError::Unusable {
                path: vocabulary.clone(),
                source,
            })?;
        let truncation = TruncationParams {
            max_length: TOKENS_MAX,
            ..TruncationParams::default()
        };
        tokenizer
            .with_padding(None)
            .with_truncation(Some(truncation))
            .map_err(|source| ModelError::Unusable {
                path: vocabulary,
                source,
            })?;
        let network = Bert::read(&weights_bytes).map_err(|e| ModelError::Unusable {
            path: weights,
            source: Box::new(e),
        })?;
        Ok(Some(Self { tokenizer, network }))
    }

    /// One vector of [`DIMENSIONS`] numbers and length 1 for each text, in order. Texts are cut after [`TOKENS_MAX`].
    pub fn encode(&self, texts: &[&str]) -> Vec<Vec<f32>> {
        let encode = |text: &&str| {
            let tokens = self.tokenizer.encode_fast(*text, true);
            tokens.map_or_else(
                |_| vec![0.0; DIMENSIONS],
                |tokens| self.network.encode(tokens.get_ids()),
            )
        };
        texts.iter().map(encode).collect()
    }
}

/// The content of a file that must have this hash; `None` if there is no file.
fn checked(path: &Path, wanted: &'static str) -> Result<Option<Vec<u8>>, ModelError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let path = path.to_owned();
            return Err(ModelError::Read { path, source });
        }
    };
    let found = HEXLOWER.encode(&Sha256::digest(&bytes));
    if found == wanted {
        Ok(Some(bytes))
    } else {
        let path = path.to_owned();
        Err(ModelError::OtherContent {
            path,
            found,
            wanted,
        })
    }
}

/// A vector in one byte per number: the greatest becomes 127. Its length is lost; a cosine needs none.
pub fn quantised(vector: &[f32]) -> Vec<i8> {
    let most = vector.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let scale = 127.0 / most.max(f32::MIN_POSITIVE);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within -127 to 127 after scaling; the cast saturates"
    )]
    let byte = |x: &f32| (x * scale).round() as i8;
    vector.iter().map(byte).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn no_files_are_no_model_and_other_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Encoder::open(folder.path()).unwrap().is_none());
        fs::write(folder.path().join(VOCABULARY), "{}").unwrap();
        let refused = Encoder::open(folder.path()).unwrap_err();
        assert!(
            matches!(refused, ModelError::OtherContent { .. }),
            "{refused}"
        );
    }

    #[test]
    fn quantised_vectors_keep_their_direction() {
        assert_eq!(quantised(&[0.5, -0.25, 0.0]), [127, -64, 0]);
        assert_eq!(quantised(&[0.0, 0.0]), [0, 0]);
    }

    /// The model of the folder that `SYNAP_TEST_MODELS` names.
    pub(crate) fn encoder() -> Option<Encoder> {
        let found = std::env::var_os("SYNAP_TEST_MODELS")
            .and_then(|folder| Encoder::open(Path::new(&folder)).unwrap());
        if found.is_none() {
            println!("SKIPPED (SYNAP_TEST_MODELS names no folder with the model's files)");
        }
        found
    }

    #[test]
    fn sentences_that_mean_the_same_are_near() {
        let Some(encoder) = encoder() else { return };
        let texts = [
            "How do I get my money back?",
            "Refunds are paid within a week.",
            "The cat sleeps on the roof.",
        ];
        let vectors = encoder.encode(&texts);
        let (near, far) = (
            cosine(&vectors[0], &vectors[1]),
            cosine(&vectors[0], &vectors[2]),
        );
        println!("near {near:.4}, far {far:.4}");
        assert!(near > far + 0.2, "near {near}, far {far}");
        assert_eq!(encoder.encode(&texts[..1]), vectors[..1]);
    }

    /// First numbers of the vectors that the same weights give in 64-bit arithmetic, by a program of another language.
    const KNOWN: [(&str, [f32; 8]); 5] = [
        (
            "How do I get my money back?",
            [
                -0.014_776, 0.047_721, -0.014_67, -0.005_958, -0.040_567, -0.012_155, 0.063_997,
                -0.038_782,
            ],
        ),
        (
            "Refunds are paid within a week.",
            [
                -0.056_539, 0.018_413, 0.082_066, -0.003_411, 0.034_144, 0.025_75, -0.019_189,
                -0.061_245,
            ],
        ),
        (
            "The cat of the office sleeps on the roof.",
            [
                0.093_707, 0.080_525, 0.014_622, 0.073_354, -0.047_847, -0.002_199, -0.039_473,
                0.006_25,
            ],
        ),
        (
            "Grüße aus Zürich: 3 Äpfel für 4,50 €!",
            [
                0.007_374, 0.071_861, 0.010_541, -0.000_979, -0.017_878, 0.036_346, 0.023_267,
                0.058_785,
            ],
        ),
        (
            "",
            [
                -0.118_838, 0.048_299, -0.002_548, -0.011_011, 0.051_951, 0.010_292, 0.115_433,
                0.000_701,
            ],
        ),
    ];

    fn near(found: &[f32], wanted: &[f32]) -> bool {
        found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-5)
    }

    #[test]
    fn vectors_are_those_of_the_published_model() {
        let Some(encoder) = encoder() else { return };
        let texts = KNOWN.map(|(text, _)| text);
        let vectors = encoder.encode(&texts);
        for ((text, wanted), found) in KNOWN.iter().zip(&vectors) {
            assert_eq!(found.len(), DIMENSIONS);
            assert!(near(found, wanted), "{text}: {:?}", &found[..8]);
            let length: f32 = found.iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
            // Alone or in company: the same.
            assert_eq!(&encoder.encode(&[text])[0], found);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        let Some(encoder) = encoder() else { return };
        let long = "The lift is broken on Mondays. ".repeat(60);
        let longer = format!("{long} The cat sleeps on the roof.");
        let vectors = encoder.encode(&[&long, &longer]);
        let wanted = [
            -0.065_191, -0.059_386, 0.145_212, -0.007_727, -0.052_48, 0.038_059, -0.126_183,
            -0.014_014,
        ];
        assert!(near(&vectors[0], &wanted), "{:?}", &vectors[0][..8]);
        assert_eq!(vectors[0], vectors[1]);
    }
}
