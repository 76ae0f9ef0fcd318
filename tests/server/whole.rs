//! The whole process with a real key: encryption, the server's filter in both forms, decryption, and a comparison with the
//! filter on the clear photo. Needs the feature `client`, unlike everything else here.
#![cfg(feature = "client")]

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use safelight::photo::Photo;
use safelight::schemes::paillier::stream::{DecryptOptions, Limits, decrypt_image_with, encrypt_image};
use safelight::schemes::paillier::{Border, Check, EncryptOptions, EncryptionKey, Filter, SecretKey, View};
use safelight::watch::NoWatch;

use crate::client::{get, post};
use crate::house::Server;
use crate::images::Noise;
use crate::jobs;

const WIDTH: u32 = 23;
const HEIGHT: u32 = 17;
const CHANNELS: u8 = 3;

/// The mean of 3x3 pixels with the border repeated, rounded half up.
fn mean(samples: &[u8]) -> Vec<u8> {
    let (width, height, channels) = (WIDTH as usize, HEIGHT as usize, usize::from(CHANNELS));
    let at = |x: usize, y: usize, c: usize| u32::from(samples[(y * width + x) * channels + c]);
    let around = |i: usize, size: usize| [i.saturating_sub(1), i, (i + 1).min(size - 1)];
    let mut means = Vec::new();
    for (y, x, c) in (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..channels).map(move |c| (y, x, c)))) {
        let sum: u32 = around(y, height).iter().flat_map(|&v| around(x, width).map(|u| at(u, v, c))).sum();
        means.push(u8::try_from((2 * sum + 9) / 18).expect("a mean of bytes"));
    }
    means
}

#[test]
fn what_comes_back_is_the_filtered_photo() {
    let mut random = ChaCha20Rng::seed_from_u64(6);
    let key = SecretKey::generate(2048, &mut random).expect("a key");
    let samples = Noise(8).bytes(WIDTH as usize * HEIGHT as usize * usize::from(CHANNELS));
    let photo = Photo::from_samples(WIDTH, HEIGHT, CHANNELS, samples.clone()).expect("a photo");
    let filter = Filter::parse("mean", &[]).expect("a filter");
    let options = EncryptOptions::for_filter(&filter, Border::Replicate).expect("a small filter");
    let mut encrypted = Vec::new();
    let public = EncryptionKey::Public(key.public().clone());
    encrypt_image(public, &photo, &options, &mut encrypted, &NoWatch).expect("encrypted");

    let server = Server::start(|_| ());
    let direct = post(server.at, "/v1/filters/mean", &encrypted);
    assert_eq!(direct.status, 200);
    let job = jobs::post(server.at, "/v1/filters/mean", &encrypted);
    assert_eq!(jobs::wait(server.at, &job)["state"], "done");
    assert!(get(server.at, &format!("{job}/result")).body == direct.body);

    let options = DecryptOptions { view: View::Clamp, check: Check::WherePossible, ..DecryptOptions::default() };
    let opened =
        decrypt_image_with(&key, &mut &direct.body[..], options, &Limits::default(), &NoWatch).expect("decrypted");
    assert_eq!(opened.canvas.samples8(), mean(&samples));
}
