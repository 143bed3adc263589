//! Exponentials and what is made of them, for whole rows at once, by the widest vector instructions that the processor has.
//!
//! A text of 200 tokens takes five million of them: one by one, they cost more than all products of matrices.

use pulp::{Arch, Simd, WithSimd};

/// `e^x`, to seven digits; for `x` from -87 to 88, and the ends of that beyond it.
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// 1.5 · 2^23: a float this large has no room for fractions, and its last bits are the whole number that was added.
    const WHOLE: f32 = 12_582_912.0;
    /// `ln 2` in two parts, so that a multiple of the first is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = x.clamp(-87.0, 88.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, WHOLE);
    let whole = shifted - WHOLE;
    let [high, low] = LN_2;
    let rest = whole.mul_add(-low, whole.mul_add(-high, x));
    // Taylor's series; the rest is at most half of ln 2.
    let mut series = 1.0 / 720.0;
    for factor in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = rest.mul_add(series, factor);
    }
    // A one in the exponent's last place doubles.
    series * f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))
}

/// `x` times the share of a normal distribution that lies below it.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    // The error function as in Abramowitz and Stegun, 7.1.26: wrong by at most 1.5e-7.
    const FACTORS: [f32; 5] = [
        1.061_405_4,
        -1.453_152,
        1.421_413_8,
        -0.284_496_74,
        0.254_829_6,
    ];
    let at = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let near = 1.0 / at.mul_add(0.327_591_1, 1.0);
    let mut series = 0.0;
    for factor in FACTORS {
        series = near * (factor + series);
    }
    let erf = series.mul_add(-exp(-at * at), 1.0);
    0.5 * x * (1.0 + erf.copysign(x))
}

/// [`gelu`] of every value.
pub(crate) fn gelus(values: &mut [f32]) {
    struct Gelus<'a>(&'a mut [f32]);
    impl WithSimd for Gelus<'_> {
        type Output = ();

        #[expect(
            clippy::inline_always,
            reason = "compiled anew for each instruction set"
        )]
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            for x in self.0 {
                *x = gelu(*x);
            }
        }
    }
    Arch::new().dispatch(Gelus(values));
}

/// Makes the values of a row shares of one, each by its exponential, after multiplying them by `scale`.
pub(crate) fn softmax(row: &mut [f32], scale: f32) {
    struct Softmax<'a>(&'a mut [f32], f32);
    impl WithSimd for Softmax<'_> {
        type Output = ();

        #[expect(
            clippy::inline_always,
            reason = "compiled anew for each instruction set"
        )]
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Self(row, scale) = self;
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for x in row.iter_mut() {
                *x = exp((*x - most) * scale);
            }
            let sum: f32 = row.iter().sum();
            for x in row {
                *x /= sum;
            }
        }
    }
    Arch::new().dispatch(Softmax(row, scale));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_six_digits() {
        for step in -8_700_i16..=8_800 {
            let x = f32::from(step) / 100.0;
            let (found, wanted) = (exp(x), f64::from(x).exp());
            let off = (f64::from(found) / wanted - 1.0).abs();
            assert!(off < 1e-6, "e^{x} is {wanted}, not {found}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn gelu_follows_the_error_function() {
        let mut values: Vec<f32> = (-800_i16..=800).map(|x| f32::from(x) / 100.0).collect();
        let wanted: Vec<f32> = values
            .iter()
            .map(|x| 0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2)))
            .collect();
        gelus(&mut values);
        for (found, wanted) in values.iter().zip(wanted) {
            assert!((found - wanted).abs() < 2e-6, "{found}, not {wanted}");
        }
    }

    #[test]
    fn softmax_gives_shares_of_one() {
        let mut row = [1.0, 3.0, 1.0];
        softmax(&mut row, 0.5);
        let e = std::f32::consts::E;
        let wanted = [1.0 / (2.0 + e), e / (2.0 + e), 1.0 / (2.0 + e)];
        for (found, wanted) in row.iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-6, "{row:?}");
        }
    }
}
