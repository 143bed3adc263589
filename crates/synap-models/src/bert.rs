//! The forward pass of a small BERT in `f32`, on one thread: tokens to one vector, mean pooling, length 1.
//!
//! Shapes and names are those of the published weights. One sentence at a time: without padding there is no mask, and
//! what a sentence gives does not depend on its neighbours.

use crate::curve::{gelus, softmax};
use crate::linear::Linear;
use ndarray::{Array1, Array2, ArrayView1, Axis, Slice, Zip};
use safetensors::{SafeTensorError, SafeTensors};

/// Width of a token's vector.
pub(crate) const WIDTH: usize = 384;
const LAYERS: usize = 6;
const HEADS: usize = 12;
const HEAD_WIDTH: usize = WIDTH / HEADS;
/// The same widths, as divisors.
const WIDTH_F32: f32 = 384.0;
const HEAD_WIDTH_F32: f32 = 32.0;
/// As the model was trained.
const EPSILON: f32 = 1e-12;

/// Why weights are not those of this network. Reads well after "cannot use the weights: ".
#[derive(Debug, thiserror::Error)]
pub(crate) enum WeightsError {
    /// Not a file of tensors, or one is missing.
    #[error(transparent)]
    Format(#[from] SafeTensorError),
    /// A tensor of another size.
    #[error("tensor {0} has another shape")]
    Shape(String),
}

#[derive(Debug)]
struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
}

#[derive(Debug)]
struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: Norm,
    inner: Linear,
    outer: Linear,
    outer_norm: Norm,
}

/// The network with its weights.
#[derive(Debug)]
pub(crate) struct Bert {
    words: Array2<f32>,
    /// Positions, with the vector of the only segment added.
    positions: Array2<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

/// Reads tensors by name.
struct Weights<'a>(SafeTensors<'a>);

impl Weights<'_> {
    fn floats(&self, name: &str) -> Result<(Vec<f32>, Vec<usize>), WeightsError> {
        let tensor = self.0.tensor(name)?;
        let (floats, rest) = tensor.data().as_chunks::<4>();
        let wanted = tensor.shape().iter().product::<usize>();
        if !rest.is_empty() || floats.len() != wanted {
            return Err(WeightsError::Shape(name.to_owned()));
        }
        let floats = floats.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok((floats.collect(), tensor.shape().to_vec()))
    }

    fn vector(&self, name: &str) -> Result<Array1<f32>, WeightsError> {
        Ok(Array1::from_vec(self.floats(name)?.0))
    }

    fn matrix(&self, name: &str) -> Result<Array2<f32>, WeightsError> {
        let (floats, shape) = self.floats(name)?;
        let wrong = || WeightsError::Shape(name.to_owned());
        let &[rows, columns] = shape.as_slice() else {
            return Err(wrong());
        };
        Array2::from_shape_vec((rows, columns), floats).map_err(|_| wrong())
    }

    fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Result<Linear, WeightsError> {
        let weight = self.matrix(&format!("{name}.weight"))?;
        let bias = self.vector(&format!("{name}.bias"))?;
        Some(weight)
            .filter(|weight| weight.dim() == (outputs, inputs))
            .and_then(|weight| Linear::new(weight.view(), bias.to_vec()))
            .ok_or_else(|| WeightsError::Shape(name.to_owned()))
    }

    fn norm(&self, name: &str) -> Result<Norm, WeightsError> {
        let norm = Norm {
            weight: self.vector(&format!("{name}.weight"))?,
            bias: self.vector(&format!("{name}.bias"))?,
        };
        if norm.weight.len() != WIDTH || norm.bias.len() != WIDTH {
            return Err(WeightsError::Shape(name.to_owned()));
        }
        Ok(norm)
    }

    fn layer(&self, number: usize) -> Result<Layer, WeightsError> {
        let at = format!("encoder.layer.{number}");
        let square = |name: &str| self.linear(&format!("{at}.{name}"), WIDTH, WIDTH);
        Ok(Layer {
            query: square("attention.self.query")?,
            key: square("attention.self.key")?,
            value: square("attention.self.value")?,
            attended: square("attention.output.dense")?,
            attended_norm: self.norm(&format!("{at}.attention.output.LayerNorm"))?,
            inner: self.linear(&format!("{at}.intermediate.dense"), WIDTH, 4 * WIDTH)?,
            outer: self.linear(&format!("{at}.output.dense"), 4 * WIDTH, WIDTH)?,
            outer_norm: self.norm(&format!("{at}.output.LayerNorm"))?,
        })
    }
}

