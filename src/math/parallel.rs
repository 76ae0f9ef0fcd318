//! Parallel work, if there are several cores.

/// Computes `work(0)`, `work(1)`, ... on all cores.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    use rayon::prelude::*;
    (0..count).into_par_iter().map(work).collect()
}

/// Runs both closures, at the same time if a core is free.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    rayon::join(a, b)
}

/// Runs `work(0, first)`, `work(1, second)`, ... on pieces of `length` words, on all cores.
#[cfg(all(feature = "ckks", not(target_arch = "wasm32")))]
pub(crate) fn each(words: &mut [u64], length: usize, work: impl Fn(usize, &mut [u64]) + Sync + Send) {
    use rayon::prelude::*;
    words.par_chunks_exact_mut(length).enumerate().for_each(|(number, piece)| work(number, piece));
}

/// Like [`each`], with pieces of two slices.
#[cfg(all(feature = "ckks", not(target_arch = "wasm32")))]
pub(crate) fn each_two(
    first: &mut [u64],
    second: &mut [u64],
    length: usize,
    work: impl Fn(usize, &mut [u64], &mut [u64]) + Sync + Send,
) {
    use rayon::prelude::*;
    let pieces = first.par_chunks_exact_mut(length).zip(second.par_chunks_exact_mut(length));
    pieces.enumerate().for_each(|(number, (first, second))| work(number, first, second));
}

/// Like [`each`], with pieces of three slices, each with its own piece length.
#[cfg(all(feature = "ckks", not(target_arch = "wasm32")))]
pub(crate) fn each_three(words: [(&mut [u64], usize); 3], work: impl Fn(usize, [&mut [u64]; 3]) + Sync + Send) {
    use rayon::prelude::*;
    let [first, second, third] = words.map(|(words, length)| words.par_chunks_exact_mut(length));
    let pieces = first.zip(second).zip(third).enumerate();
    pieces.for_each(|(number, ((first, second), third))| work(number, [first, second, third]));
}

/// In a browser, each worker has one core.
#[cfg(all(feature = "ckks", target_arch = "wasm32"))]
pub(crate) fn each_three(words: [(&mut [u64], usize); 3], work: impl Fn(usize, [&mut [u64]; 3])) {
    let [first, second, third] = words.map(|(words, length)| words.chunks_exact_mut(length));
    let pieces = first.zip(second).zip(third).enumerate();
    pieces.for_each(|(number, ((first, second), third))| work(number, [first, second, third]));
}

/// In a browser, each worker has one core.
#[cfg(all(feature = "ckks", target_arch = "wasm32"))]
pub(crate) fn each_two(
    first: &mut [u64],
    second: &mut [u64],
    length: usize,
    work: impl Fn(usize, &mut [u64], &mut [u64]),
) {
    let pieces = first.chunks_exact_mut(length).zip(second.chunks_exact_mut(length));
    pieces.enumerate().for_each(|(number, (first, second))| work(number, first, second));
}

/// In a browser, each worker has one core.
#[cfg(all(feature = "ckks", target_arch = "wasm32"))]
pub(crate) fn each(words: &mut [u64], length: usize, work: impl Fn(usize, &mut [u64])) {
    words.chunks_exact_mut(length).enumerate().for_each(|(number, piece)| work(number, piece));
}

/// In a browser, each worker has one core.
#[cfg(target_arch = "wasm32")]
pub(crate) fn map<T>(count: usize, work: impl Fn(usize) -> T) -> Vec<T> {
    (0..count).map(work).collect()
}

/// Sequential for the same reason.
#[cfg(target_arch = "wasm32")]
pub(crate) fn join<A, B>(a: impl FnOnce() -> A, b: impl FnOnce() -> B) -> (A, B) {
    (a(), b())
}
