//! Photos and filters in the clear, as simple as possible: the expected results of decryption.

use super::raw::noise;

/// A photo: interleaved planes, row by row.
pub(crate) struct Photo {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) planes: usize,
    pub(crate) samples: Vec<i64>,
}

impl Photo {
    /// A photo of noise that contains much black and white.
    pub(crate) fn noise(label: &str, width: u32, height: u32, planes: usize) -> Self {
        let count = (width * height) as usize * planes;
        let extreme = |byte: u8| match byte {
            0..50 => 0,
            206.. => 255,
            other => i64::from(other),
        };
        Self { width, height, planes, samples: noise(label, count).into_iter().map(extreme).collect() }
    }

    /// The sample at a position that may be outside: border 0 replicates, 1 reflects, 2 is black.
    pub(crate) fn at(&self, x: i64, y: i64, plane: usize, border: u8) -> i64 {
        let fold = |mut v: i64, size: u32| {
            let last = i64::from(size) - 1;
            match border {
                0 => v = v.clamp(0, last),
                1 if last == 0 => v = 0,
                1 => {
                    while !(0..=last).contains(&v) {
                        v = if v < 0 { -v } else { 2 * last - v };
                    }
                }
                _ => {}
            }
            usize::try_from(v).ok().filter(|_| v <= last)
        };
        let place = fold(x, self.width).zip(fold(y, self.height));
        place.map_or(0, |(x, y)| self.samples[(y * self.width as usize + x) * self.planes + plane])
    }

    /// The filter's values, neither clamped nor shifted: `floor(sum / divisor + 1/2) + offset`.
    pub(crate) fn filter(inputs: &[(&Self, &[&[i64]])], border: u8, divisor: i64, offset: i64) -> Vec<i64> {
        let first = inputs[0].0;
        let mut values = Vec::new();
        for y in 0..i64::from(first.height) {
            for x in 0..i64::from(first.width) {
                for plane in 0..first.planes {
                    let mut sum = 0;
                    for (photo, kernel) in inputs {
                        for (j, weights) in (0i64..).zip(kernel.iter()) {
                            for (i, weight) in (0i64..).zip(weights.iter()) {
                                let (rx, ry) = (weights.len() / 2, kernel.len() / 2);
                                let (rx, ry) = (i64::try_from(rx).expect("small"), i64::try_from(ry).expect("small"));
                                sum += weight * photo.at(x + i - rx, y + j - ry, plane, border);
                            }
                        }
                    }
                    values.push((2 * sum + divisor).div_euclid(2 * divisor) + offset);
                }
            }
        }
        values
    }
}
