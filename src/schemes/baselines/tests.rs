//! Scrambling, unscrambling, and the attacks.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::attack::{best_colours, known, see};
use super::{Plan, Scheme, decrypt, encrypt};
use crate::error::Code;
use crate::photo::Photo;
use crate::photo::natural::natural;
use crate::photo::quality::ssim;
use crate::schemes::etc::{MasterKey, Nonce, Sheet};

fn key(number: u8) -> MasterKey {
    MasterKey::from_bytes([number; 32])
}

fn scrambled(scheme: Scheme, photo: &Photo, nonce: Nonce) -> Sheet {
    Sheet::from(&encrypt(photo, scheme, &key(3), &nonce).unwrap())
}

/// The similarity of a picture recovered with these pairs under the same key.
fn seen_with(scheme: Scheme, count: u32) -> f64 {
    let photo = |number| natural(96, 64, 3, number);
    let pair = |number| (scheme.sheet(&photo(number)), scrambled(scheme, &photo(number), Nonce::FIXED));
    let found = known(scheme, &(1..=count).map(pair).collect::<Vec<_>>()).unwrap();
    let other = scrambled(scheme, &photo(0), Nonce::FIXED);
    ssim(&found.plan.unscramble(&other).unwrap().into_photo().unwrap(), &photo(0)).unwrap()
}

proptest! {
    #[test]
    fn every_picture_comes_back_exactly(width in 1u32..40, height in 1u32..40, grey: bool, number: u32) {
        let photo = natural(width, height, if grey { 1 } else { 3 }, number % 1000);
        for scheme in Scheme::ALL {
            let picture = encrypt(&photo, scheme, &key(7), &Nonce([9; 16])).unwrap();
            prop_assert_eq!(decrypt(&picture, (width, height), scheme, &key(7), &Nonce([9; 16])).unwrap(), photo.clone());
        }
    }
}

#[test]
fn the_steps_of_a_known_key_do_not_change() {
    // The first steps of a picture of two blocks: the origins, with an r if reversed.
    let text = |scheme: Scheme| {
        let sheet = scheme.sheet(&natural(8, 4, 3, 0));
        let plan = Plan::new(scheme, &sheet, &key(9), &Nonce([1; 16])).unwrap();
        let step = |step: &super::Step| format!("{}{}", step.from, if step.reversed { "r" } else { "" });
        plan.steps().iter().take(16).map(step).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        Scheme::ALL.map(text),
        [
            "167 164 109r 96r 152r 162r 149r 103 118 165r 160 48r 68r 112 110r 153",
            "167r 1r 158r 13r 108 116 159 69r 61r 164 67 17 160r 12 66r 114r",
            "1r 2r 0r 3r 4 5 6 7 8 10 11 9 14r 13 12 15r",
        ]
    );
}

#[test]
fn other_keys_and_nonces_give_other_pictures() {
    let photo = natural(32, 32, 3, 1);
    for scheme in Scheme::ALL {
        let picture = encrypt(&photo, scheme, &key(1), &Nonce::FIXED).unwrap();
        assert_ne!(picture, encrypt(&photo, scheme, &key(2), &Nonce::FIXED).unwrap());
        assert_ne!(picture, encrypt(&photo, scheme, &key(1), &Nonce([1; 16])).unwrap());
        assert_ne!(picture, photo);
    }
}

#[test]
fn known_photos_open_all_pictures_of_their_key() {
    for (scheme, pairs) in [(Scheme::Le, 1), (Scheme::Pe, 2)] {
        let like = seen_with(scheme, pairs);
        assert!(like > 0.95, "{}: {like}", scheme.as_str());
    }
}

#[test]
fn keys_for_each_block_take_a_few_known_photos() {
    let (one, six) = (seen_with(Scheme::Ele, 1), seen_with(Scheme::Ele, 6));
    assert!(one < 0.3 && six > 0.75, "{one} with one photo, {six} with six");
}

#[test]
fn another_key_does_not_open_a_picture() {
    for scheme in Scheme::ALL {
        let photo = natural(96, 64, 3, 1);
        let found = known(scheme, &[(scheme.sheet(&photo), scrambled(scheme, &photo, Nonce([1; 16])))]).unwrap();
        let other = scrambled(scheme, &natural(96, 64, 3, 0), Nonce([2; 16]));
        let seen = found.plan.unscramble(&other).unwrap().into_photo().unwrap();
        let like = ssim(&seen, &natural(96, 64, 3, 0)).unwrap();
        assert!(like < 0.35, "{}: {like}", scheme.as_str());
    }
}

#[test]
fn some_are_seen_without_anything_known() {
    let photo = natural(96, 64, 3, 2);
    let like = |view: &Sheet| ssim(&view.clone().into_photo()?, &photo);
    for (scheme, least) in [(Scheme::Le, 0.5), (Scheme::Pe, 0.5)] {
        let scrambled = scrambled(scheme, &photo, Nonce([5; 16]));
        let before = best_colours(&scrambled, like).unwrap().0;
        let after = best_colours(&see(scheme, &scrambled).unwrap().unwrap(), like).unwrap().0;
        assert!(before < 0.35 && after > least, "{}: {before}, {after}", scheme.as_str());
    }
    assert_eq!(see(Scheme::Ele, &scrambled(Scheme::Ele, &photo, Nonce::FIXED)).unwrap(), None);
}

#[test]
fn what_cannot_be_done_is_said() {
    let (small, photo) = (natural(20, 20, 3, 1), natural(40, 40, 3, 1));
    let nonce = Nonce::FIXED;
    for scheme in Scheme::ALL {
        let picture = encrypt(&photo, scheme, &key(1), &nonce).unwrap();
        let error = decrypt(&picture, (30, 40), scheme, &key(1), &nonce).unwrap_err();
        assert_eq!(error.kind(), Code::ImagesDiffer);
        assert_eq!(known(scheme, &[]).err().unwrap().kind(), Code::BadArgument);
        let pair = (scheme.sheet(&photo), scheme.sheet(&small));
        assert_eq!(known(scheme, &[pair]).err().unwrap().kind(), Code::ImagesDiffer);
        let plan = Plan::new(scheme, &scheme.sheet(&photo), &key(1), &nonce).unwrap();
        assert_eq!(plan.scramble(&scheme.sheet(&small)).unwrap_err().kind(), Code::ImagesDiffer);
    }
    let odd = Sheet::from(&natural(21, 20, 3, 1));
    assert_eq!(see(Scheme::Le, &odd).unwrap_err().kind(), Code::ImagesDiffer);
    assert_eq!(Plan::new(Scheme::Ele, &odd, &key(1), &nonce).unwrap_err().kind(), Code::ImagesDiffer);
    let lies = Sheet { width: 8, ..Sheet::from(&natural(16, 16, 3, 1)) };
    assert_eq!(Plan::new(Scheme::Pe, &lies, &key(1), &nonce).unwrap_err().kind(), Code::ImagesDiffer);
}