impl Norm {
    fn apply(&self, mut rows: Array2<f32>) -> Array2<f32> {
        for mut row in rows.rows_mut() {
            let mean = row.sum() / WIDTH_F32;
            row -= mean;
            let variance = row.dot(&row) / WIDTH_F32;
            row /= (variance + EPSILON).sqrt();
            row *= &self.weight;
            row += &self.bias;
        }
        rows
    }
}

impl Layer {
    fn apply(&self, rows: &Array2<f32>) -> Array2<f32> {
        let attended = self.attended.apply(&self.attend(rows));
        let rows = self.attended_norm.apply(attended + rows);
        let mut inner = self.inner.apply(&rows);
        if let Some(values) = inner.as_slice_mut() {
            gelus(values);
        }
        let outer = self.outer.apply(&inner);
        self.outer_norm.apply(outer + &rows)
    }

    fn attend(&self, rows: &Array2<f32>) -> Array2<f32> {
        let (query, key) = (self.query.apply(rows), self.key.apply(rows));
        let value = self.value.apply(rows);
        let scale = HEAD_WIDTH_F32.sqrt().recip();
        let mut found = Array2::zeros(rows.raw_dim());
        for head in 0..HEADS {
            let of_head = Slice::from(head * HEAD_WIDTH..(head + 1) * HEAD_WIDTH);
            let mut weights = query
                .slice_axis(Axis(1), of_head)
                .dot(&key.slice_axis(Axis(1), of_head).t());
            for mut row in weights.rows_mut() {
                if let Some(row) = row.as_slice_mut() {
                    softmax(row, scale);
                }
            }
            found
                .slice_axis_mut(Axis(1), of_head)
                .assign(&weights.dot(&value.slice_axis(Axis(1), of_head)));
        }
        found
    }
}

impl Bert {
    /// Reads the weights out of the bytes of a safetensors file.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, WeightsError> {
        let weights = Weights(SafeTensors::deserialize(bytes)?);
        let words = weights.matrix("embeddings.word_embeddings.weight")?;
        let positions = weights.matrix("embeddings.position_embeddings.weight")?;
        let segments = weights.matrix("embeddings.token_type_embeddings.weight")?;
        if words.ncols() != WIDTH || positions.ncols() != WIDTH || segments.ncols() != WIDTH {
            return Err(WeightsError::Shape("embeddings".to_owned()));
        }
        Ok(Self {
            words,
            positions: positions + segments.index_axis(Axis(0), 0),
            norm: weights.norm("embeddings.LayerNorm")?,
            layers: (0..LAYERS)
                .map(|number| weights.layer(number))
                .collect::<Result<_, _>>()?,
        })
    }

    /// The vector of a sentence: the mean of its tokens', made one long. All zeros where there are no tokens.
    pub(crate) fn encode(&self, tokens: &[u32]) -> Vec<f32> {
        let known = |token: &u32| (*token as usize) < self.words.nrows();
        let tokens: Vec<usize> = tokens
            .iter()
            .filter(|t| known(t))
            .map(|t| *t as usize)
            .collect();
        let count = tokens.len().min(self.positions.nrows());
        if count == 0 {
            return vec![0.0; WIDTH];
        }
        let mut rows = self
            .positions
            .slice_axis(Axis(0), Slice::from(..count))
            .to_owned();
        for (mut row, token) in rows.rows_mut().into_iter().zip(&tokens) {
            row += &self.words.row(*token);
        }
        let mut rows = self.norm.apply(rows);
        for layer in &self.layers {
            rows = layer.apply(&rows);
        }
        unit(rows.sum_axis(Axis(0)).view())
    }
}

fn unit(vector: ArrayView1<'_, f32>) -> Vec<f32> {
    let length = vector.dot(&vector).sqrt().max(f32::MIN_POSITIVE);
    let mut found = vector.to_owned();
    Zip::from(&mut found).for_each(|x| *x /= length);
    found.to_vec()
}
