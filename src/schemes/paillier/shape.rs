//! The headers that our encryptor and our filters can produce. Compiled only with the feature `client`.
//!
//! A header decides what the numbers after it mean, and whether they are refused. An attacker who could choose it freely could
//! use the owner of the key as an oracle for a ciphertext: "is it below this bound?". So a secret key is used only for images
//! whose header is exactly the one that follows from the photo's size, its encryption options and the filters of its history.

use std::sync::Arc;

use super::circuit::output_head;
use super::layout::MAX_HALO;
use super::recipe::{Recipe, Step};
use super::{Encoding, ImageHead, Layout};
use crate::error::{Code, Error, Result};

/// Checks that this head results from photos that our encryptor has encrypted, after the filters of the head's history.
///
/// # Errors
/// [`Code::BadHeader`].
pub(crate) fn check(head: &ImageHead) -> Result<()> {
    let recipe = Recipe::of(head)?;
    if made(&recipe, head, head.layout.halo).is_some_and(|made| made == *head) {
        return Ok(());
    }
    Err(Error::new(
        Code::BadHeader,
        "no photo encrypted by Safelight has this header after these filters: its slots, tiles or halo differ; do not \
         decrypt this file, and ask its sender",
    ))
}

/// The head of a recipe's result with a halo of `halo`, or `None` if that is impossible.
fn made(recipe: &Recipe, like: &ImageHead, halo: (u16, u16)) -> Option<ImageHead> {
    let mut now = photo(recipe, like, halo)?;
    for Step { filter, second } in &recipe.steps {
        let second = match second {
            Some(second) => Some(made(second, like, now.layout.halo)?),
            None => None,
        };
        let inputs: Vec<_> = [now].into_iter().chain(second).collect();
        now = output_head(filter, &inputs).ok()?;
    }
    Some(now)
}

/// The head of the photo that a recipe begins with. Its halo is `halo` plus what the steps use up.
fn photo(recipe: &Recipe, like: &ImageHead, halo: (u16, u16)) -> Option<ImageHead> {
    let fits = |halo: &u16| *halo <= MAX_HALO;
    let wider = recipe.steps.iter().try_fold(halo, |(x, y), step| {
        let (rx, ry) = step.filter.radius();
        Some((x.checked_add(rx).filter(fits)?, y.checked_add(ry).filter(fits)?))
    })?;
    let Layout { width, height, channels, border, slot_bits, .. } = like.layout;
    let layout = Layout::plan((width, height), channels, border, wider, slot_bits, like.key.bits()).ok()?;
    Encoding::SAMPLES.check(slot_bits).ok()?;
    Some(ImageHead {
        key: Arc::clone(&like.key),
        layout,
        encoding: Encoding::SAMPLES,
        history: String::new(),
        origins: vec![recipe.origin],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schemes::paillier::{Border, Filter, Origin, PublicKey};
    use num_bigint::BigUint;
    use std::slice::from_ref;

    fn head(width: u32, height: u32, halo: u16, slot_bits: u8, origin: u8) -> ImageHead {
        let key = PublicKey::new((BigUint::from(1u8) << 2048) - 1_942_289u32).expect("an odd number of 2048 bits");
        let layout = Layout::plan((width, height), 3, Border::Reflect, (halo, halo), slot_bits, 2048).expect("layout");
        ImageHead {
            key: Arc::new(key),
            layout,
            encoding: Encoding::SAMPLES,
            history: String::new(),
            origins: vec![Origin([origin; 32])],
        }
    }

    fn filtered(text: &str, inputs: &[ImageHead]) -> ImageHead {
        output_head(&Filter::from_text(text).expect(text), inputs).expect(text)
    }

    /// The heads of photos, after each of several filters, and of blends.
    fn honest() -> Vec<ImageHead> {
        let mut all = Vec::new();
        for (width, height) in [(1, 1), (7, 90), (640, 480)] {
            for (halo, slot_bits) in [(0, 8), (3, 33), (20, 48)] {
                let photo = head(width, height, halo, slot_bits, 1);
                all.push(photo.clone());
                for text in ["mean size=3x3", "sobel-x", "brightness offset=-9", "kernel weights=1,-2,1 divisor=3"] {
                    let filter = Filter::from_text(text).expect(text);
                    let Ok(once) = output_head(&filter, from_ref(&photo)) else { continue };
                    let (rx, _) = filter.radius();
                    all.extend((halo >= 2 * rx).then(|| output_head(&filter, from_ref(&once)).ok()).flatten());
                    let other = output_head(&filter, &[head(width, height, halo, slot_bits, 2)]).expect("as the first");
                    let blend = Filter::from_text("blend share=30").expect("blend");
                    all.extend(output_head(&blend, &[once.clone(), other]));
                    all.push(once);
                }
            }
        }
        all
    }

    #[test]
    fn what_we_make_is_let_pass() {
        let all = honest();
        assert!(all.len() > 60, "{}", all.len());
        for head in &all {
            check(head).unwrap_or_else(|error| panic!("{head:?}: {error}"));
        }
    }

    #[test]
    fn nothing_else_is() {
        type Change = (&'static str, fn(&mut ImageHead));
        let changes: [Change; 13] = [
            ("a lower bound", |head| head.encoding.high -= 1),
            ("a higher bound", |head| head.encoding.high += 1),
            ("another lowest number", |head| head.encoding.low += 1),
            ("another bias", |head| head.encoding.bias += 1),
            ("another divisor", |head| head.encoding.divisor += 1),
            ("one tile", |head| head.layout.grid = (1, 1)),
            ("fewer tiles across", |head| head.layout.grid.0 -= 1),
            ("fewer tiles down", |head| head.layout.grid.1 -= 1),
            ("a photo more", |head| head.origins.push(Origin([9; 32]))),
            ("another history", |head| head.history = "emboss".into()),
            ("a history in other words", |head| head.history = "sobel-x ".into()),
            ("a history that is none", |head| head.history = "sobel-x; [".into()),
            ("a halo beyond all bounds", |head| head.layout.halo = (MAX_HALO, MAX_HALO)),
        ];
        for (what, change) in changes {
            let mut head = filtered("sobel-x", &[head(640, 480, 1, 20, 1)]);
            check(&head).expect("it is honest");
            change(&mut head);
            assert_eq!(check(&head).expect_err(what).kind(), Code::BadHeader, "{what}");
        }
    }

    /// A head made by a hostile site to compare a secret number with a bound.
    #[test]
    fn one_ciphertext_with_a_bound_is_no_image() {
        let mut one = head(1, 1, 0, 48, 1);
        one.layout.channels = 1;
        check(&one).expect("a photo of one grey pixel");
        one.encoding.high = 1 << 40;
        assert_eq!(check(&one).expect_err("a bound").kind(), Code::BadHeader);
    }
}
