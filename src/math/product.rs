//! Products of matrices of floating-point numbers. The order of additions is fixed, so the same matrices give the same numbers,
//! to the last bit, on any machine with any number of cores.

/// The rows and columns of a block. The registers hold its sums.
const BLOCK: (usize, usize) = (4, 8);

/// `out += a b`. The rows of `a` have `inner` numbers; those of `b` and `out` have `columns` numbers.
pub(crate) fn add_product(out: &mut [f32], a: &[f32], b: &[f32], inner: usize, columns: usize) {
    let (tall, wide) = BLOCK;
    let mut rows = out.chunks_exact_mut(tall * columns);
    let mut lefts = a.chunks_exact(tall * inner);
    for (out, a) in rows.by_ref().zip(lefts.by_ref()) {
        let a: [&[f32]; BLOCK.0] = std::array::from_fn(|row| &a[row * inner..(row + 1) * inner]);
        let whole = columns / wide * wide;
        for column in (0..whole).step_by(wide) {
            let sums = block(a, b, columns, column);
            for (row, sums) in sums.iter().enumerate() {
                let out = &mut out[row * columns + column..][..wide];
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
            }
        }
        for (row, a) in a.iter().enumerate() {
            single(&mut out[row * columns..(row + 1) * columns], a, b, columns, whole);
        }
    }
    let rest = rows.into_remainder().chunks_exact_mut(columns).zip(lefts.remainder().chunks_exact(inner));
    rest.for_each(|(out, a)| single(out, a, b, columns, 0));
}

/// The sums of one block, starting at `column`.
fn block(a: [&[f32]; BLOCK.0], b: &[f32], columns: usize, column: usize) -> [[f32; BLOCK.1]; BLOCK.0] {
    let mut sums = [[0.0; BLOCK.1]; BLOCK.0];
    for (k, b) in b.chunks_exact(columns).enumerate() {
        let Some(b) = b[column..].first_chunk::<{ BLOCK.1 }>() else { break };
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a[k] * b;
            }
        }
    }
    sums
}

/// Computes the columns of one row, starting at `first`, with the same order of additions as blocks.
fn single(out: &mut [f32], a: &[f32], b: &[f32], columns: usize, first: usize) {
    let mut sums = vec![0.0; out.len() - first];
    for (a, b) in a.iter().zip(b.chunks_exact(columns)) {
        sums.iter_mut().zip(&b[first..]).for_each(|(sum, b)| *sum += a * b);
    }
    out[first..].iter_mut().zip(sums).for_each(|(out, sum)| *out += sum);
}

/// Transposes a matrix whose rows have `columns` numbers.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn transposed(a: &[f32], columns: usize) -> Vec<f32> {
    let rows = a.len() / columns;
    let mut out = vec![0.0; a.len()];
    for (row, numbers) in a.chunks_exact(columns).enumerate() {
        numbers.iter().enumerate().for_each(|(column, number)| out[column * rows + row] = *number);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn products_of_all_shapes() {
        for (rows, inner, columns) in [(1, 1, 1), (4, 3, 8), (9, 5, 19), (3, 0, 2), (8, 17, 7)] {
            let numbers = |count: usize| (0..count).map(|i| (i * 7 % 11) as f32 - 5.0).collect::<Vec<_>>();
            let (a, b) = (numbers(rows * inner), numbers(inner * columns));
            let mut out = vec![1.0; rows * columns];
            if inner > 0 {
                add_product(&mut out, &a, &b, inner, columns);
            }
            for row in 0..rows {
                for column in 0..columns {
                    let sum: f32 = (0..inner).map(|k| a[row * inner + k] * b[k * columns + column]).sum();
                    assert!((out[row * columns + column] - 1.0 - sum).abs() < 1e-6);
                }
            }
        }
        assert_eq!(transposed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }
}
