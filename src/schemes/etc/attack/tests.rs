//! Which settings the attacks break, and which they do not.

#![allow(clippy::unwrap_used, clippy::float_cmp)]

use super::{Effort, Solution, best_view, exhaustive, known, solve};
use crate::error::Code;
use crate::photo::natural::natural;
use crate::photo::quality::{psnr, ssim};
use crate::photo::{Limits, Photo};
use crate::schemes::etc::file::{Jpeg, encode_jpeg};
use crate::schemes::etc::scramble::Plan;
use crate::schemes::etc::{Form, Label, MasterKey, Nonce, Settings, Sheet};

/// A scrambled picture: the clear sheet, the scrambled one, and the solution according to the key.
struct Case {
    clear: Sheet,
    scrambled: Sheet,
    truth: Solution,
}

fn case(photo: &Photo, form: Form, block: u8, nonce: Nonce) -> Case {
    let key = MasterKey::from_bytes([3; 32]);
    let label = Label::new(photo, &key, Settings { form, block, fixed_key: false }, nonce).unwrap();
    let (clear, plan) = (Sheet::of_photo(photo, &label), Plan::new(&key, &label).unwrap());
    Case { scrambled: plan.scramble(&clear), clear, truth: Solution::of_plan(&plan) }
}

fn colour(side: u32, number: u32, block: u8, nonce: Nonce) -> Case {
    case(&natural(side, side, 3, number), Form::Colour, block, nonce)
}

fn like(found: &Sheet, clear: &Sheet) -> f64 {
    ssim(&found.clone().into_photo().unwrap(), &clear.clone().into_photo().unwrap()).unwrap()
}

fn through_jpeg(sheet: &Sheet, quality: u8) -> Sheet {
    let how = Jpeg { quality, ..Jpeg::default() };
    let file = encode_jpeg(&sheet.clone().into_photo().unwrap(), None, how).unwrap();
    Sheet::from(&Photo::decode(&file, &Limits::default()).unwrap())
}

#[test]
fn who_has_the_key_knows_the_solution() {
    for (form, block) in [(Form::Colour, 16), (Form::Grey, 8), (Form::Grey420, 5)] {
        let case = case(&natural(61, 47, 3, 1), form, block, Nonce([1; 16]));
        assert_eq!(case.truth.apply(&case.scrambled), case.clear);
        assert_eq!(case.truth.neighbours(&case.truth), 1.0);
    }
}

#[test]
fn four_pictures_under_one_key_fall() {
    let cases: Vec<Case> = (0..4).map(|number| colour(128, number, 16, Nonce::FIXED)).collect();
    let sheets: Vec<Sheet> = cases.iter().map(|case| case.scrambled.clone()).collect();
    let solution = solve(&sheets, 16).unwrap();
    assert!(solution.neighbours(&cases[0].truth) > 0.95);
    let clear = cases[2].clear.clone().into_photo().unwrap();
    let score = |view: &Sheet| psnr(&view.clone().into_photo()?, &clear);
    let (_, view) = best_view(&solution.apply(&sheets[2]), score).unwrap();
    assert!(like(&view, &cases[2].clear) > 0.95);
    // Pictures with different keys do not help each other.
    let own: Vec<Sheet> = (0u8..4).map(|i| colour(128, i.into(), 16, Nonce([i + 1; 16])).scrambled).collect();
    assert!(solve(&own, 16).unwrap().neighbours(&cases[0].truth) < 0.1);
}

#[test]
fn one_picture_of_large_blocks_falls() {
    let case = colour(128, 5, 32, Nonce([1; 16]));
    let solution = solve(std::slice::from_ref(&case.scrambled), 32).unwrap();
    assert!(solution.neighbours(&case.truth) > 0.9, "{}", solution.neighbours(&case.truth));
}

#[test]
fn one_grey_picture_of_small_blocks_holds() {
    let case = case(&natural(64, 64, 3, 5), Form::Grey, 8, Nonce([1; 16]));
    let solution = solve(std::slice::from_ref(&case.scrambled), 8).unwrap();
    assert!(solution.neighbours(&case.truth) < 0.25, "{}", solution.neighbours(&case.truth));
}

