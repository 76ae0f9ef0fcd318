//! A second implementation of the filters, on clear pictures, written from their descriptions alone and as simple as possible.

use safelight::photo::Photo;

/// Weights in rows of equal length, with an odd number of rows and columns, and the divisor of the sum.
pub(crate) struct Kernel {
    pub(crate) rows: Vec<Vec<i64>>,
    pub(crate) divisor: i64,
}

impl Kernel {
    pub(crate) fn new(rows: &[&[i64]], divisor: i64) -> Self {
        Self { rows: rows.iter().map(|row| row.to_vec()).collect(), divisor }
    }

    pub(crate) fn mean(width: usize, height: usize) -> Self {
        Self { rows: vec![vec![1; width]; height], divisor: i64::try_from(width * height).expect("small") }
    }

    /// `exp(-i^2 / (2 sigma^2))` along each axis, scaled to a fixed sum and rounded half up, the rest in the middle.
    pub(crate) fn gaussian(sigma: f64, radius: i32) -> Self {
        let sum: i64 = match radius {
            1 => 4,
            2 => 16,
            _ => {
                let mut power = 1;
                while power < 8 * (2 * i64::from(radius) + 1) {
                    power *= 2;
                }
                power
            }
        };
        let g = |i: i32| (-f64::from(i * i) / (2.0 * sigma * sigma)).exp();
        let total: f64 = g(0) + (1..=radius).map(|i| 2.0 * g(i)).sum::<f64>();
        let mut axis: Vec<i64> = (-radius..=radius)
            .map(|i| {
                let exact = f64::from(i32::try_from(sum).expect("small")) * g(i) / total;
                format!("{:.0}", (exact + 0.5).floor()).parse().expect("an integer")
            })
            .collect();
        let middle = usize::try_from(radius).expect("positive");
        axis[middle] = 0;
        axis[middle] = sum - axis.iter().sum::<i64>();
        Self { rows: axis.iter().map(|a| axis.iter().map(|b| a * b).collect()).collect(), divisor: sum * sum }
    }
}

/// The sample at any position, including those outside the picture.
fn sample(photo: &Photo, border: &str, x: i64, y: i64, channel: usize) -> i64 {
    let (Some(x), Some(y)) = (inside(border, x, photo.width()), inside(border, y, photo.height())) else { return 0 };
    let at = (y * usize::try_from(photo.width()).expect("small") + x) * usize::from(photo.channels()) + channel;
    photo.samples()[at].into()
}

fn inside(border: &str, mut at: i64, size: u32) -> Option<usize> {
    let last = i64::from(size) - 1;
    while at < 0 || at > last {
        at = match border {
            "replicate" => at.clamp(0, last),
            // Mirrors at the edge pixels. In a picture of one pixel, there is only that pixel.
            "reflect" if last == 0 => 0,
            "reflect" if at < 0 => -at,
            "reflect" => 2 * last - at,
            _ => return None,
        };
    }
    usize::try_from(at).ok()
}

/// The exact values of the filtered picture, row by row.
pub(crate) fn filtered(photo: &Photo, kernel: &Kernel, border: &str, offset: i64) -> Vec<i64> {
    let (rx, ry) = (kernel.rows[0].len() / 2, kernel.rows.len() / 2);
    let (rx, ry) = (i64::try_from(rx).expect("small"), i64::try_from(ry).expect("small"));
    let mut out = Vec::new();
    for y in 0..i64::from(photo.height()) {
        for x in 0..i64::from(photo.width()) {
            for channel in 0..usize::from(photo.channels()) {
                let mut sum = 0;
                for (j, row) in (0..).zip(&kernel.rows) {
                    for (i, weight) in (0..).zip(row) {
                        sum += weight * sample(photo, border, x + i - rx, y + j - ry, channel);
                    }
                }
                out.push(round(sum, kernel.divisor) + offset);
            }
        }
    }
    out
}

/// A mix of two pictures, `share` percent of the first.
pub(crate) fn blended(one: &Photo, two: &Photo, share: i64) -> Vec<i64> {
    let pairs = one.samples().iter().zip(two.samples());
    pairs.map(|(&a, &b)| round(share * i64::from(a) + (100 - share) * i64::from(b), 100)).collect()
}

/// Division with rounding half up, towards positive infinity.
fn round(sum: i64, divisor: i64) -> i64 {
    (2 * sum + divisor).div_euclid(2 * divisor)
}

/// The samples that an 8-bit view shows for these values.
pub(crate) fn shown(values: &[i64], view: &str) -> Vec<u8> {
    let show = |value: i64| match view {
        "clamp" => value,
        "signed" => (value + 256).div_euclid(2),
        "absolute" => value.abs(),
        _ => panic!("no such view"),
    };
    values.iter().map(|&value| u8::try_from(show(value).clamp(0, 255)).expect("a byte")).collect()
}
