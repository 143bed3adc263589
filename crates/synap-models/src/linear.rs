//! Products of matrices by the widest vector instructions that the processor has. The weights are laid out for it once, when
//! they are read: a query of ten tokens would else spend more on copying weights than on using them.

use ndarray::{Array2, ArrayView2};
use pulp::{Arch, Simd, WithSimd};

/// Rows that are worked on at once: with two vectors each, their sums stay in registers.
const ROWS: usize = 4;

/// `x · weight + bias` for rows `x`.
#[derive(Debug)]
pub(crate) struct Linear {
    inputs: usize,
    /// In panels of two vectors' width; each holds its columns' weights input by input.
    panels: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    /// `weight` is outputs by inputs, as it is published. `None` if the shapes do not fit each other, or no whole panels.
    pub(crate) fn new(weight: ArrayView2<'_, f32>, bias: Vec<f32>) -> Option<Self> {
        let (outputs, inputs) = weight.dim();
        let width = Arch::new().dispatch(PanelWidth);
        if outputs != bias.len() || outputs % width != 0 {
            return None;
        }
        let mut panels = Vec::with_capacity(outputs * inputs);
        for panel in weight.axis_chunks_iter(ndarray::Axis(0), width) {
            // Column by column of the panel, that is input by input.
            panels.extend(panel.t().iter());
        }
        Some(Self {
            inputs,
            panels,
            bias,
        })
    }

    /// One row of outputs for each row of inputs.
    pub(crate) fn apply(&self, rows: &Array2<f32>) -> Array2<f32> {
        let mut found = Array2::zeros((rows.nrows(), self.bias.len()));
        let blocks: Vec<Vec<[f32; ROWS]>> = rows
            .axis_chunks_iter(ndarray::Axis(0), ROWS)
            .map(interleaved)
            .collect();
        if let Some(found) = found.as_slice_mut() {
            Arch::new().dispatch(Product {
                linear: self,
                blocks: &blocks,
                found,
            });
        }
        found
    }
}

/// Up to [`ROWS`] rows, input by input; rows that are not there are zeros.
fn interleaved(rows: ArrayView2<'_, f32>) -> Vec<[f32; ROWS]> {
    let mut found = vec![[0.0; ROWS]; rows.ncols()];
    for (at, row) in rows.rows().into_iter().enumerate() {
        for (inputs, x) in found.iter_mut().zip(row) {
            if let Some(input) = inputs.get_mut(at) {
                *input = *x;
            }
        }
    }
    found
}

/// Floats of two vectors on this processor.
struct PanelWidth;

impl WithSimd for PanelWidth {
    type Output = usize;

    #[expect(
        clippy::inline_always,
        reason = "compiled anew for each instruction set"
    )]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        2 * S::F32_LANES
    }
}

struct Product<'a> {
    linear: &'a Linear,
    blocks: &'a [Vec<[f32; ROWS]>],
    /// Row by row.
    found: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[expect(
        clippy::inline_always,
        reason = "compiled anew for each instruction set"
    )]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (outputs, width) = (self.linear.bias.len(), 2 * S::F32_LANES);
        let panels = self.linear.panels.chunks_exact(width * self.linear.inputs);
        let biases = self.linear.bias.chunks_exact(width);
        // Panels outside: each is read from memory once, and from the cache for all further rows.
        for (number, (panel, bias)) in panels.zip(biases).enumerate() {
            let (panel, bias) = (S::as_simd_f32s(panel).0, S::as_simd_f32s(bias).0);
            let &[left, right] = bias else { continue };
            let rows = self.found.chunks_mut(ROWS * outputs);
            for (block, rows) in self.blocks.iter().zip(rows) {
                let sums = tile(simd, panel, block, [left, right]);
                for (row, sums) in rows.chunks_exact_mut(outputs).zip(sums) {
                    let cells = row.chunks_exact_mut(width).nth(number);
                    if let Some(cells) = cells {
                        S::as_mut_simd_f32s(cells).0.copy_from_slice(&sums);
                    }
                }
            }
        }
    }
}

/// A panel's outputs for a block of rows.
#[expect(
    clippy::inline_always,
    reason = "compiled anew for each instruction set"
)]
#[inline(always)]
fn tile<S: Simd>(
    simd: S,
    panel: &[S::f32s],
    block: &[[f32; ROWS]],
    bias: [S::f32s; 2],
) -> [[S::f32s; 2]; ROWS] {
    let mut sums = [bias; ROWS];
    for (weights, inputs) in panel.as_chunks::<2>().0.iter().zip(block) {
        for (sums, input) in sums.iter_mut().zip(inputs) {
            let input = simd.splat_f32s(*input);
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = simd.mul_add_e_f32s(input, *weight, *sum);
            }
        }
    }
    sums
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    reason = "small whole numbers are made up here"
)]
mod tests {
    use super::*;
    use ndarray::Array1;

    #[test]
    fn products_are_those_of_the_plain_rule() {
        let weight =
            Array2::from_shape_fn((64, 7), |(at, k)| ((at * 31 + k * 17) % 13) as f32 - 6.0);
        let bias = Array1::from_shape_fn(64, |at| at as f32 / 8.0);
        let linear = Linear::new(weight.view(), bias.to_vec()).unwrap();
        for count in [1, 3, 4, 9] {
            let rows =
                Array2::from_shape_fn((count, 7), |(at, k)| ((at * 5 + k * 3) % 7) as f32 - 3.0);
            // Whole numbers and eighths: sums are exact in any order.
            assert_eq!(linear.apply(&rows), rows.dot(&weight.t()) + &bias);
        }
        assert!(Linear::new(weight.view(), vec![0.0; 63]).is_none());
    }
}
