//! The difference between two pictures of the same size.

#![expect(clippy::cast_precision_loss, reason = "samples are counted in millions")]

use super::Photo;
use crate::error::{Code, Error, Result};

/// The peak signal-to-noise ratio in decibels, over all samples; infinite for equal pictures.
///
/// # Errors
/// [`Code::ImagesDiffer`] unless both have the same size and channels.
pub fn psnr(a: &Photo, b: &Photo) -> Result<f64> {
    same_shape(a, b)?;
    let squares: u64 = a.samples().iter().zip(b.samples()).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum();
    Ok(20.0 * 255f64.log10() - 10.0 * (squares as f64 / a.samples().len() as f64).log10())
}

/// The structural similarity index of the pictures in grey (Wang, Bovik, Sheikh, Simoncelli 2004, without the smaller scales):
/// the mean over all windows of 11 x 11 pixels inside the pictures, weighted by a Gaussian of deviation 1.5. It is 1 for equal
/// pictures, about 0 for unrelated ones.
///
/// # Errors
/// [`Code::ImagesDiffer`] unless both have the same size and channels, [`Code::BadArgument`] below 11 x 11 pixels.
pub fn ssim(a: &Photo, b: &Photo) -> Result<f64> {
    const SIDE: usize = 11;
    same_shape(a, b)?;
    let (width, height) = (a.width() as usize, a.height() as usize);
    if width < SIDE || height < SIDE {
        return Err(Error::new(
            Code::BadArgument,
            "pictures are compared in windows of 11 x 11 pixels, but these are smaller",
        ));
    }
    let weights: Vec<f64> = (0..SIDE).map(|i| libm::exp(-(i as f64 - 5.0).powi(2) / (2.0 * 1.5 * 1.5))).collect();
    let total: f64 = weights.iter().sum();
    let blurred = |values: Vec<f64>| {
        let across: Vec<f64> = values
            .chunks_exact(width)
            .flat_map(|row| row.windows(SIDE).map(|window| weighted(&weights, window.iter()) / total))
            .collect();
        let width = width - SIDE + 1;
        let down = |x: usize, y: usize| (0..SIDE).map(move |i| (y + i) * width + x);
        (0..=height - SIDE)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| weighted(&weights, down(x, y).map(|at| &across[at])) / total)
            .collect::<Vec<f64>>()
    };
    let (x, y) = (grey(a), grey(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).collect::<Vec<f64>>();
    let (xx, yy, xy) = (blurred(product(&x, &x)), blurred(product(&y, &y)), blurred(product(&x, &y)));
    let (x, y) = (blurred(x), blurred(y));
    let (c1, c2) = ((0.01f64 * 255.0).powi(2), (0.03f64 * 255.0).powi(2));
    let sum: f64 = (0..x.len())
        .map(|i| {
            let (mx, my) = (x[i], y[i]);
            let (vx, vy, cov) = (xx[i] - mx * mx, yy[i] - my * my, xy[i] - mx * my);
            (2.0 * mx * my + c1) * (2.0 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
        })
        .sum();
    Ok(sum / x.len() as f64)
}

fn weighted<'a>(weights: &[f64], values: impl Iterator<Item = &'a f64>) -> f64 {
    weights.iter().zip(values).map(|(weight, value)| weight * value).sum()
}

/// Luma by the weights of ITU-R BT.601.
fn grey(photo: &Photo) -> Vec<f64> {
    if photo.channels() == 1 {
        return photo.samples().iter().map(|&sample| sample.into()).collect();
    }
    photo
        .samples()
        .as_chunks::<3>()
        .0
        .iter()
        .map(|&[r, g, b]| 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b))
        .collect()
}

fn same_shape(a: &Photo, b: &Photo) -> Result<()> {
    let shape = |photo: &Photo| (photo.width(), photo.height(), photo.channels());
    if shape(a) == shape(b) {
        return Ok(());
    }
    Err(Error::new(Code::ImagesDiffer, "only pictures of the same size and channels can be compared"))
}
