//! Scrambling and unscrambling, with the key and without.

#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]

use proptest::prelude::*;

use super::scramble::{ORDERS, Plan, origin};
use super::{Form, Label, MasterKey, Nonce, Resistance, Settings, Sheet, decrypt, encrypt};
use crate::error::Code;
use crate::photo::Photo;
use crate::photo::quality::{psnr, ssim};

fn key(number: u8) -> MasterKey {
    MasterKey::from_bytes([number; 32])
}

/// A picture in which all neighbours differ.
fn photo(width: u32, height: u32, channels: u8) -> Photo {
    let count = width * height * u32::from(channels);
    let samples = (0..count).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    Photo::from_samples(width, height, channels, samples).expect("a photo")
}

/// A picture like [`photo`], but smooth, as photos are.
fn smooth(width: u32, height: u32) -> Photo {
    let wave = |x: u32, y: u32, c: u32| {
        (127.0 + 60.0 * (f64::from(x + c * 9) / 17.0).sin() + 60.0 * (f64::from(y) / 23.0).cos()) as u8
    };
    let samples = (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..3).map(move |c| wave(x, y, c)))).collect();
    Photo::from_samples(width, height, 3, samples).expect("a photo")
}

proptest! {
    #[test]
    fn colour_comes_back_exactly(
        width in 1u32..90, height in 1u32..90, grey: bool, block in 4u8..=64, fixed_key: bool,
    ) {
        let photo = photo(width, height, if grey { 1 } else { 3 });
        let settings = Settings { form: Form::Colour, block, fixed_key };
        let (picture, label) = encrypt(&photo, &key(7), settings).unwrap();
        let label: Label = label.to_string().parse().unwrap();
        prop_assert_eq!(decrypt(&picture, &label, &key(7)).unwrap(), photo);
    }

    #[test]
    fn grey_photos_come_back_exactly_in_every_form(width in 1u32..60, height in 1u32..60) {
        let photo = photo(width, height, 1);
        for form in Form::ALL {
            let (picture, label) = encrypt(&photo, &key(7), Settings::new(form)).unwrap();
            prop_assert_eq!(&decrypt(&picture, &label, &key(7)).unwrap(), &photo);
        }
    }

    #[test]
    fn the_planes_of_the_grey_forms_come_back_exactly(width in 1u32..70, height in 1u32..70, block in 4u8..20) {
        for form in [Form::Grey, Form::Grey420] {
            let settings = Settings { form, block, fixed_key: false };
            let label = Label::new(&photo(width, height, 3), &key(1), settings, Nonce([3; 16])).unwrap();
            let sheet = Sheet::of_photo(&photo(width, height, 3), &label);
            let plan = Plan::new(&key(1), &label).unwrap();
            prop_assert_eq!(plan.unscramble(&plan.scramble(&sheet)), sheet);
        }
    }
}

