//! The whole experiment on generated faces.

#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::*;

/// Faces that consist of a few waves, lit from many sides. Some are hard to distinguish.
fn faces() -> Faces {
    let (width, height) = (48, 40);
    let face = |person: u32, light: u32| {
        let sample = |x: u32, y: u32| {
            let (x, y, person, light) = (f64::from(x), f64::from(y), f64::from(person), f64::from(light));
            let shape = (0.2 * x + person).sin() + (0.17 * y + 2.0 * person).cos();
            let shade = (0.11 * x * (1.9 * light).cos() + 0.13 * y * (1.9 * light).sin() + light).sin();
            (127.0 + 20.0 * shape + 80.0 * shade).clamp(0.0, 255.0) as u8
        };
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| sample(x, y)).collect()
    };
    Faces { width, height, people: (0..5).map(|person| (0..12).map(|light| face(person, light)).collect()).collect() }
}

fn experiment(seeds: &[u64]) -> Experiment {
    Experiment { kernels: KERNELS.to_vec(), training: Training::default(), block: 8, seeds: seeds.to_vec() }
}

#[test]
fn one_key_for_all_changes_no_bit_of_any_rate() {
    let rows = run(&faces(), &experiment(&[1, 2]), |_, _| Ok(())).unwrap();
    assert_eq!(rows.len(), KERNELS.len() * Pictures::ALL.len() * FRACTIONS.len());
    let bits = |kernel, pictures| -> Vec<u64> {
        let of_these = rows.iter().filter(|row| (row.kernel, row.pictures) == (kernel, pictures));
        of_these.flat_map(|row| &row.rates).map(|rate| rate.to_bits()).collect()
    };
    for kernel in KERNELS {
        let plain = bits(kernel, Pictures::PlainMapped);
        assert_eq!(plain.len(), 2 * FRACTIONS.len());
        assert_eq!(plain, bits(kernel, Pictures::OneKey), "{kernel:?}");
        // The equality above is not trivial: other samples and other keys give other rates, and some faces are mistaken.
        assert_ne!(plain, bits(kernel, Pictures::Plain), "{kernel:?}");
        assert_ne!(plain, bits(kernel, Pictures::OwnKeys), "{kernel:?}");
        assert!(plain.iter().any(|&rate| rate != 0), "{kernel:?}");
    }
}

#[test]
fn one_core_gives_the_same_as_many() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let rows = pool.install(|| run(&faces(), &experiment(&[3]), |_, _| Ok(()))).unwrap();
        rows.into_iter().flat_map(|row| row.rates).map(f64::to_bits).collect::<Vec<u64>>()
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn blocks_must_fit_and_work_can_be_stopped() {
    let wrong = Experiment { block: 9, ..experiment(&[1]) };
    assert_eq!(run(&faces(), &wrong, |_, _| Ok(())).unwrap_err().kind(), Code::BadArgument);
    let stop = |done, all| if done < 5 { Ok(()) } else { Err(Error::new(Code::Cancelled, format!("of {all}"))) };
    assert_eq!(run(&faces(), &experiment(&[1]), stop).unwrap_err().message(), "of 48");
}