#[test]
fn four_blocks_are_found_by_trying_everything() {
    let mut right = 0.0;
    for number in 0..4 {
        let case = colour(64, number, 32, Nonce([7; 16]));
        let tried = exhaustive(&case.scrambled, 32, 1_000_000).unwrap();
        assert!(tried.complete);
        right += tried.solution.neighbours(&case.truth) / 4.0;
    }
    assert!(right > 0.9, "{right}");
    // If the limit on placed blocks is reached, the result says that not all keys were tried.
    let case = colour(96, 1, 32, Nonce([7; 16]));
    assert!(!exhaustive(&case.scrambled, 32, 10).unwrap().complete);
    let many = colour(128, 1, 32, Nonce([7; 16]));
    assert_eq!(exhaustive(&many.scrambled, 32, 10).unwrap_err().kind(), Code::BadArgument);
}

#[test]
fn one_known_photo_opens_all_pictures_of_its_key() {
    for (form, block) in [(Form::Colour, 16), (Form::Colour, 5), (Form::Grey, 8), (Form::Grey420, 8)] {
        let case = |number| case(&natural(80, 60, 3, number), form, block, Nonce::FIXED);
        let (first, other) = (case(1), case(2));
        let found = known(&[(first.clear, first.scrambled)], block.into()).unwrap();
        assert!(found.ambiguous < 0.05, "{}", found.ambiguous);
        assert!(like(&found.solution.apply(&other.scrambled), &other.clear) > 0.97);
    }
}

#[test]
fn known_photos_help_after_jpeg_too_and_only_with_their_key() {
    let (first, other) = (colour(128, 1, 16, Nonce::FIXED), colour(128, 2, 16, Nonce::FIXED));
    let found = known(&[(first.clear, through_jpeg(&first.scrambled, 80))], 16).unwrap();
    let seen = like(&found.solution.apply(&through_jpeg(&other.scrambled, 80)), &other.clear);
    assert!(seen > 0.7, "{seen}");
    let own = colour(128, 2, 16, Nonce([9; 16]));
    let seen = like(&found.solution.apply(&own.scrambled), &own.clear);
    assert!(seen < 0.3, "{seen}");
}

#[test]
fn flat_blocks_tell_nothing() {
    let flat = Photo::from_samples(64, 64, 3, vec![90; 64 * 64 * 3]).unwrap();
    let case = case(&flat, Form::Colour, 16, Nonce::FIXED);
    assert_eq!(known(&[(case.clear, case.scrambled)], 16).unwrap().ambiguous, 1.0);
}

#[test]
fn guessing_takes_what_the_key_space_says() {
    let key = MasterKey::from_bytes([3; 32]);
    let settings = Settings::new(Form::Colour);
    let effort = |side| Effort::of(&Label::new(&natural(side, side, 3, 1), &key, settings, Nonce([1; 16])).unwrap());
    // Four blocks: 30.9 bits, and 4 + 3 + 2 + 1 blocks to compare in 96 ways each.
    let four = effort(32);
    assert!((four.bits - 30.9).abs() < 0.1 && four.block_steps == 960.0);
    // At a million tries per second, half of 2^30.9 keys take 1,000 seconds.
    assert!((four.years_log10(1e6) + 4.5).abs() < 0.1, "{}", four.years_log10(1e6));
    assert!(effort(224).years_log10(1e12) > 700.0);
}

#[test]
fn what_cannot_be_attacked_is_said() {
    let (small, large) = (colour(64, 1, 16, Nonce::FIXED), colour(96, 1, 16, Nonce::FIXED));
    let kind = |result: Result<Solution, crate::error::Error>| result.unwrap_err().kind();
    assert_eq!(kind(solve(&[], 16)), Code::BadArgument);
    assert_eq!(kind(solve(&[small.scrambled.clone(), large.scrambled.clone()], 16)), Code::ImagesDiffer);
    for block in [0, 1, 3, 17, 63, 1000] {
        assert_eq!(kind(solve(std::slice::from_ref(&small.scrambled), block)), Code::ImagesDiffer, "{block}");
    }
    assert_eq!(known(&[], 16).unwrap_err().kind(), Code::BadArgument);
    assert_eq!(known(&[(small.clear.clone(), large.scrambled)], 16).unwrap_err().kind(), Code::ImagesDiffer);
    let lies = Sheet { width: 128, ..small.scrambled };
    assert_eq!(kind(solve(&[lies], 16)), Code::ImagesDiffer);
    // A single block has no neighbours; this is no error.
    let one = colour(16, 1, 16, Nonce::FIXED);
    assert_eq!(solve(&[one.scrambled], 16).unwrap().neighbours(&one.truth), 1.0);
}