#[test]
fn colours_of_the_grey_form_come_back_to_within_two_units() {
    let photo = photo(61, 47, 3);
    let (picture, label) = encrypt(&photo, &key(1), Settings::new(Form::Grey)).unwrap();
    let back = decrypt(&picture, &label, &key(1)).unwrap();
    let far = photo.samples().iter().zip(back.samples()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(far <= Some(2), "{far:?}");
    // Even with half the chroma, a smooth photo is restored well.
    let photo = smooth(61, 47);
    let (picture, label) = encrypt(&photo, &key(1), Settings::new(Form::Grey420)).unwrap();
    let back = decrypt(&picture, &label, &key(1)).unwrap();
    let far = photo.samples().iter().zip(back.samples()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(far <= Some(16), "{far:?}");
}

#[test]
fn turns_and_mirrors_are_the_eight_symmetries_of_a_square() {
    let mut seen = std::collections::HashSet::new();
    for turns in 0..4 {
        for mirror in 0..4 {
            let image: Vec<_> = (0..9).map(|i| origin(turns, mirror, i % 3, i / 3, 2)).collect();
            seen.insert(image);
        }
    }
    assert_eq!(seen.len(), 8);
    // A quarter turn clockwise moves the lower left corner to the upper left.
    assert_eq!(origin(1, 0, 0, 0, 2), (0, 2));
    assert_eq!(ORDERS.iter().collect::<std::collections::HashSet<_>>().len(), 6);
}

#[test]
fn every_sample_goes_where_its_step_says() {
    for (form, channels) in [(Form::Colour, 3), (Form::Grey, 1)] {
        let photo = photo(40, 24, channels);
        let label = Label::new(&photo, &key(4), Settings { block: 8, ..Settings::new(form) }, Nonce([2; 16])).unwrap();
        let (plan, sheet) = (Plan::new(&key(4), &label).unwrap(), Sheet::from(&photo));
        let scrambled = plan.scramble(&sheet);
        let at = |x: usize, y: usize, c: usize| (y * 40 + x) * usize::from(channels) + c;
        for (place, step) in plan.steps().iter().enumerate() {
            let (to, from) = ((place % 5 * 8, place / 5 * 8), (step.from as usize % 5 * 8, step.from as usize / 5 * 8));
            for (x, y, c) in (0..64).flat_map(|i| (0..usize::from(channels)).map(move |c| (i % 8, i / 8, c))) {
                let (u, v) = origin(step.turns, step.mirror, x, y, 7);
                let source = usize::from(ORDERS[usize::from(step.order)][c]);
                let sample = sheet.samples[at(from.0 + u, from.1 + v, source)];
                let wanted = if step.negate { 255 - sample } else { sample };
                assert_eq!(scrambled.samples[at(to.0 + x, to.1 + y, c)], wanted);
            }
        }
    }
}

#[test]
fn every_picture_has_its_own_steps_unless_the_key_is_fixed() {
    let photo = photo(64, 64, 3);
    let mut settings = Settings::new(Form::Colour);
    let pictures = |settings| [0; 2].map(|_| encrypt(&photo, &key(5), settings).unwrap().0);
    let [a, b] = pictures(settings);
    assert_ne!(a, b);
    settings.fixed_key = true;
    let [a, b] = pictures(settings);
    assert_eq!(a, b);
    assert_ne!(a, photo);
}

#[test]
fn the_steps_of_a_known_key_do_not_change() {
    // A later version must unscramble the pictures of an earlier one, in the browser, too.
    let photo = photo(48, 48, 3);
    let label = Label::new(&photo, &key(9), Settings::new(Form::Colour), Nonce([1; 16])).unwrap();
    let plan = Plan::new(&key(9), &label).unwrap();
    let text: Vec<String> = plan
        .steps()
        .iter()
        .map(|s| format!("{} {} {} {} {}", s.from, s.turns, s.mirror, u8::from(s.negate), s.order))
        .collect();
    assert_eq!(text.join(", "), KNOWN);
    assert_eq!(label.to_string(), "etc1 colour 16 48x48x3 key=25f909c8689d0958 nonce=01010101010101010101010101010101");
}

const KNOWN: &str = "2 1 3 1 3, 6 0 2 0 3, 8 3 1 1 1, 7 1 2 0 4, 5 2 3 1 0, 3 0 1 1 4, 0 0 3 0 1, 1 1 0 0 3, 4 2 2 1 2";

#[test]
fn wrong_keys_sizes_and_labels_are_told_apart() {
    let (picture, label) = encrypt(&photo(40, 30, 3), &key(1), Settings::new(Form::Colour)).unwrap();
    assert_eq!(decrypt(&picture, &label, &key(2)).unwrap_err().kind(), Code::ForeignKey);
    let smaller = photo(32, 32, 3);
    assert_eq!(decrypt(&smaller, &label, &key(1)).unwrap_err().kind(), Code::ImagesDiffer);
    let text = label.to_string();
    for (wrong, code) in [
        (text.replace("etc1", "etc2"), Code::UnsupportedVersion),
        (text.replace("etc1", "jpeg"), Code::BadHeader),
        (text.replace("40x30x3", "40x30"), Code::BadHeader),
        (text.replace("40x30x3", "40x30x4"), Code::BadHeader),
        (text.replace("40x30x3", "40x4000000000x3"), Code::BadHeader),
        (text.replace("40x30x3", "65535x65535x3"), Code::BadHeader),
        (text.replace("40x30x3", "0x30x3"), Code::BadHeader),
        (text.replace(" 16 ", " 3 "), Code::BadHeader),
        (text.replace(" 16 ", " 255 "), Code::BadHeader),
        (text.replace("nonce=", "nonce=+"), Code::BadHeader),
        (text.replace("colour", "gray"), Code::BadHeader),
        (text.repeat(20), Code::BadHeader),
        (String::new(), Code::BadHeader),
    ] {
        assert_eq!(wrong.parse::<Label>().unwrap_err().kind(), code, "{wrong}");
    }
}

#[test]
fn the_key_space_is_that_of_the_literature() {
    // Figures from the design: 32 x 32 with 16 x 16 blocks, 224 x 224, and 192 x 160 in grey with 8 x 8.
    let bits = |photo: &Photo, settings| Label::new(photo, &key(1), settings, Nonce::FIXED).unwrap().key_space_bits();
    assert!((bits(&photo(32, 32, 3), Settings::new(Form::Colour)) - 30.9).abs() < 0.1);
    assert!((bits(&photo(224, 224, 3), Settings::new(Form::Colour)) - 2505.0).abs() < 1.0);
    assert!((bits(&photo(160, 192, 1), Settings::new(Form::Grey)) - 5509.0).abs() < 1.0);
}

#[test]
fn settings_that_our_attacks_see_through_are_told() {
    let of = |side, form, block, nonce| {
        let settings = Settings { form, block, fixed_key: nonce == Nonce::FIXED };
        Resistance::of(&Label::new(&photo(side, side, 3), &key(1), settings, nonce).unwrap())
    };
    let own = Nonce([1; 16]);
    assert_eq!(of(512, Form::Grey420, 8, Nonce::FIXED), Resistance::Falls);
    assert_eq!(of(48, Form::Colour, 16, own), Resistance::Falls, "nine blocks");
    assert_eq!(of(512, Form::Colour, 32, own), Resistance::Falls);
    assert_eq!(of(512, Form::Colour, 16, own), Resistance::Shows);
    assert_eq!(of(64, Form::Colour, 8, own), Resistance::Shows, "64 blocks");
    assert_eq!(of(512, Form::Grey420, 8, own), Resistance::Holds);
}

/// A picture of a few waves, different for each number.
fn waves(side: u32, number: u32) -> Photo {
    let sample = |x: u32, y: u32, c: u32| {
        let (x, y) = (f64::from(x), f64::from(y));
        let wave = |k: u32| {
            let seed = f64::from(number * 31 + c * 7 + k);
            ((x * (0.05 + 0.03 * seed.sin()) + y * (0.06 + 0.03 * (1.7 * seed).cos())) + seed).sin()
        };
        (127.0 + 30.0 * (0..4).map(wave).sum::<f64>()).clamp(0.0, 255.0) as u8
    };
    let samples = (0..side)
        .flat_map(|y| (0..side).flat_map(move |x| (0..3).map(move |c| (x, y, c))))
        .map(|(x, y, c)| sample(x, y, c));
    Photo::from_samples(side, side, 3, samples.collect()).expect("a photo")
}

#[test]
fn pictures_under_one_key_give_each_other_away() {
    let photos: Vec<Photo> = (0..10).map(|number| waves(128, number)).collect();
    let settings = Settings { fixed_key: true, ..Settings::new(Form::Colour) };
    let sheets: Vec<Sheet> = photos
        .iter()
        .map(|photo| {
            let (picture, label) = encrypt(photo, &key(3), settings).unwrap();
            Sheet::of_picture(&picture, &label).unwrap()
        })
        .collect();
    let solution = super::attack::solve(&sheets, 16).unwrap();
    let found = solution.apply(&sheets[0]);
    let like = |view: &Sheet| psnr(&view.clone().into_photo()?, &photos[0]);
    let (likeness, view) = super::attack::best_view(&found, like).unwrap();
    assert!(likeness.is_infinite(), "{likeness} dB");
    assert_eq!(ssim(&view.into_photo().unwrap(), &photos[0]).unwrap(), 1.0);
    assert!(ssim(&sheets[0].clone().into_photo().unwrap(), &photos[0]).unwrap() < 0.5);
}
