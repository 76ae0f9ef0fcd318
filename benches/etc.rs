//! A photo of 12 megapixels scrambled and put together again, as `safelight etc` does it, beside JPEG's own work on it. One
//! core.

use std::hint::black_box;

use criterion::{Criterion, SamplingMode};
use safelight::photo::{Limits, Photo};
use safelight::schemes::etc::file::{Jpeg, encode_jpeg};
use safelight::schemes::etc::{Form, MasterKey, Settings, decrypt, encrypt};

const WIDTH: u32 = 4000;
const HEIGHT: u32 = 3000;

fn main() {
    let photo = photo();
    let key = MasterKey::from_bytes([7; 32]);
    let mut criterion = Criterion::default().sample_size(10).configure_from_args();
    let mut group = criterion.benchmark_group("etc, 12 megapixels");
    group.sampling_mode(SamplingMode::Flat);

    let standard = Jpeg { optimised: false, ..Jpeg::default() };
    group.bench_function("plain JPEG, standard tables", |bencher| {
        bencher.iter(|| encode_jpeg(black_box(&photo), None, standard).expect("a file"));
    });
    group.bench_function("plain JPEG, tables of its own", |bencher| {
        bencher.iter(|| encode_jpeg(black_box(&photo), None, Jpeg::default()).expect("a file"));
    });
    let file = encode_jpeg(&photo, None, standard).expect("a file");
    group.bench_function("read plain JPEG", |bencher| {
        bencher.iter(|| Photo::decode(black_box(&file), &Limits::default()).expect("a photo"));
    });
    for form in Form::ALL {
        let settings = Settings::new(form);
        group.bench_function(format!("scramble {}", form.as_str()), |bencher| {
            bencher.iter(|| encrypt(black_box(&photo), &key, settings).expect("scrambled"));
        });
        let (picture, label) = encrypt(&photo, &key, settings).expect("scrambled");
        group.bench_function(format!("put together {}", form.as_str()), |bencher| {
            bencher.iter(|| decrypt(black_box(&picture), &label, &key).expect("a photo"));
        });
    }
    group.finish();
    criterion.final_summary();
}

/// Waves with some noise, which JPEG works on as on a photo.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn photo() -> Photo {
    let row = |y: u32| {
        (0..WIDTH).flat_map(move |x| {
            (0..3).map(move |c: u32| {
                let wave = (f64::from(x + 90 * c) / 97.0).sin() + (f64::from(y) / 61.0).cos();
                let noise = ((x * 3 + y * WIDTH * 3 + c).wrapping_mul(2_654_435_761) >> 28) & 15;
                (127.0 + 50.0 * wave + f64::from(noise)).clamp(0.0, 255.0) as u8
            })
        })
    };
    Photo::from_samples(WIDTH, HEIGHT, 3, (0..HEIGHT).flat_map(row).collect()).expect("a photo")
}
